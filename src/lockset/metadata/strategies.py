"""The ways to learn a version's metadata, cheapest first, and which of them are allowed."""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING

from lockset._dataclass import dataclass
from lockset.hashes import STRONG_ALGORITHMS
from lockset.index.filenames import wheel_triple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lockset.index.pages.project_page import DistributionFile

__all__ = ["MetadataStrategy", "StrategyKind", "best_file", "ways"]


class StrategyKind(Enum):
    """How the metadata of one file can be learned, in order of cost."""

    METADATA_FILE = "metadata-file"
    PIECES = "pieces"
    WHOLE_WHEEL = "whole-wheel"
    SDIST = "sdist"
    BUILD = "build"

    @property
    def is_cheap(self) -> bool:
        """Whether it may be tried on suspicion: a few small requests, nothing built."""
        return self in {StrategyKind.METADATA_FILE, StrategyKind.PIECES}


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataStrategy:
    """One way, for one file."""

    kind: StrategyKind
    file: DistributionFile


def ways(files: Sequence[DistributionFile], *, build: bool) -> Iterator[MetadataStrategy]:
    """The ways for the usable files of one version, in the order to try them.

    All wheels of a version are taken to tell the same dependencies, so one wheel speaks for all: the most widely
    usable. A file whose hash nobody promised is read whole only: its hash will be taken of the very bytes that were
    read. An sdist is asked only where there is no wheel, and built only where `build` allows.
    """
    wheels = [file for file in files if file.is_wheel]
    if wheels:
        file = best_file(wheels)
        if file.metadata_hashes or _has_strong_hash(file):
            yield MetadataStrategy(kind=StrategyKind.METADATA_FILE, file=file)
        if _has_strong_hash(file) or file.url.startswith("file:"):
            yield MetadataStrategy(kind=StrategyKind.PIECES, file=file)
        yield MetadataStrategy(kind=StrategyKind.WHOLE_WHEEL, file=file)
        return
    for file in sorted(files, key=lambda file: (not file.filename.endswith(".tar.gz"), file.filename))[:1]:
        if file.metadata:
            yield MetadataStrategy(kind=StrategyKind.METADATA_FILE, file=file)
        yield MetadataStrategy(kind=StrategyKind.SDIST, file=file)
        if build:
            yield MetadataStrategy(kind=StrategyKind.BUILD, file=file)


def _has_strong_hash(file: DistributionFile) -> bool:
    return not STRONG_ALGORITHMS.keys().isdisjoint(file.hashes)


def best_file(wheels: Sequence[DistributionFile]) -> DistributionFile:
    """The wheel that speaks for its version: not yanked, promised metadata, then the most widely usable one."""
    return min(
        wheels,
        key=lambda file: (file.yanked, not file.metadata, _narrowness(wheel_triple(file.filename)), file.filename),
    )


# Platforms most locks are made for come first; a wheel of another one speaks only where there is none of these.
_PLATFORMS = ("any", "manylinux", "linux", "macosx", "win", "musllinux")


@lru_cache(maxsize=16_384)
def _narrowness(triple: str) -> tuple[int, int, int]:
    """Less is more widely usable: pure wheels, then x86-64 of usual platforms, then the newest CPython."""
    interpreters, _, platforms = triple.split("-")
    best = (len(_PLATFORMS), 1)
    for platform in platforms.split("."):
        rank = next((at for at, name in enumerate(_PLATFORMS) if platform.startswith(name)), len(_PLATFORMS))
        usual_machine = platform == "any" or platform.endswith(("x86_64", "amd64"))
        best = min(best, (rank, 0 if usual_machine else 1))
    return (*best, -max(_minor(interpreter) for interpreter in interpreters.split(".")))


def _minor(interpreter: str) -> int:
    """13 of `cp313`; 0 where an interpreter tag names no minor version of Python 3."""
    digits = interpreter[2:]
    return int(digits[1:4]) if digits[:1] == "3" and digits[1:].isdecimal() else 0
