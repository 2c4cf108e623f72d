"""Read the tables of uv, Poetry, PDM, Hatch and Pipenv that affect a project's packages.

`lockset.sources.other_tools.apply` applies what is read here.

Each tool checks its own tables, so anything malformed is ignored here.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from packaging.utils import canonicalize_name

from lockset._dataclass import dataclass
from lockset.sources.other_tools.facts import NamedSource, OtherIndex, OtherTools, UnreadKey, UnreadNames

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from packaging.utils import NormalizedName

__all__ = ["at_path", "read_hatch_file", "read_other_tables", "read_pipfile", "read_uv_file"]

# Keys of [tool.uv] that affect a lock, and the setting of [tool.lockset] with the same meaning.
_UV_KEYS: Mapping[str, str | None] = {
    "constraint-dependencies": "constraints",
    "override-dependencies": "overrides",
    "exclude-dependencies": "excludes",
    "build-constraint-dependencies": "build-constraints",
    "default-groups": "default-groups",
    "conflicts": "conflicts",
    "environments": "environments",
    "required-environments": "require-wheels-for",
    "resolution": "resolution",
    "prerelease": "prerelease",
    "fork-strategy": "fork-strategy",
    "exclude-newer": "exclude-newer",
    "exclude-newer-package": "exclude-newer-package",
    "no-build": "no-build",
    "no-build-package": "no-build",
    "no-binary": "no-binary",
    "no-binary-package": "no-binary",
    "config-settings": "config-settings",
    "config-settings-package": None,
    "dependency-metadata": None,
    "dependency-groups": None,
    "index-strategy": "index-strategy",
    "find-links": "find-links",
    "no-index": "no-index",
    "keyring-provider": "keyring-provider",
    "allow-insecure-host": "allow-insecure-host",
}
_PDM_KEYS: Mapping[str, str] = {
    "overrides": "overrides",
    "excludes": "excludes",
    "respect-source-order": "index-strategy",
}
# A git repository without a scheme: `git@host:owner/repository`.
_SCP = re.compile(r"(?P<user>[\w.-]+@)?(?P<host>[\w.-]+):(?!//)(?P<path>[^\s]+)\Z")
_PUBLIC = "pypi"
_USER_INFO = re.compile(r"(?<=://)(?!git@[^/\s@]*(?:[/\s]|\Z))[^/\s]*@")


class _File:
    """The file of a table: its name in messages, and its folder relative to the project's folder."""

    def __init__(self, location: str, up: str) -> None:
        self.location = location
        self.up = up

    def path(self, text: str) -> str:
        """A path in the file, relative to the project's folder."""
        text = text.replace("\\", "/")
        return text if text.startswith("/") or re.match("[A-Za-z]:", text) else posixpath.normpath(f"{self.up}/{text}")


def read_other_tables(
    tool: object, *, location: str, up: str = ".", own: frozenset[str] | None = None, dynamic: bool = False
) -> OtherTools:
    """Read the tables of other tools in `[tool]`.

    Args:
        tool: The table `tool` of a pyproject.toml or a script.
        location: Name of the file, for messages.
        up: The folder of the file, relative to the project's folder.
        own: The names that the project requires; None without a `[project]` table.
        dynamic: Whether the dependencies are dynamic. Then the build backend reads its own tables.
    """
    file = _File(location, up)
    tools = _table(tool)
    joined = _uv(_table(tools.get("uv")), file, "tool.uv")
    joined = joined.joined(_poetry(_table(tools.get("poetry")), file, None if dynamic else own))
    joined = joined.joined(_pdm(_table(tools.get("pdm")), file))
    return joined.joined(_hatch(_table(tools.get("hatch")), file))


def read_uv_file(data: object, *, location: str, up: str = ".") -> OtherTools:
    """Read a uv.toml."""
    return _uv(_table(data), _File(location, up), None)


