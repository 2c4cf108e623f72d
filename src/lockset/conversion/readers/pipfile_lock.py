"""Reader of Pipfile.lock."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from lockset._dataclass import replace
from lockset._pattern import lazy_pattern
from lockset.conversion.model.checked_table import Fields, parse_json_fields, repository_url
from lockset.conversion.model.direct_source import UNKNOWN_COMMIT, is_archive_name, is_commit
from lockset.conversion.model.foreign_graph import GraphNode
from lockset.conversion.model.formats import Format
from lockset.conversion.model.imported_lock import ImportedLock, ImportedPackage, Loss, refuse_overlap, region_of_text
from lockset.conversion.model.selection import SelectableNames
from lockset.conversion.readers.from_graph import LockHeader, imported_from_statements
from lockset.conversion.readers.pins import with_certain_hashes
from lockset.dependency_specifiers import read_specifiers, read_version
from lockset.errors import LocksetError
from lockset.hashes import Digest
from lockset.lockfile.model import PackageArchive, PackageDirectory, PackageVcs
from lockset.markers import MarkerSet
from lockset.package_names import canonicalize_name
from lockset.url_secrets import plain_url

if TYPE_CHECKING:
    from lockset.conversion.model.options import ReaderOptions
    from lockset.conversion.model.selection import Choice

__all__ = ["read_pipfile_lock"]

_KNOWN_SPEC = 6
_VARIABLE = lazy_pattern(r"\$\{?[A-Za-z_]\w*\}?")


def read_pipfile_lock(text: str, *, location: str, options: ReaderOptions) -> ImportedLock:
    """Read a Pipfile.lock.

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
            f"Pipfile.lock has format {spec}, but {_KNOWN_SPEC} is the newest supported",
            location=location,
            hint="Use a newer lockset",
        )
    return _PipfileLockReader(top, meta, options).read()


class _PipfileLockReader:
    """Reader of one Pipfile.lock. The keys of entries are section and name."""

    def __init__(self, top: Fields, meta: Fields, options: ReaderOptions) -> None:
        self._top = top
        self._meta = meta
        self._options = options
        self._losses: list[Loss] = []
        self._indexes = {
            source.text("name") or "": self._public(source.required_text("url")) for source in meta.tables("sources")
        }

    def _public(self, url: str) -> str | None:
        """The URL of a source; None if it contains variables."""
        plain = plain_url(url)
        return None if _VARIABLE.search(plain) else plain

    def read(self) -> ImportedLock:
        """Read the whole file."""
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
            raise LocksetError("nothing-pinned", "The Pipfile.lock contains no packages", location=self._top.location)
        selectable = SelectableNames(groups=tuple(sorted(groups)))
        header = LockHeader.of(Format.PIPFILE, self._top, selectable, (self._requires_python(), ()), self._losses)
        lock = imported_from_statements(header, nodes, packages, statements)
        return replace(lock, packages=tuple(replace(p, dependencies=None) for p in lock.packages))

    def _join(
        self,
        packages: dict[str, ImportedPackage],
        statements: dict[str, tuple[tuple[Choice, str | None], ...]],
        nodes: dict[str, GraphNode],
    ) -> None:
        """Join equal pins, and refuse two different pins of one name that may be installed together."""
        seen: dict[str, str] = {}
        for key, package in packages.items():
            other = seen.setdefault(package.name, key)
            if nodes[other].identity == nodes[key].identity:
                packages[other] = _join_entries(packages[other], package)
                continue
            both = region_of_text(statements[other][0][1]) & region_of_text(statements[key][0][1])
            if not both.is_empty:
                first, second = (f"{packages[k].version or 'a source'} in {k.split(':')[0]}" for k in (other, key))
                raise refuse_overlap(package.name, first, second, both, location=self._top.location)

    def _requires_python(self) -> SpecifierSet | None:
        requires = self._meta.table("requires")
        chosen = self._options.requires_python
        specifiers = None
        if requires is not None:
            full, short = requires.text("python_full_version"), requires.text("python_version")
            try:
                if full:
                    specifiers = read_specifiers(f"=={full}")
                elif short and short != "*":
                    specifiers = read_specifiers(f"=={short}.*")
            except InvalidSpecifier:
                raise requires.invalid("python_version", "is not a valid Python version") from None
        if chosen is None or specifiers is None:
            return specifiers or chosen
        return specifiers & chosen

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
                f"`{name} {version}` has no hashes: Pipenv writes none if the index has none",
                location=f"{self._top.location}: {entry.path}",
                hint="Trust every file of such releases with `--files all`",
            )
        # An entry that names no source comes from the first one.
        first = next(iter(self._indexes.values()), None)
        index = self._indexes.get(entry.text("index") or "", first)
        return replace(plain, version=version, bare_hashes=digests, every_file=not digests, index=index, admits=admits)

    def _pin(self, name: str, entry: Fields) -> tuple[Version, SpecifierSet]:
        """The version, and the versions that the pin admits.

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
            f"`{name}` is not pinned to one version (`{text or 'no version'}`)",
            location=f"{self._top.location}: {entry.path}",
            hint=f"Give {name} a version in the Pipfile, and run `pipenv lock`",
        )

    def _source(self, entry: Fields) -> PackageVcs | PackageDirectory | PackageArchive | None:
        kind = next((kind for kind in ("git", "hg", "svn", "bzr") if kind in entry.data), None)
        if kind is not None:
            revision = entry.text("ref") or ""
            commit = revision if is_commit(kind, revision) else UNKNOWN_COMMIT
            if kind != "git" and not commit:
                raise entry.invalid("ref", f"is not a fixed revision, which a lock file needs: `{revision}`")
            url = repository_url(entry.required_text(kind).removeprefix(f"{kind}+"))
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
            return PackageArchive(path=self._options.relative_path(location), hashes={})
        return PackageDirectory(path=self._options.relative_path(location), editable=entry.flag("editable") or None)

    def _digests(self, entry: Fields) -> tuple[Digest, ...]:
        digests: dict[Digest, None] = {}
        for text in entry.texts("hashes"):
            [(algorithm, value)] = entry.parsed_hash(text, "hashes").items()
            digests[Digest(algorithm=algorithm, value=value)] = None
        return tuple(digests)


def _join_entries(one: ImportedPackage, other: ImportedPackage) -> ImportedPackage:
    """Join two entries of one package, from two sections or two spellings, with the hashes of both."""
    bare_hashes = tuple(dict.fromkeys((*one.bare_hashes, *other.bare_hashes)))
    alternatives = tuple(dict.fromkeys((*one.alternatives, *other.alternatives)))
    return replace(
        one, bare_hashes=bare_hashes, every_file=one.every_file and other.every_file, alternatives=alternatives
    )


def _group_name(section: str) -> str:
    return "dev" if section == "develop" else canonicalize_name(section)
