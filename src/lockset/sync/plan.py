"""Compare the desired distributions with the installed ones: what changes, what stays, and why."""

from __future__ import annotations

import os

from lockset._named_tuple import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from typing import Any

    from lockset.sync.desired import DesiredDistribution
    from lockset.sync.installed import InstalledDistribution

__all__ = ["SEEDS", "UNKNOWN_FILE", "Plan", "RemovalPolicy", "Step", "plan", "plan_of", "unremovable"]

# Tools that a new environment comes with; kept unless the lock file has them or the user removes them explicitly.
# The reason for a package of the locked version whose installer recorded no hash of its file, as pip does.
UNKNOWN_FILE = "not known to be installed from the locked file"
SEEDS = frozenset({"pip", "setuptools", "wheel"})


class RemovalPolicy(NamedTuple):
    """Which installed distributions may be removed or installed again.

    Attributes:
        exact: Remove what is not in the lock file.
        owned_only: Remove only what lockset installed.
        keep: Normalised names that are never removed.
        remove_seeds: Remove pip, setuptools and wheel too.
        reinstall: Names to install again even if they match; None for all.
    """

    exact: bool = True
    owned_only: bool = False
    keep: frozenset[str] = frozenset()
    remove_seeds: bool = False
    reinstall: frozenset[str] | None = frozenset()


class Step(NamedTuple):
    """One distribution of a plan.

    Attributes:
        action: `install`, `change` (another version or other bytes), `repair`, `remove` or `keep`.
        desired: The distribution to install or keep; None when the lock file does not select the name.
        installed: Distributions installed under the name; more than one when something went wrong before.
        blocked: Why the step cannot be carried out, or "".
        choices: Command-line options, each of which alone would select the removed distribution.
    """

    action: str
    name: str
    reason: str
    desired: DesiredDistribution | None = None
    installed: tuple[InstalledDistribution, ...] = ()
    blocked: str = ""
    choices: tuple[str, ...] = ()

    @property
    def old_version(self) -> str | None:
        """The installed version, or None."""
        return self.installed[0].version if self.installed else None

    @property
    def new_version(self) -> str | None:
        """The version after the sync; None when it is removed or the source decides."""
        if self.action == "keep":
            return self.old_version
        return self.desired.version_text if self.desired is not None else None


class Plan(NamedTuple):
    """What a sync does. `plan_of` creates it from its steps.

    Attributes:
        steps: Every step, sorted by name; `keep` steps included.
        changes: The steps that change something.
        blocked: The steps that cannot be carried out. If there are any, the plan is refused.
        placed: The steps that put a distribution into the target.
    """

    steps: tuple[Step, ...]
    changes: tuple[Step, ...]
    blocked: tuple[Step, ...]
    placed: tuple[Step, ...]


def plan_of(steps: Iterable[Step]) -> Plan:
    """The plan with these `steps`."""
    every = tuple(steps)
    changes = tuple(step for step in every if step.action != "keep")
    return Plan(
        steps=every,
        changes=changes,
        blocked=tuple(step for step in every if step.blocked),
        placed=tuple(step for step in changes if step.desired is not None),
    )


def plan(
    desired: Iterable[DesiredDistribution],
    installed: Iterable[InstalledDistribution],
    *,
    policy: RemovalPolicy,
    overlap: Callable[[], Sequence[str]] = tuple,
) -> Plan:
    """The plan that turns a target with `installed` into one with `desired`.

    `overlap` returns the names of packages that may own the same path with different content; the last one wins.
    """
    by_name: dict[str, list[InstalledDistribution]] = {}
    for one in installed:
        by_name.setdefault(one.name, []).append(one)
    steps = [_step(one, by_name.pop(one.name, []), policy) for one in desired]
    steps += [_unlisted_step(name, extra, policy) for name, extra in by_name.items()]
    return plan_of(sorted(_repair_overlaps(steps, overlap), key=lambda step: step.name))


def _step(desired: DesiredDistribution, installed: Sequence[InstalledDistribution], policy: RemovalPolicy) -> Step:
    action, reason = _action_for(desired, installed, policy)
    return Step(action=action, name=desired.name, reason=reason, desired=desired, installed=tuple(installed))


def _action_for(
    desired: DesiredDistribution, installed: Sequence[InstalledDistribution], policy: RemovalPolicy
) -> tuple[str, str]:
    if not installed:
        return "install", "not installed"
    if len(installed) > 1:
        return "repair", f"installed {len(installed)} times"
    (one,) = installed
    if not _same_version(desired, one.version):
        return "change", f"{one.version or 'an unknown version'} is installed"
    if one.problems:
        return "repair", one.problems[0]
    if policy.reinstall is None or desired.name in policy.reinstall:
        return "repair", "reinstall requested"
    reason = _origin_differs(desired, one)
    return ("change", reason) if reason is not None else ("keep", "as locked")