def read_pipfile(data: object, *, location: str, up: str = ".") -> OtherTools:
    """Read a Pipfile."""
    file, top = _File(location, up), _table(data)
    public: dict[str, str] = {}
    indexes: list[OtherIndex] = []
    for entry in _tables(top.get("source")):
        url = _text(entry.get("url"))
        if url:
            public[_text(entry.get("name"))] = url
            name = _text(entry.get("name")) or None
            indexes.append(
                OtherIndex(
                    tool="pipenv",
                    table="[[source]]",
                    location=location,
                    url=_bare(url),
                    name=name,
                    default=not indexes,
                )
            )
    sources: list[NamedSource] = []
    groups: list[str] = []
    for category, members in top.items():
        if category in {"source", "requires", "scripts", "pipenv", "pipfile"} or not isinstance(members, dict):
            continue
        if category != "packages":
            groups.append("dev" if category == "dev-packages" else category)
        group = None if category == "packages" else canonicalize_name(groups[-1])
        table = _Members(tool="pipenv", table=f"[{category}]", file=file, indexes=public, group=group, key="index")
        sources += table.sources(members)
    names = UnreadNames(tool="pipenv", table=location, location=location, what="group", names=tuple(groups))
    return OtherTools(sources=tuple(sources), indexes=tuple(indexes), names=(names,) if groups else ())


def _uv(uv: Mapping[str, object], file: _File, path: str | None) -> OtherTools:
    table = f"[{path}]" if path else file.location
    indexes = {_text(e.get("name")): e for e in _tables(uv.get("index"))}
    required_indexes = [
        OtherIndex(
            tool="uv",
            table=f"[[{path}.index]]" if path else file.location,
            location=file.location,
            url=_public(e),
            name=_text(e.get("name")) or None,
            default=e.get("default") is True,
        )
        for e in _tables(uv.get("index"))
        if e.get("explicit") is not True and _text(e.get("url"))
    ]
    more = uv.get("extra-index-url")
    urls = [uv.get("index-url"), *(more if isinstance(more, list) else ())]
    required_indexes += [
        OtherIndex(tool="uv", table=table, location=file.location, url=_bare(url), default=number == 0)
        for number, url in enumerate(urls)
        if isinstance(url, str)
    ]
    keys = [
        UnreadKey(tool="uv", table=table, location=file.location, key=key, setting=setting, value=uv.get(key))
        for key, setting in _UV_KEYS.items()
        if uv.get(key) not in (None, [], {}, False)
    ]
    development = uv.get("dev-dependencies")
    names = UnreadNames(
        tool="uv",
        table=table,
        location=file.location,
        what="group",
        names=("dev",),
        lines=tuple(("dev", _text(text) or None) for text in _list(development)),
        defaults=("dev",),
    )
    sources = [
        source
        for name, value in _table(uv.get("sources")).items()
        for entry in (_tables(value) if isinstance(value, list) else [_table(value)])
        if (source := _uv_source(name, entry, indexes, file)) is not None
    ]
    return OtherTools(
        sources=tuple(sources),
        indexes=tuple(required_indexes),
        keys=tuple(keys),
        names=(names,) if development else (),
    )


def _uv_source(
    name: str, entry: Mapping[str, object], indexes: Mapping[str, Mapping[str, object]], file: _File
) -> NamedSource | None:
    extra, group = _text(entry.get("extra")), _text(entry.get("group"))
    named = NamedSource(
        tool="uv",
        package=canonicalize_name(name),
        table="[tool.uv.sources]",
        location=file.location,
        shown="",
        marker=_text(entry.get("marker")) or None,
        extra=canonicalize_name(extra) if extra else None,
        group=canonicalize_name(group) if group else None,
        editable=entry.get("editable") is True,
    )
    if entry.get("workspace") is True:
        return replace(named, shown="the workspace", member=True, editable=entry.get("editable") is not False)
    if isinstance(entry.get("index"), str):
        index = _text(entry["index"])
        return _from_index(named, index, _public(indexes.get(index, {})))
    return _location_of(named, name, entry, file)


