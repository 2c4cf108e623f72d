"""Rules on environments: which ones a lock file claims to support, where its entries apply, and which wheels fit there.

They are decided with marker diagrams, and each finding has an example. Only imported for lock files that need it:
importing `lockset.markers` takes longer than all other rules.
"""

from __future__ import annotations

from functools import cache, lru_cache, partial
from itertools import islice

from lockset._dataclass import dataclass
from lockset.errors import LocksetError
from lockset.lockfile.conflicts import conflicting_region, pairs_of, read_conflicts
from lockset.lockfile.read import MAX_WHEEL_TAGS, tag_count
from lockset.lockfile.validate.lock_table import normalized_names
from lockset.markers import KNOWN_PYTHONS, Example, MarkerSet, known_pythons, platform_region, possible, tag_set_region
from lockset.markers.diagram import FULL, NODES
from lockset.markers.environment import UNNAMED_SYSTEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from lockset.lockfile.validate.finding import Findings
    from lockset.lockfile.validate.rules.sources import NamedFile

__all__ = [
    "check_environments",
]

# Limit for the pairs of entries of one name that are compared.
_MOST_PAIRS = 2000
_PLATFORMS = ("linux", "macos", "windows")
_APART = "Give them markers that do not overlap"

# Limit for the different tag sets of one package; the largest real packages have about a hundred.
_MOST_TAG_SETS = 400
# How many Pythons a message lists.
_SHOWN = 4

# Limit for the diagrams that are compared, which takes at most the square of their size. Real markers have tens of
# nodes; larger entries and environments are skipped.
_MAX_NODES = 200
# Limit for the nodes that are created for one file, and so for time and memory; the rest is skipped.
_MAX_MADE = 100_000
# Limit for the environments that are checked; the largest real files have a few dozen.
_MAX_ENVIRONMENTS = 64
# Limit for the pairs of conflicting extras and groups that are considered.
_MOST_CONFLICTS = 1000

# Interpreter tags of the known Pythons, with their index in KNOWN_PYTHONS.
_NUMBERS = {f"cp{python.replace('.', '')}": number for number, python in enumerate(KNOWN_PYTHONS)}

_SYSTEMS = {"linux": "Linux", "darwin": "macOS", "win32": "Windows"}


def check_environments(data: Mapping[str, Any], files: Mapping[int, Sequence[NamedFile]], findings: Findings) -> None:
    """Check where the entries of a file apply. Values of a wrong type are skipped: other rules report them."""
    claimed = _read_coverage(data)
    _check_declared(data, claimed, findings)
    if claimed.region.is_empty or not _is_small(claimed.region):
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
    newest = cache(partial(_newest_python, files))  # few files need it
    outside = _Outside(excluded=[], useless=[])
    for index in reachable:
        if claimed.is_exhausted:
            break
        _check_requires_python(index, packages[index], claimed, findings)
        _check_fit(index, packages[index], files.get(index, ()), claimed, findings, outside=outside, newest=newest)
    _report_outside(outside, data, findings)


def _check_declared(data: Mapping[str, Any], claimed: _Coverage, findings: Findings) -> None:
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
                message = f"The environment overlaps with environments[{other}], for example in {_example(example)}"
                findings.add("environment-overlap", path, message, "Change them so that they do not overlap")
                break
        live.append((index, within))


def _possible(claimed: _Coverage) -> MarkerSet:
    """All possible environments, on any Python."""
    return claimed.pythons.without_platforms() | ~claimed.pythons.without_platforms()


def _check_reachable(packages: Mapping[int, Mapping[str, Any]], claimed: _Coverage, findings: Findings) -> list[int]:
    """Report each entry that never applies, and return the indexes of the others that can be compared."""
    reachable: list[int] = []
    # Undeclared extras and groups have their own findings, so they are allowed here.
    anywhere = claimed.pythons
    if claimed.environments:
        anywhere &= _bounded_union(claimed.environments.values()) or MarkerSet.any()
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
    name: str, indexes: Sequence[int], packages: Mapping[int, Mapping[str, Any]], claimed: _Coverage, findings: Findings
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
                where = f"for example in {_example(example)}"
                message = f"`{name}` has two entries that apply together (the other is packages[{other}]), {where}"
                findings.add("duplicate-overlap", ("packages", index), message, _APART)
                break


