"""Rules that ask in which environments something holds; proved with marker diagrams, each with an example."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lockset.lockfile.validate.rules.coverage import Coverage, example_text, python_set, served, small, united
from lockset.lockfile.validate.rules.wheel_fit import check_fit, newest_python
from lockset.markers import KNOWN_PYTHONS, MarkerSet, known_pythons, platform_region

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lockset.lockfile.validate.finding import Findings
    from lockset.lockfile.validate.rules.sources import NamedFile

__all__ = ["check_environments"]

# Bounds how many pairs of entries of one name are compared; entries beyond it are passed over.
_MOST_PAIRS = 2000
_PLATFORMS = ("linux", "macos", "windows")
_APART = "Give them markers that exclude each other"


def check_environments(data: Mapping[str, Any], files: Mapping[int, Sequence[NamedFile]], found: Findings) -> None:
    """All rules on where the entries of a file apply. Values of a wrong type are passed over: other rules name them."""
    claimed = served(data)
    _environments(data, claimed, found)
    if claimed.region.is_empty or not small(claimed.region):
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
    reached = _unreachable(packages, claimed, found)
    for name, indexes in by_name.items():
        if len(indexes) > 1 and not claimed.spent:
            _overlaps(name, indexes, packages, claimed, found)
            _python_holes(name, indexes, claimed, found)
    _uncovered(by_name, packages, claimed, found)
    newest = newest_python(files)
    for index in reached:
        if claimed.spent:
            return
        _contradiction(index, packages[index], claimed, found)
        check_fit(index, packages[index], files.get(index, ()), claimed, found, newest=newest)


def _environments(data: Mapping[str, Any], claimed: Coverage, found: Findings) -> None:
    """Each environment is one that can occur, and no two have one in common."""
    texts: list[Any] = data.get("environments") or []
    live: list[tuple[int, MarkerSet]] = []
    for index, region in claimed.environments.items():
        path = ("environments", index)
        within = region & claimed.pythons
        if within.is_empty:
            why = f"`requires-python` ({data['requires-python']}) shuts it out" if claimed.has_python else ""
            if region.is_empty:
                why = "it contradicts itself"
            elif not why or (region & _possible(claimed)).is_empty:
                why = "no interpreter is like that"
            message = f"No interpreter meets the environment `{texts[index]}`: {why}"
            found.add("environment-unreachable", path, message, "Remove it, or widen what excludes it")
            continue
        for other, earlier in live:
            common = within & earlier if texts[other] != texts[index] else MarkerSet.none()
            example = common.example()
            if example is not None:
                message = f"The environment overlaps with environments[{other}], for example in {example_text(example)}"
                found.add("environment-overlap", path, message, "Make them exclude each other")
                break
        live.append((index, within))


def _possible(claimed: Coverage) -> MarkerSet:
    """All that can occur, on any Python."""
    return claimed.pythons.without_platforms() | ~claimed.pythons.without_platforms()


def _unreachable(packages: Mapping[int, Mapping[str, Any]], claimed: Coverage, found: Findings) -> list[int]:
    """A finding for each entry that applies nowhere; gives the others that can be compared."""
    reached: list[int] = []
    # Choices that are not declared have findings of their own: here they may be made.
    anywhere = claimed.pythons
    if claimed.environments:
        anywhere &= united(claimed.environments.values()) or MarkerSet.any()
    told = {finding.path for finding in found}
    for index, package in packages.items():
        marker = claimed.markers.get(index)
        if ("packages", index, "marker") in told and marker is not None and marker.is_empty:
            continue  # what is odd about the marker is told, and it follows that it never holds
        if marker is not None and (marker & anywhere).is_empty:
            if marker.is_empty:
                why = "contradicts itself"
            elif (marker & claimed.pythons).is_empty:
                why = "is true for no interpreter that `requires-python` admits"
            else:
                why = "is true in none of the file's `environments`"
            message = f"`{package['name']}` is never installed: its marker `{package['marker']}` {why}"
            found.add("package-unreachable", ("packages", index, "marker"), message, "Remove the entry or its marker")
        elif index in claimed.entries and not claimed.entries[index].is_empty:
            reached.append(index)
    return reached


def _overlaps(
    name: str, indexes: Sequence[int], packages: Mapping[int, Mapping[str, Any]], claimed: Coverage, found: Findings
) -> None:
    """For any install exactly one entry of a name may remain; one finding for each entry that overlaps an earlier."""
    compared = 0
    for location, index in enumerate(indexes):
        for other in indexes[:location]:
            compared += 1
            if compared > _MOST_PAIRS or claimed.spent:
                return
            if packages[index].get("marker") is None and packages[other].get("marker") is None:
                break  # told without diagrams
            one, two = claimed.entries[index], claimed.entries[other]
            if one is claimed.region and two is claimed.region:
                message = f"`{name}` has two entries that apply in every environment (the other is packages[{other}])"
                found.add("packages-narrow-to-one", ("packages", index), message, _APART)
                break
            example = None if one.is_disjoint(two) else (one & two).example()
            if example is not None:
                where = f"for example in {example_text(example)}"
                message = f"`{name}` has two entries that apply together (the other is packages[{other}]), {where}"
                found.add("duplicate-overlap", ("packages", index), message, _APART)
                break


def _python_holes(name: str, indexes: Sequence[int], claimed: Coverage, found: Findings) -> None:
    """Entries that split a name by Python leave out none between those they cover, on any common platform."""
    union = united(claimed.entries[index] for index in indexes)
    if union is None:
        return
    for platform in _PLATFORMS:
        region = platform_region(platform)
        covered = [_minor(python) for python in known_pythons(union & region)]
        if not covered:
            continue
        wanted = [_minor(python) for python in known_pythons(claimed.region & region)]
        order = KNOWN_PYTHONS.index
        first, last = order(covered[0]), order(covered[-1])
        holes = [python for python in wanted if python not in covered and first < order(python) < last]
        if holes:
            message = f"The entries of `{name}` leave out Python {', '.join(holes)}, for example on {platform}"
            hint = "Check that nothing needs it there, or lock again"
            found.add("environment-uncovered", ("packages", indexes[0]), message, hint)
            return


def _minor(python: str) -> str:
    return ".".join(python.split(".")[:2])


def _uncovered(
    by_name: Mapping[str, Sequence[int]],
    packages: Mapping[int, Mapping[str, Any]],
    claimed: Coverage,
    found: Findings,
) -> None:
    """A name with several entries, which a package of every installation depends on, has one for each environment."""
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
        if len(indexes) < 2 or name not in needed:  # noqa: PLR2004 - an only entry may be needed in some places only
            continue
        union = united(claimed.entries[index] for index in indexes)
        if union is None or claimed.spent:
            continue
        for location, region in claimed.environments.items():
            within = region & claimed.region
            if not within.is_empty and union.is_disjoint(within):
                message = f"No entry of `{name}` applies in environments[{location}], though packages depend on it"
                hint = "Check that nothing needs it there, or lock again"
                found.add("environment-uncovered", ("packages", indexes[0]), message, hint)
                break


def _contradiction(index: int, package: Mapping[str, Any], claimed: Coverage, found: Findings) -> None:
    """A package's requires-python admits every Python on which the package is chosen.

    Looked at are the known Pythons: bounds above them are guesses. Without `requires-python` at the top and without
    environments nothing is claimed, and only an entry that can never be installed is wrong.
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
        found.add("requires-python-contradiction", ("packages", index, "requires-python"), message, hint)


def _known() -> MarkerSet:
    last = KNOWN_PYTHONS[-1]
    return MarkerSet.parse(f"python_version >= '{KNOWN_PYTHONS[0]}' and python_version <= '{last}'")
