"""Pipfile.lock to a Draft."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from lockset.conversion.model.checked_table import Fields, parse_json_fields, repository_url
from lockset.conversion.model.direct_source import UNKNOWN_COMMIT, is_archive_name, is_commit
from lockset.conversion.model.formats import Format
from lockset.conversion.model.graph import ForeignGraph, GraphNode, refuse_overlap, region_of_text
from lockset.conversion.model.imported_lock import ImportedLock, ImportedPackage, Loss
from lockset.conversion.model.selectable import SelectableNames
from lockset.conversion.readers.archive_hashes import with_certain_hashes
from lockset.conversion.readers.from_graph import draft_of_statements
from lockset.dependency_specifiers import read_specifiers, read_version
from lockset.errors import LocksetError
from lockset.hashes import Digest
from lockset.lockfile.model import PackageArchive, PackageDirectory, PackageVcs
from lockset.markers import MarkerSet
from lockset.url_secrets import plain_url

if TYPE_CHECKING:
    from lockset.conversion.model.options import ReaderOptions
    from lockset.conversion.model.selectable import Choice

__all__ = ["read_pipfile_lock"]

_KNOWN_SPEC = 6
_VARIABLE = re.compile(r"\$\{?[A-Za-z_]\w*\}?")


def read_pipfile_lock(text: str, *, location: str, options: ReaderOptions) -> ImportedLock:
    """The Draft of a Pipfile.lock.

    Raises:
        LocksetError: what is wrong with it, `format-newer` or `not-pinned`.
    """
    top = parse_json_fields(text, location=location, what="Pipfile.lock")
    meta = top.table("_meta")
    if meta is None:
        raise top.invalid("_meta", "is missing")
    spec = meta.number("pipfile-spec")
    if spec is not None and spec > _KNOWN_SPEC:
        raise LocksetError(
            "format-newer",
            f"Pipfile.lock has format {spec}, and {_KNOWN_SPEC} is the newest known",
            location=location,
            hint="Use a newer lockset",
        )
    return _PipfileLockReader(top, meta, options).draft()


class _PipfileLockReader:
    """One Pipfile.lock; entries by section and name."""

    def __init__(self, top: Fields, meta: Fields, options: ReaderOptions) -> None:
        self._top = top
        self._meta = meta
        self._options = options
        self._losses: list[Loss] = []
        self._indexes = {
            source.text("name") or "": self._public(source.needed("url")) for source in meta.tables("sources")
        }

    def _public(self, url: str) -> str | None:
        """The address of a source, None where it holds variables."""
        plain = plain_url(url)
        return None if _VARIABLE.search(plain) else plain

    def draft(self) -> ImportedLock:
        """The whole."""
        groups: list[str] = []
        packages: dict[str, ImportedPackage] = {}
        statements: dict[str, tuple[tuple[Choice, str | None], ...]] = {}
        nodes: dict[str, GraphNode] = {}
        for section in self._top.data:
            table = self._top.table(section) if section != "_meta" else None
            if table is None or not table.data:
                continue
            group = None if section == "default" else _group_name(section)
            if group is not None:
                groups.append(group)
            for name in table.data:
                entry = table.table(name)
                if entry is None:
                    raise table.invalid(name, "is not a table")
                key = f"{section}:{name}"
                package = self._package(canonicalize_name(name), entry)
                packages[key] = package
                choice: Choice = ("project", "") if group is None else ("group", group)
                statements[key] = ((choice, entry.marker("markers")),)
                nodes[key] = GraphNode(key=key, name=package.name, identity=package.identity)
        self._join(packages, statements, nodes)
        for key, package in packages.items():
            packages[key], losses = with_certain_hashes(package)
            self._losses += losses
        if not packages:
            raise LocksetError("nothing-pinned", "The Pipfile.lock holds no packages", location=self._top.location)
        found = draft_of_statements(
            shown=Format.PIPFILE.shown,
            location=self._top.location,
            graph=ForeignGraph(nodes=nodes, roots=()),
            packages=packages,
            statements=statements,
            offers=SelectableNames(groups=tuple(sorted(groups))),
            requires_python=self._requires_python(),
            losses=self._losses,
        )
        return replace(found, packages=tuple(replace(p, dependencies=None) for p in found.packages))

    def _join(
        self,
        packages: dict[str, ImportedPackage],
        statements: dict[str, tuple[tuple[Choice, str | None], ...]],
        nodes: dict[str, GraphNode],
    ) -> None:
        """Joins equal pins; refuses two pins of one name in sections that may be installed together."""
        seen: dict[str, str] = {}
        for key, package in packages.items():
            other = seen.setdefault(package.name, key)
            if nodes[other].identity == nodes[key].identity:
                packages[other] = _joined(packages[other], package)
                continue
            both = region_of_text(statements[other][0][1]) & region_of_text(statements[key][0][1])
            if not both.is_empty:
                first, second = (f"{packages[k].version or 'a source'} in {k.split(':')[0]}" for k in (other, key))
                raise refuse_overlap(package.name, first, second, both, location=self._top.location)

    def _requires_python(self) -> SpecifierSet | None:
        requires = self._meta.table("requires")
        chosen = self._options.requires_python
        found = None
        if requires is not None:
            full, short = requires.text("python_full_version"), requires.text("python_version")
            try:
                if full:
                    found = read_specifiers(f"=={full}")
                elif short and short != "*":
                    found = read_specifiers(f"=={short}.*")
            except InvalidSpecifier:
                raise requires.invalid("python_version", "is no version of Python") from None
        if chosen is None or found is None:
            return found or chosen
        return found & chosen

    def _package(self, name: str, entry: Fields) -> ImportedPackage:
        plain = ImportedPackage(
            name=name, version=None, region=MarkerSet.any(), origin=f"{self._top.location}: {entry.path}"
        )
        source = self._source(entry)
        if source is not None:
            hashes = self._digests(entry) if isinstance(source, PackageArchive) else ()
            return replace(plain, source=source, alternatives=(hashes,) if hashes else ())
        version, admits = self._pin(name, entry)
        digests = self._digests(entry)
        if not digests and not self._options.files.unhashed:
            raise LocksetError(
                "no-files",
                f"`{name} {version}` has no hashes: pipenv writes none where the index gives none",
                location=f"{self._top.location}: {entry.path}",
                hint="Take every file of such a release on trust with `--files all`",
            )
        # What names no source comes from the first one.
        first = next(iter(self._indexes.values()), None)
        index = self._indexes.get(entry.text("index") or "", first)
        return replace(plain, version=version, loose=digests, every_file=not digests, index=index, admits=admits)

    def _pin(self, name: str, entry: Fields) -> tuple[Version, SpecifierSet]:
        """The version, and all that the pin admits.

        Raises:
            LocksetError: `not-pinned`.
        """
        text = entry.text("version") or ""
        matched = re.fullmatch(r"(={2,3})\s*(\S+)", text)
        try:
            if matched:
                return read_version(matched[2]), read_specifiers(f"{matched[1]}{matched[2]}")
        except InvalidVersion:
            pass
        raise LocksetError(
            "not-pinned",
            f"`{name}` is not pinned to one version (`{text or 'no version'}`); a conversion never resolves",
            location=f"{self._top.location}: {entry.path}",
            hint=f"Name a version of {name} in the Pipfile, then run `pipenv lock`",
        )

    def _source(self, entry: Fields) -> PackageVcs | PackageDirectory | PackageArchive | None:
        kind = next((kind for kind in ("git", "hg", "svn", "bzr") if kind in entry.data), None)
        if kind is not None:
            revision = entry.text("ref") or ""
            commit = revision if is_commit(kind, revision) else UNKNOWN_COMMIT
            if kind != "git" and not commit:
                raise entry.invalid("ref", f"is not a revision that a lock file can hold: `{revision}`")
            url = repository_url(entry.needed(kind).removeprefix(f"{kind}+"))
            return PackageVcs(
                type=kind,
                url=url,
                requested_revision=revision if revision and not commit else None,
                commit_id=commit,
                subdirectory=entry.text("subdirectory"),
            )
        location = entry.text("path") or entry.text("file")
        if location is None:
            return None
        if "://" in location:
            return PackageArchive(url=plain_url(location).partition("#")[0], hashes={})
        if is_archive_name(location):
            return PackageArchive(path=self._options.moved(location), hashes={})
        return PackageDirectory(path=self._options.moved(location), editable=entry.flag("editable") or None)

    def _digests(self, entry: Fields) -> tuple[Digest, ...]:
        found: dict[Digest, None] = {}
        for text in entry.texts("hashes"):
            [(algorithm, value)] = entry.parsed_hash(text, "hashes").items()
            found[Digest(algorithm=algorithm, value=value)] = None
        return tuple(found)


def _joined(one: ImportedPackage, other: ImportedPackage) -> ImportedPackage:
    """One entry of two spellings or two sections: with all hashes of a release, and one of each list of an archive."""
    loose = tuple(dict.fromkeys((*one.loose, *other.loose)))
    alternatives = tuple(dict.fromkeys((*one.alternatives, *other.alternatives)))
    return replace(one, loose=loose, every_file=one.every_file and other.every_file, alternatives=alternatives)


def _group_name(section: str) -> str:
    return "dev" if section == "develop" else canonicalize_name(section)
