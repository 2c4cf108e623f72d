"""Require attestations of the files that a sync installs, and find the provenance of locked files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lockset._dataclass import replace
from lockset.attestations.identity import PublisherIdentity, identities_of
from lockset.attestations.policy import pattern_text
from lockset.attestations.provenance import MOST_BYTES
from lockset.composition.attestations.trust_policy import SUFFIX, file_bytes
from lockset.errors import LocksetError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from lockset.attestations.policy import TrustPolicy
    from lockset.attestations.provenance import AttestationVerifier, ProvenanceVerdict
    from lockset.composition.attestations.provenances import AttestedFile, Provenances
    from lockset.composition.connections import Connection
    from lockset.index.options import IndexOptions
    from lockset.lockfile.model import Package, Pylock
    from lockset.sync.desired import DesiredDistribution

__all__ = ["FilesWithProvenance", "refuse_unlocked", "required_attestations", "write_provenance"]

# Files in one note; further ones are counted.
_SHOWN = 5
# The kinds of distributions that indexes have attestations of.
_ATTESTED = frozenset({"wheel", "sdist"})


class FilesWithProvenance:
    """Finds the provenance of locked files: next to the file, kept from an earlier run, or offered by its index.

    Args:
        locks: The lock files, which record the index of each package and its publishers.
        folders: Folders whose files may be used (`--find-links`).
        options: The indexes; pages come from the index that the lock file records, unless `given`.
        given: Whether the user named the indexes.
        connect: Connects to indexes; the caller closes the connection.
        verifier: Creates the verifier.
    """

    def __init__(
        self,
        locks: Iterable[Pylock],
        *,
        folders: Sequence[str],
        options: IndexOptions,
        given: bool,
        connect: Callable[[IndexOptions], Connection],
        verifier: Callable[[], AttestationVerifier],
    ) -> None:
        self._packages: dict[tuple[str, str], list[Package]] = {}
        for lock in locks:
            for package in lock.packages:
                self._packages.setdefault((package.name, str(package.version)), []).append(package)
        self._folders = folders
        self._options = options
        self._given = given
        self._connect = connect
        self._verifier = verifier
        self._connections: dict[str | None, tuple[Connection, Provenances]] = {}

    def recorded(self, one: DesiredDistribution) -> tuple[PublisherIdentity, ...]:
        """The publishers that the lock files record for the release of `one`."""
        return identities_of(table for entry in self._of(one) for table in entry.attestation_identities or ())

    def verdicts(
        self, distributions: Sequence[DesiredDistribution], *, anew: Collection[str]
    ) -> Iterator[tuple[DesiredDistribution, AttestedFile, ProvenanceVerdict | None]]:
        """The files of wheels and sdists, each with what its provenance proves; None if it has none.

        Packages in `anew` are verified; for the others, verdicts of earlier runs are used.

        Raises:
            LocksetError: `library-missing`, `trusted-root`, and errors of the network.
        """
        by_index: dict[str | None, list[DesiredDistribution]] = {}
        for one in distributions:
            by_index.setdefault(self._index(one), []).append(one)
        for index, members in by_index.items():
            connection, provenances = self._connected(index)
            files = [self._file(one) for one in members]
            # Pages are only read for files whose provenance is neither kept nor next to the file.
            unknown = [at for at, file in enumerate(files) if provenances.kept(file) is None]
            connection.index.hint(files[at].package for at in unknown)
            for at in unknown:
                files[at] = replace(files[at], url=_offered(connection, members[at], files[at]))
            yield from zip(members, files, provenances.verdicts(files, anew=anew), strict=True)

    def provenance(self, one: DesiredDistribution, file: AttestedFile) -> bytes | None:
        """The provenance of a file that `verdicts` returned."""
        return self._connected(self._index(one))[1].provenance(file)

    def _connected(self, index: str | None) -> tuple[Connection, Provenances]:
        from lockset.composition.attestations.provenances import Provenances  # not needed where nothing is required

        if index not in self._connections:
            options = self._options if index is None else replace(self._options, index_url=index)
            connection = self._connect(options)
            self._connections[index] = connection, Provenances(connection, self._verifier)
        return self._connections[index]

    def _of(self, one: DesiredDistribution) -> list[Package]:
        return self._packages.get((one.name, str(one.version)), [])

    def _index(self, one: DesiredDistribution) -> str | None:
        return None if self._given else next((entry.index for entry in self._of(one) if entry.index), None)

    def _file(self, one: DesiredDistribution) -> AttestedFile:
        from lockset.composition.attestations.provenances import AttestedFile

        name = one.filename or ""
        locations = [os.path.join(folder, name) for folder in self._folders]
        if one.path is not None and not one.is_outside:
            locations.append(one.path)
        return AttestedFile(
            package=one.name,
            release=str(one),
            filename=name,
            sha256=next((digest.value for digest in one.digests if digest.algorithm == "sha256"), None),
            local=lambda: next((data for p in locations if (data := file_bytes(p + SUFFIX, MOST_BYTES + 1))), None),
        )


def _offered(connection: Connection, one: DesiredDistribution, file: AttestedFile) -> str | None:
    """The address of the provenance on the page of the index, for the file with the locked name and hash."""
    from lockset.index.ports import ProjectNotFound

    try:
        detail = connection.index.project(one.name)
    except ProjectNotFound:
        return None
    if one.version is None or one.version not in detail:
        return None
    for listed in detail.files(one.version):
        if listed.filename == file.filename and listed.hashes.get("sha256", file.sha256) == file.sha256:
            return listed.provenance
    return None


def write_provenance(
    folder: str, distributions: Sequence[DesiredDistribution], files: FilesWithProvenance, note: Callable[[str], object]
) -> int:
    """Write the provenance of each file in `folder` next to it, verified; return the number of files that have one.

    Raises:
        LocksetError: `attestation-refused`, and errors of the network.
        OSError: The folder cannot be written.
    """
    from lockset.composition.attestations.provenances import attestation_refused
    from lockset.files.output_file import write_output

    without: list[str] = []
    listed = [one for one in distributions if one.kind in _ATTESTED]
    for one, file, verdict in files.verdicts(listed, anew={one.name for one in listed}):
        if verdict is not None and verdict.problems and not verdict.identities:
            raise attestation_refused(file, verdict.problems)
        data = files.provenance(one, file) if verdict is not None else None
        if data is None:
            without.append(file.filename)
        else:
            write_output(os.path.join(folder, file.filename + SUFFIX), data)
    if without:
        more = f" and {len(without) - _SHOWN} more" if len(without) > _SHOWN else ""
        note(f"No attestations: {', '.join(without[:_SHOWN])}{more}")
    return len(listed) - len(without)


def refuse_unlocked(names: Iterable[str], locks: Iterable[Pylock]) -> None:
    """Refuse names of packages that no lock file has: a name that is misspelt would protect nothing.

    Raises:
        LocksetError: `unknown-package` in that case.
    """
    locked = {package.name for lock in locks for package in lock.packages}
    unknown = sorted(name for name in names if name not in locked)
    if unknown:
        raise LocksetError(
            "unknown-package",
            f"Attestations of {unknown[0]} are required, but the lock file has no such package",
            hint="Check the spelling, or leave the option out",
        )


def required_attestations(
    desired: Sequence[DesiredDistribution],
    policy: TrustPolicy,
    files: Callable[[], FilesWithProvenance],
    *,
    placed: Collection[str],
) -> int:
    """Check the attestations of all distributions that need one, and return their number.

    Those of packages that are `placed` are verified; for installed packages, verdicts of earlier runs count. Source
    trees (directories, repositories) need none: they are not files of an index.

    Raises:
        LocksetError: `attestation-missing`, `attestation-refused`, `publisher-not-recorded`, `publisher-mismatch`,
            `publisher-not-allowed`, and errors of the network.
    """
    needed = [one for one in desired if one.kind in {*_ATTESTED, "archive"} and policy.requires(one.name, one.version)]
    for one in needed:
        if one.kind == "archive":
            raise LocksetError(
                "attestation-missing",
                f"{one} is an archive required by URL, of which no index has attestations",
                location=one.source,
                hint=f"Require it from an index, or add `{one.name}` to `exempt` in [tool.lockset.trust]",
            )
    if not needed:
        return 0
    provenances = files()
    expected: dict[str, tuple[PublisherIdentity, ...]] = {}
    for one in needed:
        expected[one.name] = provenances.recorded(one)
        if not expected[one.name] and not policy.allowed(one.name):
            raise LocksetError(
                "publisher-not-recorded",
                f"The lock file does not record who publishes {one}",
                location=one.source,
                hint="Lock with `lockset lock --attestations`. If it has no attestations, add it to `exempt` in"
                " [tool.lockset.trust], or require those of other packages only",
            )
    for one, file, verdict in provenances.verdicts(needed, anew=placed):
        _check(policy, one, file, verdict, expected[one.name])
    return len(needed)


def _check(
    policy: TrustPolicy,
    one: DesiredDistribution,
    file: AttestedFile,
    verdict: ProvenanceVerdict | None,
    recorded: tuple[PublisherIdentity, ...],
) -> None:
    from lockset.composition.attestations.provenances import attestation_refused

    if verdict is not None and verdict.problems and not verdict.identities:
        raise attestation_refused(file, verdict.problems)
    if verdict is None or not verdict.identities:
        kinds = "" if verdict is None else f" that can be verified ({', '.join(verdict.unsupported)})"
        raise LocksetError(
            "attestation-missing",
            f"`{file.filename}` of {one} has no attestation{kinds}, and one is required",
            location=file.url or one.source,
            context=tuple(f"expected: {identity}" for identity in recorded),
            hint=f"Install another version, or add `{one.name}` to `exempt` in [tool.lockset.trust]",
        )
    subjects = {identity.subject for identity in recorded}
    matching = [identity for identity in verdict.identities if not recorded or identity.subject in subjects]
    if any(policy.allows(one.name, identity) for identity in matching):
        return
    facts = [f"expected: {identity}" for identity in recorded]
    facts += [f"allowed: {pattern_text(pattern)}" for pattern in policy.allowed(one.name)]
    facts += [f"found: {identity}" for identity in verdict.identities]
    if matching:
        raise LocksetError(
            "publisher-not-allowed",
            f"`{file.filename}` of {one} was not published by anyone whom the project allows",
            context=tuple(facts),
            hint="If it moved, change `identities` in [tool.lockset.trust]; otherwise find out who published it",
        )
    raise LocksetError(
        "publisher-mismatch",
        f"`{file.filename}` of {one} was not published by the publisher that the lock file records",
        context=tuple(facts),
        hint="Find out who published it; `lockset lock --attestations` records publishers again",
    )
