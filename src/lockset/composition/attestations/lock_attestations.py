"""Record who published the files of a lock: `lock --attestations`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol

from lockset._dataclass import replace
from lockset.attestations.identity import PublisherIdentity, identities_of
from lockset.attestations.policy import pattern_text
from lockset.attestations.provenance import MOST_BYTES
from lockset.composition.attestations.provenances import AttestedFile, Provenances, attestation_refused, verifier_of
from lockset.composition.attestations.trust_policy import SUFFIX, file_bytes
from lockset.composition.connections import connected
from lockset.errors import LocksetError
from lockset.index.options import is_local
from lockset.lockfile.model import describe, file_name
from lockset.lockfile.publishers import publisher_changed
from lockset.resolve.problem.direct_source import file_url_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from packaging.version import Version

    from lockset.attestations.policy import TrustPolicy
    from lockset.attestations.provenance import ProvenanceVerdict
    from lockset.composition.lock_inputs import LockInputs
    from lockset.index.pages.project_page import DistributionFile
    from lockset.lockfile.model import Package, PackageSdist, PackageWheel, Pylock
    from lockset.resolve.releases.repository import Releases

__all__ = ["LockAttestations", "publisher_not_allowed"]

# Files or packages in one note; further ones are counted.
_SHOWN = 5


class ReleaseFiles(Protocol):
    """The releases of projects on their index, and their files; see `lockset.resolve.releases.repository`."""

    def releases(self, name: str) -> Releases:
        """The releases of a project, newest first."""

    def files(self, name: str, version: Version) -> Sequence[DistributionFile]:
        """The files of a release."""


class LockAttestations:
    """Verifies the attestations of all files of a lock, and records their publishers.

    Args:
        inputs: The inputs of the lock: its indexes, cache, policy and root of trust.
    """

    def __init__(self, inputs: LockInputs) -> None:
        self._inputs = inputs
        self._policy: TrustPolicy = inputs.project.settings.trust

    def __call__(
        self,
        lock: Pylock,
        repository: ReleaseFiles,
        note: Callable[[str], object],
    ) -> Pylock:
        """`lock` with the publishers of its files, which `repository` has the files of.

        Raises:
            LocksetError: `attestation-refused`: attestations do not verify; `attestation-missing`,
                `publisher-not-allowed`: the policy of the project is not met; `publisher-changed`: an earlier release
                has attestations, and that is to be refused; `library-missing`, `trusted-root`, and errors of the
                network.
        """
        files = [(at, file) for at, package in enumerate(lock.packages) for file in _attested(package, repository)]
        inputs, context = self._inputs, self._inputs.context
        make = verifier_of(inputs.options.trusted_root, context.here)
        with connected(inputs.indexes, context.cache_folder, context.heard) as connection:
            if connection.transport.has_shared_hosts:
                for at, package in enumerate(lock.packages):
                    urls = [file.url for of, file in files if of == at and file.url is not None]
                    if package.index is not None:
                        connection.transport.link(package.index, urls.copy)
            verdicts = Provenances(connection, make).verdicts([file for _, file in files])
        identities: dict[int, list[PublisherIdentity]] = {}
        for (at, file), verdict in zip(files, verdicts, strict=True):
            self._check(lock.packages[at], file, verdict)
            if verdict is not None:
                identities.setdefault(at, []).extend(verdict.identities)
        _note_unverified(files, verdicts, note)
        self._note_vanished(
            [package for at, package in enumerate(lock.packages) if not identities.get(at)], repository, note
        )
        attested = sum(map(bool, identities.values()))
        note(f"{attested} of {len(lock.packages)} packages have a publisher whose attestations were verified")
        return replace(
            lock,
            packages=[_with_identities(package, identities.get(at, ())) for at, package in enumerate(lock.packages)],
        )

    def _note_vanished(
        self, packages: Sequence[Package], repository: ReleaseFiles, note: Callable[[str], object]
    ) -> None:
        """Report packages without attestations whose release before had them: the usual sign of a stolen token."""
        old = self._inputs.pins
        # That these lost their publisher is reported in any case.
        known = {package.name for package in old.packages if package.attestation_identities} if old else set()
        vanished = [
            f"{describe(package)} has no attestations, although {package.name} {earlier} has"
            for package in packages
            if package.name not in known and (earlier := _attested_before(package, repository)) is not None
        ]
        if vanished and self._inputs.options.refuse_new_publisher:
            raise publisher_changed(vanished)
        for text in vanished:
            note(text)

    def _check(self, package: Package, file: AttestedFile, verdict: ProvenanceVerdict | None) -> None:
        if verdict is not None and verdict.problems and not verdict.identities:
            raise attestation_refused(file, verdict.problems)
        if not self._policy.requires(package.name, package.version):
            return
        if verdict is None or not verdict.identities:
            raise LocksetError(
                "attestation-missing",
                f"`{file.filename}` of {file.release} has no verified attestation, which the project requires",
                location=file.url,
                hint=f"Lock another version, or add `{package.name}` to `exempt` in [tool.lockset.trust]",
            )
        wrong = next((one for one in verdict.identities if not self._policy.allows(package.name, one)), None)
        if wrong is not None:
            raise publisher_not_allowed(self._policy, package.name, file, wrong)


def publisher_not_allowed(
    policy: TrustPolicy, name: str, file: AttestedFile, publisher: PublisherIdentity
) -> LocksetError:
    """The error for a file that somebody published whom `[tool.lockset.trust]` does not allow."""
    return LocksetError(
        "publisher-not-allowed",
        f"`{file.filename}` of {file.release} was published by {publisher}, which the project does not allow",
        context=tuple(f"allowed: {pattern_text(pattern)}" for pattern in policy.allowed(name)),
        hint="If it moved, change `identities` in [tool.lockset.trust]; otherwise find out who published it",
    )


def _attested_before(package: Package, repository: ReleaseFiles) -> Version | None:
    """The final release before that of `package`, if its files offer provenance and those of `package` do not."""
    if package.version is None or not (package.wheels or package.sdist):
        return None
    if any(file.provenance for file in repository.files(package.name, package.version)):
        return None
    earlier = next(
        (v for v in repository.releases(package.name).versions if v < package.version and not v.is_prerelease), None
    )
    if earlier is None or not any(file.provenance for file in repository.files(package.name, earlier)):
        return None
    return earlier


def _attested(package: Package, repository: ReleaseFiles) -> Iterator[AttestedFile]:
    """The files of an entry that come from an index."""
    locked: list[PackageSdist | PackageWheel] = list(package.wheels or ())
    if package.sdist is not None:
        locked.append(package.sdist)
    if not locked or package.version is None:
        return
    offered = {file.filename: file for file in repository.files(package.name, package.version)}
    for file in locked:
        name = file_name(file) or ""
        hashes: Mapping[str, str] = file.hashes
        yield AttestedFile(
            package=package.name,
            release=describe(package),
            filename=name,
            sha256=hashes.get("sha256"),
            url=listed.provenance if (listed := offered.get(name)) is not None else None,
            local=None if listed is None or not is_local(listed.url) else partial(_next_to, file_url_path(listed.url)),
        )


def _next_to(path: str) -> bytes | None:
    """The provenance next to a local file."""
    return file_bytes(path + SUFFIX, MOST_BYTES + 1) or None


def _with_identities(package: Package, publishers: Sequence[PublisherIdentity]) -> Package:
    tables = [identity.table for identity in identities_of(identity.table for identity in publishers)]
    return replace(package, attestation_identities=tables or None)


def _note_unverified(
    files: Sequence[tuple[int, AttestedFile]],
    verdicts: Sequence[ProvenanceVerdict | None],
    note: Callable[[str], object],
) -> None:
    """Report provenance that the index lists but does not have, and publishers that cannot be verified here."""
    gone, kinds = [], dict[str, None]()
    for (_, file), verdict in zip(files, verdicts, strict=True):
        if verdict is None and file.url is not None:
            gone.append(file.filename)
        elif verdict is not None and not verdict.identities:
            kinds.update(dict.fromkeys(f"{file.filename} ({kind})" for kind in verdict.unsupported))
    if gone:
        note(f"The index lists provenance for {_listed(gone)}, but does not have it")
    if kinds:
        note(f"Attestations of this kind of publisher cannot be verified: {_listed(list(kinds))}")


def _listed(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return f"{', '.join(texts[:_SHOWN])}{more}"
