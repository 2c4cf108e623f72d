"""Builds without isolation: what is built in the target's environment is installed after everything else.

A source that is built without isolation needs build requirements in the target. These are often locked with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.build.policy import ALL_PACKAGES
from lockset.errors import LocksetError
from lockset.sync.plan import plan_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from lockset.sync.desired import DesiredDistribution
    from lockset.sync.disk.apply.installer import Installer
    from lockset.sync.disk.apply.prepare import Preparer
    from lockset.sync.plan import Plan, RemovalPolicy

__all__ = ["install_in_order", "late_names"]


def late_names(plan: Plan, not_isolated: Collection[str]) -> frozenset[str]:
    """Names of the sources in `plan` that are built without isolation; empty if nothing else is installed before."""
    placed = [step.desired for step in plan.placed if step.desired is not None]
    late = {one.name for one in placed if _is_source(one) and not {one.name, ALL_PACKAGES}.isdisjoint(not_isolated)}
    return frozenset(late) if len(late) < len(placed) else frozenset()


def _is_source(one: DesiredDistribution) -> bool:
    return one.kind in {"directory", "vcs"} or not (one.filename or "").endswith(".whl")


def install_in_order(
    desired: Sequence[DesiredDistribution],
    late: frozenset[str],
    *,
    policy: RemovalPolicy,
    preparer: Preparer,
    make: Callable[..., Installer],
) -> Installer:
    """Install `desired`, those in `late` after all others; the installer that made the last changes.

    `make` creates an installer of distributions with a `policy`. Nothing is removed before the others are installed.

    Raises:
        LocksetError: Its `target_changed` says whether the others are installed.
    """
    first = make([one for one in desired if one.name not in late], policy=policy._replace(exact=False))
    first.apply(preparer, first.plan())
    # What was installed first is not installed again.
    reinstall = late if policy.reinstall is None else policy.reinstall & late
    rest = make(desired, policy=policy._replace(reinstall=reinstall))
    planned = rest.plan()
    try:
        rest.apply(preparer, plan_of(step for step in planned.steps if step.name in late))
    except LocksetError as error:
        error.target_changed = True
        fact = "The packages that are built with isolation, or need no build, are installed"
        error.diagnostic = error.diagnostic._replace(context=(*error.diagnostic.context, fact))
        raise
    return rest
