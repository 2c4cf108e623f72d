"""Whether wheels and source distributions of a project may be used: options, settings and files merged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

__all__ = [
    "BUILD_NOTHING",
    "EVERY_PROJECT",
    "FileKinds",
    "Option",
    "forbids",
    "in_files",
    "in_options",
    "in_settings",
    "merge_kinds",
]

EVERY_PROJECT = ":all:"
Option = Literal["no-build", "no-binary"]
# The option that forbids every build, whatever other options name.
BUILD_NOTHING: tuple[Option, str] = ("no-build", "")


class FileKinds(NamedTuple):
    """The rules of one source, or of several merged.

    Attributes:
        no_build: Projects, or `:all:`, whose source distributions may not be used.
        no_binary: Projects, or `:all:`, whose wheels may not be used.
        undo: For each of these, how the user can undo it.
    """

    no_build: frozenset[str]
    no_binary: frozenset[str]
    undo: Mapping[tuple[Option, str], str]


def in_options(
    no_build: Iterable[str], no_binary: Iterable[str], written: Mapping[tuple[Option, str], str]
) -> FileKinds:
    """The rules of options; `written` has the names of options that are not the usual ones."""

    def undo(option: Option, word: str) -> str:
        names = {"no-build": "--no-build" if word in {"", EVERY_PROJECT} else f"--only-binary {word}"}
        return f"leave `{written.get((option, word)) or names.get(option, f'--no-binary {word}')}` out"

    kinds = _kinds(no_build, no_binary, undo)
    return kinds._replace(undo={**kinds.undo, BUILD_NOTHING: undo(*BUILD_NOTHING)})


def in_settings(no_build: Iterable[str], no_binary: Iterable[str]) -> FileKinds:
    """The rules of `[tool.lockset]`."""

    def undo(option: Option, word: str) -> str:
        if word == EVERY_PROJECT:  # `true` or `[":all:"]`
            return f"take `{option}` for all packages out of [tool.lockset]"
        return f"take {word} out of `{option}` in [tool.lockset]"

    return _kinds(no_build, no_binary, undo)


def in_files(only_binary: Iterable[str], no_binary: Iterable[str]) -> FileKinds:
    """The rules of requirements files."""
    names = {"no-build": "--only-binary", "no-binary": "--no-binary"}
    return _kinds(
        only_binary, no_binary, lambda option, word: f"take `{names[option]} {word}` out of the requirements files"
    )


def merge_kinds(locations: Iterable[FileKinds]) -> FileKinds:
    """Merge rules, the weakest first: for one word (a project, or `:all:`), the last one counts.

    A name and `:all:` are different words; which of them counts is for `forbids` to say.
    """
    no_build: frozenset[str] = frozenset()
    no_binary: frozenset[str] = frozenset()
    undo: dict[tuple[Option, str], str] = {}
    for location in locations:
        no_build = (no_build - location.no_binary) | location.no_build
        no_binary = (no_binary - location.no_build) | location.no_binary
        undo |= location.undo
    return FileKinds(no_build, no_binary, undo)


def forbids(these: Collection[str], opposite: Collection[str], name: str) -> bool:
    """Whether `these` (projects, or `:all:`) forbid one kind of file for `name`; a name counts more than `:all:`."""
    return name in these or (EVERY_PROJECT in these and name not in opposite)


def _kinds(no_build: Iterable[str], no_binary: Iterable[str], undo: Callable[[Option, str], str]) -> FileKinds:
    builds, binaries = frozenset(no_build), frozenset(no_binary)
    words: list[tuple[Option, str]] = [("no-build", word) for word in builds]
    words += [("no-binary", word) for word in binaries]
    return FileKinds(builds, binaries, {word: undo(*word) for word in words})
