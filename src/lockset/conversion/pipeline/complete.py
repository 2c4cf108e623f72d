"""Fills the gaps of a Draft from an index: where files are, how large, of when; versions and hashes stay."""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING

from lockset._dataclass import dataclass
from lockset.conversion.model.direct import relative_path
from lockset.conversion.model.imported_lock import DraftFile, DraftPackage, Loss
from lockset.conversion.readers.archive_hashes import algorithms_of, with_hashes_read
from lockset.conversion.readers.local_versions import admitted_versions, losses_of_split, split_by_release
from lockset.errors import LocksetError
from lockset.hashes import STRONG_ALGORITHMS
from lockset.index.ports import EMPTY_PAGE, ProjectNotFound
from lockset.lockfile.model import PackageArchive, PackageVcs
from lockset.resolve.problem.direct_source import local_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from lockset.conversion.model.imported_lock import Draft
    from lockset.conversion.model.ports import Remote
    from lockset.index.pages.project_page import DistributionFile, ProjectDetail
    from lockset.index.ports import Index
    from lockset.progress import Listener

__all__ = ["complete", "complete_package"]

# As many hashes as a message shows the beginning of.
_SHOWN = 3


def complete(draft: Draft, index: Index, remote: Remote, *, folder: Path, listener: Listener) -> Draft:
    """The same, with every entry placed: each file has a URL or a path, and a hash.

    Raises:
        LocksetError: `no-hash-matches`, `release-missing`, `offline`, `file-changed` and those of the ports.
    """
    gaps = [package for package in draft.packages if not package.is_complete]
    if gaps:
        listener.phase("Completing", total=len(gaps))
        index.hint(dict.fromkeys(package.name for package in gaps))
    filling = _Filling(index=index, remote=remote, folder=folder, place=draft.place, format=draft.format)
    packages: list[tuple[DraftPackage, list[DraftPackage]]] = []
    for package in draft.packages:
        if package.is_complete and not _has_source_gap(package):
            packages.append((package, [package]))
            continue
        packages.append((package, filling.packages(package)))
        listener.step(package.shown)
    return replace(
        draft,
        packages=tuple(entry for _, entries in packages for entry in entries),
        losses=(*draft.losses, *filling.losses),
        settled=_settled(draft, packages),
    )


def _settled(draft: Draft, packages: Iterable[tuple[DraftPackage, list[DraftPackage]]]) -> dict[str, frozenset[str]]:
    """Which entries stand for those of the input, where a pin admits versions with a local label."""
    outcome: dict[str, frozenset[str]] = {}
    for before, after in packages:
        outcome[before.identity] = outcome.get(before.identity, frozenset()).union(entry.identity for entry in after)
    keys = {*outcome, *draft.settled}
    stand_ins = {key: draft.settled.get(key, frozenset({key})) for key in keys}
    found = {key: frozenset().union(*(outcome.get(one, {one}) for one in ones)) for key, ones in stand_ins.items()}
    return {key: ones for key, ones in found.items() if ones != {key}}


def _has_source_gap(package: DraftPackage) -> bool:
    source = package.source
    return (isinstance(source, PackageArchive) and not source.hashes) or (
        isinstance(source, PackageVcs) and not source.commit_id
    )


def complete_package(package: DraftPackage, index: Index, remote: Remote, *, folder: Path, place: str) -> DraftPackage:
    """One entry with one exact version, completed."""
    (found,) = _Filling(index=index, remote=remote, folder=folder, place=place, format="").packages(package)
    return found


