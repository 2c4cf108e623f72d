"""Packages that own one path with different content, where the user allows it: whose file is there, and what follows.

The file of the one that the user names last is there. The others list it in RECORD with the content that is there, and
note in their dist-info whose it is: when that one changes or goes, they are installed again, with their own file.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, NamedTuple

from lockset.errors import LocksetError
from lockset.hashes import quick_sha256
from lockset.sync.installed import SOURCE_FILE
from lockset.sync.placement import Placement, record_path
from lockset.sync.wheel.record import hash_text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from lockset.sync.placement import Clash, PlacedDistribution
    from lockset.sync.plan import Step

__all__ = ["Overlap", "coupled", "overlapped_of", "overlaps_of", "refuse_clashes", "settled"]


class Overlap(NamedTuple):
    """`path` (as in RECORD) of `owner` has the content of `winner`, another package."""

    owner: str
    winner: str
    path: str


def refuse_clashes(clashes: Sequence[Clash], order: Sequence[str], replaceable: Iterable[str]) -> None:
    """Refuse what the user has not allowed, and what cannot be installed together.

    Raises:
        LocksetError: `path-conflict`.
    """
    known = frozenset(replaceable)
    for clash in clashes:
        if set(clash.owners) <= set(order) and set(clash.owners) <= known:
            continue
        first, second = clash.labels[:2]
        options = " ".join(f"--allow-overlap {name}" for name in clash.owners)
        way = f", or allow it with `{options}`: the file of the one named last is used"
        if not set(clash.owners) <= known:
            way = ""  # the lock file does not have both
        raise LocksetError(
            "path-conflict",
            f"{first} and {second} both own `{clash.path}`, with different content",
            hint=f"Leave one of them out, or choose versions that do not collide{way}",
        )


def settled(
    placed: Mapping[str, PlacedDistribution], clashes: Sequence[Clash], order: Sequence[str]
) -> dict[str, PlacedDistribution]:
    """`placed`, where of every clash only the winner brings its file; all owners are in `placed`."""
    last = {name: number for number, name in enumerate(order)}
    taken: dict[str, dict[str, tuple[str, Placement]]] = {}
    for clash in clashes:
        winner = max(clash.owners, key=last.__getitem__)
        brought = next(file for file in placed[winner].files if file.path == clash.path)
        for owner in clash.owners:
            taken.setdefault(owner, {})[clash.path] = winner, brought
    return {name: _without(one, taken.get(name, {})) for name, one in placed.items()}


def _without(one: PlacedDistribution, taken: Mapping[str, tuple[str, Placement]]) -> PlacedDistribution:
    lost: dict[str, str] = {}
    files: list[Placement] = []
    for file in one.files:
        winner, brought = taken.get(file.path, (one.name, file))
        if winner != one.name and brought.hash != file.hash:
            lost[record_path(file.path, one.info)] = winner
            files.append(Placement(file.path, brought.hash, brought.size, None, None, brought.executable))
        else:
            files.append(file)
    if not lost:
        return one
    note = f"{one.info}{os.sep}{SOURCE_FILE}"
    facts: Mapping[str, object] = next((json.loads(f.content or b"{}") for f in files if f.path == note), {})
    content = json.dumps({**facts, "overlapped": lost}).encode()
    files = [file for file in files if file.path != note]
    files.append(Placement(note, hash_text("sha256", quick_sha256(content)), len(content), None, content, False))  # noqa: FBT003 (its place tells)
    return one._replace(files=tuple(files))


def coupled(steps: Sequence[Step], order: Callable[[], Sequence[str]]) -> Sequence[Step]:
    """`steps`, where what lost a file to a package that changes or goes is installed again."""
    if not any(one.overlapped for step in steps for one in step.found):
        return steps
    names = {name: number for number, name in enumerate(order())}
    placed = list(steps)
    for _ in range(len(placed)):
        kept = {step.name for step in placed if step.action == "keep"}
        again = [_again(step, kept, names) for step in placed]
        if again == placed:
            break
        placed = again
    return placed


def _again(step: Step, kept: Collection[str], order: Mapping[str, int]) -> Step:
    if step.action != "keep" or step.wanted is None:
        return step
    for path, winner in step.found[0].overlapped.items():
        if winner not in kept:
            return step._replace(action="repair", reason=f"`{path}` is of {winner}, which changes or goes")
        if order.get(step.name, -1) > order.get(winner, len(order)):
            return step._replace(action="repair", reason=f"`{path}` is of {winner}, and shall be of {step.name}")
    return step


def overlaps_of(steps: Iterable[Step], placed: Iterable[PlacedDistribution] = ()) -> tuple[Overlap, ...]:
    """Every overlap of what is kept and what is `placed`, sorted."""
    found = [
        Overlap(one.name, winner, path)
        for step in steps
        if step.action == "keep"
        for one in step.found
        for path, winner in one.overlapped.items()
    ]
    found += [Overlap(one.name, winner, path) for one in placed for path, winner in overlapped_of(one).items()]
    return tuple(sorted(found))


def overlapped_of(one: PlacedDistribution) -> Mapping[str, str]:
    """What `settled` noted in `one`."""
    note = f"{one.info}{os.sep}{SOURCE_FILE}"
    content = next((file.content for file in one.files if file.path == note), None)
    facts: Mapping[str, Mapping[str, str]] = json.loads(content) if content else {}
    return facts.get("overlapped", {})
