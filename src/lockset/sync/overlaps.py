"""Packages that own the same path with different content, where the user allows it.

The package that the user names last provides the file. The others list it in RECORD with that content, and note in
their dist-info which package provides it. When that package changes or is removed, they are installed again, with
their own file.
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
    from collections.abc import Iterable, Mapping, Sequence

    from lockset.sync.placement import Clash, PlacedDistribution
    from lockset.sync.plan import Step

__all__ = ["Overlap", "overlapped_of", "overlaps_of", "refuse_clashes", "settle_clashes"]


class Overlap(NamedTuple):
    """`path` (as in RECORD) of `owner` has the content of `winner`, another package."""

    owner: str
    winner: str
    path: str


def refuse_clashes(clashes: Sequence[Clash], order: Sequence[str], replaceable: Iterable[str]) -> None:
    """Refuse clashes that the user has not allowed, and those of packages that cannot be installed together.

    Raises:
        LocksetError: `path-conflict`.
    """
    known = frozenset(replaceable)
    for clash in clashes:
        if set(clash.owners) <= set(order) and set(clash.owners) <= known:
            continue
        first, second = clash.labels[:2]
        options = " ".join(f"--allow-overlap {name}" for name in clash.owners)
        alternative = f", or allow it with `{options}`: the file of the package named last is used"
        if not set(clash.owners) <= known:
            alternative = ""  # the lock file does not have both
        raise LocksetError(
            "path-conflict",
            f"{first} and {second} both own `{clash.path}`, with different content",
            hint=f"Leave one of them out, or choose versions that do not collide{alternative}",
        )


def settle_clashes(
    placed: Mapping[str, PlacedDistribution], clashes: Sequence[Clash], order: Sequence[str]
) -> dict[str, PlacedDistribution]:
    """`placed`, where only the winner of each clash provides the file. Every owner must be in `placed`."""
    last = {name: number for number, name in enumerate(order)}
    taken: dict[str, dict[str, tuple[str, Placement]]] = {}
    for clash in clashes:
        winner = max(clash.owners, key=last.__getitem__)
        file_of_winner = next(file for file in placed[winner].files if file.path == clash.path)
        for owner in clash.owners:
            taken.setdefault(owner, {})[clash.path] = winner, file_of_winner
    return {name: _without_files(one, taken.get(name, {})) for name, one in placed.items()}


def _without_files(one: PlacedDistribution, taken: Mapping[str, tuple[str, Placement]]) -> PlacedDistribution:
    lost: dict[str, str] = {}
    files: list[Placement] = []
    for file in one.files:
        winner, file_of_winner = taken.get(file.path, (one.name, file))
        if winner != one.name and file_of_winner.hash != file.hash:
            lost[record_path(file.path, one.info)] = winner
            files.append(
                Placement(file.path, file_of_winner.hash, file_of_winner.size, None, None, file_of_winner.executable)
            )
        else:
            files.append(file)
    if not lost:
        return one
    note = f"{one.info}{os.sep}{SOURCE_FILE}"
    facts: Mapping[str, object] = next((json.loads(f.content or b"{}") for f in files if f.path == note), {})
    content = json.dumps({**facts, "overlapped": lost}).encode()
    files = [file for file in files if file.path != note]
    files.append(Placement(note, hash_text("sha256", quick_sha256(content)), len(content), None, content, False))  # noqa: FBT003 (a field of a tuple)
    return one._replace(files=tuple(files))


def overlaps_of(steps: Iterable[Step], placed: Iterable[PlacedDistribution] = ()) -> tuple[Overlap, ...]:
    """Every overlap among the kept and the `placed` distributions, sorted."""
    overlaps = [
        Overlap(one.name, winner, path)
        for step in steps
        if step.action == "keep"
        for one in step.installed
        for path, winner in one.overlapped.items()
    ]
    overlaps += [Overlap(one.name, winner, path) for one in placed for path, winner in overlapped_of(one).items()]
    return tuple(sorted(overlaps))


def overlapped_of(one: PlacedDistribution) -> Mapping[str, str]:
    """The overlaps that `settle_clashes` noted in `one`: path as in RECORD to the name of the owner."""
    note = f"{one.info}{os.sep}{SOURCE_FILE}"
    content = next((file.content for file in one.files if file.path == note), None)
    facts: Mapping[str, Mapping[str, str]] = json.loads(content) if content else {}
    return facts.get("overlapped", {})