def _check_python_gaps(name: str, indexes: Sequence[int], claimed: _Coverage, findings: Findings) -> None:
    """Report Pythons that the entries of a name omit, between Pythons that they cover, on common platforms."""
    union = _bounded_union(claimed.entries[index] for index in indexes)
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
    claimed: _Coverage,
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
        union = _bounded_union(claimed.entries[index] for index in indexes)
        if union is None or claimed.is_exhausted:
            continue
        for location, region in claimed.environments.items():
            within = region & claimed.region
            if not within.is_empty and union.is_disjoint(within):
                message = f"No entry of `{name}` applies in environments[{location}], although packages depend on it"
                hint = "Check that nothing needs it there, or lock again"
                findings.add("environment-uncovered", ("packages", indexes[0]), message, hint)
                break


def _check_requires_python(index: int, package: Mapping[str, Any], claimed: _Coverage, findings: Findings) -> None:
    """Check that a package's requires-python allows every Python on which the package applies.

    Only known Pythons are checked: bounds above them are guesses. Without a top-level `requires-python` and without
    environments nothing is claimed, so only an entry that can never be installed is reported.
    """
    text = package.get("requires-python")
    admitted = _python_set(text) if isinstance(text, str) else None
    if admitted is None or admitted.is_empty:
        return
    applies = claimed.entries[index]
    outside = (applies - admitted) & _known()
    claims = claimed.has_python or bool(claimed.environments)
    example = outside.example() if claims or (applies & admitted).is_empty else None
    if example is not None:
        where = _example(example)
        message = f"`{package['name']}` is for Python {text}, but its entry also applies in {where}"
        hint = "Narrow `requires-python` of the file or the marker: installing fails there"
        findings.add("requires-python-contradiction", ("packages", index, "requires-python"), message, hint)


def _known() -> MarkerSet:
    last = KNOWN_PYTHONS[-1]
    return MarkerSet.parse(f"python_version >= '{KNOWN_PYTHONS[0]}' and python_version <= '{last}'")


def _check_fit(
    index: int,
    package: Mapping[str, Any],
    files: Sequence[NamedFile],
    claimed: _Coverage,
    findings: Findings,
    *,
    outside: _Outside,
    newest: Callable[[], int],
) -> None:
    """Check that every wheel fits some environment, and that every environment of the entry has a file.

    The region of a wheel may be too large, but never too small, so that findings are certain. `newest` returns the
    result of `_newest_python` for the file.
    """
    wheels = [listed for listed in files if "wheels" in listed.path]
    tags = dict.fromkeys(_tags(listed.name) for listed in wheels)
    if not wheels or not (claimed.has_python or claimed.environments) or len(tags) > _MOST_TAG_SETS:
        return
    _collect_outside(package["name"], wheels, claimed, outside)
    if package.get("sdist") is None and len(wheels) == len(package["wheels"]):
        _check_missing(index, package, tuple(tags), claimed, findings, newest=newest)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outside:
    """The wheels that no environment of the file can use, with the names of their packages.

    Attributes:
        excluded: Those for Pythons that `requires-python` excludes.
        useless: Those for none of the declared environments.
    """

    excluded: list[tuple[str, NamedFile]]
    useless: list[tuple[str, NamedFile]]


def _collect_outside(name: str, wheels: Sequence[NamedFile], claimed: _Coverage, outside: _Outside) -> None:
    for listed in wheels:
        region = _region(_tags(listed.name))
        if region.is_disjoint(claimed.pythons):
            if claimed.has_python:
                outside.excluded.append((name, listed))
        elif claimed.environments and region.is_disjoint(claimed.region):
            outside.useless.append((name, listed))


def _report_outside(outside: _Outside, data: Mapping[str, Any], findings: Findings) -> None:
    """Report wheels that fit no environment: one finding for each reason, since one command removes them all."""
    if outside.excluded:
        message = f"{_describe(outside.excluded)} for Pythons that `requires-python` excludes"
        hint = f"No installer uses them: `lockset convert FILE --python '{data['requires-python']}'` removes them"
        findings.add("wheel-outside-requires-python", outside.excluded[0][1].path, message, hint)
    if outside.useless:
        message = f"{_describe(outside.useless)} for none of the file's `environments`"
        hint = "No installer uses them: remove them, or lock again"
        findings.add("wheel-outside-environments", outside.useless[0][1].path, message, hint)


def _describe(wheels: Sequence[tuple[str, NamedFile]]) -> str:
    first = wheels[0][1].name
    if len(wheels) == 1:
        return f"The wheel `{first}` is"
    *others, last = dict.fromkeys(f"`{name}`" for name, _ in wheels)
    if len(others) >= _SHOWN:
        others, last = others[: _SHOWN - 1], f"{len(others) - _SHOWN + 2} more packages"
    names = f"{', '.join(others)} and {last}" if others else last
    return f"{len(wheels)} wheels of {names} (`{first}` is the first) are"


