"""Complete an imported lock from an index: URLs, sizes and upload times of files. Versions and hashes stay.

`==2.6.0` admits 2.6.0+cpu, and installers take the newest with a usable file (PEP 440, version matching: "If the
specified version identifier is a public version identifier (no local version label), then the local version label of
any candidate versions MUST be ignored when matching versions.").
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from lockset._dataclass import dataclass, field, replace
from lockset.conversion.model.direct_source import path_from
from lockset.conversion.model.imported_lock import ImportedFile, ImportedPackage, Loss
from lockset.conversion.readers.pins import (
    algorithms_of,
    with_hashes_read,
)
from lockset.errors import IndexUnreachableError, LocksetError, OfflineError
from lockset.hashes import STRONG_ALGORITHMS
from lockset.index.ports import EMPTY_PAGE, ProjectNotFound
from lockset.lockfile.model import PackageArchive, PackageVcs
from lockset.markers import MarkerSet, possible
from lockset.markers.tags import wheel_region
from lockset.resolve.problem.direct_source import file_url_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from packaging.version import Version

    from lockset.conversion.model.imported_lock import ImportedLock
    from lockset.conversion.model.ports import Remote
    from lockset.index.pages.project_page import DistributionFile, ProjectDetail
    from lockset.index.ports import Index
    from lockset.progress import ProgressListener

__all__ = ["complete"]

_T = TypeVar("_T")

# How many hashes a message shows.
_SHOWN = 3


class _NotOnPageError(LocksetError):
    """The page of the project lacks the release or the files of an entry."""


def complete(
    imported: ImportedLock, index: Index, remote: Remote, *, folder: Path, listener: ProgressListener
) -> ImportedLock:
    """The imported lock with a URL or path, and a hash, for every file.

    Raises:
        LocksetError: `no-hash-matches`, `release-missing`, `offline`, `file-changed` and those of the ports.
    """
    gaps = [package for package in imported.packages if not package.is_complete]
    if gaps:
        listener.phase("Completing", total=len(gaps))
        index.hint(dict.fromkeys(package.name for package in gaps))
    filler = _GapFiller(index=index, remote=remote, folder=folder, location=imported.location, format=imported.format)
    packages: list[tuple[ImportedPackage, list[ImportedPackage]]] = []
    for package in imported.packages:
        if package.is_complete and not _has_source_gap(package):
            packages.append((package, [package]))
            continue
        packages.append((package, filler.packages(package)))
        listener.step(package.shown)
    return replace(
        imported,
        packages=tuple(entry for _, entries in packages for entry in entries),
        losses=(*imported.losses, *filler.losses),
        stand_ins=_stand_ins(imported, packages),
    )


def _stand_ins(
    imported: ImportedLock, packages: Iterable[tuple[ImportedPackage, list[ImportedPackage]]]
) -> dict[str, frozenset[str]]:
    """The entries that replace those of the input, if a pin admits local versions."""
    outcome: dict[str, frozenset[str]] = {}
    for before, after in packages:
        outcome[before.identity] = outcome.get(before.identity, frozenset()).union(entry.identity for entry in after)
    keys = {*outcome, *imported.stand_ins}
    stand_ins = {key: imported.stand_ins.get(key, frozenset({key})) for key in keys}
    replacements = {
        key: frozenset().union(*(outcome.get(one, {one}) for one in ones)) for key, ones in stand_ins.items()
    }
    return {key: ones for key, ones in replacements.items() if ones != {key}}


def _has_source_gap(package: ImportedPackage) -> bool:
    source = package.source
    return (isinstance(source, PackageArchive) and not source.hashes) or (
        isinstance(source, PackageVcs) and not source.commit_id
    )


@dataclass(slots=True, kw_only=True)
class _GapFiller:
    """Completes entries, and collects the losses."""

    index: Index
    remote: Remote
    folder: Path
    location: str
    format: str
    losses: list[Loss] = field(default_factory=list)

    def packages(self, package: ImportedPackage) -> list[ImportedPackage]:
        """The completed entry; several if local versions apply in parts of the environments.

        What a page of the cache lacks is only missing if the index confirms it.
        """
        try:
            return self._completed(package)
        except _NotOnPageError:
            with suppress(IndexUnreachableError):
                if self.index.renew([package.name]):
                    return self._completed(package)
            raise

    def _completed(self, package: ImportedPackage) -> list[ImportedPackage]:
        if package.source is not None:
            return [self._source(package)]
        _refuse_half_hashed(package, self.location)
        package = replace(package, files=tuple(map(self._with_hash, package.files)))
        if package.is_complete:
            return [package]
        detail, files = self._release(package)
        admitted = self._usable_files(package, self._match_files(package, files))
        if not admitted:
            raise _NotOnPageError(
                "no-usable-file",
                f"{package.shown}: none of its files may be used: {_excluded(package)}",
                location=package.origin or self.location,
            )
        parts = _split_by_release(package, [file for file, _ in admitted])
        self.losses += _losses_of_split(package, parts, dict.fromkeys(f.version for f, _ in admitted), admitted)
        return [
            self._with_files(
                part, detail, [(file, hashes) for file, hashes in admitted if file.version == part.version]
            )
            for part in parts
        ]

    def _with_files(
        self, package: ImportedPackage, detail: ProjectDetail, files: list[tuple[DistributionFile, dict[str, str]]]
    ) -> ImportedPackage:
        kept = self._one_sdist(package, files)
        pythons = {file.requires_python for file, _ in kept}
        yanked: list[DistributionFile] = []
        imported = [self._imported_file(file, hashes or self._index_hashes(file), yanked) for file, hashes in kept]
        if yanked:
            self.losses += _yanked_losses(package, yanked, of=len(kept))
        return replace(
            package,
            files=tuple(imported),
            bare_hashes=(),
            every_file=False,
            index=None if (index := _index_of(detail, files)).startswith("file:") else index,
            requires_python=pythons.pop() if len(pythons) == 1 else None,
        )

    def _with_hash(self, file: ImportedFile) -> ImportedFile:
        """The file with the hash of its content, if it has a location but no hash."""
        path_or_url = file.url or (str(self.folder / file.path) if file.path else None)
        if file.hashes or path_or_url is None:
            return file
        sha256, size = self._online(
            lambda: self.remote.fingerprint(path_or_url), f"{self.location} has no hash of {path_or_url}"
        )
        message = f"{file.name}: the hash of its current content is trusted"
        self.losses.append(Loss(kind="trusted-on-first-use", message=message, note=True))
        return replace(file, hashes={"sha256": sha256}, size=size)

    def _source(self, package: ImportedPackage) -> ImportedPackage:
        source = package.source
        if isinstance(source, PackageVcs) and not source.commit_id:
            commit = self._online(
                lambda: self.remote.commit(source.url or "", source.requested_revision),
                f"{package.shown}: {self.location} has no commit of {source.url}",
            )
            return replace(package, source=replace(source, commit_id=commit))
        if isinstance(source, PackageArchive) and package.alternatives:
            return self._choose_hashes(package, source)
        if isinstance(source, PackageArchive) and not source.hashes:
            path_or_url = source.url or str(self.folder / (source.path or ""))
            sha256, size = self._online(
                lambda: self.remote.fingerprint(path_or_url),
                f"{package.shown}: {self.location} has no hash of {path_or_url}",
            )
            message = f"{package.shown}: the hash of the current content of {path_or_url} is trusted"
            self.losses.append(Loss(kind="trusted-on-first-use", message=message, note=True))
            return replace(package, source=replace(source, hashes={"sha256": sha256}, size=size))
        return package

    def _choose_hashes(self, package: ImportedPackage, source: PackageArchive) -> ImportedPackage:
        path_or_url = source.url or str(self.folder / (source.path or ""))
        digests = self._online(
            lambda: self.remote.digests_at(path_or_url, algorithms_of(package)),
            f"{package.shown}: {self.location} has several hashes of {path_or_url}, which must be read to choose one",
        )
        chosen, losses = with_hashes_read(package, digests, location=self.location)
        self.losses += losses
        return chosen

    def _online(self, request: Callable[[], _T], message: str) -> _T:
        try:
            return request()
        except OfflineError as error:
            raise OfflineError(message, location=self.location, hint="Run without `--offline`") from error

    def _release(self, package: ImportedPackage) -> tuple[ProjectDetail, Sequence[DistributionFile]]:
        """The page of the project, and its files of the releases that the pin admits."""
        detail = self._online(
            lambda: self._project(package), f"{self.location} does not state the URLs of the files of {package.shown}"
        )
        assert package.version is not None, package
        if not detail.versions:
            raise _NotOnPageError(
                "index-page-empty",
                f"{package.shown}: the page of {package.name} at {detail.index_url} has no links to wheels or sdists"
                " with valid names",
                location=package.origin or self.location,
                hint=EMPTY_PAGE,
            )
        versions = _admitted_versions(package, detail.versions)
        if not versions:
            raise _NotOnPageError(
                "release-missing",
                f"{package.shown}: {detail.index_url} has no file of this version (deleted, or the wrong index?)",
                location=package.origin or self.location,
                hint="Name the index that has it with `--index` or `--default-index`. Of several indexes that have the "
                "project, only the first is used; `--index-strategy unsafe-first-match` also tries the next ones",
            )
        return detail, [file for one in versions for file in detail.files(one)]

    def _project(self, package: ImportedPackage) -> ProjectDetail:
        try:
            return self.index.project(package.name)
        except ProjectNotFound as error:
            diagnostic = error.diagnostic
            raise error.replaced(
                location=package.origin or self.location,
                context=diagnostic.context,
                hint="Name the index that has it with `--index` or `--default-index`",
            ) from error

    def _match_files(
        self, package: ImportedPackage, files: Sequence[DistributionFile]
    ) -> list[tuple[DistributionFile, dict[str, str]]]:
        """The files that the entry means, each with the hashes for the lock, those of the input first."""
        if package.every_file:
            return [(file, {}) for file in files]
        requested = [{d.algorithm: d.value} for d in package.bare_hashes] + [dict(f.hashes) for f in package.files]
        names = [None] * len(package.bare_hashes) + [f.name for f in package.files]
        matches: dict[str, tuple[DistributionFile, dict[str, str]]] = {}
        left: list[tuple[str | None, dict[str, str]]] = []
        for name, hashes in zip(names, requested, strict=True):
            file = _by_hash(files, name, hashes)
            if file is None:
                left.append((name, hashes))
                continue
            before = matches.get(file.filename, (file, {}))[1]
            matches[file.filename] = (file, {**before, **hashes})
        left = self._match_by_bytes(files, left, matches)
        for filename, (file, hashes) in matches.items():
            matches[filename] = (file, self._with_sha256(file, hashes))
        self._report_unmatched(package, left, matches)
        return list(matches.values())

    def _match_by_bytes(
        self,
        files: Sequence[DistributionFile],
        left: list[tuple[str | None, dict[str, str]]],
        matches: dict[str, tuple[DistributionFile, dict[str, str]]],
    ) -> list[tuple[str | None, dict[str, str]]]:
        """Match hashes in algorithms that the index does not have, by reading file after file until all are matched."""
        undecided = [hashes for _, hashes in left if not any(_has_algorithm(files, a) for a in hashes)]
        algorithms = sorted(
            {algorithm for hashes in undecided for algorithm in hashes if algorithm in STRONG_ALGORITHMS}
        )
        for file in files if algorithms else ():
            if not left:
                break
            digests = self.remote.digests(file, algorithms)
            for entry in [e for e in left if any(digests.get(a) == v for a, v in e[1].items())]:
                left.remove(entry)
                before = matches.get(file.filename, (file, {}))[1]
                matches[file.filename] = (file, {"sha256": digests["sha256"], **before, **entry[1]})
        return left

    def _with_sha256(self, file: DistributionFile, hashes: dict[str, str]) -> dict[str, str]:
        """Add the sha256 of the index to the input's hashes, since every installer supports it."""
        sha256 = file.hashes.get("sha256")
        return hashes if sha256 is None or "sha256" in hashes else {"sha256": sha256, **hashes}

    def _index_hashes(self, file: DistributionFile) -> dict[str, str]:
        strong = {name: value for name, value in file.hashes.items() if name in STRONG_ALGORITHMS}
        return strong or dict(self.remote.digests(file, ("sha256",)))

    def _report_unmatched(
        self,
        package: ImportedPackage,
        left: Sequence[tuple[str | None, dict[str, str]]],
        matches: dict[str, tuple[DistributionFile, dict[str, str]]],
    ) -> None:
        if not left:
            return
        hashes = tuple(text for _, one in left for text in _texts(one))
        total = len(left) + len(matches)
        named = [f"{name or ''} {' '.join(_texts(one))}".strip() for name, one in left]
        if not matches:
            raise _NotOnPageError(
                "no-hash-matches",
                f"{package.shown}: none of its {len(left)} hashes matches a file of this release on the index "
                "(yanked, deleted or tampered with?)",
                location=package.origin or self.location,
                context=tuple(named[:_SHOWN]),
                hint="Name the index that the pins came from with `--index` or `--default-index`",
            )
        reason = f"{len(left)} of {total} hashes match no file on the index"
        why = "removed since, on another index, or an obsolete format"
        message = f"{package.shown}: {reason} ({why}): {', '.join(named)}"
        self.losses.append(Loss(kind="hash-unmatched", message=message, hashes=hashes))

    def _usable_files(
        self, package: ImportedPackage, matched: Iterable[tuple[DistributionFile, dict[str, str]]]
    ) -> list[tuple[DistributionFile, dict[str, str]]]:
        kept = []
        for file, hashes in matched:
            if package.wheels if file.is_wheel else package.sdists:
                kept.append((file, hashes))
                continue
            if not package.every_file:
                message = f"{package.shown}: {file.filename} is left out because of the options"
                self.losses.append(Loss(kind="file-excluded", message=message, hashes=_texts(hashes), note=True))
        return kept

    def _one_sdist(
        self, package: ImportedPackage, kept: list[tuple[DistributionFile, dict[str, str]]]
    ) -> list[tuple[DistributionFile, dict[str, str]]]:
        """Keep one source distribution, the `.tar.gz` if there are several."""
        sdists = sorted((f.filename for f, _ in kept if not f.is_wheel), key=lambda n: (not n.endswith(".tar.gz"), n))
        for file, hashes in kept:
            if file.filename in sdists[1:]:
                message = (
                    f"{package.shown}: a lock file has one source distribution per package, {file.filename} is left out"
                )
                lost = () if package.every_file else _texts(hashes)
                self.losses.append(Loss(kind="second-sdist", message=message, hashes=lost))
        return [(file, hashes) for file, hashes in kept if file.filename not in sdists[1:]]

    def _imported_file(
        self, file: DistributionFile, hashes: dict[str, str], yanked: list[DistributionFile]
    ) -> ImportedFile:
        """The file; it is added to `yanked` if it is."""
        if file.yanked:
            yanked.append(file)
        local = file.url.startswith("file:")
        return ImportedFile(
            name=file.filename,
            hashes=hashes,
            url=None if local else file.url,
            path=path_from(file_url_path(file.url), self.folder) if local else None,
            size=file.size,
            upload_time=file.upload_time,
        )


