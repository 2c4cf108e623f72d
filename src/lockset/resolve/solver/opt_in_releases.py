"""Pre-releases and yanked releases that are opted in to after their package was first required.

They are left out until a requirement opts in to them (PEP 440 and PEP 592), and a candidate that requires such a
release is rejected until then. Where that leaves no solution, the search is repeated with these releases admitted, and
its solution is valid if each of them is opted in to in the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._dataclass import replace
from lockset.markers import MarkerSet
from lockset.resolve.problem.direct_source import DirectVersion
from lockset.resolve.releases.admission import Admission

if TYPE_CHECKING:
    from lockset.resolve.problem.request import LockRequest
    from lockset.resolve.releases.repository import Repository
    from lockset.resolve.solver.resolution import Node, Resolution

__all__ = ["all_opted_in"]


def all_opted_in(resolution: Resolution, request: LockRequest, repository: Repository) -> bool:
    """Whether each release that needs an opt-in has one, wherever it is needed."""
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
    locked = MarkerSet.union(
        [p.region for p in request.preferences.get(name, ()) if p.binding and p.version == version]
    )
    return admission.is_opted_in(releases, position, requested, node.region - locked)
