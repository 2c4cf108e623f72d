"""Count how far a reader walks to follow one small job: the files that it enters, and its moves from file to file.

    PYTHONPATH=tests python tests/architecture/walks.py [--source FOLDER] [--pairs N] [--together] [JOB ...]

A job is a command on a tiny input. Each call of a Python function counts; module bodies, what they call at import, and
what is compiled on first use (constructors of record classes, patterns) does not. A move is a call in another file of
lockset than the call before. Only the main thread is counted, so that the figures are the same in every run.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from support.local_index import LocalIndex

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import FrameType

# What they compile on first use, and normalizing a name, are no steps of a job.
_NO_STEPS = {"_dataclass.py", "_named_tuple.py", "_pattern.py", "package_names.py"}
SOURCE = Path(__file__).parents[2] / "src"
JOBS = ("lock", "convert", "validate", "sync")
_PROJECT = """\
[project]
name = "tiny"
version = "1.0"
requires-python = ">=3.10"
dependencies = ["sample"]
"""


@dataclass(frozen=True)
class Walk:
    """What one job entered: calls by file, and moves by pairs of files. Files are relative to the package."""

    calls: Counter[str]
    moves: Counter[tuple[str, str]]

    def __str__(self) -> str:
        return f"{len(self.calls)} files, {self.moves.total()} moves"


class _Counter:
    """Counts calls of functions below `root`: a profile function (`sys.setprofile`)."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._last = ""
        self.calls: Counter[str] = Counter()
        self.moves: Counter[tuple[str, str]] = Counter()

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        if event != "call" or not self._counts(frame):
            return
        file = frame.f_code.co_filename[len(self._root) :]
        if file in _NO_STEPS:
            return
        self.calls[file] += 1
        if self._last not in {file, ""}:
            self.moves[self._last, file] += 1
        self._last = file

    def _counts(self, frame: FrameType | None) -> bool:
        if frame is None or not frame.f_code.co_filename.startswith(self._root):
            return False
        while frame is not None:
            if frame.f_code.co_name == "<module>" and frame.f_code.co_filename.startswith(self._root):
                return False
            frame = frame.f_back
        return True


def _count(source: str, jobs: Iterable[tuple[str, Sequence[str]]]) -> list[Walk]:
    """Run commands of the lockset below `source` in this process."""
    sys.path.insert(0, source)
    main = import_module("lockset.cli.main").main
    walks = []
    for folder, arguments in jobs:
        os.chdir(folder)
        counter = _Counter(os.path.join(source, "lockset", ""))
        sys.setprofile(counter)
        try:
            code = main(list(arguments))
        finally:
            sys.setprofile(None)
        assert code == 0, arguments
        walks.append(Walk(counter.calls, counter.moves))
    return walks


def _prepared(folder: Path, index: LocalIndex) -> dict[str, tuple[str, Sequence[str]]]:
    """The folder and the arguments of each job. What a job needs of others is made before."""
    index.world.add("sample")
    (folder / "pyproject.toml").write_text(_PROJECT)
    (folder / "requirements.txt").write_text("sample==1.0\n")
    (folder / "alone").mkdir()
    example = folder / "alone" / "pylock.multi-use.toml"
    example.write_bytes((SOURCE.parent / "spec-examples" / "valid" / example.name).read_bytes())
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "env")], check=True)
    common = ("--default-index", index.url)
    made = [sys.executable, "-m", "lockset", "lock", *common, "-o", "alone/pylock.toml", "--cache-dir", "made"]
    subprocess.run(made, cwd=folder, check=True, env={**_environ(), "PYTHONPATH": str(SOURCE)}, capture_output=True)
    python = str(folder / "env" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python"))
    arguments = {
        "lock": ["lock", *common, "--cache-dir", "first"],
        "convert": ["convert", "requirements.txt", "-o", "pylock.toml", *common, "--cache-dir", "second"],
        # In a folder without a project, whose settings would be read, and which would be compared with the lock.
        "validate": ["validate", str(example)],
        "sync": ["sync", "--python", python, "--cache-dir", str(folder / "third")],
    }
    return {job: (str(folder / "alone" if job == "sync" else folder), given) for job, given in arguments.items()}


def walks(jobs: Sequence[str] = JOBS, *, source: Path = SOURCE, together: bool = False) -> dict[str, Walk]:
    """The walk of each job: in a process of its own, or all `together` in one, where later ones find values cached."""
    with LocalIndex() as index, tempfile.TemporaryDirectory() as folder:
        prepared = _prepared(Path(folder), index)
        runs = [list(jobs)] if together else [[job] for job in jobs]
        counted: dict[str, Walk] = {}
        for names in runs:
            request = json.dumps([str(source), [prepared[name] for name in names]])
            code = "import sys, walks; walks.answer(sys.argv[1])"
            path = os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[1])])
            done = subprocess.run(
                [sys.executable, "-c", code, request],
                env={**_environ(), "PYTHONPATH": path},
                capture_output=True,
                encoding="utf-8",
                check=False,
            )
            assert done.returncode == 0, done.stderr
            for name, (calls, moves) in zip(names, json.loads(done.stdout.splitlines()[-1]), strict=True):
                counted[name] = Walk(Counter(calls), Counter({(a, b): count for a, b, count in moves}))
        return counted


def _environ() -> dict[str, str]:
    """The variables that a process needs: others would be read, and counted."""
    return {name: os.environ[name] for name in ("PATH", "TMPDIR", "SYSTEMROOT") if name in os.environ}


def answer(request: str) -> None:
    """Count the jobs of `request` and print the result as JSON, in the process that `walks` starts."""
    source, jobs = json.loads(request)
    result = [(walk.calls, [(*pair, count) for pair, count in walk.moves.items()]) for walk in _count(source, jobs)]
    print(json.dumps(result))


def main() -> None:
    """Print the walks, and with `--pairs` the pairs of files with the most moves."""
    parser = argparse.ArgumentParser(description="Count the walks of small jobs.")
    parser.add_argument("jobs", nargs="*", choices=[[], *JOBS], default=[])
    parser.add_argument("--source", type=Path, default=SOURCE, help="the folder that holds the package lockset")
    parser.add_argument("--pairs", type=int, default=0, help="show so many pairs of files")
    parser.add_argument("--together", action="store_true", help="run all jobs in one process")
    args = parser.parse_args()
    for job, walk in walks(args.jobs or JOBS, source=args.source.resolve(), together=args.together).items():
        print(f"{job}: {walk}")
        both: Counter[tuple[str, str]] = Counter()
        for pair, count in walk.moves.items():
            both[min(pair), max(pair)] += count
        for pair, count in both.most_common(args.pairs):
            print(f"{count:8} {' <> '.join(pair)}")


if __name__ == "__main__":
    main()