def _check_missing(
    index: int,
    package: Mapping[str, Any],
    tags: tuple[str, ...],
    claimed: _Coverage,
    findings: Findings,
    *,
    newest: Callable[[], int],
) -> None:
    """Report environments, and Pythons up to `newest`, without a wheel, for a package without an sdist.

    A wheel that only free-threaded or debug builds accept is not a wheel for a Python.
    """
    fitting = _bounded_union(_region(one, default_builds=True) for one in tags)
    applies = claimed.entries[index]
    if fitting is None or applies.implies(fitting):
        return
    for location, environment in claimed.environments.items():
        within = environment & applies
        if not within.is_empty and within.is_disjoint(fitting):
            wheel = _missing_wheel(package, tags, within)
            message = f"{wheel} fits environments[{location}], and there is no sdist"
            findings.add("no-file-for-environment", ("packages", index), message, "Lock again for this environment")
            return
    missing = []
    for number, python in enumerate(KNOWN_PYTHONS):
        within = applies & MarkerSet.parse(f"python_version == '{python}'")
        if number <= newest() and not within.is_empty and within.is_disjoint(fitting):
            missing.append(python)
    if missing:
        shown = ", ".join(missing[:_SHOWN]) + (" and more" if len(missing) > _SHOWN else "")
        wheel = _missing_wheel(package, tags, applies & MarkerSet.parse(f"python_version == '{missing[0]}'"))
        message = f"{wheel} fits Python {shown}, and there is no sdist"
        hint = "Narrow `requires-python`, or lock again with an sdist"
        findings.add("no-file-for-environment", ("packages", index), message, hint)


def _missing_wheel(package: Mapping[str, Any], tags: Iterable[str], region: MarkerSet) -> str:
    """The subject of a message that no wheel fits in `region`."""
    is_elsewhere = all(_region(one).is_disjoint(region) for one in tags)
    wheel = f"No wheel of `{package['name']}`"
    return wheel if is_elsewhere else f"{wheel} for default builds (neither free-threaded nor debug)"


@lru_cache(maxsize=4096)
def _tags(file_name: str) -> str:
    return "-".join(file_name.lower().removesuffix(".whl").rsplit("-", 3)[1:])


@lru_cache(maxsize=4096)
def _region(tags: str, *, default_builds: bool = False) -> MarkerSet:
    """Where wheels with these tags can be used, or default builds can use them; anywhere for invalid tags."""
    if tags.count("-") != 2 or tag_count(f"x-{tags}") > MAX_WHEEL_TAGS:
        return MarkerSet.any()
    try:
        region = tag_set_region(tags, default_builds=default_builds)
    except (ValueError, LocksetError):  # the rule on file names reports it
        return MarkerSet.any()
    return region if _is_small(region) else MarkerSet.any()


def _newest_python(files: Mapping[int, Sequence[NamedFile]]) -> int:
    """The index in KNOWN_PYTHONS of the newest Python that any wheel names; later ones had no wheels yet."""
    tags = {_tags(listed.name) for entries in files.values() for listed in entries if "wheels" in listed.path}
    return max((_newest(one) for one in tags), default=0)


