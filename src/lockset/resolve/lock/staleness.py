"""Whether a lock is up to date with its sources, checked without network."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lockset._dataclass import replace
from lockset._named_tuple import NamedTuple
from lockset.dependency_specifiers import composed_marker
from lockset.errors import LocksetError
from lockset.lockfile.model import describe, packages_by_name
from lockset.markers import MarkerSet
from lockset.metadata.pyproject import tree_metadata
from lockset.package_names import canonicalize_name
from lockset.resolve.lock.assemble import root_text, root_texts
from lockset.resolve.problem.build_problem import DEFAULT_GROUP_NAMES, build_problem
from lockset.resolve.problem.choices import is_made_by_lock, recorded_table, requires_itself
from lockset.resolve.problem.direct_source import leads_to
from lockset.resolve.problem.requirement import parse_dependency
from lockset.resolve.solver.search import extra_and_group_choices

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from lockset.lockfile.model import Package, Pylock
    from lockset.resolve.problem.build_problem import ResolutionProblem
    from lockset.resolve.problem.options import LockOptions
    from lockset.resolve.problem.requirement import Dependency
    from lockset.sources.project import RootProject

__all__ = ["outdated_parts"]


class _Installation(NamedTuple):
    """What a lock installs with one choice in one sampled environment.

    Attributes:
        values: The markers' values.
        requested: The choice, as values for the markers of requirements.
        entries: The entries by name.
    """

    values: dict[str, Any]
    requested: dict[str, Any]
    entries: Mapping[str, Sequence[Package]]


def outdated_parts(
    project: RootProject, options: LockOptions, lock: Pylock, *, now: datetime, folder: Path | None = None
) -> tuple[str, ...]:
    """Where `lock`, in `folder`, is out of date with `project` and `options`; empty if it is current.

    Checks the Pythons and environments, extras and groups, every requirement of the project at sampled environments,
    the static requirements of locked folders, and for locks of lockset, that nothing is locked which the project no
    longer requires. Metadata that needs a build is not checked.
    """
    if any("optional-dependencies" in each.keys for each in project.unbuilt):
        project = replace(project, extras={**dict.fromkeys(lock.extras or (), ()), **project.extras})
    problem = build_problem(project, options, old=lock, now=now, folder=folder)
    installations = _installations(problem, lock)
    findings = [
        *(
            ()
            if any("requires-python" in each.keys for each in project.unbuilt)
            else _environment_changes(problem, lock)
        ),
        *_choice_changes(problem, lock),
        *_root_changes(problem, lock, installations, is_whole=not project.unbuilt),
        *_setting_changes(problem, lock, is_whole=not project.unbuilt),
        *_missing_entries(lock),
        *_project_changes(problem, project, lock),
        *_tree_changes(problem, lock, installations, project.name),
    ]
    return tuple(dict.fromkeys(findings))


def _environment_changes(problem: ResolutionProblem, lock: Pylock) -> list[str]:
    """Changes of Pythons and environments. Upper bounds that came from chosen releases are not changes."""
    request = problem.request
    served = MarkerSet.of_python(lock.requires_python) if lock.requires_python is not None else MarkerSet.any()
    requested = MarkerSet.any() if request.requires_python is None else MarkerSet.of_python(request.requires_python)
    continued = served.without_python_cap() if request.open_above else served
    findings = []
    if not requested.implies(continued):
        findings.append(f"the project runs on Python {request.requires_python}, the lock on {lock.requires_python}")
    old = {MarkerSet.of_marker(m) for m in lock.environments or ()}
    new = {MarkerSet.parse(m) for m in request.environments}
    if old != new:
        findings.append("the requested environments differ from those of the lock")
    return findings


def _project_changes(problem: ResolutionProblem, project: RootProject, lock: Pylock) -> list[str]:
    """Changes of whether the project itself is locked."""
    paths = [p.directory.path for p in lock.packages if p.name == project.name and p.directory is not None]
    if problem.entry is None:
        if project.name is not None and requires_itself(lock, project.name):
            return []
        return [f"the project itself is locked, from {path}" for path in paths]
    return [] if paths == [problem.entry] else ["the project itself is not locked"]


def _choice_changes(problem: ResolutionProblem, lock: Pylock) -> list[str]:
    """Extras and groups that are in the lock or the project alone.

    A converted lock may have groups of another tool that lockset does not read. They are not changes.
    """
    request, converted = problem.request, not is_made_by_lock(lock)
    chosen = set(lock.default_groups or ()) - {request.default_group, _own_group(problem, lock)}
    lacking = set(request.default_groups) - (chosen | {*(lock.dependency_groups or ())} if converted else chosen)
    findings = []
    if lacking or (chosen != set(request.default_groups) and not converted):
        findings.append("the groups installed by default differ from those of the lock")
    for what, requested, locked in (
        ("extra", request.extras or (), lock.extras or ()),
        ("dependency group", request.groups, {*(lock.dependency_groups or ()), *chosen}),
    ):
        findings += [f"the {what} {name} is not in the lock" for name in sorted(set(requested) - set(locked))]
        more = sorted(set(locked) - set(requested)) if not converted else ()
        findings += [f"the lock has the {what} {name}, the project does not" for name in more]
    return findings


def _own_group(problem: ResolutionProblem, lock: Pylock) -> str | None:
    """The group of the lock that stands for the project's own requirements."""
    names = (problem.request.default_group, *DEFAULT_GROUP_NAMES)
    return next((n for n in names if n in (lock.default_groups or ()) and n not in problem.request.groups), None)