def _refuse_half_hashed(package: ImportedPackage, location: str) -> None:
    """Refuse a release of which some files have a hash and others do not.

    Raises:
        LocksetError: `hashes-mixed`.
    """
    bare = [file.name or file.url or "" for file in package.files if not file.hashes]
    if bare and len(bare) < len(package.files):
        raise LocksetError(
            "hashes-mixed",
            f"{package.shown}: {len(bare)} of its {len(package.files)} files have no hash, such as {bare[0]}",
            location=package.origin or location,
            hint="The file was edited by hand or truncated: lock again with the tool that wrote it",
        )


def _by_hash(files: Sequence[DistributionFile], name: str | None, hashes: dict[str, str]) -> DistributionFile | None:
    """The file that matches one of the hashes and contradicts none; the one called `name` if several do."""
    fitting = [
        file
        for file in files
        if any(file.hashes.get(a) == v for a, v in hashes.items() if a in STRONG_ALGORITHMS)
        and all(file.hashes.get(a, v) == v for a, v in hashes.items())
    ]
    return next((file for file in fitting if file.filename == name), fitting[0] if fitting else None)


def _excluded(package: ImportedPackage) -> str:
    """Which kinds of files may not be used, for a message."""
    kinds = ([] if package.wheels else ["wheels"]) + ([] if package.sdists else ["source distributions"])
    return f"its {' and '.join(kinds)} are excluded" if kinds else "none of them is on the index"


