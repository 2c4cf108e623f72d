"""Builds without isolation: what is built in the target's environment is installed after everything else.

A source that is built without isolation needs build requirements in the target. These are often locked with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.build.policy import ALL_PACKAGES
from lockset.sync.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from lockset.sync.desired import DesiredDistribution
    from lockset.sync.plan import RemovalPolicy

__all__ = ["first", "first_policy", "late_names", "later", "later_policy"]


def late_names(plan: Plan, not_isolated: Collection[str]) -> frozenset[str]:
    """Names of the sources in `plan` that are built without isolation; empty if nothing else is installed before."""
    placed = [step.desired for step in plan.placed if step.desired is not None]
    late = {one.name for one in placed if _is_source(one) and not {one.name, ALL_PACKAGES}.isdisjoint(not_isolated)}
    return frozenset(late) if len(late) < len(placed) else frozenset()


def _is_source(one: DesiredDistribution) -> bool:
    return one.kind in {"directory", "vcs"} or not (one.filename or "").endswith(".whl")


def first_policy(policy: RemovalPolicy) -> RemovalPolicy:
    """The policy for what is installed first: nothing is removed yet."""
    return policy._replace(exact=False)


def later_policy(policy: RemovalPolicy, late: frozenset[str]) -> RemovalPolicy:
    """The policy for the rest: what was installed first is not installed again."""
    return policy._replace(reinstall=late if policy.reinstall is None else policy.reinstall & late)


def later(plan: Plan, late: frozenset[str]) -> Plan:
    """The steps of `plan` on the sources of `late`."""
    return Plan(steps=tuple(step for step in plan.steps if step.name in late))


def first(desired: Sequence[DesiredDistribution], late: frozenset[str]) -> list[DesiredDistribution]:
    """The distributions that are installed first."""
    return [one for one in desired if one.name not in late]
