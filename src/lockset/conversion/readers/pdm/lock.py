"""Reader of pdm.lock. Without inherited metadata it needs pyproject.toml and a graph walk."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from lockset._dataclass import replace
from lockset.conversion.model.checked_table import Fields, hashes_of_one_file, parse_toml_fields, repository_url
from lockset.conversion.model.foreign_graph import ForeignGraph, GraphEdge, GraphNode, GraphRoot
from lockset.conversion.model.formats import Format
from lockset.conversion.model.imported_lock import ImportedFile, ImportedLock, ImportedPackage, Loss, universe_of
from lockset.conversion.model.selection import SelectableNames
from lockset.conversion.readers.from_graph import LockHeader, imported_from_graph, imported_from_statements
from lockset.conversion.readers.inferred_roots import (
    infer_roots,
    report_inferred_roots,
    single_system_markers,
    unknown_group_losses,
)
from lockset.conversion.readers.pdm.roots import pdm_extras, pdm_requirements
from lockset.dependency_specifiers import read_dependency, read_specifiers
from lockset.errors import LocksetError
from lockset.lockfile.file_name import last_component
from lockset.lockfile.model import PackageArchive, PackageDirectory, PackageVcs
from lockset.markers import MarkerSet, platform_region
from lockset.package_names import canonicalize_name
from lockset.url_secrets import plain_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lockset.conversion.model.options import ReaderOptions
    from lockset.conversion.model.selection import Choice
    from lockset.conversion.readers.pyproject import ProjectRequirement, Pyproject

__all__ = ["read_pdm_lock"]

_KNOWN_MAJOR = 4
_NEWEST_MINOR = 5
_DEFAULT = "default"


def read_pdm_lock(text: str, *, location: str, options: ReaderOptions, pyproject: Pyproject | None) -> ImportedLock:
    """Read a pdm.lock.

    Raises:
        LocksetError: what is wrong with it, `format-newer`, or `pyproject-needed` if only pyproject.toml could tell.
    """
    reader = _PdmLockReader(parse_toml_fields(text, location=location, what="pdm.lock"), options, pyproject)
    return reader.from_statements() if reader.inherits else reader.from_project()


class _PdmLockReader:
    """Reader of one pdm.lock. Keys of entries are their numbers. An entry with extras only requires the plain entry."""

    def __init__(self, top: Fields, options: ReaderOptions, pyproject: Pyproject | None) -> None:
        self._top = top
        self._options = options
        self._pyproject = pyproject
        self._losses: list[Loss] = []
        metadata = top.table("metadata")
        if metadata is None:
            raise top.invalid("metadata", "is missing")
        self._metadata = metadata
        self._check_version()
        self._entries = list(top.tables("package"))
        self._names = [entry.name() for entry in self._entries]
        self._extras = [frozenset(map(canonicalize_name, entry.texts("extras"))) for entry in self._entries]
        self._by_name: dict[str, list[int]] = {}
        for number, name in enumerate(self._names):
            self._by_name.setdefault(name, []).append(number)
        self.inherits = "inherit_metadata" in metadata.texts("strategy") or any(
            "groups" in entry.data for entry in self._entries
        )

    def _check_version(self) -> None:
        text = self._metadata.required_text("lock_version")
        parts = re.fullmatch(r"([0-9]{1,9})(?:\.([0-9]{1,9}))?(?:\.[0-9]{1,9})?", text)
        if parts is None:
            raise self._metadata.invalid("lock_version", f"is not a valid version: `{text}`")
        if int(parts[1]) != _KNOWN_MAJOR:
            raise LocksetError(
                "format-newer",
                f"pdm.lock has format {text}, but only 4.x is supported",
                location=self._top.location,
                hint="Use a newer lockset, or lock with a PDM that writes format 4",
            )
        if int(parts[2] or 0) > _NEWEST_MINOR:
            message = f"pdm.lock has format {text}, which is newer than 4.5: it was read as 4.5"
            self._losses.append(Loss(kind="format-newer", message=message))

    def from_statements(self) -> ImportedLock:
        """Read a file that states for every entry its groups and where it applies."""
        names: set[str] = set(map(canonicalize_name, self._metadata.texts("groups")))
        names.update(canonicalize_name(g) for entry in self._entries for g in entry.texts("groups"))
        names.discard(_DEFAULT)
        extras: set[str] = set()
        if self._pyproject is not None:
            extras = names & pdm_extras(self._pyproject)
        elif names:
            message = (
                f"Only pyproject.toml states which of {', '.join(sorted(names))} are extras, and there is none next to "
                "the file: all become dependency groups"
                if len(names) > 1
                else f"Only pyproject.toml states whether {min(names)} is an extra, and there is none next to the "
                "file: it becomes a dependency group"
            )
            self._losses.append(Loss(kind="extras-as-groups", message=message))
        selectable = SelectableNames(extras=tuple(sorted(extras)), groups=tuple(sorted(names - extras)))
        nodes = self._nodes(statements_only=True)
        packages = self._packages()
        statements = {key: tuple(self._when(int(key), extras)) for key in packages}
        for number, chosen in enumerate(self._extras):
            # A requirement of `name[extra]` also requires the plain entry.
            plain = self._plain(number)
            if chosen and plain is not None:
                statements[plain] = (*statements[plain], *self._when(number, extras))
        return imported_from_statements(self._header(selectable), nodes, packages, statements)

    def _plain(self, number: int) -> str | None:
        version = self._entries[number].text("version")
        for other in self._by_name[self._names[number]]:
            if not self._extras[other] and self._entries[other].text("version") == version:
                return str(other)
        return None

    def _when(self, number: int, extras: set[str]) -> Iterator[tuple[Choice, str | None]]:
        entry = self._entries[number]
        marker = entry.marker("marker")
        for group in entry.texts("groups") or (_DEFAULT,):
            name = canonicalize_name(group)
            if name == _DEFAULT:
                yield ("project", ""), marker
            elif name in extras:
                yield ("extra", name), marker
            else:
                yield ("group", name), marker

    def from_project(self) -> ImportedLock:
        """Read a file whose project states the requirements in pyproject.toml."""
        requirements = [] if self._pyproject is None else self._locked_requirements(self._pyproject)
        if self._pyproject is None or (self._entries and not requirements):
            return self._from_inferred_roots()
        selectable = SelectableNames(
            extras=tuple(sorted({n for a in requirements for k, n in (a.choice,) if k == "extra"})),
            groups=tuple(sorted({n for a in requirements for k, n in (a.choice,) if k == "group"})),
        )
        roots = []
        for item in requirements:
            targets = self._matching(item.name, item.extras, item.constraint)
            if not targets and item.marker is None:
                raise LocksetError(
                    "lock-stale",
                    f"{self._pyproject.location} requires {item.name} {item.constraint}, but pdm.lock does not have it",
                    location=self._top.location,
                    hint="Run `pdm lock`, or name the right file with `--pyproject`",
                )
            roots.append(GraphRoot(choice=item.choice, edge=GraphEdge(targets=targets, marker=item.marker)))
        message = f"The requirements were read from {self._pyproject.location}: this pdm.lock does not state them"
        self._losses.append(Loss(kind="pyproject-read", message=message, note=True))
        graph = ForeignGraph(nodes=self._nodes(statements_only=False), roots=tuple(roots))
        return imported_from_graph(self._header(selectable), graph, self._packages())

    def _from_inferred_roots(self) -> ImportedLock:
        """Read a file without its pyproject.toml. Entries that nothing else requires become the requirements."""
        nodes = self._nodes(statements_only=False)
        project: Choice = ("project", "")
        universe = universe_of(*self._targets_of_lock())
        bounds = single_system_markers(self._packages())
        members = {project: list(nodes)}
        inferred = infer_roots(nodes, members, bounds=bounds, selectable=SelectableNames(), universe=universe)
        shown = "pdm.lock without `inherit_metadata`"
        report_inferred_roots(inferred, self._losses, shown=shown, location=self._top.location)
        groups = sorted({canonicalize_name(name) for name in self._metadata.texts("groups")} - {_DEFAULT})
        if groups or "groups" not in self._metadata.data:
            self._losses += unknown_group_losses(shown, named=groups)
        graph = ForeignGraph(nodes=nodes, roots=inferred.roots)
        return imported_from_graph(self._header(SelectableNames()), graph, self._packages())

    def _header(self, selectable: SelectableNames) -> LockHeader:
        return LockHeader.of(Format.PDM, self._top, selectable, self._targets_of_lock(), self._losses)

    def _locked_requirements(self, pyproject: Pyproject) -> list[ProjectRequirement]:
        """The requirements of the project in the groups that are locked. `pdm lock` can be limited to some."""
        locked = {canonicalize_name(name) for name in self._metadata.texts("groups")}
        requirements = []
        left_out: set[str] = set()
        for item in pdm_requirements(pyproject):
            kind, name = item.choice
            if kind == "project" or not locked or name in locked:
                requirements.append(item)
            else:
                left_out.add(name)
        if left_out:
            message = f"The pdm.lock does not contain the groups {', '.join(sorted(left_out))} of {pyproject.location}"
            self._losses.append(Loss(kind="groups-not-locked", message=message, note=True))
        return requirements

    def _targets_of_lock(self) -> tuple[SpecifierSet | None, tuple[str, ...]]:
        chosen = self._options.requires_python
        texts: list[str] = []
        bounds: list[str] = []
        for target in self._metadata.tables("targets"):
            python = target.text("requires_python")
            texts.append(python or "")
            region = MarkerSet.any()
            if target.text("platform"):
                region &= platform_region(str(target.text("platform")))
            if target.text("implementation"):
                region &= MarkerSet.parse(f"implementation_name == '{target.text('implementation')}'")
            if python and not region.is_full:
                region &= MarkerSet.of_python(_specifiers(target, python))
            bounds.append(region.text() or "")
        same = set(texts)
        python_text = texts[0] if len(same) == 1 else self._metadata.text("requires_python") or ""
        specifiers = _specifiers(self._metadata, python_text) if python_text not in {"", "*"} else None
        if chosen is not None:
            specifiers = chosen if specifiers is None else specifiers & chosen
        return specifiers, tuple(dict.fromkeys(bounds)) if bounds and all(bounds) else ()

    # The graph

    def _nodes(self, *, statements_only: bool) -> dict[str, GraphNode]:
        packages = self._packages()
        newest = sorted(range(len(self._entries)), key=lambda n: self._entries[n].version(), reverse=True)
        ranks = {number: rank for rank, number in enumerate(newest)}
        nodes = {}
        for number, name in enumerate(self._names):
            key = str(number)
            package = packages.get(key)
            if package is None and statements_only:
                continue
            nodes[key] = GraphNode(
                key=key,
                name=f"{name}[{','.join(sorted(self._extras[number]))}]" if self._extras[number] else name,
                identity=None if package is None else package.identity,
                edges=tuple(self._edges(number, statements_only=statements_only)),
                forks=self._forks(number),
                rank=ranks[number],
            )
        return nodes

    def _forks(self, number: int) -> tuple[str, ...]:
        """Where an entry may be chosen among several of its name: on the Pythons that it supports."""
        python = self._entries[number].text("requires_python")
        versions = {self._entries[n].text("version") for n in self._by_name[self._names[number]]}
        if len(versions) == 1 or python in {None, "", "*"}:
            return ()
        marker = MarkerSet.of_python(_specifiers(self._entries[number], str(python))).text()
        return () if marker is None else (marker,)

    def _edges(self, number: int, *, statements_only: bool) -> Iterator[GraphEdge]:
        entry = self._entries[number]
        numbers = [number]
        if statements_only:  # entries with extras are joined to the plain entry
            numbers += [n for n in self._by_name[self._names[number]] if self._plain(n) == str(number) and n != number]
        for each in numbers:
            for text in self._entries[each].texts("dependencies"):
                requirement = _requirement(text, entry)
                name = canonicalize_name(requirement.name)
                extras = frozenset() if statements_only else frozenset(map(canonicalize_name, requirement.extras))
                targets = self._matching(name, extras, str(requirement.specifier) or "*")
                marker = None if requirement.marker is None else str(requirement.marker)
                rest = [str(n) for n in self._by_name.get(name, ()) if self._extras[n] == extras]
                yield GraphEdge(
                    targets=tuple(t for t in targets if t != str(number)),
                    marker=marker,
                    others=tuple(key for key in rest if key not in targets),
                )

    def _matching(self, name: str, extras: frozenset[str], constraint: str) -> tuple[str, ...]:
        """Entries of the name with these extras that satisfy the constraint, newest first."""
        specifiers = read_specifiers("" if constraint == "*" else constraint)
        admitted = [
            n
            for n in self._by_name.get(name, ())
            if "version" not in self._entries[n].data
            or _is_tree(self._entries[n])
            or specifiers.contains(self._entries[n].version(), prereleases=True)
        ]
        exact = [n for n in admitted if self._extras[n] == extras] or [n for n in admitted if not self._extras[n]]
        return tuple(str(n) for n in sorted(exact, key=lambda n: self._entries[n].version(), reverse=True))

    # Entries

    def _packages(self) -> dict[str, ImportedPackage]:
        return {
            str(n): self._package(n) for n in range(len(self._entries)) if not self._extras[n] or self._plain(n) is None
        }

    def _package(self, number: int) -> ImportedPackage:
        entry = self._entries[number]
        plain = ImportedPackage(
            name=self._names[number],
            version=entry.version(),
            region=MarkerSet.any(),
            origin=self._top.location,
            requires_python=entry.text("requires_python"),
        )
        tree = self._tree(entry)
        if tree is not None:
            return replace(plain, version=None, source=tree, requires_python=None)
        tables = self._file_tables(number)
        url = entry.text("url") or entry.text("path")
        if url is not None:
            is_url = "://" in url
            archive = PackageArchive(
                url=plain_url(url).partition("#")[0] if is_url else None,
                path=None if is_url else self._options.relative_path(url),
                hashes=hashes_of_one_file(tables),
                subdirectory=entry.text("subdirectory"),
            )
            return replace(plain, source=archive, requires_python=None)
        if not tables:
            raise LocksetError(
                "no-files",
                f"`{plain.shown}` has no files in the lock",
                location=self._top.location,
                hint="The file was edited by hand or truncated: run `pdm lock`",
            )
        return replace(plain, files=tuple(map(_file, tables)))

    def _file_tables(self, number: int) -> list[Fields]:
        """The files of the entry and of its entries with extras: all belong to the release."""
        same = (n for n in self._by_name[self._names[number]] if n == number or self._plain(n) == str(number))
        tables = [table for n in same for table in self._entries[n].tables("files")]
        old = self._metadata.table("files")
        if not tables and old is not None:
            release = f"{self._names[number]} {self._entries[number].required_text('version')}"
            keys = [k for k in old.data if " ".join((canonicalize_name(k.split(" ")[0]), *k.split(" ")[1:])) == release]
            tables = [table for key in keys for table in old.tables(key)]
        return list({tuple(sorted(map(str, table.data.items()))): table for table in tables}.values())

    def _tree(self, entry: Fields) -> PackageVcs | PackageDirectory | None:
        git = entry.text("git")
        if git is not None:
            commit = entry.commit("revision")
            return PackageVcs(
                type="git",
                url=repository_url(git),
                requested_revision=entry.text("ref"),
                commit_id=commit,
                subdirectory=entry.text("subdirectory"),
            )
        path = entry.text("path")
        if path is not None and not re.search(r"\.(whl|zip|tar\.\w+|tgz)\Z", path):
            return PackageDirectory(
                path=self._options.relative_path(path),
                editable=entry.flag("editable") or None,
                subdirectory=entry.text("subdirectory"),
            )
        return None


def _is_tree(entry: Fields) -> bool:
    return any(key in entry.data for key in ("git", "path", "url"))


def _file(table: Fields) -> ImportedFile:
    url = table.text("url")
    url = None if url is None else plain_url(url).partition("#")[0]
    return ImportedFile(name=table.text("file") or last_component(path=None, url=url), url=url, hashes=table.hash())


def _requirement(text: str, entry: Fields) -> Requirement:
    try:
        return read_dependency(text)
    except InvalidRequirement:
        raise entry.invalid("dependencies", f"contains an invalid requirement: `{text}`") from None


def _specifiers(fields: Fields, text: str) -> SpecifierSet:
    try:
        return read_specifiers(text)
    except InvalidSpecifier:
        raise fields.invalid("requires_python", f"is not a valid range of Python versions: `{text}`") from None
