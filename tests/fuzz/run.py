"""Feed one reader with mutated bytes until it raises something else than `LocksetError`, or the time is over.

    python tests/fuzz/run.py NAME [SECONDS [FOLDER]]

FOLDER may hold files to start from. With atheris (CPython on Linux) coverage leads the search; without it, bytes are
changed, cut, repeated and joined at random. What failed is written to `crash-NAME`, and is to become a test.
"""

from __future__ import annotations

import random
import sys
import time
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from fuzz.targets import SEEDS, TARGETS
from lockset.errors import LocksetError

SPECIAL = (b"\0", b"\xff", b"\xed\xa0\x80", b"\n", b"[[", b"'", b'"', b"9" * 5000, b"(" * 300, b"\\", b"=", b"\r")


def run_once(name: str, data: bytes) -> None:
    """One call; a refusal is an answer."""
    try:
        TARGETS[name](data)
    except LocksetError:
        return


def mutated(data: bytes, chance: random.Random) -> bytes:
    """`data` with a few changes."""
    for _ in range(chance.randint(1, 8)):
        start = chance.randint(0, len(data))
        end = min(len(data), start + chance.randint(0, 16))
        piece = chance.choice(
            (b"", bytes([chance.randrange(256)]), chance.choice(SPECIAL), data[start:end] * 2, data[:start])
        )
        data = (data[:start] + piece + data[end:])[: 1 << 16]
    return data


def main(name: str, seconds: str = "60", folder: str | None = None) -> int:
    """Search; the exit code is 1 where something was found."""
    seeds = [SEEDS.get(name, b"")]
    if folder is not None:
        seeds += [path.read_bytes() for path in sorted(Path(folder).iterdir())]
    if find_spec("atheris") is None:
        return by_chance(name, seeds, float(seconds))
    atheris: Any = import_module("atheris")
    atheris.instrument_all()
    atheris.Setup(
        [sys.argv[0], f"-max_total_time={seconds}", *([folder] if folder else [])], lambda data: run_once(name, data)
    )
    atheris.Fuzz()
    return 0


def by_chance(name: str, seeds: list[bytes], seconds: float) -> int:
    """The search without atheris; prints its seed, so that it can be repeated."""
    start, count, chance = time.monotonic(), 0, random.Random(0)
    while time.monotonic() - start < seconds:
        data = mutated(chance.choice(seeds), chance)
        count += 1
        try:
            run_once(name, data)
        except Exception:
            Path(f"crash-{name}").write_bytes(data)
            print(f"{name}: input {count} is in crash-{name}", file=sys.stderr)
            raise
    print(f"{name}: {count} inputs")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
