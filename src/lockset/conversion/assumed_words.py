"""What users are told where a lock's project is not there and something had to be assumed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.conversion.draft import Loss
from lockset.errors import LocksetError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lockset.conversion.assumed_roots import Assumed

__all__ = ["groups_unknown", "tell_assumed"]

# As many names as a message lists.
_SHOWN = 8


def tell_assumed(found: Assumed, losses: list[Loss], *, shown: str, place: str) -> None:
    """Adds what was assumed to `losses`.

    Raises:
        LocksetError: `pyproject-needed` where several entries of one name are locked and nothing tells them apart.
    """
    if found.forked:
        names = _listed(found.forked)
        raise LocksetError(
            "pyproject-needed",
            f"{shown} has several versions of {names}, and only its project says where which of them applies",
            place=place,
            hint="Put pyproject.toml beside it or name it (`--pyproject`), or lock again (Poetry 2.1 tells, PDM with "
            "`-S inherit_metadata`)",
        )
    losses.append(
        Loss(
            kind="roots-assumed",
            message=f"{shown} does not say what the project asks for, and no pyproject.toml that does is beside it: "
            f"taken as asked for is what nothing else needs ({_listed(found.asked)})",
        )
    )
    losses.append(
        Loss(
            kind="markers-assumed",
            message=f"{shown} does not have the markers of what the project asks for: it is locked for all "
            "environments, and what it needs where that is needed",
        )
    )
    if found.extras:
        message = (
            f"Extras the project asks for are not in the file either: taken as asked for are {_listed(found.extras)}"
        )
        losses.append(Loss(kind="extras-assumed", message=message))


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
        of = f" which packages belong to {_listed(named)}" if named else " which packages belong to dependency groups"
        yield Loss(kind="groups-unknown", message=f"{shown} does not say{of}: all packages are the project's")


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"
