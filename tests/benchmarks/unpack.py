"""What unpacking wheels costs beside a plain loop: `PYTHONPATH=tests python -m benchmarks.unpack [FOLDER]`.

Prints processor and wall seconds for the wheels of FOLDER (or generated ones, as many as a web project has): a plain
loop that checks nothing but hashes each file, and the store of `lockset sync`, which refuses what is unsafe and checks
every file against RECORD. Both run in turn, in new folders: some file systems are slow where files were just removed.
"""

from __future__ import annotations

import hashlib
import os
import random
import struct
import sys
import tempfile
import zlib
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import TYPE_CHECKING

from lockset.dependency_specifiers import read_wheel_name
from lockset.hashes import Digest
from lockset.progress import NullListener
from lockset.sync.desired import WheelIdentity
from lockset.sync.disk.store.cache import Cache, WheelStore
from support.builders.wheel import make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_ROUNDS = 5
_WHEELS, _MODULES = 117, 107
_WORDS = [
    "self",
    "return",
    "value",
    "name",
    "none",
    "config",
    "request",
    "result",
    "item",
    "for",
    "in",
    "if",
    "not",
    "raise",
    "import",
    "def",
    "class",
    "data",
]
_END = struct.Struct("<4s4H2LH")
_ENTRY = struct.Struct("<4s6H3L5H2L")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="unpack-") as text:
        folder = Path(text)
        wheels = sorted((Path(sys.argv[1]) if sys.argv[1:] else _generate(folder / "wheels")).glob("*.whl"))
        ways: dict[str, Callable[[Sequence[Path], Path], None]] = {"plain loop": _plain, "lockset": _store}
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        for number in range(_ROUNDS):
            for name, unpack in ways.items():
                goal = folder / f"{name}-{number}"
                goal.mkdir()
                begun, wall = process_time(), perf_counter()
                unpack(wheels, goal)
                taken[name].append((process_time() - begun, perf_counter() - wall))
        print(f"{len(wheels)} wheels, {sum(path.stat().st_size for path in wheels) >> 20} MiB; medians of {_ROUNDS}")
        for name, pairs in taken.items():
            processor, wall = (median(column) for column in zip(*pairs, strict=True))
            print(f"  {name:12} {processor:7.3f} s of processor, {wall:7.3f} s of wall")
        ratios = [ours[0] / plain[0] for ours, plain in zip(taken["lockset"], taken["plain loop"], strict=True)]
        print(f"  processor, lockset / plain loop: {median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


def _generate(folder: Path) -> Path:
    """A folder of wheels, whose modules compress as well as Python does."""
    chance = random.Random(16)
    for number in range(_WHEELS):
        files = {
            f"package_{number}/part_{module % 12}/module_{module}.py": " ".join(
                chance.choice(_WORDS) + ("\n" if chance.random() < 1 / 8 else "")
                for _ in range(chance.randint(100, 5000))
            )
            for module in range(_MODULES)
        }
        make_wheel(f"package-{number}", files=files).write(folder)
    return folder


def _plain(wheels: Sequence[Path], folder: Path) -> None:
    for path in wheels:
        data = path.read_bytes()
        hashlib.sha256(data).digest()
        _plain_wheel(data, f"{folder}{os.sep}{path.stem}")


def _plain_wheel(data: bytes, folder: str) -> None:
    made: set[str] = set()
    _, _, _, _, count, _, position, _ = _END.unpack_from(data, data.rfind(b"PK\x05\x06"))
    for _ in range(count):
        fields = _ENTRY.unpack_from(data, position)
        method, packed, size, name_length, start = fields[4], fields[8], fields[9], fields[10], fields[16]
        name = data[position + _ENTRY.size : position + _ENTRY.size + name_length].decode()
        position += _ENTRY.size + name_length + fields[11] + fields[12]
        if name.endswith("/"):
            continue
        start += 30 + sum(struct.unpack_from("<HH", data, start + 26))
        content = data[start : start + packed]
        if method:
            content = zlib.decompress(content, -15, size)
        hashlib.sha256(content).digest()
        goal = f"{folder}/{name}"
        parent = goal.rpartition("/")[0]
        if parent not in made:
            Path(parent).mkdir(parents=True, exist_ok=True)
            made.add(parent)
        descriptor = os.open(goal, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0))
        os.write(descriptor, content)
        os.close(descriptor)


def _store(wheels: Sequence[Path], folder: Path) -> None:
    with Cache(folder, NullListener()) as cache:
        store = WheelStore(cache)
        for path in wheels:
            name, version, _, _ = read_wheel_name(path.name)
            with path.open("rb") as archive:
                digest = hashlib.sha256()
                while chunk := archive.read(1 << 20):
                    digest.update(chunk)
                archive.seek(0)
                digests = (Digest("sha256", digest.hexdigest()),)
                store.add(archive, digests, WheelIdentity(name, str(version), path.name), warn=print)


if __name__ == "__main__":
    main()
