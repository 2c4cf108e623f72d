"""`[project]` and `[build-system]`: what lockset reads of them, against their specification."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.version import InvalidVersion

from lockset.dependency_specifiers import read_version
from lockset.errors import LocksetError
from lockset.package_names import canonicalize_name
from lockset.sources.pyproject import read_requires_python
from lockset.sources.toml_table import SettingsTable, nearest, type_name
from lockset.sources.validate.groups import check_valid_name
from lockset.sources.validate.requirements import check_requirements

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lockset.lockfile.positions import KeyPath
    from lockset.lockfile.validate.finding import Findings
    from lockset.sources.validate.requirements import Located

__all__ = ["check_build_system", "check_own_extras", "check_project", "check_requires_python", "is_dynamic"]

# Key -> its types, in the words of messages. The core metadata of names of imports is in PEP 794, the others are in
# the specification; `license-files` was a table in drafts that build backends still read.
_TYPES: Mapping[str, tuple[type, ...]] = {
    "name": (str,),
    "version": (str,),
    "description": (str,),
    "readme": (str, dict),
    "requires-python": (str,),
    "license": (str, dict),
    "license-files": (list, dict),
    "authors": (list,),
    "maintainers": (list,),
    "keywords": (list,),
    "classifiers": (list,),
    "urls": (dict,),
    "scripts": (dict,),
    "gui-scripts": (dict,),
    "entry-points": (dict,),
    "dependencies": (list,),
    "optional-dependencies": (dict,),
    "dynamic": (list,),
    "import-names": (list,),
    "import-namespaces": (list,),
}
# Names of keys in other tools, and what the specification calls them.
_OTHER_NAMES = {
    "python": "requires-python",
    "python-requires": "requires-python",
    "install-requires": "dependencies",
    "requires": "dependencies",
    "extras": "optional-dependencies",
    "extras-require": "optional-dependencies",
}
_WORDS: dict[type, str] = {str: "a string", list: "an array", dict: "a table"}


def check_project(project: object, findings: Findings) -> list[Located]:
    """Every requirement of the table that can be read, with its path; all else is a finding."""
    if not isinstance(project, dict):
        findings.add("project-type", ("project",), f"`project` must be a table, not {type_name(project)}")
        return []
    for key, value in project.items():
        _check_key(key, value, findings)
    _check_dynamic(project, findings)
    _check_name(project, findings)
    _check_version(project, findings)
    if isinstance(project.get("requires-python"), str):
        check_requires_python(project, ("project",), findings)
    lines: list[Located] = []
    if isinstance(project.get("dependencies"), list):
        path = ("project", "dependencies")
        lines += check_requirements(project["dependencies"], path, findings, type_rule="project-type")
    if isinstance(project.get("optional-dependencies"), dict):
        lines += _check_extras(project["optional-dependencies"], findings)
    return lines


def check_requires_python(table: Mapping[str, Any], path: KeyPath, findings: Findings) -> None:
    """The key `requires-python` of `table`, which is at `path`."""
    try:
        read_requires_python(SettingsTable(table, path="", location=""))
    except LocksetError as error:
        diagnostic = error.diagnostic
        findings.add("project-requires-python", (*path, "requires-python"), diagnostic.message, diagnostic.hint)


def check_build_system(table: object, findings: Findings) -> None:
    """The table `[build-system]`."""
    path = ("build-system",)
    if not isinstance(table, dict):
        findings.add("build-requires", path, f"`build-system` must be a table, not {type_name(table)}")
    elif "requires" not in table:
        near = nearest("requires", [key for key in table if key != "build-backend"])
        hint = "Write `requires = [...]`, with what the build backend needs"
        findings.add("build-requires", path, "`build-system.requires` is missing", near or hint)
    else:
        check_requirements(table["requires"], (*path, "requires"), findings, type_rule="build-requires")


def check_own_extras(project: Mapping[str, Any], lines: Iterable[Located], findings: Findings) -> None:
    """Requirements on the project itself that name extras it does not have."""
    name, extras = project.get("name"), project.get("optional-dependencies")
    if not isinstance(name, str) or is_dynamic(project, "optional-dependencies"):
        return
    known = [canonicalize_name(extra) for extra in extras] if isinstance(extras, dict) else []
    for path, line in lines:
        if line.name == canonicalize_name(name) and line.requirement.url is None:
            for extra in sorted(line.extras.difference(known)):
                message = f"The project has no extra `{extra}`"
                findings.add("unknown-extra", path, message, nearest(extra, known))


def _check_key(key: str, value: object, findings: Findings) -> None:
    path = ("project", key)
    types = _TYPES.get(key)
    if types is None:
        plain = key.lower().replace("_", "-")
        known = _OTHER_NAMES.get(plain, plain)
        hint = f"Did you mean `{known}`?" if known in _TYPES else nearest(key, _TYPES)
        findings.add("project-unknown-key", path, f"`project.{key}` is not a key of the specification", hint)
    elif not isinstance(value, types):
        expected = " or ".join(_WORDS[one] for one in types)
        findings.add("project-type", path, f"`project.{key}` must be {expected}, not {type_name(value)}")
    elif key in {"keywords", "classifiers"} and isinstance(value, list):
        for number, item in enumerate(value):
            if not isinstance(item, str):
                message = f"`project.{key}` must contain only strings, not {type_name(item)}"
                findings.add("project-type", (*path, number), message)


def is_dynamic(project: Mapping[str, Any], key: str) -> bool:
    """Whether `project.dynamic` leaves the key to the build backend."""
    dynamic = project.get("dynamic")
    return isinstance(dynamic, list) and key in dynamic


def _check_dynamic(project: Mapping[str, Any], findings: Findings) -> None:
    dynamic = project.get("dynamic")
    for number, key in enumerate(dynamic if isinstance(dynamic, list) else ()):
        path = ("project", "dynamic", number)
        if not isinstance(key, str):
            findings.add("project-type", path, f"`project.dynamic` must contain only strings, not {type_name(key)}")
        elif key == "name":
            findings.add("project-dynamic", path, "The name of a project cannot be dynamic")
        elif key not in _TYPES or key == "dynamic":
            message = f"`{key}` is not a key of [project] that can be dynamic"
            findings.add("project-dynamic", path, message, nearest(key, _TYPES))
        elif key in project:
            message = f"`project.{key}` is both given and listed in `project.dynamic`"
            findings.add("project-dynamic", path, message, "Remove one of the two")


def _check_name(project: Mapping[str, Any], findings: Findings) -> None:
    name = project.get("name")
    if name is None:
        findings.add("project-name-required", ("project",), "`project.name` is missing")
    elif isinstance(name, str):
        check_valid_name(name, ("project", "name"), findings, rule="project-name-valid", what="a project")


def _check_version(project: Mapping[str, Any], findings: Findings) -> None:
    version = project.get("version")
    if version is None and not is_dynamic(project, "version"):
        hint = 'Add a version, or `dynamic = ["version"]` if the build backend provides it'
        message = "`project.version` is neither given nor listed in `project.dynamic`"
        findings.add("project-version-required", ("project",), message, hint)
    elif isinstance(version, str):
        try:
            read_version(version)
        except InvalidVersion:
            findings.add("project-version-valid", ("project", "version"), f"`{version}` is not a valid version")


def _check_extras(extras: Mapping[str, Any], findings: Findings) -> list[Located]:
    spellings: dict[str, str] = {}
    lines: list[Located] = []
    for spelling, items in extras.items():
        path = ("project", "optional-dependencies", spelling)
        name = check_valid_name(spelling, path, findings, rule="extra-name-valid", what="an extra")
        if name in spellings:
            message = f"The extras `{spellings[name]}` and `{spelling}` have the same name, `{name}`"
            findings.add("extra-duplicate", path, message, "Join them, or rename one")
        spellings.setdefault(name, spelling)
        lines += check_requirements(items, path, findings, type_rule="project-type")
    return lines
