"""The project that is locked, where one of its dependencies requires it: its own source tree stands for it.

A release of it from an index would replace the tree in the environments of its developers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.version import Version

from lockset._dataclass import dataclass, replace
from lockset.metadata.core import CoreMetadata
from lockset.resolve.problem.direct_source import DirectSource, SourceFacts, relative_path
from lockset.resolve.problem.requirement import Specifier

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from lockset.resolve.problem.build_problem import ResolutionProblem
    from lockset.sources.project import RequirementLine, RootProject

__all__ = ["ProjectItself", "ProjectItselfRequired", "itself_of", "requires_itself", "requiring_itself"]


class ProjectItselfRequired(Exception):
    """A release requires the project that is locked: the search must begin again, with its tree as a source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectItself:
    """The source tree of the project, and what it requires."""

    source: DirectSource
    facts: SourceFacts


def itself_of(project: RootProject, folder: Path, *, replaced: Collection[str]) -> ProjectItself | None:
    """The project as a source; None if it has no name, or is one of those that are required from elsewhere.

    Its version is not known without a build in many projects, and counts as one that satisfies every requirement.

    Args:
        project: The project, with its dynamic metadata.
        folder: The lock's folder, absolute.
        replaced: Projects that are required by URL or path, overridden or excluded.
    """
    if not project.name or project.name in replaced or not project.sources:
        return None
    source = DirectSource(
        name=project.name,
        kind="directory",
        path=str(project.base),
        shown=relative_path(str(project.base), folder),
        editable=True,
        any_version=True,
        location=project.sources[0],
    )
    metadata = CoreMetadata(
        name=project.name,
        version=Version("0"),
        requires_dist=tuple(_requires_dist(project)),
        provides_extra=frozenset(project.extras),
        origin="tree",
    )
    return ProjectItself(source=source, facts=SourceFacts(metadata=metadata))


def requiring_itself(problem: ResolutionProblem) -> ResolutionProblem:
    """`problem` with the project's own tree as the only release of the project."""
    direct, request = problem.direct, problem.request
    if direct.itself is None:
        return problem
    source, everywhere = direct.itself.source, request.universe
    constraints = dict(request.policy.constraints)
    constraints[source.name] = (*constraints.get(source.name, ()), (Specifier.of_source(source), everywhere))
    return replace(
        problem,
        direct=replace(direct, sources=(*direct.sources, (source, everywhere))),
        request=replace(request, policy=replace(request.policy, constraints=constraints)),
    )


def requires_itself(problem: ResolutionProblem) -> bool:
    """Whether `problem` comes from `requiring_itself`."""
    itself = problem.direct.itself
    return itself is not None and any(source is itself.source for source, _ in problem.direct.sources)


def _requires_dist(project: RootProject) -> Iterator[str]:
    for line in project.dependencies:
        yield str(line.requirement)
    for extra, lines in project.extras.items():
        for line in lines:
            yield _of_extra(line, extra)


def _of_extra(line: RequirementLine, extra: str) -> str:
    """The requirement as the metadata of the project states it: for `extra` alone."""
    requirement = line.requirement
    condition = f'extra == "{extra}"'
    if requirement.marker is not None:
        condition = f"({requirement.marker}) and {condition}"
    text = str(requirement).partition(";")[0].strip() if requirement.url is None else f"{line.name} @ {requirement.url}"
    return f"{text} ; {condition}"
