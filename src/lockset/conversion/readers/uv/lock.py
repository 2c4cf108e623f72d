"""Reader of uv.lock. It walks the graph, so that extras and groups stay selectable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from lockset._dataclass import replace
from lockset.conversion.model.checked_table import Fields, parse_toml_fields
from lockset.conversion.model.foreign_graph import ForeignGraph, GraphEdge, GraphNode, GraphRoot
from lockset.conversion.model.formats import Format
from lockset.conversion.model.imported_lock import ImportedPackage, Loss
from lockset.conversion.model.selection import SelectableNames
from lockset.conversion.readers.from_graph import LockHeader, imported_from_graph
from lockset.conversion.readers.uv.markers import Rewriter
from lockset.conversion.readers.uv.sources import archive_of, file_of, tree_of
from lockset.dependency_specifiers import read_specifiers
from lockset.errors import LocksetError
from lockset.markers import MarkerSet
from lockset.package_names import canonicalize_name
from lockset.similar_names import known_names_hint
from lockset.url_secrets import plain_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lockset.conversion.model.imported_lock import ImportedLock
    from lockset.conversion.model.options import ReaderOptions
    from lockset.conversion.model.selection import Choice, Conflict
    from lockset.conversion.readers.pyproject import Pyproject
    from lockset.conversion.readers.uv.markers import Activation

__all__ = ["read_uv_lock"]

_SUPPORTED = 1
_SCRIPT = "(script)"


def read_uv_lock(text: str, *, location: str, options: ReaderOptions, pyproject: Pyproject | None) -> ImportedLock:
    """Read a uv.lock.

    Raises:
        LocksetError: what is wrong with it, or `format-newer`.
    """
    top = parse_toml_fields(text, location=location, what="uv.lock")
    _check_version(top)
    reader = _UvLockReader(top, options, pyproject)
    return reader.read()


def _check_version(top: Fields) -> None:
    version = top.number("version")
    if version != _SUPPORTED:
        raise LocksetError(
            "format-newer",
            f"uv.lock has version {version}, but only version {_SUPPORTED} is supported",
            location=top.location,
            hint="Use a newer lockset, or lock with a uv that writes version 1",
        )


class _UvLockReader:
    """Reader of one uv.lock. Keys of entries are their numbers."""

    def __init__(self, top: Fields, options: ReaderOptions, pyproject: Pyproject | None) -> None:
        self._top = top
        self._options = options
        self._pyproject = pyproject
        self._entries = list(top.tables("package"))
        self._names = [entry.name() for entry in self._entries]
        self._by_name: dict[str, list[int]] = {}
        for number, name in enumerate(self._names):
            self._by_name.setdefault(name, []).append(number)
        self._losses: list[Loss] = []
        self._members = self._member_numbers()
        self._roots_numbers = self._root_numbers()
        self._selectable = self._find_selectable()
        leads = [self._names[number] for number in self._roots_numbers]
        required_extras = {(item.name(), extra) for item in self._items() for extra in _extras(item)}
        self._markers = Rewriter(
            projects=leads,
            selectable=self._selectable,
            location=top.location,
            required_extras=required_extras,
            implied=self._implied(),
        )

    def _items(self) -> Iterator[Fields]:
        """All requirements of all entries."""
        for entry in self._entries:
            yield from entry.tables("dependencies")
            for key in ("optional-dependencies", "dev-dependencies", "dependency-groups"):
                for _, items in _pairs(entry, key):
                    yield from items

    def _implied(self) -> dict[Activation, list[str]]:
        """Markers of the extras and groups that request another extra of the same project."""
        implied: dict[Activation, list[str]] = {}
        for number in self._roots_numbers:
            entry, name = self._entries[number], self._names[number]
            for key in ("optional-dependencies", "dev-dependencies", "dependency-groups"):
                for choice, items in _pairs(entry, key):
                    normal = canonicalize_name(choice)
                    chosen = f"'{normal}' in {'extras' if key == 'optional-dependencies' else 'dependency_groups'}"
                    for item in items:
                        for extra in _extras(item) if item.name() == name else ():
                            implied.setdefault((name, extra), []).append(chosen)
        return implied

    def read(self) -> ImportedLock:
        """Read the whole file."""
        nodes = {str(number): self._node(number) for number in range(len(self._entries))}
        roots = tuple(self._roots())
        graph = ForeignGraph(nodes=nodes, roots=roots, activations=self._markers.activations)
        packages = {
            str(number): package
            for number in range(len(self._entries))
            if (package := self._package(number)) is not None
        }
        markers = (self._markers.rewrite(m, "supported-markers") for m in self._top.texts("supported-markers"))
        bounds = (self._requires_python(), tuple(markers))
        header = LockHeader.of(Format.UV, self._top, self._selectable, bounds, self._losses)
        return replace(imported_from_graph(header, graph, packages), conflicts=self._conflicts())

    def _requires_python(self) -> SpecifierSet | None:
        text = self._top.text("requires-python")
        if text is None:
            return self._options.requires_python
        try:
            own = read_specifiers(text)
        except InvalidSpecifier:
            raise self._top.invalid("requires-python", f"is not a valid version specifier: `{text}`") from None
        return own if self._options.requires_python is None else own & self._options.requires_python

    # Requirements of the project

    def _member_numbers(self) -> list[int]:
        manifest = self._top.table("manifest")
        names = {canonicalize_name(n) for n in manifest.texts("members")} if manifest else set()
        if names:
            return [number for number, name in enumerate(self._names) if name in names and self._is_local(number)]
        return [number for number in range(len(self._entries)) if self._source_path(number) == "."]

    def _is_local(self, number: int) -> bool:
        source = self._source(number)
        return any(source.text(kind) is not None for kind in ("virtual", "editable", "directory"))

    def _source_path(self, number: int) -> str | None:
        source = self._source(number)
        return source.text("virtual") or source.text("editable")

    def _source(self, number: int) -> Fields:
        source = self._entries[number].table("source")
        if source is None:
            raise self._entries[number].invalid("source", "is missing")
        return source

    def _root_numbers(self) -> list[int]:
        """The workspace members to convert."""
        chosen = {canonicalize_name(name) for name in self._options.members}
        unknown = chosen - {self._names[n] for n in self._members}
        if unknown:
            raise LocksetError(
                "unknown-member",
                f"The workspace has no member named {', '.join(sorted(unknown))}",
                location=self._top.location,
                hint=known_names_hint(min(unknown), [self._names[n] for n in self._members]),
            )
        if chosen:
            return [n for n in self._members if self._names[n] in chosen]
        top = [n for n in self._members if self._source_path(n) == "."]
        if self._options.all_members or not top:
            return self._members
        others = [self._names[n] for n in self._members if n not in top]
        if others:
            message = (
                f"Only {self._names[top[0]]} is converted, without the other workspace members "
                f"({', '.join(others)}): choose with `--package` or `--all-packages`"
            )
            self._losses.append(Loss(kind="members-left-out", message=message))
        return top

    def _find_selectable(self) -> SelectableNames:
        extras: set[str] = set()
        groups: set[str] = set()
        for number in self._roots_numbers:
            entry = self._entries[number]
            extras.update(canonicalize_name(k) for k, _ in _pairs(entry, "optional-dependencies"))
            groups.update(canonicalize_name(k) for k, _ in _pairs(entry, "dev-dependencies"))
            groups.update(canonicalize_name(k) for k, _ in _pairs(entry, "dependency-groups"))
            metadata = entry.table("metadata")
            if metadata is not None:
                extras.update(map(canonicalize_name, metadata.texts("provides-extras")))
        manifest = self._top.table("manifest")
        if manifest is not None:
            groups.update(canonicalize_name(k) for k, _ in _pairs(manifest, "dependency-groups"))
        return SelectableNames(
            extras=tuple(sorted(extras)), groups=tuple(sorted(groups)), by_default=self._by_default(groups)
        )

    def _by_default(self, groups: set[str]) -> tuple[str, ...]:
        if not groups:
            return ()
        if self._pyproject is not None:
            return self._pyproject.uv_default_groups(groups)
        message = (
            "Only pyproject.toml states which groups uv installs by default, and there is none next to the file: "
            "the lock file installs no group by default"
        )
        self._losses.append(Loss(kind="default-groups-unknown", message=message))
        return ()

    def _roots(self) -> Iterator[GraphRoot]:
        for number in self._roots_numbers:
            entry = self._entries[number]
            yield GraphRoot(choice=("project", ""), edge=GraphEdge(targets=(str(number),)))
            for extra, items in _pairs(entry, "optional-dependencies"):
                yield from self._roots_of(entry, ("extra", canonicalize_name(extra)), items, number)
            for key in ("dev-dependencies", "dependency-groups"):
                for group, items in _pairs(entry, key):
                    yield from self._roots_of(entry, ("group", canonicalize_name(group)), items, number)
        manifest = self._top.table("manifest")
        if manifest is not None and not self._members:
            yield from self._roots_of(manifest, ("project", ""), list(manifest.tables("requirements")), None)
        if manifest is not None:
            for group, items in _pairs(manifest, "dependency-groups"):
                yield from self._roots_of(manifest, ("group", canonicalize_name(group)), items, None)

    def _roots_of(
        self, entry: Fields, choice: Choice, items: Iterable[Fields], dependent: int | None
    ) -> Iterator[GraphRoot]:
        del entry
        for item in items:
            edge = self._edge(item)
            # An extra or group that requests another extra of the project.
            if dependent is not None and edge.targets == (str(dependent),):
                for extra in edge.extras:
                    inner = dict(_pairs(self._entries[dependent], "optional-dependencies")).get(extra, [])
                    yield from (GraphRoot(choice=choice, edge=self._edge(each)) for each in inner)
            else:
                yield GraphRoot(choice=choice, edge=edge)

    # The graph

    def _node(self, number: int) -> GraphNode:
        entry = self._entries[number]
        package = self._package(number)
        forks: tuple[str, ...] = ()
        if len(self._by_name[self._names[number]]) > 1:
            forks = tuple(self._markers.rewrite(m, "resolution-markers") for m in entry.texts("resolution-markers"))
        return GraphNode(
            key=str(number),
            name=self._names[number],
            identity=None if package is None else package.identity,
            edges=tuple(self._edge(item) for item in entry.tables("dependencies")),
            optional={
                canonicalize_name(extra): tuple(map(self._edge, items))
                for extra, items in _pairs(entry, "optional-dependencies")
            },
            forks=forks,
        )

    def _edge(self, item: Fields) -> GraphEdge:
        marker, extras = item.text("marker"), _extras(item)
        own = [(item.name(), extra) for extra in extras]
        return GraphEdge(
            targets=self._targets(item),
            extras=extras,
            marker=None if marker is None else self._markers.rewrite(marker, item.at("marker"), own),
        )

    def _targets(self, item: Fields) -> tuple[str, ...]:
        name = item.name()
        version, source = item.text("version"), item.table("source")
        numbers = [
            number
            for number in self._by_name.get(name, ())
            if (version is None or self._entries[number].text("version") == version)
            and (source is None or self._source(number).data == source.data)
        ]
        if not numbers:
            shown = f"{name} {version}" if version else name
            raise LocksetError(
                "format-invalid",
                f"`{item.path}` requires {shown}, which the lock does not contain",
                location=self._top.location,
                hint="The file was edited by hand or truncated: run `uv lock`",
            )
        return tuple(map(str, numbers))

    # Entries

    def _package(self, number: int) -> ImportedPackage | None:
        entry, name, source = self._entries[number], self._names[number], self._source(number)
        if source.text("virtual") is not None:
            return None
        if self._is_local(number) and number in self._members and not self._options.with_project:
            return None
        tree = tree_of(source, entry, self._options)
        if tree is not None:
            return ImportedPackage(
                name=name, version=None, region=MarkerSet.any(), source=tree, origin=self._top.location
            )
        sdist = entry.table("sdist")
        tables = [*([sdist] if sdist is not None else []), *entry.tables("wheels")]
        registry = source.text("registry")
        version = entry.version()
        if source.text("url") is not None or source.text("path") is not None:
            return ImportedPackage(
                name=name,
                version=version,
                region=MarkerSet.any(),
                source=archive_of(source, tables, self._options),
                origin=self._top.location,
            )
        if registry is None:
            raise entry.invalid("source", f"is of an unknown kind: {', '.join(source.data)}")
        return ImportedPackage(
            name=name,
            version=version,
            region=MarkerSet.any(),
            index=plain_url(registry) if "://" in registry else None,
            files=tuple(file_of(table, registry, self._options) for table in tables),
            every_file=not tables,
            origin=self._top.location,
        )

    def _conflicts(self) -> tuple[Conflict, ...]:
        conflicts = []
        for conflict in self._top.data.get("conflicts") or ():
            items = [i for i in conflict if isinstance(i, dict)] if isinstance(conflict, list) else []
            sides = [self._markers.side(item) for item in items]
            members: dict[Choice, str] = {}
            for item, side in zip(items, sides, strict=True):
                if side is not None:
                    member = canonicalize_name(str(item["package"]))
                    if members.setdefault(side, member) != member:
                        raise self._members_in_conflict(side, members[side], member)
            named = list(members)
            conflicts += [frozenset({a, b}) for i, a in enumerate(named) for b in named[:i]]
        return tuple(dict.fromkeys(conflicts))

    def _members_in_conflict(self, side: Choice, one: str, other: str) -> LocksetError:
        kind, name = side
        if kind == "project":
            message = f"The workspace members {one} and {other} conflict, and one lock file cannot contain both"
        else:
            message = (
                f"The workspace members {one} and {other} each have the {kind} `{name}` in one conflict, and a lock "
                f"file has only one {kind} of that name"
            )
        hint = f"Convert one of them alone with `--package {one}` or `--package {other}`"
        return LocksetError("conflict-unsupported", message, location=self._top.location, hint=hint)


def _extras(item: Fields) -> frozenset[str]:
    return frozenset(map(canonicalize_name, item.texts("extra") or item.texts("extras")))


def _pairs(entry: Fields, key: str) -> Iterator[tuple[str, list[Fields]]]:
    table = entry.table(key)
    for name in table.data if table is not None else ():
        yield name, list(table.tables(name)) if table is not None else []