def _location_of(named: NamedSource, name: str, entry: Mapping[str, object], file: _File) -> NamedSource | None:
    """The source with the location in `path`, `file`, `url` or `git`."""
    below = _text(entry.get("subdirectory"))
    fragment = f"#subdirectory={below}" if below else ""
    path = _text(entry.get("path")) or _text(entry.get("file"))
    if path and not re.match("[A-Za-z][A-Za-z0-9+.-]+://", path):
        return at_path(named, file.path(path), fragment)
    url = _text(entry.get("url")) or path
    if url:
        url = _bare(url)
        return _at(named, url, f"{name} @ {url}{fragment}")
    git = _text(entry.get("git"))
    if not git:
        return None
    git = _bare(git)
    scp = _SCP.match(git)
    address = f"ssh://{scp['user'] or ''}{scp['host']}/{scp['path']}" if scp else git
    revision = next((r for key in ("rev", "tag", "branch", "ref") if (r := _text(entry.get(key)))), "")
    pinned = f"@{revision}" if revision else ""
    return _at(named, f"the git repository {git}", f"{name} @ git+{address}{pinned}{fragment}")


def at_path(named: NamedSource, path: str, fragment: str = "") -> NamedSource:
    """The source with a path, absolute or relative to the project's folder."""
    is_drive = re.match("[A-Za-z]:", path) is not None
    address = f"///{quote(path, safe='/:')}" if is_drive else quote(path)
    address = f"//{address}" if path.startswith("/") else address
    return _at(named, f"the path {path}", f"{named.package} @ file:{address}{fragment}")


def _poetry(poetry: Mapping[str, object], file: _File, own: frozenset[str] | None) -> OtherTools:
    indexes: dict[str, str] = {}
    required_indexes: list[OtherIndex] = []
    for entry in _tables(poetry.get("source")):
        url = _public(entry)
        indexes[_text(entry.get("name"))] = url
        if url and entry.get("priority") != "explicit":
            primary = entry.get("priority", "primary") in {"primary", "default"} and entry.get("secondary") is not True
            required_indexes.append(
                OtherIndex(
                    tool="poetry",
                    table="[[tool.poetry.source]]",
                    location=file.location,
                    url=url,
                    name=_text(entry.get("name")) or None,
                    default=primary and not any(index.default for index in required_indexes),
                )
            )
    sources: list[NamedSource] = []
    extra: list[str] = []
    main = _table(poetry.get("dependencies"))
    sources += _Members(tool="poetry", table="[tool.poetry.dependencies]", file=file, indexes=indexes).sources(main)
    if own is not None:
        extra = [name for name in main if name.lower() != "python" and canonicalize_name(name) not in own]
    groups = {"dev": poetry.get("dev-dependencies")} if poetry.get("dev-dependencies") else {}
    groups |= {name: _table(group).get("dependencies") for name, group in _table(poetry.get("group")).items()}
    for group, members in groups.items():
        table = f"[tool.poetry.group.{group}.dependencies]"
        listed = _Members(tool="poetry", table=table, file=file, indexes=indexes, group=canonicalize_name(group))
        sources += listed.sources(_table(members))
    names: list[UnreadNames] = []
    if extra:
        names.append(
            UnreadNames(
                tool="poetry",
                table="[tool.poetry.dependencies]",
                location=file.location,
                what="requirement",
                names=tuple(extra),
            )
        )
    listed_groups = {canonicalize_name(name): _table(members) for name, members in groups.items() if members}
    if listed_groups:
        names.append(_poetry_groups(listed_groups, poetry, file))
    return OtherTools(sources=tuple(sources), indexes=tuple(required_indexes), names=tuple(names))


