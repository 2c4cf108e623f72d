"""Read pyproject.toml as a RootProject (PEP 621 and PEP 735)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from lockset._pattern import lazy_pattern
from lockset.dependency_specifiers import read_specifiers
from lockset.errors import Diagnostic, InvalidValueError, LocksetError
from lockset.package_names import canonicalize_name
from lockset.sources.groups import Expansion, expand, inclusions_of, read_groups
from lockset.sources.other_tools.facts import OtherTools, is_other_tool
from lockset.sources.project import DynamicFields, RootProject
from lockset.sources.requirements.requirement_line import RequirementLine, parse_requirement
from lockset.sources.settings import Settings, parse_settings
from lockset.sources.toml_table import SettingsTable, parse_settings_file

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

    from lockset.sources.requirements.requirement_line import ReferencedFiles

__all__ = [
    "SETUP_CFG",
    "SETUP_PY",
    "is_misspelled",
    "is_package",
    "read_pyproject",
    "read_pyproject_name",
    "read_pyproject_settings",
    "read_requires_python",
    "requirement_lines",
]

SETUP_PY, SETUP_CFG = "setup.py", "setup.cfg"
# The dynamic keys that affect a lock.
_DYNAMIC = ("dependencies", "optional-dependencies", "requires-python")
_NAME = lazy_pattern(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\Z")


def read_pyproject(
    text: str,
    *,
    base: Path,
    location: str = "pyproject.toml",
    virtual: bool = False,
    files: ReferencedFiles | None = None,
    nameless: bool = False,
) -> RootProject:
    """Read a pyproject.toml. `base` is its folder, `location` its name in messages and origins.

    Without `[project]`, it must have dependency groups, or the `files` describe a project, as setup.py does, unless it
    may be `virtual`: the root of a workspace alone. With `nameless`, only running setup.py may show the project's name.

    Raises:
        LocksetError: with the key of the error: `toml-syntax`, `wrong-type`, `invalid-value`,
            `requirement-syntax`, `no-project`, those of groups and settings.
    """
    top = parse_settings_file(text, location=location)
    settings = _settings(_lockset_table(top))
    project, table = top.table("project") or _poetry_project(top), top.table("dependency-groups")
    groups = {} if table is None else read_groups(table)
    if project is None:
        built_name = _built_name(top, base, files, nameless=nameless)
        return _without_project(top, built_name, groups, settings, base=base, virtual=virtual)
    dynamic, name = _dynamic(project, top), _name(project)
    dependencies, extras = requirement_lines(project, "dependencies"), _extras(project)
    parts: dict[str, Any] = {"dependencies": dependencies, "extras": extras, "groups": groups}
    if extras or groups or any(line.name == name for line in dependencies):
        expansion, inclusions = expand(name, **parts), inclusions_of(name, **parts, table=table)
    else:  # no part includes another
        inclusions = ()
        expansion = Expansion(dependencies=tuple(dict.fromkeys(dependencies)), extras={}, groups={}, warnings=())
    unbuilt = DynamicFields(
        base=base,
        name=name,
        location=location,
        keys=dynamic,
        files=_setuptools_files(top, dynamic),
        **parts,
    )
    return RootProject(
        base=base,
        name=name,
        requires_python=read_requires_python(project),
        dependencies=expansion.dependencies,
        extras=expansion.extras,
        groups=expansion.groups,
        inclusions=inclusions,
        constraints=settings.constraints,
        settings=settings,
        sources=(location,),
        unbuilt=(unbuilt,) if dynamic else (),
        is_package=is_package(top),
        others=_others(
            top, location, None if "dependencies" in dynamic or project.path == "tool.poetry" else dependencies
        ),
        # With dynamic keys, the extras are only known after the build.
        warnings=(*(() if dynamic else expansion.warnings), *_misspelled_tables(top)),
    )


def read_pyproject_settings(text: str, *, location: str = "pyproject.toml", required: bool = False) -> Settings:
    """Read only `[tool.lockset]`. LocksetError `settings-missing` if the file has none and `required` is true."""
    table = _lockset_table(parse_settings_file(text, location=location))
    if table is None and required:
        raise LocksetError("settings-missing", "The file has no table [tool.lockset]", location=location)
    return _settings(table)


def read_pyproject_name(text: str, *, location: str = "pyproject.toml") -> str | None:
    """Read only the normalized name of the project; None if the file has none."""
    project = parse_settings_file(text, location=location).table("project")
    return None if project is None or project.text("name") is None else _name(project)


def read_requires_python(table: SettingsTable) -> SpecifierSet | None:
    """The `requires-python` of `table`; None if it is missing or empty."""
    text = table.text("requires-python")
    if text is None or not text.strip():
        return None
    try:
        specifiers = read_specifiers(text)
        specifiers.contains("3.10")  # a number with too many digits fails only when it is compared
    except (InvalidSpecifier, ValueError) as error:
        raise table.invalid(
            table.at("requires-python"),
            f"is not a valid version range: `{text}`",
            hint='Write a range such as ">=3.10" or ">=3.10,<3.14"',
        ) from error
    return specifiers


def requirement_lines(table: SettingsTable, key: str) -> tuple[RequirementLine, ...]:
    """The requirements of the array `key`, in the order written."""
    origin = f"{table.location} [{table.at(key)}]" if table.path else f"{table.location} [{key}]"
    return tuple(
        parse_requirement(text, origin=origin, location=f"{table.location}: {table.at(key)}[{number}]")
        for number, text in enumerate(table.texts(key))
    )


def _lockset_table(top: SettingsTable) -> SettingsTable | None:
    tool = top.table("tool")
    return None if tool is None else tool.table("lockset")


def _settings(table: SettingsTable | None) -> Settings:
    return Settings() if table is None else parse_settings(table)


def _without_project(
    top: SettingsTable,
    name: str | None,
    groups: dict[str, tuple[RequirementLine, ...]],
    settings: Settings,
    *,
    base: Path,
    virtual: bool,
) -> RootProject:
    """A file with dependency groups only, or of the project `name`, whose metadata a build tells."""
    if name is None and not virtual and not top.data.get("dependency-groups"):
        _refuse_without_project(top)
    keys = () if name is None else _DYNAMIC
    unbuilt = DynamicFields(
        base=base, name=name or "", location=top.location, keys=keys, groups=groups, has_project_table=False
    )
    expanded = expand(name, dependencies=(), extras={}, groups=groups).groups if name and groups else groups
    return RootProject(
        base=base,
        name=name or None,
        groups=expanded,
        inclusions=inclusions_of(None, dependencies=(), extras={}, groups=groups, table=top.table("dependency-groups")),
        constraints=settings.constraints,
        settings=settings,
        sources=(top.location,),
        unbuilt=(unbuilt,) if keys else (),
        is_package=bool(keys),
        others=_others(top, top.location),
    )


def _poetry_project(top: SettingsTable) -> SettingsTable | None:
    """The table `[project]` that a Poetry project without a package stands for."""
    poetry = _poetry_table(top)
    if "package-mode" not in poetry:
        return None
    from lockset.sources.other_tools.poetry_project import poetry_project  # only needed for such a project

    data = poetry_project(poetry, location=top.location)
    return None if data is None else SettingsTable(data, path="tool.poetry", location=top.location)


def _built_name(top: SettingsTable, base: Path, files: ReferencedFiles | None, *, nameless: bool) -> str | None:
    """The name of a project that its build backend describes, not `[project]`; None if there is no such project.

    Where only running setup.py shows the name, it is "" if it may be `nameless`.

    Raises:
        LocksetError: `no-project`: there is a setup.py, and only running it shows the name.
    """
    if (name := _poetry_name(top)) is not None or files is None:
        return name
    has_script = files.exists(str(base / SETUP_PY))
    if not has_script and "build-system" not in top.data and not files.exists(str(base / SETUP_CFG)):
        return None
    name = files.project_name(str(base))
    if name is None and has_script and not top.data.get("dependency-groups"):
        if nameless:
            return ""
        raise LocksetError(
            "no-project",
            "The name of the project is not written as a string in setup.py or setup.cfg",
            location=top.location,
            hint="Add a pyproject.toml with `[project]`, its `name`, and"
            ' `dynamic = ["version", "dependencies", "optional-dependencies"]`',
        )
    return name


def _poetry_name(top: SettingsTable) -> str | None:
    """The name in `[tool.poetry]` of a project that has a build backend but no `[project]`."""
    if not isinstance(top.data.get("build-system"), dict):
        return None
    name = _poetry_table(top).get("name")
    return canonicalize_name(name) if isinstance(name, str) and _NAME.match(name) else None


def _poetry_table(top: SettingsTable) -> dict[str, object]:
    tool = top.data.get("tool")
    table = tool.get("poetry") if isinstance(tool, dict) else None
    return table if isinstance(table, dict) else {}


def _others(top: SettingsTable, location: str, dependencies: Iterable[RequirementLine] | None = None) -> OtherTools:
    tool = top.data.get("tool")
    if not tool or not is_other_tool(tool):
        return OtherTools()
    from lockset.sources.other_tools.tables import read_other_tables  # only needed if there are tables of other tools

    own = None if dependencies is None else frozenset(line.name for line in dependencies)
    return read_other_tables(tool, location=location, own=own)


def is_package(top: SettingsTable) -> bool:
    """Whether the project can be installed: it has a build backend, and `package = false` of uv does not deny it."""
    tool = top.data.get("tool")
    uv = tool.get("uv") if isinstance(tool, dict) else None
    package = uv.get("package") if isinstance(uv, dict) else None
    return package if isinstance(package, bool) else isinstance(top.data.get("build-system"), dict)


def is_misspelled(name: str) -> bool:
    """Whether the name of a table in `tool` is probably a misspelling of `lockset`."""
    letters = name.lower().replace("-", "").replace("_", "")
    return name != "lockset" and letters.startswith("lock") and letters.rstrip("st") == "lockse"


def _misspelled_tables(top: SettingsTable) -> Iterator[Diagnostic]:
    """Warnings about tables whose name is probably a misspelling of `lockset`."""
    tool = top.data.get("tool")
    for name in tool if isinstance(tool, dict) and "lockset" not in tool else ():
        if is_misspelled(name):
            message = f"[tool.{name}] has no effect: the settings of lockset are in [tool.lockset]"
            yield Diagnostic(code="table-misspelt", message=message, location=top.location)


def _name(project: SettingsTable) -> str:
    name = project.text("name")
    if name is None:
        raise InvalidValueError("`project.name` is missing", location=project.location)
    if not _NAME.match(name):
        raise project.invalid(
            "project.name", f"is not a valid project name: `{name}`", hint="Use letters, digits, `-`, `_` and `.`"
        )
    return canonicalize_name(name)


def _extras(project: SettingsTable) -> dict[str, tuple[RequirementLine, ...]]:
    table = project.table("optional-dependencies")
    if table is None:
        return {}
    spellings = table.normalized_keys("extras", InvalidValueError)
    return {name: requirement_lines(table, spelling) for name, spelling in spellings}


def _refuse_without_project(top: SettingsTable) -> NoReturn:
    tool = top.data.get("tool")
    hint = "Add `[project]` with a name and dependencies, or name a requirements file"
    if isinstance(tool, dict) and "poetry" in tool:
        hint = "[tool.poetry] is not read: move the project to `[project]`, which Poetry 2.0 and later supports"
    raise LocksetError(
        "no-project", "The file has neither [project] nor [dependency-groups]", location=top.location, hint=hint
    )


def _dynamic(project: SettingsTable, top: SettingsTable) -> tuple[str, ...]:
    """The dynamic keys, which only the build backend knows."""
    dynamic = [key for key in project.texts("dynamic") if key in _DYNAMIC]
    for key in dynamic:
        if key in project.data:
            raise project.invalid(project.at(key), "is set, and also listed in `project.dynamic`")
    # Poetry adds the dependencies of its own table even if [project] does not declare them as dynamic.
    if "dependencies" not in (*project.data, *dynamic) and _has_poetry_dependencies(top):
        dynamic.append("dependencies")
    return tuple(sorted(set(dynamic)))


def _has_poetry_dependencies(top: SettingsTable) -> bool:
    table = _poetry_table(top).get("dependencies")
    return isinstance(table, dict) and any(name.lower() != "python" for name in table)


def _setuptools_files(top: SettingsTable, dynamic: Collection[str]) -> tuple[str, ...]:
    """Files from which `[tool.setuptools.dynamic]` reads the keys. Anything malformed is ignored."""
    table: object = top.data
    for key in ("tool", "setuptools", "dynamic"):
        table = table.get(key) if isinstance(table, dict) else None
    if not isinstance(table, dict):
        return ()
    sources: list[object] = [table.get("dependencies")] if "dependencies" in dynamic else []
    optional = table.get("optional-dependencies")
    if "optional-dependencies" in dynamic and isinstance(optional, dict):
        sources.extend(optional.values())
    named = [source.get("file") if isinstance(source, dict) else None for source in sources]
    files: list[object] = []
    for each in named:
        files.extend(each if isinstance(each, list) else [each])
    return tuple(file for file in files if isinstance(file, str))
