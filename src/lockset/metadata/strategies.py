"""The strategies to obtain the metadata of a version, cheapest first."""

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

__all__ = ["MetadataStrategy", "StrategyKind", "best_file", "strategies"]


class StrategyKind(Enum):
    """How to obtain the metadata of one file, in order of cost."""

    METADATA_FILE = "metadata-file"
    PIECES = "pieces"
    WHOLE_WHEEL = "whole-wheel"
    SDIST = "sdist"
    BUILD = "build"

    @property
    def is_cheap(self) -> bool:
        """Whether it is cheap enough for prefetching: a few small requests, no build."""
        return self in {StrategyKind.METADATA_FILE, StrategyKind.PIECES}


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataStrategy:
    """One strategy for one file."""

    kind: StrategyKind
    file: DistributionFile


def strategies(files: Sequence[DistributionFile], *, build: bool) -> Iterator[MetadataStrategy]:
    """The strategies for the usable files of one version, in order.

    All wheels of a version are assumed to have the same dependencies, so one wheel is enough: the most widely usable.
    A file without a promised hash is always read as a whole, so that its hash can be computed from the same bytes. An
    sdist is only used if there is no wheel, and only built if `build` is set.
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
    """The wheel that represents its version: not yanked, with promised metadata, then the most widely usable one."""
    return min(
        wheels,
        key=lambda file: (file.yanked, not file.metadata, _narrowness(wheel_triple(file.filename)), file.filename),
    )


# Platform tags by preference; wheels of other platforms come last.
_PLATFORMS = ("any", "manylinux", "linux", "macosx", "win", "musllinux")


@lru_cache(maxsize=16_384)
def _narrowness(triple: str) -> tuple[int, int, int]:
    """A sort key, smallest for the most widely usable: pure wheels, x86-64 of common platforms, newest CPython."""
    interpreters, _, platforms = triple.split("-")
    best = (len(_PLATFORMS), 1)
    for platform in platforms.split("."):
        rank = next((at for at, name in enumerate(_PLATFORMS) if platform.startswith(name)), len(_PLATFORMS))
        usual_machine = platform == "any" or platform.endswith(("x86_64", "amd64"))
        best = min(best, (rank, 0 if usual_machine else 1))
    return (*best, -max(_minor(interpreter) for interpreter in interpreters.split(".")))


def _minor(interpreter: str) -> int:
    """The minor version of an interpreter tag, such as 13 for `cp313`; 0 if it has none."""
    digits = interpreter[2:]
    return int(digits[1:4]) if digits[:1] == "3" and digits[1:].isdecimal() else 0