@lru_cache(maxsize=4096)
def _newest(tags: str) -> int:
    return max((_NUMBERS.get(part, 0) for part in tags.split("-", maxsplit=1)[0].split(".")), default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Coverage:
    """The environments of one lock file.

    Attributes:
        pythons: The possible environments that `requires-python` allows.
        has_python: Whether `requires-python` is present and valid.
        environments: The valid declared environments, by index.
        region: `pythons` and `environments` together, without undeclared extras and groups.
        entries: Where each package applies within `region`, by index; only those that are small enough to compare.
        markers: The packages' markers as sets, by index, for packages that have one.
        began: How many nodes there were before.
    """

    pythons: MarkerSet
    has_python: bool
    environments: Mapping[int, MarkerSet]
    region: MarkerSet
    entries: Mapping[int, MarkerSet]
    markers: Mapping[int, MarkerSet]
    nodes_before: int

    @property
    def is_exhausted(self) -> bool:
        """Whether the limit for this file is reached, so that the rest is skipped."""
        return len(NODES) - self.nodes_before > _MAX_MADE


def _read_coverage(data: Mapping[str, Any]) -> _Coverage:
    """The coverage that `data` claims; invalid markers and specifiers count as absent."""
    nodes_before = len(NODES)
    pythons, requires = possible(), data.get("requires-python")
    required = _python_set(requires) if isinstance(requires, str) else None
    if required is not None:
        pythons &= required
    declared = _parse_all(data.get("environments"), _MAX_ENVIRONMENTS)
    within = _bounded_union(declared.values()) if declared or data.get("environments") == [] else None
    region = pythons if within is None else pythons & within
    packages = data.get("packages")
    tables = packages if isinstance(packages, list) else []
    markers = _parse_all([table.get("marker") if isinstance(table, dict) else None for table in tables], len(tables))
    region &= _selectable(data, markers.values())
    if "tool" in data:
        region = _without_conflicts(region, data)
    entries: dict[int, MarkerSet] = {}
    for index, table in enumerate(tables):
        if isinstance(table, dict) and table.get("marker") is None:
            entries[index] = region
        elif index in markers and _is_small(region) and len(NODES) - nodes_before < _MAX_MADE:
            entries[index] = region & markers[index]
    return _Coverage(
        pythons=pythons,
        has_python=required is not None,
        environments=declared,
        region=region,
        entries={index: one for index, one in entries.items() if _is_small(one)},
        markers=markers,
        nodes_before=nodes_before,
    )


def _bounded_union(regions: Iterable[MarkerSet]) -> MarkerSet | None:
    """The union, or None if it becomes too large to compare."""
    union = MarkerSet.none()
    for region in regions:
        union |= region
        if not _is_small(union):
            return None
    return union


def _parse_all(texts: Any, limit: int) -> dict[int, MarkerSet]:
    markers: dict[int, MarkerSet] = {}
    for index, text in enumerate(texts[:limit] if isinstance(texts, list) else ()):
        one = _marker(text) if isinstance(text, str) else None
        if one is not None:
            markers[index] = one
    return markers


@lru_cache(maxsize=4096)
def _marker(text: str) -> MarkerSet | None:
    try:
        region = MarkerSet.parse(text)
    except (LocksetError, ValueError, RecursionError):
        return None  # other rules report what is wrong with it
    return region if _is_small(region) else None


@lru_cache(maxsize=4096)
def _python_set(text: str) -> MarkerSet | None:
    """The Pythons of a `requires-python`, or None if it is not valid or has too many parts."""
    try:
        region = MarkerSet.of_python(text)
    except (LocksetError, ValueError, RecursionError):
        return None
    return region if _is_small(region) else None


def _selectable(data: Mapping[str, Any], markers: Iterable[MarkerSet]) -> MarkerSet:
    """All selections without undeclared extras and groups, which cannot be selected."""
    extras = normalized_names(data, "extras")
    groups = normalized_names(data, "dependency-groups") | normalized_names(data, "default-groups")
    region = MarkerSet.any()
    for marker in dict.fromkeys(markers):
        if not _is_small(region):
            break
        for name in sorted(marker.extras() - extras):
            region -= MarkerSet.extra(name)
        for name in sorted(marker.groups() - groups):
            region -= MarkerSet.group(name)
    return region


def _without_conflicts(region: MarkerSet, data: Mapping[str, Any]) -> MarkerSet:
    """`region` without the selections that the file declares as conflicting."""
    for pair in islice(pairs_of(read_conflicts(data.get("tool"))), _MOST_CONFLICTS):
        try:
            left = region - conflicting_region([pair])
        except (LocksetError, ValueError, RecursionError):
            continue
        if not _is_small(left):
            break
        region = left
    return region


@lru_cache(maxsize=8192)
def _is_small(region: MarkerSet) -> bool:
    """Whether the diagram of `region` has at most _MAX_NODES nodes."""
    seen: set[int] = set()
    waiting = [region.id]
    while waiting and len(seen) <= _MAX_NODES:
        node = waiting.pop()
        if node > FULL and node not in seen:
            seen.add(node)
            waiting.extend(NODES[node][2])
    return len(seen) <= _MAX_NODES


def _example(example: Example) -> str:
    """A description of an environment, such as `Python 3.12.0 on Linux x86_64 with the extra docs`."""
    values = example.environment
    implementation = values["platform_python_implementation"]
    python = "Python" if implementation == "CPython" else implementation
    system = _SYSTEMS.get(values["sys_platform"], values["sys_platform"] or UNNAMED_SYSTEM)
    text = f"{python} {values['python_full_version']} on {system} {values['platform_machine']}".rstrip()
    chosen = [f"the extra {name}" for name in sorted(example.extras)]
    chosen += [f"the group {name}" for name in sorted(example.groups)]
    return f"{text} with {' and '.join(chosen)}" if chosen else text
