"""Whose attestations a project requires: `[tool.lockset.trust]` and the options of a sync."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._dataclass import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from packaging.version import Version

    from lockset.attestations.identity import PublisherIdentity

__all__ = ["PackageTrust", "TrustPolicy", "pattern_text"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageTrust:
    """The settings of `[tool.lockset.trust.packages.NAME]`.

    Attributes:
        identities: Publishers that may publish the package, each by `kind` and as many of the kind's keys as matter;
            empty for any.
        since: The first version that this holds for; None for all.
    """

    identities: tuple[Mapping[str, str], ...] = ()
    since: Version | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustPolicy:
    """Packages whose files need an attestation. Names are normalized.

    Attributes:
        every: Every package needs one.
        names: These need one.
        exempt: These need none, whatever `every` says.
        packages: Further rules for single packages, which need one, too.
    """

    every: bool = False
    names: frozenset[str] = frozenset()
    exempt: frozenset[str] = frozenset()
    packages: Mapping[str, PackageTrust] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether no package needs an attestation."""
        return not (self.every or self.names or self.packages)

    def requires(self, name: str, version: Version | None) -> bool:
        """Whether files of this release need an attestation. A release without a version is as recent as any."""
        trust = self.packages.get(name)
        if trust is not None:
            return trust.since is None or version is None or version >= trust.since
        return name in self.names or (self.every and name not in self.exempt)

    def allowed(self, name: str) -> tuple[Mapping[str, str], ...]:
        """The publishers that may publish the package; empty for any."""
        trust = self.packages.get(name)
        return () if trust is None else trust.identities

    def allows(self, name: str, identity: PublisherIdentity) -> bool:
        """Whether this publisher may publish the package."""
        patterns = self.allowed(name)
        return not patterns or any(identity.matches(pattern) for pattern in patterns)

    def with_required(self, *, every: bool = False, names: Iterable[str] = ()) -> TrustPolicy:
        """This policy, which requires further attestations: of every package but the exempt ones, or of these.

        A package that is named is no longer exempt.
        """
        named = frozenset(names)
        return TrustPolicy(
            every=self.every or every, names=self.names | named, exempt=self.exempt - named, packages=self.packages
        )


def pattern_text(pattern: Mapping[str, str]) -> str:
    """An allowed publisher, for messages."""
    rest = {key: value for key, value in pattern.items() if key != "kind"}
    return " ".join([pattern.get("kind", "any kind"), *rest.values()])
