"""Apply the sources that other tools name for packages: `[tool.uv.sources]` and the like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.markers import InvalidMarker
from packaging.requirements import InvalidRequirement

from lockset._dataclass import replace
from lockset.dependency_specifiers import read_dependency, read_marker
from lockset.errors import RequirementSyntaxError
from lockset.markers import MarkerSet
from lockset.sources.requirements.requirement_line import parse_requirement
from lockset.url_secrets import without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from packaging.markers import Marker
    from packaging.requirements import Requirement

    from lockset.sources.other_tools.facts import NamedSource
    from lockset.sources.requirements.requirement_line import RequirementLine

__all__ = ["index_sources", "with_source", "with_sources"]

# Errors quote at most this many characters of a source.
_SHOWN = 80


def with_sources(
    lines: Iterable[RequirementLine],
    sources: Sequence[NamedSource],
    *,
    extra: str | None = None,
    group: str | None = None,
) -> tuple[RequirementLine, ...]:
    """The requirements of the project, an extra or a group, with the folders, URLs and repositories of `sources`.

    A requirement that has a URL keeps it. Where a source has a marker, the requirement is split at it.

    Raises:
        LocksetError: `requirement-syntax` if a source is not a valid URL.
    """
    scoped = [s for s in sources if s.extra in {None, extra} and s.group in {None, group}]
    return tuple(dict.fromkeys(part for line in lines for part in _parts(line, scoped)))


def _parts(line: RequirementLine, sources: Sequence[NamedSource]) -> Iterator[RequirementLine]:
    for requirement, source in with_source(line.requirement, [s for s in sources if s.names(line.name)]):
        if source is None:
            yield (
                line
                if requirement is line.requirement
                else replace(line, text=str(requirement), requirement=requirement)
            )
            continue
        parsed = parse_requirement(
            str(requirement), origin=f"{line.origin} (through {source.table})", location=source.location
        )
        yield replace(parsed, editable=source.editable)


def with_source(
    requirement: Requirement, sources: Sequence[NamedSource]
) -> Iterator[tuple[Requirement, NamedSource | None]]:
    """The requirement with its source; several with disjoint markers if sources have markers.

    `sources` all name the package, in order. Those of an index, and those without a location, are left out.

    Raises:
        LocksetError: `requirement-syntax` if the URL or path of a source is not valid.
    """
    direct = [source for source in sources if source.requirement is not None]
    if requirement.url is not None or not direct:
        yield requirement, None
        return
    left = MarkerSet.any()
    for source in direct:
        region = left & _region(source)
        if region.is_empty:
            continue
        assert source.requirement is not None
        moved = _direct(source, source.requirement)
        moved.extras = set(requirement.extras)
        moved.marker = _joined(requirement.marker, region)
        yield moved, source
        left -= region
    if not left.is_empty:
        rest = read_dependency(str(requirement))
        rest.marker = _joined(requirement.marker, left)
        yield rest, None


def _direct(source: NamedSource, text: str) -> Requirement:
    try:
        return read_dependency(text)
    except InvalidRequirement as error:
        reason = str(error).partition("\n")[0]
        raise RequirementSyntaxError(
            f"`{source.package}` has a source that is not valid, {without_secrets(source.shown)[:_SHOWN]}: {reason}",
            location=f"{source.location} {source.table}",
            hint="In a URL, a space is written `%20`" if " " in source.shown else None,
        ) from error


def index_sources(sources: Iterable[NamedSource]) -> dict[tuple[str, str], list[str]]:
    """The packages that come from one index only, by name and URL of the index.

    A package with several indexes, or with one for some environments, extras or groups only, is not among them: an
    index holds for a package everywhere.
    """
    by_package: dict[str, list[NamedSource]] = {}
    for source in sources:
        by_package.setdefault(source.package, []).append(source)
    indexes: dict[tuple[str, str], list[str]] = {}
    for package, named in by_package.items():
        first = named[0]
        scoped = first.marker or first.extra or (first.group and not _everywhere(named))
        if first.index_url is None or scoped or "*" in package:
            continue
        if all(other.index_url == first.index_url for other in named):
            indexes.setdefault((first.index_name or first.index_url, first.index_url), []).append(package)
    return indexes


def _everywhere(named: Sequence[NamedSource]) -> bool:
    """Whether a table of a group is the only one that names the package: it is required there alone."""
    return len({source.group for source in named}) == 1


def _region(source: NamedSource) -> MarkerSet:
    if source.marker is None:
        return MarkerSet.any()
    try:
        return MarkerSet.of_marker(read_marker(source.marker))
    except InvalidMarker:
        return MarkerSet.none()


def _joined(marker: Marker | None, region: MarkerSet) -> Marker | None:
    """Both conditions."""
    text = region.text()
    if text is None:
        return marker
    other = read_marker(text)
    return other if marker is None else marker & other
