"""Reader of conda-lock files: the packages that pip installs, with one file for each platform."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from lockset._dataclass import replace
from lockset.conversion.model.direct_source import read_vcs
from lockset.conversion.model.foreign_graph import GraphEdge, GraphNode
from lockset.conversion.model.formats import Format
from lockset.conversion.model.imported_lock import ImportedFile, ImportedLock, ImportedPackage, Loss
from lockset.conversion.model.reference_selector import EntrySelector, StatedEntry
from lockset.conversion.model.selection import SelectableNames
from lockset.conversion.readers.from_graph import LockHeader, hash_texts, imported_from_statements
from lockset.conversion.readers.yaml_text import parse_yaml
from lockset.dependency_specifiers import read_specifiers
from lockset.errors import LocksetError
from lockset.lockfile.file_name import last_component
from lockset.lockfile.model import PackageArchive
from lockset.markers import MarkerSet
from lockset.package_names import canonicalize_name
from lockset.url_secrets import plain_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lockset.conversion.model.checked_table import Fields
    from lockset.conversion.model.options import ReaderOptions
    from lockset.conversion.model.selection import Choice

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
# Conda packages that are not on an index. A dependency on them is ignored.
_RUNTIME = frozenset({"python", "pip"})
_SHOWN = 6


def read_conda_lock(text: str, *, location: str, options: ReaderOptions) -> ImportedLock:
    """Read the packages that pip installs.

    Raises:
        LocksetError: what is wrong with it, `nothing-pinned`, `needs-conda`, `format-newer`.
    """
    top = parse_yaml(text, location=location, what="conda-lock file")
    version = top.data.get("version", 1)
    if version != 1:
        raise LocksetError(
            "format-newer",
            f"The conda-lock file has version {version}, but only version 1 is supported",
            location=location,
            hint="Use a newer lockset",
        )
    return _CondaLockReader(top, options).read()


class _CondaLockReader:
    """One conda-lock file."""

    def __init__(self, top: Fields, options: ReaderOptions) -> None:
        self._top = top
        self._options = options
        entries = list(top.tables("package"))
        self._pip = [e for e in entries if e.required_text("manager") == "pip"]
        self._conda = [e for e in entries if e.required_text("manager") != "pip"]
        self._losses: list[Loss] = []

    def read(self) -> ImportedLock:
        """Read the whole file."""
        if not self._pip:
            raise LocksetError(
                "nothing-pinned",
                f"The conda-lock file contains {len(self._conda)} conda packages, and none that pip installs",
                location=self._top.location,
                hint="A lock file for Python packages cannot contain conda packages",
            )
        self._refuse_needs()
        names = sorted({e.required_text("name") for e in self._conda})
        if names:
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            message = f"{len(names)} conda packages are left out: {', '.join(names[:_SHOWN])}{more}"
            self._losses.append(Loss(kind="conda-packages", message=message))
        groups = {g for e in self._pip for g in self._categories(e)} - {"main"}
        selectable = SelectableNames(groups=tuple(sorted(groups)))
        packages, statements, nodes = self._entries()
        bounds = (self._requires_python(), tuple(self._marker(p) for p in self._platforms()))
        header = LockHeader.of(Format.CONDA, self._top, selectable, bounds, self._losses)
        lock = imported_from_statements(header, nodes, packages, statements)
        return replace(lock, selector=self._selector(selectable), evidence=self._evidence())

    def _evidence(self) -> dict[str, frozenset[str]]:
        evidence: dict[str, frozenset[str]] = {}
        for entry in self._pip:
            package = self._package(entry)
            name = package.identity
            evidence[name] = evidence.get(name, frozenset()) | hash_texts(package)
        return evidence

    def _platforms(self) -> list[str]:
        metadata = self._top.table("metadata")
        return list(metadata.texts("platforms")) if metadata is not None else []

    def _marker(self, platform: str) -> str:
        marker = _PLATFORMS.get(platform)
        if marker is None:
            raise LocksetError(
                "unknown-platform", f"The conda platform `{platform}` is not supported", location=self._top.location
            )
        return marker

    def _categories(self, entry: Fields) -> tuple[str, ...]:
        return tuple(canonicalize_name(c) for c in entry.texts("categories")) or (
            canonicalize_name(entry.text("category") or "main"),
        )

    def _requires_python(self) -> SpecifierSet | None:
        """The minor version of Python that conda installs, if it is the same on all platforms."""
        versions = {e.required_text("version") for e in self._conda if e.required_text("name") == "python"}
        minors = {".".join(version.split(".")[:2]) for version in versions}
        chosen = self._options.requires_python
        if len(minors) != 1:
            return chosen
        try:
            own = read_specifiers(f"=={minors.pop()}.*")
        except InvalidSpecifier:
            return chosen
        return own if chosen is None else own & chosen

    def _refuse_needs(self) -> None:
        conda = {canonicalize_name(e.required_text("name")) for e in self._conda} - _RUNTIME
        pip = {e.name() for e in self._pip}
        needed: dict[str, str] = {}
        for entry in self._pip:
            table = entry.table("dependencies")
            for name in table.data if table is not None else ():
                if canonicalize_name(name) in conda - pip:
                    needed.setdefault(canonicalize_name(name), entry.name())
        if not needed:
            return
        shown = ", ".join(f"{dependent} requires {name}" for name, dependent in sorted(needed.items())[:_SHOWN])
        if not self._options.allow_conda:
            raise LocksetError(
                "needs-conda",
                f"The packages that pip installs require {len(needed)} conda packages",
                location=self._top.location,
                context=(shown,),
                hint="Convert anyway with `--allow-conda`, and install those packages by other means",
            )
        self._losses.append(Loss(kind="conda-needed", message=f"Conda packages are required: {shown}"))

    def _entries(
        self,
    ) -> tuple[dict[str, ImportedPackage], dict[str, tuple[tuple[Choice, str | None], ...]], dict[str, GraphNode]]:
        """One entry for each file, so that every platform gets exactly the file that is locked for it."""
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
        marker = self._marker(entry.required_text("platform"))
        for category in self._categories(entry):
            yield (("project", "") if category == "main" else ("group", category)), marker

    def _selector(self, selectable: SelectableNames) -> EntrySelector:
        """Select by version. Which file it is follows from the comparison of hashes."""
        return EntrySelector(
            entries=tuple(
                StatedEntry(identity=self._package(entry).identity, when=tuple(self._when(entry)))
                for entry in self._pip
            ),
            selectable=selectable,
        )

    def _file_of(self, package: ImportedPackage) -> str:
        source = package.source
        if source is not None:
            return source.url or ""  # type: ignore[union-attr]
        return package.files[0].url or ""

    def _package(self, entry: Fields) -> ImportedPackage:
        name, version = entry.name(), entry.version()
        url = plain_url(entry.required_text("url"))
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
        hashes: dict[str, str] = {}
        for algorithm in ("md5", "sha256"):
            value = table.text(algorithm) if table is not None else None
            if value and table is not None:
                hashes |= table.parsed_hash(f"{algorithm}:{value}", algorithm)
        return {k: v for k, v in hashes.items() if k != "md5"} or hashes
