"""What users are told where a lock's project is not there and something had to be assumed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.conversion.model.imported_lock import Loss
from lockset.errors import LocksetError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lockset.conversion.model.imported_lock import ImportedPackage
    from lockset.conversion.readers.inferred_roots import InferredRoots

__all__ = ["groups_unknown", "join_some_names", "only_systems", "tell_assumed"]

# As many names as a message lists.
_SHOWN = 8
# How platform tags of the systems begin.
_SYSTEMS = (
    ("win", "win32"),
    ("macosx_", "darwin"),
    ("manylinux", "linux"),
    ("musllinux", "linux"),
    ("linux_", "linux"),
)


def tell_assumed(found: InferredRoots, losses: list[Loss], *, shown: str, location: str) -> None:
    """Adds what was assumed to `losses`.

    Raises:
        LocksetError: `pyproject-needed` where several entries of one name are locked and nothing tells them apart.
    """
    if found.forked:
        names = join_some_names(found.forked)
        raise LocksetError(
            "pyproject-needed",
            f"{shown} has several versions of {names}, and only its project says where which of them applies",
            location=location,
            hint="Put pyproject.toml beside it or name it (`--pyproject`), or lock again (Poetry 2.1 tells, PDM with "
            "`-S inherit_metadata`)",
        )
    losses.append(
        Loss(
            kind="roots-assumed",
            message=f"{shown} does not say what the project asks for, and no pyproject.toml that does is beside it: "
            f"taken as asked for is what nothing else needs ({join_some_names(found.asked)})",
        )
    )
    losses.append(
        Loss(
            kind="markers-assumed",
            message=f"{shown} does not have the markers of what the project asks for: it is locked for all "
            "environments (for one system where it has no files for others), and what it needs where that is needed",
        )
    )
    if found.extras:
        names = join_some_names(found.extras)
        message = f"Extras the project asks for are not in the file either: taken as asked for are {names}"
        losses.append(Loss(kind="extras-assumed", message=message))


def only_systems(packages: Mapping[str, ImportedPackage]) -> dict[str, str]:
    """Markers of entries that can be installed on one system only, since they have nothing but wheels for it."""
    found = {}
    for key, package in packages.items():
        systems = {_system_of(file.name or "") for file in package.files}
        if len(systems) == 1 and (system := systems.pop()) is not None:
            found[key] = f"sys_platform == '{system}'"
    return found


def _system_of(file: str) -> str | None:
    """The one system that the wheel is for; None for what is for several."""
    if not file.endswith(".whl"):
        return None
    tags = file.removesuffix(".whl").rpartition("-")[2].split(".")
    found = {next((system for start, system in _SYSTEMS if tag.startswith(start)), None) for tag in tags}
    return found.pop() if len(found) == 1 else None


def groups_unknown(shown: str, *, dev: bool = False, told: bool = False, named: Sequence[str] = ()) -> Iterator[Loss]:
    """What is not known of dependency groups.

    Args:
        shown: What does not tell.
        dev: Whether something is known to be for development.
        told: Whether the file tells what is for development at all.
        named: Names of groups and extras whose members are not told.
    """
    if dev:
        message = f"{shown} does not say which groups there are: all that is for development is in the group `dev`"
        yield Loss(kind="groups-joined", message=message)
        message = (
            "Which groups Poetry installs by default is told in pyproject.toml only, and none was found: "
            "the lock installs the project alone by default"
        )
        yield Loss(kind="default-groups-unknown", message=message)
    elif not told:
        of = (
            f" which packages belong to {join_some_names(named)}"
            if named
            else " which packages belong to dependency groups"
        )
        yield Loss(kind="groups-unknown", message=f"{shown} does not say{of}: all packages are the project's")


def join_some_names(names: Sequence[str]) -> str:
    """The names in one text, the last of many counted."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"