def _poetry_groups(
    groups: Mapping[NormalizedName, Mapping[str, object]], poetry: Mapping[str, object], file: _File
) -> UnreadNames:
    from lockset.sources.other_tools.poetry_requirements import poetry_specifiers  # slow to import

    optional = {
        canonicalize_name(name)
        for name, group in _table(poetry.get("group")).items()
        if _table(group).get("optional") is True
    }
    return UnreadNames(
        tool="poetry",
        table="[tool.poetry.group]",
        location=file.location,
        what="group",
        names=tuple(groups),
        lines=tuple(
            (group, text)
            for group, members in groups.items()
            for name, value in members.items()
            for text in poetry_specifiers(name, value)
        ),
        defaults=tuple(name for name in groups if name not in optional),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Members:
    """A table of requirements of Poetry or Pipenv: names with versions, or with tables that state a source."""

    tool: str
    table: str
    file: _File
    indexes: Mapping[str, str]
    group: str | None = None
    key: str = "source"

    def sources(self, members: Mapping[str, object]) -> Iterator[NamedSource]:
        """The sources in the table."""
        for name, value in members.items():
            for entry in _tables(value) if isinstance(value, list) else [_table(value)]:
                source = self._source(name, entry)
                if source is not None:
                    yield source

    def _source(self, name: str, entry: Mapping[str, object]) -> NamedSource | None:
        named = NamedSource(
            tool=self.tool,
            package=canonicalize_name(name),
            table=self.table,
            location=self.file.location,
            shown="",
            group=self.group,
            marker=_text(entry.get("markers")) or None,
            editable=entry.get("develop") is True or entry.get("editable") is True,
        )
        index = _text(entry.get(self.key))
        if not index:
            return _location_of(named, name, entry, self.file)
        if index.lower() == _PUBLIC and index not in self.indexes:
            return None
        return _from_index(named, index, self.indexes.get(index, ""))


def _pdm(pdm: Mapping[str, object], file: _File) -> OtherTools:
    indexes: list[OtherIndex] = []
    sources: list[NamedSource] = []
    for entry in _tables(pdm.get("source")):
        url, name = _public(entry), _text(entry.get("name"))
        include = entry.get("include_packages")
        for pattern in include if isinstance(include, list) else ():
            if isinstance(pattern, str):
                named = NamedSource(
                    tool="pdm",
                    package=re.sub("[-_.]+", "-", pattern).lower(),
                    table="[[tool.pdm.source]]",
                    location=file.location,
                    shown="",
                    needed=True,
                )
                sources.append(_from_index(named, name, url))
        if url and not include:
            indexes.append(
                OtherIndex(
                    tool="pdm",
                    table="[[tool.pdm.source]]",
                    location=file.location,
                    url=url,
                    name=name or None,
                    default=name == _PUBLIC,
                )
            )
    resolution = _table(pdm.get("resolution"))
    keys = [
        UnreadKey(
            tool="pdm",
            table="[tool.pdm.resolution]",
            location=file.location,
            key=key,
            setting=setting,
            value=resolution.get(key),
        )
        for key, setting in _PDM_KEYS.items()
        if resolution.get(key)
    ]
    listed = {canonicalize_name(g): _list(ls) for g, ls in _table(pdm.get("dev-dependencies")).items() if ls}
    groups = tuple(listed)
    names = UnreadNames(
        tool="pdm",
        table="[tool.pdm.dev-dependencies]",
        location=file.location,
        what="group",
        names=groups,
        lines=tuple((group, _text(line) or None) for group, lines in listed.items() for line in lines),
        defaults=groups,
    )
    return OtherTools(
        sources=tuple(sources), indexes=tuple(indexes), keys=tuple(keys), names=(names,) if groups else ()
    )


def read_hatch_file(data: object, *, location: str, up: str = ".") -> OtherTools:
    """Read a hatch.toml."""
    return _hatch(_table(data), _File(location, up), "[envs]")


def _hatch(hatch: Mapping[str, object], file: _File, table: str = "[tool.hatch.envs]") -> OtherTools:
    names = tuple(
        name
        for name, environment in _table(hatch.get("envs")).items()
        if any(_table(environment).get(key) for key in ("dependencies", "extra-dependencies"))
    )
    unread = UnreadNames(tool="hatch", table=table, location=file.location, what="environment", names=names)
    return OtherTools(names=(unread,) if names else ())


def _at(named: NamedSource, shown: str, requirement: str) -> NamedSource:
    return replace(named, shown=shown, requirement=requirement)


def _from_index(named: NamedSource, name: str, url: str) -> NamedSource:
    return replace(
        named, shown=f"the index {name}" + (f" ({url})" if url else ""), index_name=name, index_url=url or None
    )


def _bare(url: str) -> str:
    """The URL without user and password, except `git@`."""
    return _USER_INFO.sub("", url)


def _public(entry: Mapping[str, object]) -> str:
    return _bare(_text(entry.get("url")))


def _table(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _tables(value: object) -> list[Mapping[str, object]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