def _same_version(desired: DesiredDistribution, version: str) -> bool:
    if desired.version_text in {None, version}:
        return True
    from lockset.dependency_specifiers import read_version  # here, since most versions are written alike

    try:
        return read_version(version) == desired.version
    except ValueError:  # no version, or one of more digits than the interpreter takes
        return False


def _origin_differs(desired: DesiredDistribution, installed: InstalledDistribution) -> str | None:
    """Why `installed` does not match `desired` although its version does, or None."""
    ours, theirs = desired.direct_url, installed.direct_url
    if (ours or {}).get("dir_info") is not None or (theirs or {}).get("dir_info") is not None:
        return _tree_differs(desired, installed)
    if (ours or {}).get("vcs_info") is not None:
        same = _commit_of(ours) == _commit_of(theirs)
        return None if same else "installed from another commit or location"
    hashes = desired.hashes
    common = hashes.keys() & installed.origin.keys()
    reason = None
    if not common:
        reason = UNKNOWN_FILE
    elif any(hashes[algorithm] != installed.origin[algorithm] for algorithm in common):
        reason = "installed from a file with other hashes"
    elif _without_hashes(ours) != _without_hashes(theirs):
        reason = "installed from another location"
    return reason


def _tree_differs(desired: DesiredDistribution, installed: InstalledDistribution) -> str | None:
    if desired.direct_url != installed.direct_url:
        return "installed from another location"
    changed = desired.tree is not None and desired.tree != installed.origin.get("tree")
    return "its source has changed" if changed else None


def _commit_of(direct_url: Mapping[str, Any] | None) -> tuple[object, ...]:
    """What identifies a commit; the requested revision does not count."""
    table = direct_url or {}
    info = table.get("vcs_info") or {}
    return table.get("url"), table.get("subdirectory"), info.get("vcs"), info.get("commit_id")


def _without_hashes(direct_url: Mapping[str, object] | None) -> Mapping[str, object] | None:
    return {k: v for k, v in direct_url.items() if k != "archive_info"} if direct_url is not None else None


def _unlisted_step(name: str, installed: Sequence[InstalledDistribution], policy: RemovalPolicy) -> Step:
    ours = all(one.is_ours for one in installed)
    action, reason = "keep", ""
    if not policy.exact:
        reason = "not in the lock file, left alone"
    elif name in policy.keep:
        reason = "kept on request"
    elif name in SEEDS and not ours and not policy.remove_seeds:
        reason = "part of the environment itself"
    elif policy.owned_only and not ours:
        reason = "not installed by lockset"
    else:
        action, reason = "remove", "not in the lock file"
        if any(one.is_editable for one in installed):
            reason = "not in the lock file (an editable install)"
    blocked = (
        next((why for one in installed if (why := unremovable(one, one.suspects))), "") if action == "remove" else ""
    )
    return Step(action=action, name=name, reason=reason, installed=tuple(installed), blocked=blocked)


def unremovable(one: InstalledDistribution, suspects: Sequence[str]) -> str:
    """Why `one` cannot be removed completely if `suspects` stay, as a phrase for messages; "" if it can."""
    if not one.unlisted or not suspects:
        return ""
    more = f" and {len(suspects) - 1} more" if len(suspects) > 1 else ""
    first = suspects[0].removeprefix(f"{one.info.rpartition(os.sep)[0]}{os.sep}")
    return f"it {one.unlisted}, and `{first}`{more} may belong to it"


def _repair_overlaps(steps: Sequence[Step], order: Callable[[], Sequence[str]]) -> Sequence[Step]:
    """`steps`, where packages that lost a file to a package that changes or is removed are installed again."""
    if not any(one.overlapped for step in steps for one in step.installed):
        return steps
    names = {name: number for number, name in enumerate(order())}
    placed = list(steps)
    for _ in range(len(placed)):
        kept = {step.name for step in placed if step.action == "keep"}
        again = [_repair_if_lost(step, kept, names) for step in placed]
        if again == placed:
            break
        placed = again
    return placed


def _repair_if_lost(step: Step, kept: Collection[str], order: Mapping[str, int]) -> Step:
    if step.action != "keep" or step.desired is None:
        return step
    for path, winner in step.installed[0].overlapped.items():
        if winner not in kept:
            return step._replace(action="repair", reason=f"`{path}` belongs to {winner}, which changes or goes")
        if order.get(step.name, -1) > order.get(winner, len(order)):
            return step._replace(action="repair", reason=f"`{path}` belongs to {winner}, not to {step.name}")
    return step
