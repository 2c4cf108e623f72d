"""Pre-releases and yanked releases that somebody names after others had asked for their project.

While a search goes on, a release that counts only where it is named is left out until somebody names it; what asks for
nothing but such a release is refused meanwhile. Where that leaves no answer, the releases are tried without being
named, and the answer counts if they are in the end.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lockset.resolve.problem.direct_source import DirectVersion
from lockset.resolve.problem.regions import union
from lockset.resolve.releases.admission import Admission

if TYPE_CHECKING:
    from lockset.resolve.problem.request import LockRequest
    from lockset.resolve.releases.repository import Repository
    from lockset.resolve.solver.resolution import Node, Resolution
    from lockset.resolve.solver.search import ResolutionImpossible

__all__ = ["all_opted_in", "with_opt_in"]


def with_opt_in(impossible: ResolutionImpossible, request: LockRequest) -> LockRequest | None:
    """The request with releases tried that nobody had named yet; None where that cannot help."""
    if not impossible.not_opted_in or request.policy.opted_in:
        return None
    return replace(request, policy=replace(request.policy, opted_in=impossible.not_opted_in))


def all_opted_in(resolution: Resolution, request: LockRequest, repository: Repository) -> bool:
    """Whether each release that has to be named is, wherever it is needed."""
    admission = Admission(repository, replace(request.policy, opted_in=frozenset()))
    return all(_is_opted_in(node, resolution, request, repository, admission) for node in resolution.nodes.values())


def _is_opted_in(
    node: Node, resolution: Resolution, request: LockRequest, repository: Repository, admission: Admission
) -> bool:
    name, version = node.key
    if isinstance(version, DirectVersion):
        return True
    releases = repository.releases(name)
    position = releases.versions.index(version)
    if not admission.needing_opt_in(releases) >> position & 1:
        return True
    requested = [(e.dependency.specifier, e.region) for e in resolution.edges if e.target == node.key]
    requested += request.policy.constraints.get(name, ())
    locked = union(p.region for p in request.preferences.get(name, ()) if p.binding and p.version == version)
    return admission.is_opted_in(releases, position, requested, node.region - locked)