def _choices(problem: ResolutionProblem, lock: Pylock) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """The choices that the lock offers, as marker values for requirements and for entries.

    An extra or group that is not in the lock is one finding, not one for each requirement. The lock may use another
    group for the project's own requirements; a converted lock has them with every group.
    """
    request, own, converted = problem.request, _own_group(problem, lock), not is_made_by_lock(lock)
    known = {*(lock.dependency_groups or ()), *(lock.default_groups or ()), request.default_group}
    for extras, groups in extra_and_group_choices(request):
        if not set(extras) <= set(lock.extras or ()) or not set(groups) <= known:
            continue
        more = set(lock.default_groups or ()) if converted else set()
        if own is not None and request.default_group in {None, *groups}:
            more.add(own)
        yield (
            {"extras": frozenset(extras), "dependency_groups": frozenset(groups)},
            {"extras": frozenset(extras), "dependency_groups": frozenset({*groups, *more})},
        )


def _setting_changes(problem: ResolutionProblem, lock: Pylock, *, is_whole: bool) -> list[str]:
    """Changes of settings that decide on versions, which only a lock of lockset records.

    Where the project is not `is_whole`, conflicts may follow from what only its build knows.
    """
    if not is_made_by_lock(lock):
        return []
    before = recorded_table(lock)
    now = problem.request.recorded
    keys = ("conflicts", "constraints", "overrides", "excludes", "prerelease", "resolution", "fork-strategy")
    return [
        f"{key} changed since the lock was created"
        for key in keys
        if before.get(key) != now.get(key) and (is_whole or key != "conflicts")
    ]


def _missing_entries(lock: Pylock) -> list[str]:
    """Entries that are missing though other entries list them as dependencies."""
    versions: dict[str, set[str]] = {}
    for package in lock.packages:
        versions.setdefault(package.name, set()).add(str(package.version))
    findings = []
    for package in lock.packages:
        for needed in package.dependencies or ():
            name, version = needed.get("name"), needed.get("version")
            if name is None or (name in versions and (version is None or version in versions[name])):
                continue
            target = name if version is None else f"{name} {version}"
            findings.append(f"{describe(package)} needs {target}, which is not locked")
    return findings


def _installations(problem: ResolutionProblem, lock: Pylock) -> list[_Installation]:
    """What the lock installs, for each sample and choice."""
    choices = list(_choices(problem, lock))
    return [
        _Installation(values, requested, _entries_at(lock, {**values, **chosen}))
        for values in (sample.environment.as_dict() for sample in problem.samples)
        for requested, chosen in choices
    ]


def _root_changes(
    problem: ResolutionProblem, lock: Pylock, installations: Sequence[_Installation], *, is_whole: bool
) -> list[str]:
    """Requirements that no entry satisfies and, if the project `is_whole`, those that it no longer has."""
    request = problem.request
    roots = [r for r in request.roots if not r.region.is_empty]
    markers = [(r, None if (t := r.region.text()) is None else composed_marker(t)) for r in roots]
    findings: dict[str, None] = {}
    unserved: set[str] = set()
    looked_at: set[str] = set()
    for values, requested, entries in installations:
        for root, marker in markers:
            if marker is not None and not marker.evaluate({**values, **requested}, context="lock_file"):
                continue
            looked_at.add(root_text(root, request))
            own = entries.get(root.dependency.name, [])
            if not any(_satisfies(p, root.dependency, problem.direct.folder) for p in own):
                locked = f"{_entry_text(own[0])} is locked" if own else "nothing is locked"
                findings[f"{root.dependency.text} ({root.origin.name}): {locked}"] = None
                unserved.add(root_text(root, request))
    recorded = recorded_table(lock).get("roots")
    if isinstance(recorded, list):
        before, now = {r for r in recorded if isinstance(r, str)}, set(root_texts(request))
        gone = before - now if is_whole else set()
        # None where its extra or group is not in the lock.
        new = (now - before - unserved) & looked_at
        findings.update(dict.fromkeys(_recorded_changes(gone, new, unserved)))
    return list(findings)


