"""From what is wanted and what is there to a Plan: what changes, what stays, and why."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from lockset.dependency_specifiers import read_version
from lockset.sync.overlaps import coupled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from packaging.version import Version

    from lockset.sync.desired import DesiredDistribution
    from lockset.sync.installed import InstalledDistribution

__all__ = ["SEEDS", "Plan", "RemovalPolicy", "Step", "plan", "unremovable"]

# What makes an environment able to install by itself; left alone unless the lock names it or the user asks.
SEEDS = frozenset({"pip", "setuptools", "wheel"})


class RemovalPolicy(NamedTuple):
    """What the user allows.

    Attributes:
        exact: What the lock does not name is removed.
        owned_only: Only what lockset installed is removed.
        keep: Normalised names that are never removed.
        remove_seeds: pip, setuptools and wheel get no exception.
        reinstall: Names installed anew although they are right; None stands for all.
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
        found: What is there under the name; more than one when something went wrong before.
        blocked: Why it cannot be carried out, "" where it can.
        choices: Options each of which alone would have selected what is removed.
    """

    action: str
    name: str
    reason: str
    wanted: DesiredDistribution | None = None
    found: tuple[InstalledDistribution, ...] = ()
    blocked: str = ""
    choices: tuple[str, ...] = ()

    @property
    def old_version(self) -> str | None:
        """Version that is there now."""
        return self.found[0].version if self.found else None

    @property
    def new_version(self) -> str | None:
        """Version that will be there, None when it goes or the source decides."""
        if self.action == "keep":
            return self.old_version
        return str(self.wanted.version) if self.wanted is not None and self.wanted.version is not None else None


class Plan(NamedTuple):
    """Every step, sorted by name; `keep` steps included."""

    steps: tuple[Step, ...]

    @property
    def changes(self) -> tuple[Step, ...]:
        """The steps that do something."""
        return tuple(step for step in self.steps if step.action != "keep")

    @property
    def blocked(self) -> tuple[Step, ...]:
        """The steps that cannot be carried out: while there are any, none is."""
        return tuple(step for step in self.steps if step.blocked)

    @property
    def placed(self) -> tuple[Step, ...]:
        """The steps that put a distribution into the target."""
        return tuple(step for step in self.steps if step.wanted is not None and step.action != "keep")


def plan(
    wanted: Iterable[DesiredDistribution],
    installed: Iterable[InstalledDistribution],
    *,
    policy: RemovalPolicy,
    overlap: Callable[[], Sequence[str]] = tuple,
) -> Plan:
    """What makes a target with `installed` into one with `wanted`.

    `overlap` gives the names of packages that may own one path with different content, in their order.
    """
    there: dict[str, list[InstalledDistribution]] = {}
    for one in installed:
        there.setdefault(one.name, []).append(one)
    steps = [_step(one, there.pop(one.name, []), policy) for one in wanted]
    steps += [_extra(name, found, policy) for name, found in there.items()]
    return Plan(steps=tuple(sorted(coupled(steps, overlap), key=lambda step: step.name)))


def _step(wanted: DesiredDistribution, found: Sequence[InstalledDistribution], policy: RemovalPolicy) -> Step:
    action, reason = _judged(wanted, found, policy)
    return Step(action=action, name=wanted.name, reason=reason, wanted=wanted, found=tuple(found))


def _judged(
    wanted: DesiredDistribution, found: Sequence[InstalledDistribution], policy: RemovalPolicy
) -> tuple[str, str]:
    if not found:
        return "install", "not installed"
    if len(found) > 1:
        return "repair", f"installed {len(found)} times"
    (one,) = found
    if not _same_version(wanted.version, one.version):
        return "change", f"{one.version or 'an unknown version'} is installed"
    if one.problems:
        return "repair", one.problems[0]
    if policy.reinstall is None or wanted.name in policy.reinstall:
        return "repair", "asked to be installed anew"
    reason = _origin_differs(wanted, one)
    return ("change", reason) if reason is not None else ("keep", "as locked")


def _same_version(wanted: Version | None, there: str) -> bool:
    if wanted is None:
        return True
    try:
        return read_version(there) == wanted
    except ValueError:  # no version, or one of more digits than the interpreter takes
        return False


def _origin_differs(wanted: DesiredDistribution, found: InstalledDistribution) -> str | None:
    """Why `found` cannot be taken for `wanted` although its version is right, or None."""
    ours, theirs = wanted.direct_url, found.direct_url
    if (ours or {}).get("dir_info") is not None or (theirs or {}).get("dir_info") is not None:
        return _tree_differs(wanted, found)
    if (ours or {}).get("vcs_info") is not None:
        same = _commit_of(ours) == _commit_of(theirs)
        return None if same else "installed from another commit or place"
    hashes = wanted.hashes
    common = hashes.keys() & found.origin.keys()
    reason = None
    if not common:
        reason = "not known to be installed from the locked file"
    elif any(hashes[algorithm] != found.origin[algorithm] for algorithm in common):
        reason = "installed from a file with other hashes"
    elif _without_hashes(ours) != _without_hashes(theirs):
        reason = "installed from another place"
    return reason


def _tree_differs(wanted: DesiredDistribution, found: InstalledDistribution) -> str | None:
    if wanted.direct_url != found.direct_url:
        return "installed from another place"
    changed = wanted.tree is not None and wanted.tree != found.origin.get("tree")
    return "its source has changed" if changed else None


def _commit_of(direct_url: Mapping[str, Any] | None) -> tuple[object, ...]:
    """What identifies a commit: how it was asked for does not."""
    table = direct_url or {}
    info = table.get("vcs_info") or {}
    return table.get("url"), table.get("subdirectory"), info.get("vcs"), info.get("commit_id")


def _without_hashes(direct_url: Mapping[str, object] | None) -> Mapping[str, object] | None:
    return {k: v for k, v in direct_url.items() if k != "archive_info"} if direct_url is not None else None


def _extra(name: str, found: Sequence[InstalledDistribution], policy: RemovalPolicy) -> Step:
    ours = all(one.is_ours for one in found)
    action, reason = "keep", ""
    if not policy.exact:
        reason = "not in the lock file, left alone"
    elif name in policy.keep:
        reason = "asked to be kept"
    elif name in SEEDS and not ours and not policy.remove_seeds:
        reason = "part of the environment itself"
    elif policy.owned_only and not ours:
        reason = "not installed by lockset"
    else:
        action, reason = "remove", "not in the lock file"
        if any(one.is_editable for one in found):
            reason = "not in the lock file (an editable install)"
    blocked = next((why for one in found if (why := unremovable(one, one.suspects))), "") if action == "remove" else ""
    return Step(action=action, name=name, reason=reason, found=tuple(found), blocked=blocked)


def unremovable(one: InstalledDistribution, suspects: Sequence[str]) -> str:
    """Why `one` cannot be removed whole where `suspects` stay, in words; "" where none does."""
    if not one.unlisted or not suspects:
        return ""
    more = f" and {len(suspects) - 1} more" if len(suspects) > 1 else ""
    first = suspects[0].removeprefix(f"{one.info.rpartition(os.sep)[0]}{os.sep}")
    return f"it {one.unlisted}, and `{first}`{more} may belong to it"