def _has_algorithm(files: Sequence[DistributionFile], algorithm: str) -> bool:
    """Whether the index has hashes in this algorithm for all the files, so that a missing one is conclusive."""
    return all(algorithm in file.hashes for file in files)


def _texts(hashes: dict[str, str]) -> tuple[str, ...]:
    return tuple(f"{algorithm}:{value}" for algorithm, value in hashes.items())


def _index_of(detail: ProjectDetail, files: list[tuple[DistributionFile, dict[str, str]]]) -> str:
    """The index of the files, which are of one version."""
    return detail.index_of(files[0][0].version) if files else detail.index_url


def _admitted_versions(package: ImportedPackage, versions: Iterable[Version]) -> list[Version]:
    """Those of `versions` that the pin admits, in the same order."""
    return [
        version
        for version in versions
        if version == package.version
        or (package.admits is not None and package.admits.contains(version, prereleases=True))
    ]


def _split_by_release(package: ImportedPackage, files: Sequence[DistributionFile]) -> list[ImportedPackage]:
    """Split the entry by release of `files`: each applies where it has a usable file and no newer release has one.

    Where no release has one, the oldest of those taken applies. An installer fails there with any of them.
    """
    versions = sorted({file.version for file in files}, reverse=True)
    if len(versions) == 1:
        return [replace(package, version=versions[0])]
    left = package.region
    entries: list[ImportedPackage] = []
    for version in versions:
        usable = left & _usable([file for file in files if file.version == version])
        if not (usable & possible()).is_empty:
            entries.append(replace(package, version=version, region=usable, original_marker=None))
            left -= usable
    if not entries:
        return [replace(package, version=versions[0])]
    last = entries.pop()
    region = last.region | left
    return [
        *entries,
        replace(last, region=region, original_marker=package.original_marker if region is package.region else None),
    ]


