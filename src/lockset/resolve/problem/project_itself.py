"""A project that is locked, where one of its dependencies requires it: its own source tree stands for it.

A release of it from an index would replace the tree in the environments of its developers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.version import Version

from lockset._dataclass import replace
from lockset.metadata.core import CoreMetadata
from lockset.resolve.problem.direct_source import DirectSource, SourceFacts, relative_path
from lockset.resolve.problem.requirement import Specifier

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from lockset.resolve.problem.file_policy import DirectRules
    from lockset.resolve.problem.request import LockRequest
    from lockset.sources.project import RequirementLine, RootProject

__all__ = ["rules_with_own"]


def rules_with_own(
    projects: Mapping[str, RootProject], direct: DirectRules, request: LockRequest
) -> tuple[DirectRules, LockRequest]:
    """The rules and the request with the own trees of `projects` as their only releases.

    The version of a tree is not known without a build in many projects, and counts as one that satisfies every
    requirement. Projects that a requirement takes from elsewhere are left as they are.

    Args:
        projects: The project that is locked or the members of the workspace, by name, with their dynamic metadata.
        direct: The rules for direct sources.
        request: The request to the solver.
    """
    everywhere = request.universe
    taken = {source.name for source, _ in direct.sources}
    own = dict(_itself(project, name, direct.folder) for name, project in projects.items() if name not in taken)
    constraints = dict(request.policy.constraints)
    for source in own:
        constraints[source.name] = (*constraints.get(source.name, ()), (Specifier.of_source(source), everywhere))
    return (
        replace(direct, sources=(*direct.sources, *((source, everywhere) for source in own)), own=own),
        replace(request, policy=replace(request.policy, constraints=constraints)),
    )


def _itself(project: RootProject, name: str, folder: Path) -> tuple[DirectSource, SourceFacts]:
    source = DirectSource(
        name=name,
        kind="directory",
        path=str(project.base),
        shown=relative_path(str(project.base), folder),
        editable=True,
        any_version=True,
        location=next(iter(project.sources), ""),
    )
    metadata = CoreMetadata(
        name=name,
        version=Version("0"),
        requires_dist=tuple(_requires_dist(project)),
        provides_extra=frozenset(project.extras),
        origin="tree",
    )
    return source, SourceFacts(metadata=metadata)


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
