"""pdm.lock to a Draft: with inherited metadata as it says, else by a walk from pyproject.toml."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from lockset.conversion.model.checked_table import Fields, hashes_of_one_file, parse_toml_fields, repository_url
from lockset.conversion.model.formats import Format
from lockset.conversion.model.graph import ForeignGraph, GraphEdge, GraphNode, GraphRoot
from lockset.conversion.model.imported_lock import ImportedFile, ImportedLock, ImportedPackage, Loss
from lockset.conversion.model.selectable import SelectableNames
from lockset.conversion.model.universe import universe_of
from lockset.conversion.readers.from_graph import draft_of_graph, draft_of_statements
from lockset.conversion.readers.inferred_messages import groups_unknown, only_systems, tell_assumed
from lockset.conversion.readers.inferred_roots import infer_roots
from lockset.conversion.readers.pdm.roots import PoetryRequirement, asked_of_pdm, extras_of_pdm
from lockset.dependency_specifiers import read_dependency, read_specifiers
from lockset.errors import LocksetError
from lockset.lockfile.model import PackageArchive, PackageDirectory, PackageVcs, last_component
from lockset.markers import MarkerSet, platform_region
from lockset.url_secrets import plain_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lockset.conversion.model.options import ReaderOptions
    from lockset.conversion.model.selectable import Choice
    from lockset.conversion.readers.pyproject import Pyproject

__all__ = ["read_pdm_lock"]

_KNOWN_MAJOR = 4
_NEWEST_MINOR = 5
_DEFAULT = "default"


def read_pdm_lock(text: str, *, location: str, options: ReaderOptions, beside: Pyproject | None) -> ImportedLock:
    """The Draft of a pdm.lock.

    Raises:
        LocksetError: what is wrong with it, `format-newer`, or `pyproject-needed` where only the project could tell.
    """
    reading = _PdmLockReader(parse_toml_fields(text, location=location, what="pdm.lock"), options, beside)
    return reading.stated() if reading.inherits else reading.walked()


class _PdmLockReader:
    """One pdm.lock; entries by number. An entry with extras stands for no package: it needs the plain one."""

    def __init__(self, top: Fields, options: ReaderOptions, beside: Pyproject | None) -> None:
        self._top = top
        self._options = options
        self._beside = beside
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
        text = self._metadata.needed("lock_version")
        parts = re.fullmatch(r"([0-9]{1,9})(?:\.([0-9]{1,9}))?(?:\.[0-9]{1,9})?", text)
        if parts is None:
            raise self._metadata.invalid("lock_version", f"is no version: `{text}`")
        if int(parts[1]) != _KNOWN_MAJOR:
            raise LocksetError(
                "format-newer",
                f"pdm.lock has format {text}, and 4.x is known",
                location=self._top.location,
                hint="Use a newer lockset, or lock with a PDM that writes format 4",
            )
        if int(parts[2] or 0) > _NEWEST_MINOR:
            message = f"Format {text} of pdm.lock is newer than those known (4.5): it was read as 4.5"
            self._losses.append(Loss(kind="format-newer", message=message))

    def stated(self) -> ImportedLock:
        """The draft of a file that says of every entry to which groups it belongs and where it applies."""
        names: set[str] = set(map(canonicalize_name, self._metadata.texts("groups")))
        names.update(canonicalize_name(g) for entry in self._entries for g in entry.texts("groups"))
        names.discard(_DEFAULT)
        extras: set[str] = set()
        if self._beside is not None:
            extras = names & extras_of_pdm(self._beside)
        elif names:
            message = (
                f"Whether {', '.join(sorted(names))} are extras or groups is told in pyproject.toml only, and none was "
                "found: they become dependency groups"
            )
            self._losses.append(Loss(kind="extras-as-groups", message=message))
        offers = SelectableNames(extras=tuple(sorted(extras)), groups=tuple(sorted(names - extras)))
        nodes = self._nodes(statements_only=True)
        packages = self._packages()
        statements = {key: tuple(self._when(int(key), extras)) for key in packages}
        for number, chosen in enumerate(self._extras):
            # What asks for `name[extra]` asks for the plain entry as well.
            plain = self._plain(number)
            if chosen and plain is not None:
                statements[plain] = (*statements[plain], *self._when(number, extras))
        requires_python, environments = self._targets_of_lock()
        return draft_of_statements(
            shown=Format.PDM.shown,
            location=self._top.location,
            graph=ForeignGraph(nodes=nodes, roots=()),
            packages=packages,
            statements=statements,
            offers=offers,
            requires_python=requires_python,
            environments=environments,
            losses=self._losses,
        )

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

    def walked(self) -> ImportedLock:
        """The draft of a file that leaves to pyproject.toml what is asked for, and by whom."""
        asked = [] if self._beside is None else self._locked_requirements(self._beside)
        if self._beside is None or (self._entries and not asked):
            return self._assumed()
        offers = SelectableNames(
            extras=tuple(sorted({n for a in asked for k, n in (a.choice,) if k == "extra"})),
            groups=tuple(sorted({n for a in asked for k, n in (a.choice,) if k == "group"})),
        )
        roots = []
        for item in asked:
            targets = self._answering(item.name, item.extras, item.constraint)
            if not targets and item.marker is None:
                raise LocksetError(
                    "lock-stale",
                    f"{self._beside.location} asks for {item.name} {item.constraint}, which pdm.lock does not have",
                    location=self._top.location,
                    hint="The two do not belong together: lock again with PDM, or name the right file",
                )
            roots.append(GraphRoot(choice=item.choice, edge=GraphEdge(targets=targets, marker=item.marker)))
        message = f"What is asked for was read from {self._beside.location}: this pdm.lock does not say it"
        self._losses.append(Loss(kind="pyproject-read", message=message, note=True))
        return self._drafted(ForeignGraph(nodes=self._nodes(statements_only=False), roots=tuple(roots)), offers)

    def _assumed(self) -> ImportedLock:
        """The draft of a file that is all there is: what nothing else explains is taken as asked for."""
        nodes = self._nodes(statements_only=False)
        project: Choice = ("project", "")
        universe = universe_of(*self._targets_of_lock())
        bounds = only_systems(self._packages())
        members = {project: list(nodes)}
        found = infer_roots(nodes, members, bounds=bounds, offers=SelectableNames(), universe=universe)
        shown = "pdm.lock without `inherit_metadata`"
        tell_assumed(found, self._losses, shown=shown, location=self._top.location)
        groups = sorted({canonicalize_name(name) for name in self._metadata.texts("groups")} - {_DEFAULT})
        if groups or "groups" not in self._metadata.data:
            self._losses += groups_unknown(shown, named=groups)
        return self._drafted(ForeignGraph(nodes=nodes, roots=found.roots), SelectableNames())

    def _drafted(self, graph: ForeignGraph, offers: SelectableNames) -> ImportedLock:
        requires_python, environments = self._targets_of_lock()
        return draft_of_graph(
            shown=Format.PDM.shown,
            location=self._top.location,
            graph=graph,
            packages=self._packages(),
            offers=offers,
            requires_python=requires_python,
            environments=environments,
            losses=self._losses,
        )

    def _locked_requirements(self, beside: Pyproject) -> list[PoetryRequirement]:
        """What the project asks for, as far as it is locked: PDM locks the groups it is told to."""
        locked = {canonicalize_name(name) for name in self._metadata.texts("groups")}
        found = []
        left_out: set[str] = set()
        for item in asked_of_pdm(beside):
            kind, name = item.choice
            if kind == "project" or not locked or name in locked:
                found.append(item)
            else:
                left_out.add(name)
        if left_out:
            message = (
                f"The pdm.lock does not lock {', '.join(sorted(left_out))} of {beside.location}: nor does the lock file"
            )
            self._losses.append(Loss(kind="groups-not-locked", message=message, note=True))
        return found

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
        found = _specifiers(self._metadata, python_text) if python_text not in {"", "*"} else None
        if chosen is not None:
            found = chosen if found is None else found & chosen
        return found, tuple(dict.fromkeys(bounds)) if bounds and all(bounds) else ()

    # The graph

    def _nodes(self, *, statements_only: bool) -> dict[str, GraphNode]:
        packages = self._packages()
        newest = sorted(range(len(self._entries)), key=lambda n: self._entries[n].version(), reverse=True)
        ranks = {number: rank for rank, number in enumerate(newest)}
        found = {}
        for number, name in enumerate(self._names):
            key = str(number)
            package = packages.get(key)
            if package is None and statements_only:
                continue
            found[key] = GraphNode(
                key=key,
                name=f"{name}[{','.join(sorted(self._extras[number]))}]" if self._extras[number] else name,
                identity=None if package is None else package.identity,
                edges=tuple(self._edges(number, statements_only=statements_only)),
                forks=self._forks(number),
                rank=ranks[number],
            )
        return found

    def _forks(self, number: int) -> tuple[str, ...]:
        """Where an entry may be chosen among several of its name: on the Pythons it is for."""
        python = self._entries[number].text("requires_python")
        versions = {self._entries[n].text("version") for n in self._by_name[self._names[number]]}
        if len(versions) == 1 or python in {None, "", "*"}:
            return ()
        marker = MarkerSet.of_python(_specifiers(self._entries[number], str(python))).text()
        return () if marker is None else (marker,)

    def _edges(self, number: int, *, statements_only: bool) -> Iterator[GraphEdge]:
        entry = self._entries[number]
        numbers = [number]
        if statements_only:  # the entries with extras are folded into the plain one
            numbers += [n for n in self._by_name[self._names[number]] if self._plain(n) == str(number) and n != number]
        for each in numbers:
            for text in self._entries[each].texts("dependencies"):
                requirement = _requirement(text, entry)
                name = canonicalize_name(requirement.name)
                extras = frozenset() if statements_only else frozenset(map(canonicalize_name, requirement.extras))
                targets = self._answering(name, extras, str(requirement.specifier) or "*")
                marker = None if requirement.marker is None else str(requirement.marker)
                rest = [str(n) for n in self._by_name.get(name, ()) if self._extras[n] == extras]
                yield GraphEdge(
                    targets=tuple(t for t in targets if t != str(number)),
                    marker=marker,
                    others=tuple(key for key in rest if key not in targets),
                )

    def _answering(self, name: str, extras: frozenset[str], constraint: str) -> tuple[str, ...]:
        """Entries of the name with these extras that satisfy the constraint, newest first."""
        specifiers = read_specifiers("" if constraint == "*" else constraint)
        found = [
            n
            for n in self._by_name.get(name, ())
            if "version" not in self._entries[n].data
            or _is_tree(self._entries[n])
            or specifiers.contains(self._entries[n].version(), prereleases=True)
        ]
        exact = [n for n in found if self._extras[n] == extras] or [n for n in found if not self._extras[n]]
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
                path=None if is_url else self._options.moved(url),
                hashes=hashes_of_one_file(tables),
                subdirectory=entry.text("subdirectory"),
            )
            return replace(plain, source=archive, requires_python=None)
        if not tables:
            raise LocksetError(
                "no-files",
                f"`{plain.shown}` has no files in the lock",
                location=self._top.location,
                hint="The file was edited by hand or cut: lock again with PDM",
            )
        return replace(plain, files=tuple(map(_file, tables)))

    def _file_tables(self, number: int) -> list[Fields]:
        """Files of the entry, and of the entries with extras that stand for it: all of them are the release's."""
        same = (n for n in self._by_name[self._names[number]] if n == number or self._plain(n) == str(number))
        found = [table for n in same for table in self._entries[n].tables("files")]
        old = self._metadata.table("files")
        if not found and old is not None:
            wanted = f"{self._names[number]} {self._entries[number].needed('version')}"
            keys = [k for k in old.data if " ".join((canonicalize_name(k.split(" ")[0]), *k.split(" ")[1:])) == wanted]
            found = [table for key in keys for table in old.tables(key)]
        return list({tuple(sorted(map(str, table.data.items()))): table for table in found}.values())

    def _tree(self, entry: Fields) -> PackageVcs | PackageDirectory | None:
        git = entry.text("git")
        if git is not None:
            commit = entry.text("revision") or ""
            if not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", commit):
                raise entry.invalid("revision", f"is no full commit: `{commit}`")
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
                path=self._options.moved(path),
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
        raise entry.invalid("dependencies", f"holds no requirement: `{text}`") from None


def _specifiers(fields: Fields, text: str) -> SpecifierSet:
    try:
        return read_specifiers(text)
    except InvalidSpecifier:
        raise fields.invalid("requires_python", f"is no range of Pythons: `{text}`") from None
