"""The project that is locked, where one of its dependencies requires it: its own source tree stands for it.

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
    from collections.abc import Iterator
    from pathlib import Path

    from lockset.resolve.problem.file_policy import DirectRules
    from lockset.resolve.problem.request import LockRequest
    from lockset.sources.project import RequirementLine, RootProject

__all__ = ["rules_with_itself"]


def rules_with_itself(
    project: RootProject, direct: DirectRules, request: LockRequest
) -> tuple[DirectRules, LockRequest]:
    """The rules and the request with the project's own tree as the only release of the project.

    Its version is not known without a build in many projects, and counts as one that satisfies every requirement.
    Without a change if something else stands for the name of the project.

    Args:
        project: The project, with its dynamic metadata.
        direct: The rules for direct sources; `project` there is its name.
        request: The request to the solver.
    """
    if direct.project is None:
        return direct, request
    itself = _itself(project, direct.project, direct.folder)
    source, everywhere = itself[0], request.universe
    constraints = dict(request.policy.constraints)
    constraints[source.name] = (*constraints.get(source.name, ()), (Specifier.of_source(source), everywhere))
    return (
        replace(direct, sources=(*direct.sources, (source, everywhere)), itself=itself),
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
