"""Reader of poetry.lock. Format 2.1 states where entries apply; older formats need pyproject.toml and a graph walk."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lockset._dataclass import replace
from lockset._pattern import lazy_pattern
from lockset.conversion.model.checked_table import Fields, hashes_of_one_file, parse_toml_fields, repository_url
from lockset.conversion.model.foreign_graph import ForeignGraph, GraphEdge, GraphNode, GraphRoot
from lockset.conversion.model.formats import Format
from lockset.conversion.model.imported_lock import (
    ImportedFile,
    ImportedLock,
    ImportedPackage,
    Loss,
    universe_of,
)
from lockset.conversion.model.selection import SelectableNames
from lockset.conversion.readers.from_graph import LockHeader, imported_from_graph, imported_from_statements
from lockset.conversion.readers.inferred_roots import (
    infer_roots,
    report_inferred_roots,
    single_system_markers,
    unknown_group_losses,
)
from lockset.conversion.readers.poetry.roots import dependency_items, poetry_requirements
from lockset.errors import LocksetError
from lockset.lockfile.model import PackageArchive, PackageDirectory, PackageVcs
from lockset.markers import MarkerSet
from lockset.package_names import canonicalize_name
from lockset.sources.other_tools.poetry_constraints import admits, alternatives, poetry_python_region, python_marker
from lockset.url_secrets import plain_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.specifiers import SpecifierSet

    from lockset.conversion.model.options import ReaderOptions
    from lockset.conversion.model.selection import Choice
    from lockset.conversion.readers.pyproject import ProjectRequirement, Pyproject

__all__ = ["read_poetry_lock"]

_KNOWN_MAJORS = {1, 2}
_STATING = (2, 1)
_EXTRA = lazy_pattern(r"""extra\s*(==|!=)\s*(['"])([^'"]+)\2""")
_MAIN = "main"


def read_poetry_lock(text: str, *, location: str, options: ReaderOptions, pyproject: Pyproject | None) -> ImportedLock:
    """Read a poetry.lock.

    Raises:
        LocksetError: what is wrong with it, `format-newer`, or `pyproject-needed` if only pyproject.toml could tell.
    """
    reader = _PoetryLockReader(parse_toml_fields(text, location=location, what="poetry.lock"), options, pyproject)
    return reader.from_statements() if reader.lock_version >= _STATING else reader.from_project()


class _PoetryLockReader:
    """Reader of one poetry.lock. Keys of entries are their numbers."""

    def __init__(self, top: Fields, options: ReaderOptions, pyproject: Pyproject | None) -> None:
        self._top = top
        self._options = options
        self._pyproject = pyproject
        metadata = top.table("metadata")
        if metadata is None:
            raise top.invalid("metadata", "is missing")
        self._metadata = metadata
        self._losses: list[Loss] = []
        self.lock_version = self._read_version()
        self._entries = list(top.tables("package"))
        self._names = [entry.name() for entry in self._entries]
        self._versions = [entry.version() for entry in self._entries]
        self._by_name: dict[str, list[int]] = {}
        for number, name in enumerate(self._names):
            self._by_name.setdefault(name, []).append(number)
        newest = sorted(range(len(self._entries)), key=lambda n: self._versions[n], reverse=True)
        self._ranks = {number: rank for rank, number in enumerate(newest)}
        extras = top.table("extras")
        self._extras: dict[str, tuple[str, ...]] = {
            canonicalize_name(k): extras.texts(k) for k in (extras.data if extras is not None else ()) if extras
        }

    def _read_version(self) -> tuple[int, int]:
        text = self._metadata.required_text("lock-version")
        matched = re.fullmatch(r"([0-9]{1,9})\.([0-9]{1,9})", text)
        if matched is None:
            raise self._metadata.invalid("lock-version", f"is not a valid version: `{text}`")
        version = int(matched[1]), int(matched[2])
        if version[0] not in _KNOWN_MAJORS:
            raise LocksetError(
                "format-newer",
                f"poetry.lock has format {text}, but only 1.x and 2.x are supported",
                location=self._top.location,
                hint="Use a newer lockset, or lock with a Poetry that writes format 2",
            )
        if version > _STATING:
            message = f"poetry.lock has format {text}, which is newer than 2.1: it was read as 2.1"
            self._losses.append(Loss(kind="format-newer", message=message))
        return version

    # Since 2.1

    def from_statements(self) -> ImportedLock:
        """Read a file that states for every entry its groups and where it applies."""
        groups = {g for entry in self._entries for g in map(canonicalize_name, entry.texts("groups"))} - {_MAIN}
        by_default: tuple[str, ...] = ()
        if self._pyproject is not None:
            by_default = self._pyproject.poetry_default_groups(groups)
        elif groups:
            message = (
                "Only pyproject.toml states which groups Poetry installs by default, and there is none next to the "
                "file: the lock file installs no group by default"
            )
            self._losses.append(Loss(kind="default-groups-unknown", message=message))
        selectable = SelectableNames(
            extras=tuple(sorted(self._extras)), groups=tuple(sorted(groups)), by_default=by_default
        )
        statements = {str(number): tuple(self._when(entry)) for number, entry in enumerate(self._entries)}
        return imported_from_statements(self._header(selectable), self._nodes(), self._packages(), statements)

    def _when(self, entry: Fields) -> Iterator[tuple[Choice, str | None]]:
        markers = entry.data.get("markers")
        for group in entry.texts("groups") or (_MAIN,):
            text = markers.get(group) if isinstance(markers, dict) else markers
            marker = None
            if isinstance(text, str):
                marker = _EXTRA.sub(_in_extras, entry.checked_marker(text, "markers"))
            elif text is not None:
                raise entry.invalid("markers", "is neither a marker nor a table of markers")
            name = canonicalize_name(group)
            yield (("project", "") if name == _MAIN else ("group", name)), marker

    # Before 2.1

    def from_project(self) -> ImportedLock:
        """Read a file whose project states the requirements in pyproject.toml."""
        requirements = [] if self._pyproject is None else list(poetry_requirements(self._pyproject, self._extras))
        if self._pyproject is None or (self._entries and not requirements):
            return self.from_inferred_roots()
        groups = {name for item in requirements for kind, name in (item.choice,) if kind == "group"}
        extras = {*self._extras, *self._pyproject.extras()}
        selectable = SelectableNames(
            extras=tuple(sorted(extras)),
            groups=tuple(sorted(groups)),
            by_default=self._pyproject.poetry_default_groups(groups),
        )
        message = f"The requirements were read from {self._pyproject.location}: poetry.lock does not state them"
        self._losses.append(Loss(kind="pyproject-read", message=message, note=True))
        roots = tuple(self._root(item, self._pyproject) for item in requirements)
        graph = ForeignGraph(nodes=self._nodes(), roots=roots)
        return imported_from_graph(self._header(selectable), graph, self._packages())

    def from_inferred_roots(self) -> ImportedLock:
        """Read a file without its pyproject.toml. Entries that nothing else requires become the requirements.

        Optional entries are those that only extras reach. Older files state which entries are for development.
        """
        nodes = self._nodes()
        plain = [str(n) for n, entry in enumerate(self._entries) if not entry.flag("optional")]
        dev = [key for key in plain if self._entries[int(key)].text("category") not in {None, _MAIN}]
        known = [
            GraphRoot(choice=("extra", extra), edge=GraphEdge(targets=self._targets(canonicalize_name(name), "*", "")))
            for extra, names in self._extras.items()
            for name in names
        ]
        selectable = SelectableNames(extras=tuple(sorted(self._extras)), groups=("dev",) if dev else ())
        members: dict[Choice, list[str]] = {("project", ""): [key for key in plain if key not in set(dev)]}
        if dev:
            members["group", "dev"] = dev
        inferred = infer_roots(
            nodes,
            members,
            known=known,
            optional=[key for key in nodes if key not in set(plain)],
            bounds=single_system_markers(self._packages()),
            selectable=selectable,
            universe=universe_of(*self._pythons()),
        )
        shown = f"poetry.lock of format {'.'.join(map(str, self.lock_version))}"
        report_inferred_roots(inferred, self._losses, shown=shown, location=self._top.location)
        self._losses += unknown_group_losses(
            shown, dev=bool(dev), states_development=any("category" in e.data for e in self._entries)
        )
        graph = ForeignGraph(nodes=nodes, roots=inferred.roots)
        return imported_from_graph(self._header(selectable), graph, self._packages())

    def _header(self, selectable: SelectableNames) -> LockHeader:
        return LockHeader.of(Format.POETRY, self._top, selectable, self._pythons(), self._losses)

    def _root(self, item: ProjectRequirement, pyproject: Pyproject) -> GraphRoot:
        targets = self._targets(item.name, item.constraint, pyproject.location)
        if not targets and item.marker is None:
            locked = ", ".join(str(self._versions[n]) for n in self._by_name.get(item.name, ())) or "none"
            raise LocksetError(
                "lock-stale",
                f"{pyproject.location} requires {item.name} {item.constraint}, but poetry.lock has {locked}",
                location=self._top.location,
                hint="Run `poetry lock`, or name the right file with `--pyproject`",
            )
        return item.root(targets)

    # Both

    def _pythons(self) -> tuple[SpecifierSet | None, tuple[str, ...]]:
        text = self._metadata.text("python-versions")
        chosen = self._options.requires_python
        if text is None or text.strip() in {"", "*"}:
            return chosen, ()
        try:
            sets = alternatives(text)
            region = poetry_python_region(text)
        except ValueError:
            raise self._metadata.invalid(
                "python-versions", f"is not a valid range of Python versions: `{text}`"
            ) from None
        if len(sets) == 1:
            return sets[0] if chosen is None else sets[0] & chosen, ()
        marker = region.text()
        return chosen, () if marker is None else (marker,)

    def _nodes(self) -> dict[str, GraphNode]:
        packages = self._packages()
        return {
            key: GraphNode(
                key=key,
                name=package.name,
                identity=package.identity,
                edges=tuple(self._edges(int(key))),
                optional=self._optional(int(key)),
                forks=self._forks(int(key)),
                rank=self._ranks[int(key)],
            )
            for key, package in packages.items()
        }

    def _forks(self, number: int) -> tuple[str, ...]:
        """Where an entry may be chosen among several of its name: on the Pythons that it supports."""
        if len(self._by_name[self._names[number]]) == 1:
            return ()
        try:
            marker = python_marker(self._entries[number].text("python-versions") or "*")
        except ValueError:
            return ()
        return () if marker is None else (marker,)

    def _edges(self, number: int, *, optional: bool = False) -> Iterator[GraphEdge]:
        entry = self._entries[number]
        table = entry.table("dependencies")
        for name, value in table.items() if table is not None else ():
            for item in dependency_items(value):
                needs_extra = item.get("optional") is True and "extra" not in str(item.get("markers", ""))
                if needs_extra is optional:
                    yield self._edge(canonicalize_name(name), item, entry)

    def _optional(self, number: int) -> dict[str, tuple[GraphEdge, ...]]:
        """The edges that each extra adds, if their own markers do not say so."""
        entry = self._entries[number]
        extras = entry.table("extras")
        if extras is None:
            return {}
        optional = list(self._edges(number, optional=True))
        edges: dict[str, tuple[GraphEdge, ...]] = {}
        for extra in extras.data:
            names = {canonicalize_name(re.split(r"[\s(\[;<>=!~]", text, maxsplit=1)[0]) for text in extras.texts(extra)}
            edges[canonicalize_name(extra)] = tuple(
                edge for edge in optional if edge.targets and self._names[int(edge.targets[0])] in names
            )
        return edges

    def _edge(self, name: str, item: dict[str, Any], entry: Fields) -> GraphEdge:
        marker = str(item["markers"]) if item.get("markers") else None
        if marker is not None:
            entry.checked_marker(marker, f"dependencies.{name}")
        if item.get("python"):
            both = [m for m in (marker, python_marker(str(item["python"]))) if m is not None]
            marker = " and ".join(f"({m})" for m in both) or None
        targets = self._targets(name, str(item.get("version", "*")), self._top.location)
        return GraphEdge(
            targets=targets,
            others=tuple(key for key in map(str, self._by_name.get(name, ())) if key not in targets),
            extras=frozenset(canonicalize_name(str(extra)) for extra in item.get("extras") or ()),
            marker=marker,
        )

    def _targets(self, name: str, constraint: str, location: str) -> tuple[str, ...]:
        """Entries of the name that satisfy the constraint, newest first; empty if only other platforms require it."""
        numbers = sorted(self._by_name.get(name, ()), key=lambda n: self._versions[n], reverse=True)
        try:
            return tuple(str(n) for n in numbers if admits(constraint, self._versions[n]))
        except ValueError as error:
            raise LocksetError("format-invalid", f"{name}: {error}", location=location) from error

    def _packages(self) -> dict[str, ImportedPackage]:
        return {str(number): self._package(number) for number in range(len(self._entries))}

    def _package(self, number: int) -> ImportedPackage:
        entry, name = self._entries[number], self._names[number]
        source = entry.table("source")
        kind = source.text("type") if source is not None else None
        plain = ImportedPackage(
            name=name, version=self._versions[number], region=MarkerSet.any(), origin=self._top.location
        )
        if source is not None and kind not in {None, "legacy"}:
            return replace(plain, **self._source_fields(source, kind or "", entry, number))
        versions = entry.text("python-versions") or "*"
        try:
            pythons = alternatives(versions)
        except ValueError:
            pythons = ()
        url = source.text("url") if source is not None else None
        return replace(
            plain,
            index=plain_url(url) if url else None,
            files=tuple(self._files(entry, number)),
            every_file=False,
            requires_python=str(pythons[0]) if len(pythons) == 1 and str(pythons[0]) else None,
        )

    def _files(self, entry: Fields, number: int) -> Iterator[ImportedFile]:
        tables = list(entry.tables("files"))
        if not tables:
            old = self._metadata.table("files")
            spelled = [k for k in old.data if canonicalize_name(k) == self._names[number]] if old is not None else []
            tables = [t for key in spelled for t in old.tables(key)] if old is not None else []
            tables = [t for t in tables if self._is_of_version(t, number)]
        if not tables:
            raise LocksetError(
                "no-files",
                f"`{self._names[number]} {self._versions[number]}` has no files in the lock",
                location=self._top.location,
                hint="The file was edited by hand or truncated: run `poetry lock`",
            )
        for table in tables:
            yield ImportedFile(name=table.required_text("file"), hashes=table.hash())

    def _is_of_version(self, table: Fields, number: int) -> bool:
        """Whether a file belongs to the entry's version. Old files list those of all versions of a name together."""
        if len(self._by_name[self._names[number]]) == 1:
            return True
        parts = table.required_text("file").removesuffix(".tar.gz").removesuffix(".zip").split("-")
        others = {str(self._versions[n]) for n in self._by_name[self._names[number]]}
        return str(self._versions[number]) in parts or not others & set(parts)

    def _source_fields(self, source: Fields, kind: str, entry: Fields, number: int) -> dict[str, Any]:
        url = source.required_text("url")
        subdirectory = source.text("subdirectory")
        if kind == "git":
            commit = source.commit("resolved_reference")
            revision = source.text("reference")
            vcs = PackageVcs(
                type="git",
                # Poetry writes the host of a repository on disk as `None`.
                url=repository_url(re.sub(r"^file://None/", "file:///", url)),
                requested_revision=revision if revision not in {commit, None, "HEAD"} else None,
                commit_id=commit,
                subdirectory=subdirectory,
            )
            return {"source": vcs, "version": None}
        if kind == "directory":
            directory = PackageDirectory(
                path=self._options.relative_path(url), editable=entry.flag("develop") or None, subdirectory=subdirectory
            )
            return {"source": directory, "version": None}
        if kind not in {"url", "file"}:
            raise source.invalid("type", f"is not supported: `{kind}`")
        hashes = hashes_of_one_file(entry.tables("files"))
        relative_path = self._options.relative_path(url) if kind == "file" else None
        archive = PackageArchive(
            url=plain_url(url) if kind == "url" else None, path=relative_path, hashes=hashes, subdirectory=subdirectory
        )
        return {"source": archive, "version": self._versions[number]}


def _in_extras(match: re.Match[str]) -> str:
    return f"'{canonicalize_name(match[3])}' {'in' if match[1] == '==' else 'not in'} extras"