@dataclass(slots=True, kw_only=True)
class _Filling:
    """One run over the gaps."""

    index: Index
    remote: Remote
    folder: Path
    place: str
    format: str
    losses: list[Loss] = field(default_factory=list)

    def packages(self, package: DraftPackage) -> list[DraftPackage]:
        """The entry without gaps; several where releases with local labels answer it in parts of the environments."""
        if package.source is not None:
            return [self._source(package)]
        _refuse_half_hashed(package, self.place)
        package = replace(package, files=tuple(map(self._hashed, package.files)))
        if package.is_complete:
            return [package]
        detail, files = self._release(package)
        admitted = self._admitted(package, self._matched(package, files))
        if not admitted:
            raise LocksetError(
                "no-usable-file",
                f"{package.shown}: none of the files that are meant may be used: {_excluded(package)}",
                place=package.origin or self.place,
            )
        parts = split_by_release(package, [file for file, _ in admitted])
        self.losses += losses_of_split(package, parts, dict.fromkeys(f.version for f, _ in admitted), admitted)
        return [
            self._filled(part, detail, [(file, hashes) for file, hashes in admitted if file.version == part.version])
            for part in parts
        ]

    def _filled(
        self, package: DraftPackage, detail: ProjectDetail, files: list[tuple[DistributionFile, dict[str, str]]]
    ) -> DraftPackage:
        kept = self._one_sdist(package, files)
        pythons = {file.requires_python for file, _ in kept}
        return replace(
            package,
            files=tuple(self._drafted(file, hashes or self._trusted(file)) for file, hashes in kept),
            loose=(),
            every_file=False,
            index=detail.index_url if not detail.index_url.startswith("file:") else None,
            requires_python=pythons.pop() if len(pythons) == 1 else None,
        )

    def _hashed(self, file: DraftFile) -> DraftFile:
        """A file whose place is known and whose hash is not, with that of its bytes."""
        location = file.url or (str(self.folder / file.path) if file.path else None)
        if file.hashes or location is None:
            return file
        sha256, size = self._online(
            lambda: self.remote.fingerprint(location), f"{self.place} gives no hash of {location}"
        )
        message = f"{file.name}: the hash is that of today's bytes, taken on trust"
        self.losses.append(Loss(kind="trusted-on-first-use", message=message, note=True))
        return replace(file, hashes={"sha256": sha256}, size=size)

    def _source(self, package: DraftPackage) -> DraftPackage:
        source = package.source
        if isinstance(source, PackageVcs) and not source.commit_id:
            commit = self._online(
                lambda: self.remote.commit(source.url or "", source.requested_revision),
                f"{package.shown}: {self.place} names no commit of {source.url}",
            )
            return replace(package, source=replace(source, commit_id=commit))
        if isinstance(source, PackageArchive) and package.alternatives:
            return self._chosen_hashes(package, source)
        if isinstance(source, PackageArchive) and not source.hashes:
            location = source.url or str(self.folder / (source.path or ""))
            sha256, size = self._online(
                lambda: self.remote.fingerprint(location), f"{package.shown}: {self.place} gives no hash of {location}"
            )
            message = f"{package.shown}: the hash of {location} is that of today's bytes, taken on trust"
            self.losses.append(Loss(kind="trusted-on-first-use", message=message, note=True))
            return replace(package, source=replace(source, hashes={"sha256": sha256}, size=size))
        return package

    def _chosen_hashes(self, package: DraftPackage, source: PackageArchive) -> DraftPackage:
        location = source.url or str(self.folder / (source.path or ""))
        digests = self._online(
            lambda: self.remote.digests_at(location, algorithms_of(package)),
            f"{package.shown}: {self.place} has several hashes of {location}, and only its bytes tell which is right",
        )
        found, losses = with_hashes_read(package, digests, place=self.place)
        self.losses += losses
        return found

    def _online(self, ask, lacking: str):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - any answer
        try:
            return ask()
        except LocksetError as error:
            if error.diagnostic.code != "offline":
                raise
            raise LocksetError("offline", lacking, place=self.place, hint="Run without `--offline`") from error

    def _release(self, package: DraftPackage) -> tuple[ProjectDetail, Sequence[DistributionFile]]:
        """The project's page and the files on it of the releases that the pin admits."""
        detail = self._online(
            lambda: self._project(package), f"{self.place} does not say where the files of {package.shown} are"
        )
        assert package.version is not None, package
        if not detail.versions:
            raise LocksetError(
                "index-page-empty",
                f"{package.shown}: the page of {package.name} at {detail.index_url} has no links of files",
                place=package.origin or self.place,
                hint=EMPTY_PAGE,
            )
        versions = admitted_versions(package, detail.versions)
        if not versions:
            raise LocksetError(
                "release-missing",
                f"{package.shown}: {detail.index_url} has no file of this version (deleted, or the wrong index?)",
                place=package.origin or self.place,
                hint="Name the index that has it with `--index` or `--default-index`",
            )
        return detail, [file for one in versions for file in detail.files(one)]

    def _project(self, package: DraftPackage) -> ProjectDetail:
        try:
            return self.index.project(package.name)
        except ProjectNotFound as error:
            told = error.diagnostic
            raise LocksetError(
                told.code,
                told.message,
                place=package.origin or self.place,
                context=told.context,
                hint="Name the index that has it with `--index` or `--default-index`",
            ) from error

    def _matched(
        self, package: DraftPackage, files: Sequence[DistributionFile]
    ) -> list[tuple[DistributionFile, dict[str, str]]]:
        """The files that are meant, each with the hashes for the lock: those of the input first."""
        if package.every_file:
            return [(file, {}) for file in files]
        wanted = [{d.algorithm: d.value} for d in package.loose] + [dict(f.hashes) for f in package.files]
        names = [None] * len(package.loose) + [f.name for f in package.files]
        found: dict[str, tuple[DistributionFile, dict[str, str]]] = {}
        left: list[tuple[str | None, dict[str, str]]] = []
        for name, hashes in zip(names, wanted, strict=True):
            file = _by_hash(files, name, hashes)
            if file is None:
                left.append((name, hashes))
                continue
            before = found.get(file.filename, (file, {}))[1]
            found[file.filename] = (file, {**before, **hashes})
        left = self._by_reading(files, left, found)
        for filename, (file, hashes) in found.items():
            found[filename] = (file, self._with_sha256(file, hashes))
        self._tell_unmatched(package, left, found)
        return list(found.values())

    def _by_reading(
        self,
        files: Sequence[DistributionFile],
        left: list[tuple[str | None, dict[str, str]]],
        found: dict[str, tuple[DistributionFile, dict[str, str]]],
    ) -> list[tuple[str | None, dict[str, str]]]:
        """What an index's own hashes cannot decide is decided by the bytes, file by file until all is found."""
        undecided = [hashes for _, hashes in left if not any(_tells(files, a) for a in hashes)]
        algorithms = sorted(
            {algorithm for hashes in undecided for algorithm in hashes if algorithm in STRONG_ALGORITHMS}
        )
        for file in files if algorithms else ():
            if not left:
                break
            digests = self.remote.digests(file, algorithms)
            for entry in [e for e in left if any(digests.get(a) == v for a, v in e[1].items())]:
                left.remove(entry)
                before = found.get(file.filename, (file, {}))[1]
                found[file.filename] = (file, {"sha256": digests["sha256"], **before, **entry[1]})
        return left

    def _with_sha256(self, file: DistributionFile, hashes: dict[str, str]) -> dict[str, str]:
        """The index's sha256 beside the input's stronger hash, since every installer knows it."""
        sha256 = file.hashes.get("sha256")
        return hashes if sha256 is None or "sha256" in hashes else {"sha256": sha256, **hashes}

    def _trusted(self, file: DistributionFile) -> dict[str, str]:
        strong = {name: value for name, value in file.hashes.items() if name in STRONG_ALGORITHMS}
        return strong or dict(self.remote.digests(file, ("sha256",)))

    def _tell_unmatched(
        self,
        package: DraftPackage,
        left: Sequence[tuple[str | None, dict[str, str]]],
        found: dict[str, tuple[DistributionFile, dict[str, str]]],
    ) -> None:
        if not left:
            return
        hashes = tuple(text for _, one in left for text in _texts(one))
        total = len(left) + len(found)
        named = [f"{name or ''} {' '.join(_texts(one))}".strip() for name, one in left]
        if not found:
            raise LocksetError(
                "no-hash-matches",
                f"{package.shown}: none of its {len(left)} hashes is that of a file of this release on the index "
                "(yanked, deleted or tampered with?)",
                place=package.origin or self.place,
                context=tuple(named[:_SHOWN]),
                hint="Ask the index that the pins came from, with `--index` or `--default-index`",
            )
        told = f"{len(left)} of {total} hashes are of no file that the index lists (removed since, or of an old kind)"
        message = f"{package.shown}: {told}: {', '.join(named)}"
        self.losses.append(Loss(kind="hash-unmatched", message=message, hashes=hashes))

    def _admitted(
        self, package: DraftPackage, matched: Iterable[tuple[DistributionFile, dict[str, str]]]
    ) -> list[tuple[DistributionFile, dict[str, str]]]:
        kept = []
        for file, hashes in matched:
            if package.wheels if file.is_wheel else package.sdists:
                kept.append((file, hashes))
                continue
            if not package.every_file:
                message = f"{package.shown}: {file.filename} is left out, as the options ask"
                self.losses.append(Loss(kind="file-excluded", message=message, hashes=_texts(hashes), note=True))
        return kept

    def _one_sdist(
        self, package: DraftPackage, kept: list[tuple[DistributionFile, dict[str, str]]]
    ) -> list[tuple[DistributionFile, dict[str, str]]]:
        """An entry has one source distribution: the `.tar.gz` where there are several."""
        sdists = sorted((f.filename for f, _ in kept if not f.is_wheel), key=lambda n: (not n.endswith(".tar.gz"), n))
        for file, hashes in kept:
            if file.filename in sdists[1:]:
                message = f"{package.shown}: a lock file holds one source distribution, {file.filename} is left out"
                lost = () if package.every_file else _texts(hashes)
                self.losses.append(Loss(kind="second-sdist", message=message, hashes=lost))
        return [(file, hashes) for file, hashes in kept if file.filename not in sdists[1:]]

    def _drafted(self, file: DistributionFile, hashes: dict[str, str]) -> DraftFile:
        if file.yanked:
            reason = f" ({file.yanked_reason})" if file.yanked_reason else ""
            message = f"{file.filename} is yanked{reason}"
            self.losses.append(Loss(kind="yanked", message=message, note=True))
        local = file.url.startswith("file:")
        return DraftFile(
            name=file.filename,
            hashes=hashes,
            url=None if local else file.url,
            path=relative_path(local_path(file.url), self.folder) if local else None,
            size=file.size,
            upload_time=file.upload_time,
        )