def _recorded_changes(gone: set[str], new: set[str], unserved: set[str]) -> Iterator[str]:
    """One line for each requirement that was removed, added or rewritten, unless it is reported as `unserved`."""
    by_name: dict[str, tuple[list[str], list[str]]] = {}
    for texts, side in ((gone, 0), (new, 1)):
        for text in sorted(texts):
            by_name.setdefault(_name(text), ([], []))[side].append(text)
    reported = {_name(text) for text in unserved}
    for name, (old_texts, new_texts) in sorted(by_name.items()):
        if len(old_texts) == len(new_texts) == 1 and name not in reported:
            yield f"{new_texts[0]} is required, but the lock was created for {old_texts[0]}"
            continue
        yield from (f"{text} is locked, but no longer required" for text in old_texts if name not in reported)
        yield from (f"{text} is required, but not locked" for text in new_texts)


def _name(text: str) -> str:
    """The normalized name in the text of a requirement."""
    return canonicalize_name(re.split(r"[^\w.-]", text, maxsplit=1)[0])


def _entries_at(lock: Pylock, values: dict[str, Any]) -> dict[str, list[Package]]:
    """The entries that are installed with `values`, by name."""
    return packages_by_name(
        package
        for package in lock.packages
        if package.marker is None or package.marker.evaluate(values, context="lock_file")
    )


def _tree_changes(
    problem: ResolutionProblem, lock: Pylock, installations: Sequence[_Installation], project_name: str | None
) -> list[str]:
    """Requirements of locked folders that no entry satisfies, without those of extras."""
    findings: dict[str, None] = {}
    for package in lock.packages:
        if package.directory is None or package.name == project_name:
            continue
        inside = problem.direct.folder / package.directory.path / (package.directory.subdirectory or "")
        required = [d for d in _tree_requirements(inside, package.name) if not _is_replaced(d, problem)]
        for values, _, entries in installations if required else ():
            if package in entries.get(package.name, ()):
                findings.update(dict.fromkeys(_unmet(package, required, values, entries, problem.direct.folder)))
    return list(findings)


def _is_replaced(dependency: Dependency, problem: ResolutionProblem) -> bool:
    """Whether something else decides on the dependency: its URL, an override or an exclusion."""
    rules = problem.rules
    return dependency.url is not None or dependency.name in rules.overrides or dependency.name in rules.excludes


def _tree_requirements(tree: Path, name: str) -> list[Dependency]:
    try:
        path = tree / "pyproject.toml"
        metadata = tree_metadata(path.read_text(encoding="utf-8"), what=name) if path.is_file() else None
        return [parse_dependency(text) for text in metadata.requires_dist] if metadata is not None else []
    except (OSError, UnicodeDecodeError, LocksetError):
        return []  # `lock` reports it


def _unmet(
    package: Package,
    required: Sequence[Dependency],
    values: dict[str, Any],
    entries: Mapping[str, Sequence[Package]],
    folder: Path,
) -> Iterator[str]:
    for dependency in required:
        own = entries.get(dependency.name, ())
        if any(_satisfies(entry, dependency, folder) for entry in own):
            continue
        if dependency.condition is not None and not dependency.condition.evaluate({**values, "extra": ""}):
            continue
        locked = f"{_entry_text(own[0])} is locked" if own else "nothing is locked"
        where = package.directory.path if package.directory is not None else "-"
        yield f"{package.name} ({where}) needs {dependency.text}: {locked}"


def _satisfies(package: Package, dependency: Dependency, folder: Path) -> bool:
    """Whether the entry has that source, or a matching version. A source tree has no version in the lock."""
    source = dependency.specifier.source
    if source is not None:
        return leads_to(package, source, folder)
    return package.version is None or dependency.specifier.admits(package.version)


def _entry_text(package: Package) -> str:
    if package.version is not None and not package.is_direct:
        return str(package.version)
    location = package.archive or package.directory or package.vcs
    return str(getattr(location, "url", None) or getattr(location, "path", None) or package.version)