def _usable(files: Iterable[DistributionFile]) -> MarkerSet:
    usable = MarkerSet.none()
    for file in files:
        here = wheel_region(file.tags) if file.is_wheel else MarkerSet.any()
        usable |= here & _pythons(file.requires_python)
    return usable


def _pythons(requires_python: str | None) -> MarkerSet:
    try:
        return MarkerSet.of_python(requires_python or "")
    except LocksetError:
        return MarkerSet.any()


def _yanked_losses(package: ImportedPackage, files: Sequence[DistributionFile], *, of: int) -> Iterator[Loss]:
    """A note for each reason for which `files` of the release, which has `of` files, are yanked; mostly one."""
    reasons: dict[str | None, list[str]] = {}
    for file in files:
        reasons.setdefault(file.yanked_reason, []).append(file.filename)
    for reason, names in reasons.items():
        what = package.shown if len(names) == of else f"A part of {package.shown} ({', '.join(names)})"
        yield Loss(kind="yanked", message=f"{what} is yanked{f' ({reason})' if reason else ''}", note=True)


def _losses_of_split(
    package: ImportedPackage,
    parts: Sequence[ImportedPackage],
    versions: Iterable[Version],
    matched: Sequence[tuple[DistributionFile, dict[str, str]]],
) -> list[Loss]:
    """The losses of a split: the local versions taken, and hashed files of releases that are never used."""
    taken = [part.version for part in parts]
    losses: list[Loss] = []
    if taken != [package.version]:
        shown = " and ".join(map(str, taken))
        message = f"`{package.name}=={package.version}` also admits local versions: {shown} is locked"
        losses.append(Loss(kind="local-version", message=message, note=True))
    for version in versions:
        if version not in taken:
            files = [hashes for file, hashes in matched if file.version == version]
            texts = tuple(f"{name}:{value}" for hashes in files for name, value in hashes.items())
            message = f"{package.name} {version} is left out: {taken[0]} has a file wherever {version} has one"
            losses.append(Loss(kind="release-unused", message=message, hashes=texts, note=not texts))
    return losses
