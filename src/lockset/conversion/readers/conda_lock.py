"""The part of a conda-lock file that pip installs, to a Draft: one file for each platform."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from lockset.conversion.model.direct_source import read_vcs
from lockset.conversion.model.formats import Format
from lockset.conversion.model.graph import ForeignGraph, GraphEdge, GraphNode
from lockset.conversion.model.imported_lock import ImportedFile, ImportedLock, ImportedPackage, Loss
from lockset.conversion.model.reference_selector import EntrySelector, StatedEntry
from lockset.conversion.model.selectable import SelectableNames
from lockset.conversion.readers.from_graph import draft_of_statements, hash_texts
from lockset.conversion.readers.yaml_text import parse_yaml
from lockset.dependency_specifiers import read_specifiers
from lockset.errors import LocksetError
from lockset.lockfile.model import PackageArchive, last_component
from lockset.markers import MarkerSet
from lockset.url_secrets import plain_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lockset.conversion.model.checked_table import Fields
    from lockset.conversion.model.options import ReaderOptions
    from lockset.conversion.model.selectable import Choice

__all__ = ["read_conda_lock"]

_PLATFORMS = {
    "linux-64": "sys_platform == 'linux' and platform_machine == 'x86_64'",
    "linux-aarch64": "sys_platform == 'linux' and platform_machine == 'aarch64'",
    "linux-ppc64le": "sys_platform == 'linux' and platform_machine == 'ppc64le'",
    "linux-s390x": "sys_platform == 'linux' and platform_machine == 's390x'",
    "linux-32": "sys_platform == 'linux' and platform_machine == 'i686'",
    "osx-64": "sys_platform == 'darwin' and platform_machine == 'x86_64'",
    "osx-arm64": "sys_platform == 'darwin' and platform_machine == 'arm64'",
    "win-64": "sys_platform == 'win32' and platform_machine == 'AMD64'",
    "win-arm64": "sys_platform == 'win32' and platform_machine == 'ARM64'",
    "win-32": "sys_platform == 'win32' and platform_machine == 'x86'",
}
# What conda calls a package and an index does not have: needing these says nothing.
_RUNTIME = frozenset({"python", "pip"})
_SHOWN = 6


def read_conda_lock(text: str, *, location: str, options: ReaderOptions) -> ImportedLock:
    """The Draft of what pip installs.

    Raises:
        LocksetError: what is wrong with it, `nothing-pinned`, `needs-conda`, `format-newer`.
    """
    top = parse_yaml(text, location=location, what="conda-lock file")
    version = top.data.get("version", 1)
    if version != 1:
        raise LocksetError(
            "format-newer",
            f"The conda-lock file has version {version}, and only version 1 is known",
            location=location,
            hint="Use a newer lockset",
        )
    return _CondaLockReader(top, options).draft()


class _CondaLockReader:
    """One conda-lock file."""

    def __init__(self, top: Fields, options: ReaderOptions) -> None:
        self._top = top
        self._options = options
        entries = list(top.tables("package"))
        self._pip = [e for e in entries if e.needed("manager") == "pip"]
        self._conda = [e for e in entries if e.needed("manager") != "pip"]
        self._losses: list[Loss] = []

    def draft(self) -> ImportedLock:
        """The whole."""
        if not self._pip:
            raise LocksetError(
                "nothing-pinned",
                f"The conda-lock file holds {len(self._conda)} packages of conda and none that pip installs",
                location=self._top.location,
                hint="Packages of conda have no place in a lock file for Python packages",
            )
        self._refuse_needs()
        names = sorted({e.needed("name") for e in self._conda})
        if names:
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            message = f"{len(names)} packages of conda are left out: {', '.join(names[:_SHOWN])}{more}"
            self._losses.append(Loss(kind="conda-packages", message=message))
        groups = {g for e in self._pip for g in self._categories(e)} - {"main"}
        offers = SelectableNames(groups=tuple(sorted(groups)))
        packages, statements, nodes = self._entries()
        found = draft_of_statements(
            shown=Format.CONDA.shown,
            location=self._top.location,
            graph=ForeignGraph(nodes=nodes, roots=()),
            packages=packages,
            statements=statements,
            offers=offers,
            requires_python=self._requires_python(),
            environments=tuple(self._marker(p) for p in self._platforms()),
            losses=self._losses,
        )
        return replace(found, judge=self._judge(offers), evidence=self._evidence())

    def _evidence(self) -> dict[str, frozenset[str]]:
        found: dict[str, frozenset[str]] = {}
        for entry in self._pip:
            package = self._package(entry)
            name = package.identity
            found[name] = found.get(name, frozenset()) | hash_texts(package)
        return found

    def _platforms(self) -> list[str]:
        metadata = self._top.table("metadata")
        return list(metadata.texts("platforms")) if metadata is not None else []

    def _marker(self, platform: str) -> str:
        found = _PLATFORMS.get(platform)
        if found is None:
            raise LocksetError(
                "platform-unknown", f"The platform `{platform}` of conda is not known", location=self._top.location
            )
        return found

    def _categories(self, entry: Fields) -> tuple[str, ...]:
        return tuple(canonicalize_name(c) for c in entry.texts("categories")) or (
            canonicalize_name(entry.text("category") or "main"),
        )

    def _requires_python(self) -> SpecifierSet | None:
        """The Python that conda installs, where it is the same everywhere."""
        found = {e.needed("version") for e in self._conda if e.needed("name") == "python"}
        minors = {".".join(version.split(".")[:2]) for version in found}
        chosen = self._options.requires_python
        if len(minors) != 1:
            return chosen
        try:
            own = read_specifiers(f"=={minors.pop()}.*")
        except InvalidSpecifier:
            return chosen
        return own if chosen is None else own & chosen

    def _refuse_needs(self) -> None:
        conda = {canonicalize_name(e.needed("name")) for e in self._conda} - _RUNTIME
        pip = {e.name() for e in self._pip}
        needed: dict[str, str] = {}
        for entry in self._pip:
            table = entry.table("dependencies")
            for name in table.data if table is not None else ():
                if canonicalize_name(name) in conda - pip:
                    needed.setdefault(canonicalize_name(name), entry.name())
        if not needed:
            return
        shown = ", ".join(f"{asker} needs {name}" for name, asker in sorted(needed.items())[:_SHOWN])
        if not self._options.allow_conda:
            raise LocksetError(
                "needs-conda",
                f"What pip installs needs {len(needed)} packages that conda installs",
                location=self._top.location,
                context=(shown,),
                hint="Convert all the same with `--allow-conda`: those packages have to come from elsewhere",
            )
        self._losses.append(Loss(kind="conda-needed", message=f"Packages of conda are needed: {shown}"))

    def _entries(
        self,
    ) -> tuple[dict[str, ImportedPackage], dict[str, tuple[tuple[Choice, str | None], ...]], dict[str, GraphNode]]:
        """One entry for each file, so that every platform gets the one locked for it and no other."""
        packages: dict[str, ImportedPackage] = {}
        statements: dict[str, tuple[tuple[Choice, str | None], ...]] = {}
        nodes: dict[str, GraphNode] = {}
        by_name: dict[str, list[str]] = {}
        for entry in self._pip:
            package = self._package(entry)
            key = f"{package.name}:{package.version}:{self._file_of(package)}"
            packages.setdefault(key, package)
            by_name.setdefault(package.name, []).append(key)
            statements[key] = (*statements.get(key, ()), *self._when(entry))
        for entry in self._pip:
            package = self._package(entry)
            key = f"{package.name}:{package.version}:{self._file_of(package)}"
            table = entry.table("dependencies")
            edges = tuple(
                GraphEdge(targets=(target,))
                for name in (table.data if table is not None else ())
                for target in dict.fromkeys(by_name.get(canonicalize_name(name), ()))
            )
            before = nodes[key].edges if key in nodes else ()
            nodes[key] = GraphNode(
                key=key, name=package.name, identity=key, edges=tuple(dict.fromkeys((*before, *edges)))
            )
        return packages, statements, nodes

    def _when(self, entry: Fields) -> Iterable[tuple[Choice, str | None]]:
        marker = self._marker(entry.needed("platform"))
        for category in self._categories(entry):
            yield (("project", "") if category == "main" else ("group", category)), marker

    def _judge(self, offers: SelectableNames) -> EntrySelector:
        """By version: which file it is, the comparison of hashes tells."""
        return EntrySelector(
            entries=tuple(
                StatedEntry(identity=self._package(entry).identity, when=tuple(self._when(entry)))
                for entry in self._pip
            ),
            offers=offers,
        )

    def _file_of(self, package: ImportedPackage) -> str:
        source = package.source
        if source is not None:
            return source.url or ""  # type: ignore[union-attr]
        return package.files[0].url or ""

    def _package(self, entry: Fields) -> ImportedPackage:
        name, version = entry.name(), entry.version()
        url = plain_url(entry.needed("url"))
        plain = ImportedPackage(name=name, version=version, region=MarkerSet.any(), origin=self._top.location)
        if re.match(r"(?:git|hg|svn|bzr)\+", url):
            address, _, fragment = url.partition("#")
            subdirectory = dict(part.partition("=")[::2] for part in fragment.split("&")).get("subdirectory")
            source = read_vcs(address, subdirectory or None, origin=entry.location)
            return replace(plain, version=None, source=source)
        hashes = self._hashes(entry)
        file = last_component(path=None, url=url) or ""
        if file.endswith((".whl", ".tar.gz", ".zip")):
            address = url.partition("#")[0]
            return replace(plain, files=(ImportedFile(name=file, url=address, hashes=hashes),))
        return replace(plain, source=PackageArchive(url=url.partition("#")[0], hashes=hashes))

    def _hashes(self, entry: Fields) -> Mapping[str, str]:
        table = entry.table("hash")
        found: dict[str, str] = {}
        for algorithm in ("md5", "sha256"):
            value = table.text(algorithm) if table is not None else None
            if value and table is not None:
                found |= table.parsed_hash(f"{algorithm}:{value}", algorithm)
        return {k: v for k, v in found.items() if k != "md5"} or found
