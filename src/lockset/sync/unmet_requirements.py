"""Requirements of packages that a sync keeps although no lock file names them, such as a base image's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._named_tuple import NamedTuple
from lockset.dependency_specifiers import read_dependency, read_version
from lockset.package_names import canonicalize_name
from lockset.sync.plan import plan_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from packaging.requirements import Requirement

    from lockset.sync.installed import InstalledDistribution
    from lockset.sync.plan import Plan, Step

__all__ = ["UnmetRequirement", "keep_required", "unmet_requirements"]


class UnmetRequirement(NamedTuple):
    """A requirement of a kept package that a plan breaks.

    Attributes:
        package: Name and version of the kept package.
        requirement: What it requires.
        after: What is there after the sync: name and version; "" if it is removed.
    """

    package: str
    requirement: str
    after: str

    def __str__(self) -> str:
        instead = f"the lock file has {self.after}" if self.after else "it is removed, as no lock file names it"
        return f"{self.package}, which stays, requires `{self.requirement}`, but {instead}"


def unmet_requirements(
    plan: Plan,
    environment: Mapping[str, str],
    requires: Callable[[InstalledDistribution], Sequence[str]],
) -> tuple[UnmetRequirement, ...]:
    """The requirements of kept packages that hold before `plan`, and not after it.

    Args:
        plan: The plan.
        environment: The markers of the target.
        requires: Returns the Requires-Dist of an installed package; called only if the plan changes or removes some.
    """
    before = {step.name: step.old_version for step in plan.changes if step.installed}
    after = {step.name: step.new_version if step.action != "remove" else None for step in plan.changes}
    unmet = []
    for step in _kept(plan) if before else ():
        for requirement in _requirements(step, environment, requires):
            name = canonicalize_name(requirement.name)
            held = name in before and _holds(requirement, before[name])
            if held and not _holds(requirement, after[name]):
                now = f"{name} {after[name]}" if after[name] is not None else ""
                unmet.append(UnmetRequirement(f"{step.name} {step.old_version}", _shown(requirement), now))
    return tuple(unmet)


def keep_required(
    plan: Plan,
    environment: Mapping[str, str],
    requires: Callable[[InstalledDistribution], Sequence[str]],
) -> Plan:
    """`plan`, without the removals of packages that kept packages of another installer require, at any distance."""
    removed = {step.name for step in plan.changes if step.action == "remove"}
    keepers = [step for step in _kept(plan) if not all(one.is_ours for one in step.installed)]
    if not removed or not keepers:
        return plan
    steps = {step.name: step for step in plan.steps}
    while keepers:
        keeper = keepers.pop()
        for requirement in _requirements(keeper, environment, requires):
            name = canonicalize_name(requirement.name)
            if name in removed:
                removed.discard(name)
                reason = f"{keeper.name}, which stays, requires it"
                steps[name] = steps[name]._replace(action="keep", reason=reason, blocked="")
                keepers.append(steps[name])
    return plan_of(steps.values())


def _kept(plan: Plan) -> list[Step]:
    return [step for step in plan.steps if step.action == "keep" and step.desired is None]


def _requirements(
    step: Step, environment: Mapping[str, str], requires: Callable[[InstalledDistribution], Sequence[str]]
) -> Iterator[Requirement]:
    """The requirements that apply without extras; those that cannot be read are left out."""
    for text in (text for one in step.installed for text in requires(one)):
        try:
            requirement = read_dependency(text)
            applies = requirement.marker is None or requirement.marker.evaluate({**environment, "extra": ""})
        except ValueError:
            continue
        if applies:
            yield requirement


def _holds(requirement: Requirement, version: str | None) -> bool:
    if version is None:
        return False
    try:
        return requirement.specifier.contains(read_version(version), prereleases=True)
    except ValueError:
        return True  # a version that no rule covers


def _shown(requirement: Requirement) -> str:
    return f"{requirement.name}{requirement.specifier}"
