"""How the cost of commands grows with the number of packages: `PYTHONPATH=tests python -m benchmarks.command_growth`.

Serves worlds of 100, 200, 400 and 800 packages (or the sizes given) on loopback, each package with a wheel of twenty
files, and runs the commands as processes: processor milliseconds, the median of a few runs, and the exponent e of
`time = start + c * packages ** e` that fits best, where `start` is the time for one package. 1 is linear.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.cold_lock import PublicIndex
from benchmarks.growth import exponent
from support.local_index import World

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ROUNDS = 5
_FILES, _FOLDERS = 20, 4
_RUN = "import sys; from lockset.cli.main import main; sys.exit(main())"


class Bench:
    """The folders and the commands of one size."""

    def __init__(self, folder: Path, index: str) -> None:
        self.folder = folder
        self.index = index
        self.environ = {k: v for k, v in os.environ.items() if not k.startswith(("LOCKSET_", "PYTHONDONT"))}
        self.environ["LOCKSET_CACHE_DIR"] = str(folder / "cache")

    def run(self, *arguments: str) -> float:
        """Processor milliseconds of the command, with its copies."""
        before = _used()
        done = subprocess.run(
            [sys.executable, "-c", _RUN, *arguments],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            check=False,
        )
        taken = _used() - before
        if done.returncode > 1 or done.stderr.startswith(b"error"):
            raise SystemExit(f"{arguments}: {done.stderr.decode()}")
        return taken

    def remove(self, *names: str) -> None:
        for name in names:
            path = self.folder / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

    def jobs(self) -> Mapping[str, tuple[tuple[str, ...], Sequence[str]]]:
        """By name: what is removed before each run, and the arguments."""
        lock = ("lock", "world.in", "-o", "pylock.toml", "--default-index", self.index)
        sync = ("sync", "--target", "target")
        return {
            "lock, empty cache": (("cache", "pylock.toml"), lock),
            "lock, searched anew": (("cache/recall-v1", "pylock.toml"), lock),
            "lock, nothing changed": ((), lock),
            "sync, empty cache": (("cache", "target"), sync),
            "sync, filled cache": (("target",), sync),
            "sync, nothing to do": ((), sync),
            "check-env": ((), ("check-env", "--target", "target")),
            "validate": ((), ("validate", "pylock.toml")),
            "tree": ((), ("tree",)),
            "why": ((), ("why", "part-0")),
            "graph": ((), ("graph",)),
            "report": ((), ("report",)),
            "outdated": ((), ("outdated",)),
            "export": ((), ("export", "-o", "requirements.txt")),
            "export, CycloneDX": ((), ("export", "--format", "cyclonedx", "-o", "bom.json")),
            "convert": ((), ("convert", "requirements.txt", "-o", "pylock.other.toml", "--default-index", self.index)),
            "diff": ((), ("diff", "pylock.toml", "pylock.other.toml")),
            "lock, one package more": (("cache/recall-v1",), (*lock, "-P", "part-0")),
            "download": (("wheels",), ("download", "-d", "wheels")),
        }


if sys.platform == "win32":

    def _used() -> float:
        """Processor milliseconds of the child processes that have ended."""
        times = os.times()
        return 1000 * (times.children_user + times.children_system)

else:
    import resource

    def _used() -> float:
        """Processor milliseconds of the child processes that have ended."""
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return 1000 * (used.ru_utime + used.ru_stime)


def world_of(size: int) -> tuple[World, str]:
    """Packages that each require three earlier ones, and what requires all of them."""
    chance, world = random.Random(size), World()
    for number in range(size):
        files = {
            f"part_{number}/{f'folder_{n % _FOLDERS}/' if n % _FOLDERS else ''}module_{n}.py": f"value = {n}\n" * 40
            for n in range(_FILES)
        }
        requires = sorted({f"part-{chance.randrange(number)}>=1" for _ in range(3)}) if number else ()
        for version in ("1.0", "1.1"):
            world.add(f"part-{number}", version, requires=requires, files=files)
    return world, "".join(f"part-{number}\n" for number in range(size))


def main() -> None:
    sizes = [int(text) for text in sys.argv[1:]] or [100, 200, 400, 800]
    table: dict[str, list[float]] = {}
    for size in [1, *sizes]:
        world, names = world_of(size)
        index = PublicIndex(world, 0)
        index.start()
        with tempfile.TemporaryDirectory(prefix="growth-") as folder:
            bench = Bench(Path(folder), f"{index.origin}/simple/")
            Path(folder, "world.in").write_text(names)
            for job, (removed, arguments) in bench.jobs().items():
                table.setdefault(job, []).append(_median(bench, removed, arguments))
    print(f"{'':22}" + "".join(f"{size:>9}" for size in [1, *sizes]) + "   exponent")
    for job, times in table.items():
        grown = [max(time - times[0], 0.1) for time in times[1:]]
        print(f"{job:22}" + "".join(f"{time:9.0f}" for time in times) + f"   {exponent(sizes, grown):.2f}")


def _median(bench: Bench, removed: Sequence[str], arguments: Sequence[str]) -> float:
    taken: list[float] = []
    for _ in range(_ROUNDS + 1):
        bench.remove(*removed)
        taken.append(bench.run(*arguments))
    return median(taken[1:])


if __name__ == "__main__":
    main()
