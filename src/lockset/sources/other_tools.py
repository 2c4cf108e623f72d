"""What other tools' tables say of a project's packages, for lockset to speak of: it reads none of it as its own."""

from __future__ import annotations

from dataclasses import fields
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal

from lockset._dataclass import dataclass
from lockset.errors import Diagnostic

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from lockset.sources.settings import Settings

__all__ = [
    "OTHER_TOOLS",
    "NamedSource",
    "OtherIndex",
    "OtherTools",
    "UnreadKey",
    "UnreadNames",
    "is_other_tool",
    "join_many_names",
    "plain_index",
]

OTHER_TOOLS = ("hatch", "pdm", "pipenv", "poetry", "uv")
# Names in one message; further ones are counted.
_SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedSource:
    """Where a table of another tool says that a package comes from.

    Attributes:
        tool: One of `OTHER_TOOLS`.
        package: Normalized name, or a pattern with `*`.
        table: The table as a person writes it: `[tool.uv.sources]`.
        location: The file.
        shown: The source in words: `the path ../core`.
        requirement: What says the same in a requirement: `core @ file:../core`; None for an index, or where the folder
            of a member is not known.
        member: Whether it is a member of the workspace.
        index_name: Name of the index; None where it is a place.
        index_url: Its URL, without credentials; None where the files do not tell.
        marker: Where the source counts; None for everywhere.
        extra: The extra whose requirements it counts for; None for all.
        group: The same for a dependency group.
        needed: Whether it counts also where only another package requires this one.
    """

    tool: str
    package: str
    table: str
    location: str
    shown: str
    requirement: str | None = None
    member: bool = False
    index_name: str | None = None
    index_url: str | None = None
    marker: str | None = None
    extra: str | None = None
    group: str | None = None
    needed: bool = False

    def names(self, package: str) -> bool:
        """Whether the source is that of `package`, a normalized name."""
        return self.package == package or ("*" in self.package and fnmatchcase(package, self.package))


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherIndex:
    """An index that another tool asks for every package."""

    tool: str
    table: str
    location: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadKey:
    """A key that would change the lock; `setting` is the one of `[tool.lockset]` that says the same, if any does."""

    tool: str
    table: str
    location: str
    key: str
    setting: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadNames:
    """Requirements outside `[project]` and `[dependency-groups]`: `what` is `group`, `environment` or `requirement`."""

    tool: str
    table: str
    location: str
    what: Literal["group", "environment", "requirement"]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherTools:
    """Everything of other tools that decides on packages and that lockset does not read."""

    sources: tuple[NamedSource, ...] = ()
    indexes: tuple[OtherIndex, ...] = ()
    keys: tuple[UnreadKey, ...] = ()
    names: tuple[UnreadNames, ...] = ()

    def joined(self, other: OtherTools) -> OtherTools:
        """Both, each thing once."""
        return OtherTools(
            **{
                each.name: tuple(dict.fromkeys((*getattr(self, each.name), *getattr(other, each.name))))
                for each in fields(OtherTools)
            }
        )

    def source_of(self, package: str, *, extra: str | None = None, group: str | None = None) -> NamedSource | None:
        """The source that is named for a requirement of this extra, of this group, or of the project itself."""
        for source in self.sources:
            if source.extra in {None, extra} and source.group in {None, group} and source.names(package):
                return source
        return None

    def warnings(
        self, settings: Settings, *, groups: Collection[str], index_urls: Collection[str]
    ) -> tuple[Diagnostic, ...]:
        """What a user should hear of: tables that would change the lock if they counted.

        Args:
            settings: `[tool.lockset]`: what it says itself is not missed elsewhere.
            groups: Normalized names of the dependency groups that are read.
            index_urls: The indexes that packages come from.
        """
        ignored = settings.ignore_tools
        used = {plain_index(url) for url in index_urls}
        texts = [
            *_of_indexes(i for i in self.indexes if i.tool not in ignored and plain_index(i.url) not in used),
            *_of_keys(k for k in self.keys if k.tool not in ignored and not _is_set(settings, k.setting)),
            *_of_names((n for n in self.names if n.tool not in ignored), groups),
        ]
        return tuple(Diagnostic(code="other-tool", message=text, location=location) for text, location in texts)


def is_other_tool(tool: object) -> bool:
    """Whether `[tool]` has a table that is read of other tools."""
    return isinstance(tool, dict) and not tool.keys().isdisjoint(("uv", "poetry", "pdm", "hatch"))


def plain_index(url: str) -> str:
    """The URL of an index without what does not tell it from others."""
    scheme, mark, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    host = authority.rpartition("@")[2].lower()
    return f"{scheme.lower()}{mark}{host}{slash}{path}".rstrip("/")


def join_many_names(names: Iterable[str], *, code: bool = False) -> str:
    """`a, b and c`; many are cut short."""
    found = [f"`{name}`" if code else name for name in names]
    if len(found) > _SHOWN:
        found = [*found[: _SHOWN - 1], f"{len(found) - _SHOWN + 1} more"]
    return " and ".join((", ".join(found[:-1]), found[-1])) if len(found) > 1 else "".join(found)


def _is_set(settings: Settings, setting: str | None) -> bool:
    """Whether the project says it to lockset as well."""
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
