"""Rules on the environments in which entries apply, decided with marker diagrams; each finding has an example."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lockset.lockfile.validate.rules.coverage import (
    Coverage,
    bounded_union,
    example_text,
    is_small,
    python_set,
    read_coverage,
)
from lockset.lockfile.validate.rules.wheel_fit import check_fit, newest_python
from lockset.markers import KNOWN_PYTHONS, MarkerSet, known_pythons, platform_region

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lockset.lockfile.validate.finding import Findings
    from lockset.lockfile.validate.rules.sources import NamedFile

__all__ = ["check_environments"]

# Limit for the pairs of entries of one name that are compared.
_MOST_PAIRS = 2000
_PLATFORMS = ("linux", "macos", "windows")
_APART = "Give them markers that do not overlap"


def check_environments(data: Mapping[str, Any], files: Mapping[int, Sequence[NamedFile]], findings: Findings) -> None:
    """Check where the entries of a file apply. Values of a wrong type are skipped: other rules report them."""
    claimed = read_coverage(data)
    _check_declared(data, claimed, findings)
    if claimed.region.is_empty or not is_small(claimed.region):
        return
    packages = {
        index: package
        for index, package in enumerate(data["packages"] if isinstance(data.get("packages"), list) else [])
        if isinstance(package, dict) and isinstance(package.get("name"), str)
    }
    by_name: dict[str, list[int]] = {}
    for index, package in packages.items():
        if index in claimed.entries:
            by_name.setdefault(package["name"], []).append(index)
    reachable = _check_reachable(packages, claimed, findings)
    for name, indexes in by_name.items():
        if len(indexes) > 1 and not claimed.is_exhausted:
            _check_overlaps(name, indexes, packages, claimed, findings)
            _check_python_gaps(name, indexes, claimed, findings)
    _check_uncovered(by_name, packages, claimed, findings)
    newest = newest_python(files)
    for index in reachable:
        if claimed.is_exhausted:
            return
        _check_requires_python(index, packages[index], claimed, findings)
        check_fit(index, packages[index], files.get(index, ()), claimed, findings, newest=newest)


def _check_declared(data: Mapping[str, Any], claimed: Coverage, findings: Findings) -> None:
    """Check that each declared environment can occur, and that no two overlap."""
    texts: list[Any] = data.get("environments") or []
    live: list[tuple[int, MarkerSet]] = []
    for index, region in claimed.environments.items():
        path = ("environments", index)
        within = region & claimed.pythons
        if within.is_empty:
            why = f"`requires-python` ({data['requires-python']}) excludes it" if claimed.has_python else ""
            if region.is_empty:
                why = "it contradicts itself"
            elif not why or (region & _possible(claimed)).is_empty:
                why = "no interpreter has these values"
            message = f"No interpreter matches the environment `{texts[index]}`: {why}"
            findings.add("environment-unreachable", path, message, "Remove it, or widen what excludes it")
            continue
        for other, earlier in live:
            common = within & earlier if texts[other] != texts[index] else MarkerSet.none()
            example = common.example()
            if example is not None:
                message = f"The environment overlaps with environments[{other}], for example in {example_text(example)}"
                findings.add("environment-overlap", path, message, "Change them so that they do not overlap")
                break
        live.append((index, within))


def _possible(claimed: Coverage) -> MarkerSet:
    """All possible environments, on any Python."""
    return claimed.pythons.without_platforms() | ~claimed.pythons.without_platforms()


def _check_reachable(packages: Mapping[int, Mapping[str, Any]], claimed: Coverage, findings: Findings) -> list[int]:
    """Report each entry that never applies, and return the indexes of the others that can be compared."""
    reachable: list[int] = []
    # Undeclared extras and groups have their own findings, so they are allowed here.
    anywhere = claimed.pythons
    if claimed.environments:
        anywhere &= bounded_union(claimed.environments.values()) or MarkerSet.any()
    reported = {finding.path for finding in findings}
    for index, package in packages.items():
        marker = claimed.markers.get(index)
        if ("packages", index, "marker") in reported and marker is not None and marker.is_empty:
            continue  # another finding about the marker already explains it
        if marker is not None and (marker & anywhere).is_empty:
            if marker.is_empty:
                why = "contradicts itself"
            elif (marker & claimed.pythons).is_empty:
                why = "is false for every interpreter that `requires-python` allows"
            else:
                why = "is false in all of the file's `environments`"
            message = f"`{package['name']}` is never installed: its marker `{package['marker']}` {why}"
            findings.add(
                "package-unreachable", ("packages", index, "marker"), message, "Remove the entry or its marker"
            )
        elif index in claimed.entries and not claimed.entries[index].is_empty:
            reachable.append(index)
    return reachable


def _check_overlaps(
    name: str, indexes: Sequence[int], packages: Mapping[int, Mapping[str, Any]], claimed: Coverage, findings: Findings
) -> None:
    """Report each entry that overlaps an earlier one of its name: at most one may apply (PEP 751)."""
    compared = 0
    for location, index in enumerate(indexes):
        for other in indexes[:location]:
            compared += 1
            if compared > _MOST_PAIRS or claimed.is_exhausted:
                return
            if packages[index].get("marker") is None and packages[other].get("marker") is None:
                break  # another rule reports it
            one, two = claimed.entries[index], claimed.entries[other]
            if one is claimed.region and two is claimed.region:
                message = f"`{name}` has two entries that apply in every environment (the other is packages[{other}])"
                findings.add("packages-narrow-to-one", ("packages", index), message, _APART)
                break
            example = None if one.is_disjoint(two) else (one & two).example()
            if example is not None:
                where = f"for example in {example_text(example)}"
                message = f"`{name}` has two entries that apply together (the other is packages[{other}]), {where}"
                findings.add("duplicate-overlap", ("packages", index), message, _APART)
                break


def _check_python_gaps(name: str, indexes: Sequence[int], claimed: Coverage, findings: Findings) -> None:
    """Report Pythons that the entries of a name omit, between Pythons that they cover, on common platforms."""
    union = bounded_union(claimed.entries[index] for index in indexes)
    if union is None:
        return
    for platform in _PLATFORMS:
        region = platform_region(platform)
        covered = [_minor(python) for python in known_pythons(union & region)]
        if not covered:
            continue
        supported = [_minor(python) for python in known_pythons(claimed.region & region)]
        order = KNOWN_PYTHONS.index
        first, last = order(covered[0]), order(covered[-1])
        holes = [python for python in supported if python not in covered and first < order(python) < last]
        if holes:
            message = f"The entries of `{name}` leave out Python {', '.join(holes)}, for example on {platform}"
            hint = "Check that nothing needs it there, or lock again"
            findings.add("environment-uncovered", ("packages", indexes[0]), message, hint)
            return


def _minor(python: str) -> str:
    return ".".join(python.split(".")[:2])


def _check_uncovered(
    by_name: Mapping[str, Sequence[int]],
    packages: Mapping[int, Mapping[str, Any]],
    claimed: Coverage,
    findings: Findings,
) -> None:
    """Report environments without an entry for a name with several entries that is always required."""
    if not claimed.environments:
        return
    needed = {
        table["name"]
        for index, package in packages.items()
        if claimed.entries.get(index) is claimed.region and isinstance(package.get("dependencies"), list)
        for table in package["dependencies"]
        if isinstance(table, dict) and isinstance(table.get("name"), str)
    }
    for name, indexes in by_name.items():
        if len(indexes) < 2 or name not in needed:
            continue
        union = bounded_union(claimed.entries[index] for index in indexes)
        if union is None or claimed.is_exhausted:
            continue
        for location, region in claimed.environments.items():
            within = region & claimed.region
            if not within.is_empty and union.is_disjoint(within):
                message = f"No entry of `{name}` applies in environments[{location}], although packages depend on it"
                hint = "Check that nothing needs it there, or lock again"
                findings.add("environment-uncovered", ("packages", indexes[0]), message, hint)
                break


def _check_requires_python(index: int, package: Mapping[str, Any], claimed: Coverage, findings: Findings) -> None:
    """Check that a package's requires-python allows every Python on which the package applies.

    Only known Pythons are checked: bounds above them are guesses. Without a top-level `requires-python` and without
    environments nothing is claimed, so only an entry that can never be installed is reported.
    """
    text = package.get("requires-python")
    admitted = python_set(text) if isinstance(text, str) else None
    if admitted is None or admitted.is_empty:
        return
    applies = claimed.entries[index]
    outside = (applies - admitted) & _known()
    claims = claimed.has_python or bool(claimed.environments)
    example = outside.example() if claims or (applies & admitted).is_empty else None
    if example is not None:
        where = example_text(example)
        message = f"`{package['name']}` is for Python {text}, but its entry also applies in {where}"
        hint = "Narrow `requires-python` of the file or the marker: installing fails there"
        findings.add("requires-python-contradiction", ("packages", index, "requires-python"), message, hint)


def _known() -> MarkerSet:
    last = KNOWN_PYTHONS[-1]
    return MarkerSet.parse(f"python_version >= '{KNOWN_PYTHONS[0]}' and python_version <= '{last}'")