def _refuse_half_hashed(package: DraftPackage, place: str) -> None:
    """Refuse files without a hash beside others of the release that have one: nobody vouches for them.

    Raises:
        LocksetError: `hashes-mixed`.
    """
    bare = [file.name or file.url or "" for file in package.files if not file.hashes]
    if bare and len(bare) < len(package.files):
        raise LocksetError(
            "hashes-mixed",
            f"{package.shown}: {len(bare)} of its {len(package.files)} files have no hash and others have: {bare[0]}",
            place=package.origin or place,
            hint="The file was edited by hand or cut: lock again with the tool that wrote it",
        )


def _by_hash(files: Sequence[DistributionFile], name: str | None, hashes: dict[str, str]) -> DistributionFile | None:
    """The file with one of the hashes and no other value for any; the one called `name` where several are equal."""
    fitting = [
        file
        for file in files
        if any(file.hashes.get(a) == v for a, v in hashes.items() if a in STRONG_ALGORITHMS)
        and all(file.hashes.get(a, v) == v for a, v in hashes.items())
    ]
    return next((file for file in fitting if file.filename == name), fitting[0] if fitting else None)


def _excluded(package: DraftPackage) -> str:
    """Which kinds of files may not be used."""
    kinds = ([] if package.wheels else ["wheels"]) + ([] if package.sdists else ["source distributions"])
    return f"its {' and '.join(kinds)} are excluded" if kinds else "none of them is on the page"


def _tells(files: Sequence[DistributionFile], algorithm: str) -> bool:
    """Whether the index tells hashes of this algorithm of all the files, so that silence is an answer."""
    return all(algorithm in file.hashes for file in files)


def _texts(hashes: dict[str, str]) -> tuple[str, ...]:
    return tuple(f"{algorithm}:{value}" for algorithm, value in hashes.items())
