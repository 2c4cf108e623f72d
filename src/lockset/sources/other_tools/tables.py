"""Read the tables of uv, Poetry, PDM, Hatch and Pipenv that affect a project's packages.

`lockset.sources.other_tools.apply` applies what is read here.

Each tool checks its own tables, so most of what is malformed is ignored here; `value_types` refuses what would make a
source or an index unknown.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lockset._dataclass import dataclass, replace
from lockset.package_names import canonicalize_name
from lockset.sources.other_tools.facts import NamedSource, OtherIndex, OtherTools, UnreadKey, UnreadNames
from lockset.sources.other_tools.locations import (
    SourceFile,
    from_index,
    index_url,
    list_of,
    located_source,
    table_list,
    table_of,
    text_of,
    without_user,
)
from lockset.sources.other_tools.value_types import refuse_wrong_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from packaging.utils import NormalizedName

__all__ = ["read_other_file", "read_other_tables"]

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
    "config-settings-package": "config-settings-package",
    "no-build-isolation": "no-build-isolation",
    "no-build-isolation-package": "no-build-isolation",
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
_PUBLIC = "pypi"


def read_other_tables(tool: object, *, location: str, up: str = ".", own: frozenset[str] | None = None) -> OtherTools:
    """Read the tables of other tools in `[tool]`.

    Args:
        tool: The table `tool` of a pyproject.toml or a script.
        location: Name of the file, for messages.
        up: The folder of the file, relative to the project's folder.
        own: The names that the project requires; None without a `[project]` table.

    Raises:
        LocksetError: As `refuse_wrong_values`.
    """
    refuse_wrong_values(tool, location=location)
    file = SourceFile(location, up)
    tools = table_of(tool)
    joined = _uv(table_of(tools.get("uv")), file, "tool.uv")
    joined = joined.joined(_poetry(table_of(tools.get("poetry")), file, own))
    joined = joined.joined(_pdm(table_of(tools.get("pdm")), file))
    return joined.joined(_hatch(table_of(tools.get("hatch")), file))


def read_other_file(name: str, data: object, *, location: str, up: str = ".") -> OtherTools:
    """Read the file `name` next to a pyproject.toml: a uv.toml, a hatch.toml or a Pipfile."""
    file, top = SourceFile(location, up), table_of(data)
    if name == "uv.toml":
        return _uv(top, file, None)
    return _hatch(top, file, "[envs]") if name == "hatch.toml" else _pipfile(top, file)


def _pipfile(top: Mapping[str, object], file: SourceFile) -> OtherTools:
    location = file.location
    public: dict[str, str] = {}
    indexes: list[OtherIndex] = []
    for entry in table_list(top.get("source")):
        url = text_of(entry.get("url"))
        if url:
            public[text_of(entry.get("name"))] = url
            name = text_of(entry.get("name")) or None
            indexes.append(
                OtherIndex(
                    tool="pipenv",
                    table="[[source]]",
                    location=location,
                    url=without_user(url),
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


def _uv(uv: Mapping[str, object], file: SourceFile, path: str | None) -> OtherTools:
    table = f"[{path}]" if path else file.location
    indexes = {text_of(e.get("name")): e for e in table_list(uv.get("index"))}
    required_indexes = [
        OtherIndex(
            tool="uv",
            table=f"[[{path}.index]]" if path else file.location,
            location=file.location,
            url=index_url(e),
            name=text_of(e.get("name")) or None,
            default=e.get("default") is True,
        )
        for e in table_list(uv.get("index"))
        if e.get("explicit") is not True and text_of(e.get("url"))
    ]
    more = uv.get("extra-index-url")
    urls = [uv.get("index-url"), *(more if isinstance(more, list) else ())]
    required_indexes += [
        OtherIndex(tool="uv", table=table, location=file.location, url=without_user(url), default=number == 0)
        for number, url in enumerate(urls)
        if isinstance(url, str)
    ]
    keys = [
        UnreadKey(tool="uv", table=table, location=file.location, key=key, setting=setting, value=uv.get(key))
        for key, setting in _UV_KEYS.items()
        if key in uv and uv[key] not in ([], {}) and uv[key] is not False
    ]
    development = uv.get("dev-dependencies")
    names = UnreadNames(
        tool="uv",
        table=table,
        location=file.location,
        what="group",
        names=("dev",),
        lines=tuple(("dev", text_of(text) or None) for text in list_of(development)),
        defaults=("dev",),
    )
    sources = [
        source
        for name, value in table_of(uv.get("sources")).items()
        for entry in (table_list(value) if isinstance(value, list) else [table_of(value)])
        if (source := _uv_source(name, entry, indexes, file)) is not None
    ]
    return OtherTools(
        sources=tuple(sources),
        indexes=tuple(required_indexes),
        keys=tuple(keys),
        names=(names,) if development else (),
    )


def _uv_source(
    name: str, entry: Mapping[str, object], indexes: Mapping[str, Mapping[str, object]], file: SourceFile
) -> NamedSource | None:
    extra, group = text_of(entry.get("extra")), text_of(entry.get("group"))
    named = NamedSource(
        tool="uv",
        package=canonicalize_name(name),
        table="[tool.uv.sources]",
        location=file.location,
        shown="",
        marker=text_of(entry.get("marker")) or None,
        extra=canonicalize_name(extra) if extra else None,
        group=canonicalize_name(group) if group else None,
        editable=entry.get("editable") is True,
    )
    if entry.get("workspace") is True:
        return replace(named, shown="the workspace", member=True, editable=entry.get("editable") is not False)
    if isinstance(entry.get("index"), str):
        index = text_of(entry["index"])
        return from_index(named, index, index_url(indexes.get(index, {})))
    return located_source(named, name, entry, file)


def _poetry(poetry: Mapping[str, object], file: SourceFile, own: frozenset[str] | None) -> OtherTools:
    indexes: dict[str, str] = {}
    required_indexes: list[OtherIndex] = []
    for entry in table_list(poetry.get("source")):
        url = index_url(entry)
        indexes[text_of(entry.get("name"))] = url
        if url and entry.get("priority") != "explicit":
            primary = entry.get("priority", "primary") in {"primary", "default"} and entry.get("secondary") is not True
            required_indexes.append(
                OtherIndex(
                    tool="poetry",
                    table="[[tool.poetry.source]]",
                    location=file.location,
                    url=url,
                    name=text_of(entry.get("name")) or None,
                    default=primary and not any(index.default for index in required_indexes),
                )
            )
    sources: list[NamedSource] = []
    extra: list[str] = []
    main = table_of(poetry.get("dependencies"))
    sources += _Members(tool="poetry", table="[tool.poetry.dependencies]", file=file, indexes=indexes).sources(main)
    if own is not None:
        extra = [name for name in main if name.lower() != "python" and canonicalize_name(name) not in own]
    groups = {"dev": poetry.get("dev-dependencies")} if poetry.get("dev-dependencies") else {}
    groups |= {name: table_of(group).get("dependencies") for name, group in table_of(poetry.get("group")).items()}
    for group, members in groups.items():
        table = f"[tool.poetry.group.{group}.dependencies]"
        listed = _Members(tool="poetry", table=table, file=file, indexes=indexes, group=canonicalize_name(group))
        sources += listed.sources(table_of(members))
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
    listed_groups = {canonicalize_name(name): table_of(members) for name, members in groups.items() if members}
    if listed_groups:
        names.append(_poetry_groups(listed_groups, poetry, file))
    return OtherTools(sources=tuple(sources), indexes=tuple(required_indexes), names=tuple(names))


def _poetry_groups(
    groups: Mapping[NormalizedName, Mapping[str, object]], poetry: Mapping[str, object], file: SourceFile
) -> UnreadNames:
    from lockset.sources.other_tools.poetry_requirements import poetry_specifiers  # slow to import

    optional = {
        canonicalize_name(name)
        for name, group in table_of(poetry.get("group")).items()
        if table_of(group).get("optional") is True
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
    file: SourceFile
    indexes: Mapping[str, str]
    group: str | None = None
    key: str = "source"

    def sources(self, members: Mapping[str, object]) -> Iterator[NamedSource]:
        """The sources in the table."""
        for name, value in members.items():
            for entry in table_list(value) if isinstance(value, list) else [table_of(value)]:
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
            marker=text_of(entry.get("markers")) or None,
            editable=entry.get("develop") is True or entry.get("editable") is True,
        )
        index = text_of(entry.get(self.key))
        if not index:
            return located_source(named, name, entry, self.file)
        if index.lower() == _PUBLIC and index not in self.indexes:
            return None
        return from_index(named, index, self.indexes.get(index, ""))


def _pdm(pdm: Mapping[str, object], file: SourceFile) -> OtherTools:
    indexes: list[OtherIndex] = []
    sources: list[NamedSource] = []
    for entry in table_list(pdm.get("source")):
        url, name = index_url(entry), text_of(entry.get("name"))
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
                sources.append(from_index(named, name, url))
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
    resolution = table_of(pdm.get("resolution"))
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
    listed = {canonicalize_name(g): list_of(ls) for g, ls in table_of(pdm.get("dev-dependencies")).items() if ls}
    groups = tuple(listed)
    names = UnreadNames(
        tool="pdm",
        table="[tool.pdm.dev-dependencies]",
        location=file.location,
        what="group",
        names=groups,
        lines=tuple((group, text_of(line) or None) for group, lines in listed.items() for line in lines),
        defaults=groups,
    )
    return OtherTools(
        sources=tuple(sources), indexes=tuple(indexes), keys=tuple(keys), names=(names,) if groups else ()
    )


def _hatch(hatch: Mapping[str, object], file: SourceFile, table: str = "[tool.hatch.envs]") -> OtherTools:
    names = tuple(
        name
        for name, environment in table_of(hatch.get("envs")).items()
        if any(table_of(environment).get(key) for key in ("dependencies", "extra-dependencies"))
    )
    unread = UnreadNames(tool="hatch", table=table, location=file.location, what="environment", names=names)
    return OtherTools(names=(unread,) if names else ())
