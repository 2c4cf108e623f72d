"""Whether the wheels of each version have the same requirements: a lock is made from the metadata of one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.errors import LocksetError
from lockset.markers import MarkerSet, wheel_region
from lockset.resolve.problem.direct_source import DirectVersion

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lockset.index.pages.project_page import DistributionFile
    from lockset.resolve.problem.requirement import Dependency
    from lockset.resolve.releases.index_repository import IndexRepository
    from lockset.resolve.solver.resolution import Resolution

__all__ = ["verify_metadata"]

# Lines of differences shown; further ones are counted.
_LINES = 10


def verify_metadata(resolution: Resolution, repository: IndexRepository) -> None:
    """Compare the requirements of every usable wheel with those used for its version, where the wheel can be used.

    Raises:
        LocksetError: `metadata-disagrees`, with every difference.
    """
    releases = [(key, node) for key, node in resolution.nodes.items() if not isinstance(key[1], DirectVersion)]
    wheels = {
        key: [
            f
            for f in repository.files(*key)
            if f.is_wheel and not wheel_region(f.tags).is_disjoint(node.region.without_extras_and_groups())
        ]
        for key, node in releases
    }
    for files in wheels.values():
        for file in files:
            repository.hint_file(file)
    differences: list[str] = []
    for key, node in releases:
        facts = repository.facts(*key)
        assumed = facts.dependencies if facts is not None else ()
        for file in wheels[key]:
            where = wheel_region(file.tags) & node.region.without_extras_and_groups()
            differences += _differences(file, assumed, repository.dependencies_of_file(file), where)
    if differences:
        more = (f"and {len(differences) - _LINES} more",) if len(differences) > _LINES else ()
        raise LocksetError(
            "metadata-disagrees",
            "The wheels of one version have different requirements: the lock would not be valid for all of them",
            context=(*differences[:_LINES], *more),
            hint="Require another version, replace its requirements with an override, or lock without"
            " `--verify-metadata`",
        )


def _differences(
    file: DistributionFile, assumed: Iterable[Dependency], stated: Iterable[Dependency], where: MarkerSet
) -> Iterable[str]:
    one, other = _regions(assumed, where), _regions(stated, where)
    for text in dict.fromkeys((*one, *other)):
        nowhere = MarkerSet.none()
        if one.get(text, nowhere) is not other.get(text, nowhere):
            verb = "does not require" if other.get(text, nowhere).is_empty else "requires"
            yield f"{file.filename} {verb} {text}{'' if verb.startswith('does') else ', or elsewhere than the others'}"


def _regions(dependencies: Iterable[Dependency], where: MarkerSet) -> Mapping[str, MarkerSet]:
    """Where each requirement applies within `where`, by its text without marker."""
    regions: dict[str, MarkerSet] = {}
    for dependency in dependencies:
        region = dependency.marker & where
        if not region.is_empty:
            regions[dependency.text] = regions.get(dependency.text, MarkerSet.none()) | region
    return regions
