"""Facts about a project's packages in the tables of other tools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from lockset._dataclass import dataclass, field, fields
from lockset.errors import Diagnostic

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from lockset.sources.settings import Settings

__all__ = [
    "NamedSource",
    "OtherIndex",
    "OtherTools",
    "UnreadKey",
    "UnreadNames",
    "is_other_tool",
    "join_many_names",
    "plain_index",
]

# How many names a message lists.
_SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherTable:
    """Something in a table of another tool.

    Attributes:
        tool: One of `lockset.sources.settings.OTHER_TOOLS`.
        table: The table, as it is written: `[tool.uv.sources]`.
        location: Name of the file, for messages.
    """

    tool: str
    table: str
    location: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedSource(OtherTable):
    """The source of a package in a table of another tool.

    Attributes:
        package: Normalized name, or a pattern with `*`.
        shown: The source, in words: `the path ../core`.
        requirement: An equivalent requirement: `core @ file:../core`; None for an index, or if the folder of a
            workspace member is not known.
        member: Whether the package is a member of the workspace.
        index_name: Name of the index; None for a direct source.
        index_url: URL of the index, without credentials; None if it is not known.
        marker: Where the source applies; None for everywhere.
        extra: The extra to whose requirements it applies; None for all.
        group: The same for a dependency group.
        needed: Whether it also applies if only another package requires this one.
        editable: Whether the folder is installed as editable.
    """

    package: str
    shown: str
    requirement: str | None = None
    member: bool = False
    index_name: str | None = None
    index_url: str | None = None
    marker: str | None = None
    extra: str | None = None
    group: str | None = None
    needed: bool = False
    editable: bool = False

    def names(self, package: str) -> bool:
        """Whether the source applies to `package`, a normalized name."""
        if "*" not in self.package:
            return self.package == package
        from fnmatch import fnmatchcase  # few sources are for several packages

        return fnmatchcase(package, self.package)


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherIndex(OtherTable):
    """An index that another tool searches for every package.

    Attributes:
        url: The URL, without credentials.
        name: Its name; None without one.
        default: Whether it replaces PyPI.
    """

    url: str
    name: str | None = None
    default: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadKey(OtherTable):
    """A key that affects the lock.

    Attributes:
        key: The key.
        setting: The setting of `[tool.lockset]` with the same meaning, if any.
        value: Its value, as parsed from TOML.
    """

    key: str
    setting: str | None
    value: object = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadNames(OtherTable):
    """Requirements outside `[project]` and `[dependency-groups]`.

    Attributes:
        what: What `names` are.
        names: Names of groups or environments, normalized, or of packages.
        lines: For groups: name of the group, and a dependency specifier, or None for one that cannot be written so.
        defaults: The groups that the tool installs by default.
    """

    what: Literal["group", "environment", "requirement"]
    names: tuple[str, ...]
    lines: tuple[tuple[str, str | None], ...] = ()
    defaults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherTools:
    """Everything in tables of other tools that affects packages; after `apply_other_tools`, what is not applied."""

    sources: tuple[NamedSource, ...] = ()
    indexes: tuple[OtherIndex, ...] = ()
    keys: tuple[UnreadKey, ...] = ()
    names: tuple[UnreadNames, ...] = ()

    def joined(self, other: OtherTools) -> OtherTools:
        """Both, without duplicates."""
        return OtherTools(
            **{
                each.name: tuple(dict.fromkeys((*getattr(self, each.name), *getattr(other, each.name))))
                for each in fields(OtherTools)
            }
        )

    def source_of(self, package: str, *, extra: str | None = None, group: str | None = None) -> NamedSource | None:
        """The source for a requirement of an extra, a group, or the project itself."""
        for source in self.sources:
            if source.extra in {None, extra} and source.group in {None, group} and source.names(package):
                return source
        return None

    def warnings(
        self, settings: Settings, *, groups: Collection[str], index_urls: Collection[str]
    ) -> tuple[Diagnostic, ...]:
        """Warnings about tables that would change the lock if lockset applied them.

        Args:
            settings: `[tool.lockset]`. Keys with a setting there are not reported.
            groups: Normalized names of the dependency groups that are read.
            index_urls: The indexes that packages come from.
        """
        ignored = settings.ignore_tools
        used = {plain_index(url) for url in index_urls}
        texts = [
            *_of_indexes(i for i in self.indexes if i.tool not in ignored and plain_index(i.url) not in used),
            *_of_keys(k for k in self.keys if k.tool not in ignored and not _is_applied(settings, k)),
            *_of_names((n for n in self.names if n.tool not in ignored), groups),
        ]
        return tuple(Diagnostic(code="other-tool", message=text, location=location) for text, location in texts)


def is_other_tool(tool: object) -> bool:
    """Whether `[tool]` has a table of one of the other tools."""
    return isinstance(tool, dict) and not tool.keys().isdisjoint(("uv", "poetry", "pdm", "hatch"))


def plain_index(url: str) -> str:
    """The URL of an index, normalized for comparison."""
    scheme, mark, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    host = authority.rpartition("@")[2].lower()
    return f"{scheme.lower()}{mark}{host}{slash}{path}".rstrip("/")


def join_many_names(names: Iterable[str], *, code: bool = False) -> str:
    """Join names as `a, b and c`. Beyond eight, count the rest."""
    shown = [f"`{name}`" if code else name for name in names]
    if len(shown) > _SHOWN:
        shown = [*shown[: _SHOWN - 1], f"{len(shown) - _SHOWN + 1} more"]
    return " and ".join((", ".join(shown[:-1]), shown[-1])) if len(shown) > 1 else "".join(shown)


def _is_applied(settings: Settings, key: UnreadKey) -> bool:
    """Whether the key counts: the Pythons of groups have no setting, and are applied to the groups themselves."""
    return key.key == "dependency-groups" or _is_set(settings, key.setting)


def _is_set(settings: Settings, setting: str | None) -> bool:
    """Whether `[tool.lockset]` has the setting as well."""
    if setting is None:
        return False
    value = getattr(settings, setting.replace("-", "_"), None)
    return value is not None and value not in ((), {})


def _of_indexes(indexes: Iterable[OtherIndex]) -> Iterator[tuple[str, str]]:
    tables: dict[tuple[str, str], list[str]] = {}
    for index in indexes:
        tables.setdefault((index.table, index.location), []).append(index.url)
    for (table, location), urls in tables.items():
        way = "(name it as [[tool.lockset.index]], or by `--index` or `--default-index`)"
        yield f"{table} is not read: no package comes from {join_many_names(dict.fromkeys(urls))} {way}", location


def _of_keys(keys: Iterable[UnreadKey]) -> Iterator[tuple[str, str]]:
    tables: dict[tuple[str, str], list[UnreadKey]] = {}
    for key in keys:
        tables.setdefault((key.table, key.location), []).append(key)
    for (table, location), unread in tables.items():
        verb = "does" if len(unread) == 1 else "do"
        settings = dict.fromkeys(k.setting for k in unread if k.setting is not None)
        way = f" (write {join_many_names(settings, code=True)} in [tool.lockset])" if settings else ""
        yield (
            f"{table} is not read: {join_many_names((k.key for k in unread), code=True)} {verb} not count{way}",
            location,
        )


def _of_names(unread: Iterable[UnreadNames], groups: Collection[str]) -> Iterator[tuple[str, str]]:
    for each in unread:
        names = [n for n in each.names if each.what != "group" or n not in groups]
        if not names:
            continue
        plural = "s" if len(names) > 1 else ""
        verb, them = ("are", "them") if plural else ("is", "it")
        instead = "[project.dependencies]" if each.what == "requirement" else "[dependency-groups]"
        subject = f"the {each.what}{plural} {join_many_names(names)}"
        yield f"{each.table} is not read: {subject} {verb} not locked (write {them} in {instead})", each.location
