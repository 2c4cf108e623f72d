"""Newer releases of locked packages: which of them fit, and what holds the others back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from lockset._dataclass import dataclass
from lockset.errors import OfflineError
from lockset.markers import MarkerSet
from lockset.resolve.explain.reasons import pythons_in_words
from lockset.resolve.lock.lock_notes import environments_in_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from packaging.version import Version

    from lockset.index.pages.project_page import ProjectDetail
    from lockset.markers.universe import TargetInterpreter
    from lockset.resolve.problem.request import ReleasePolicy
    from lockset.resolve.problem.requirement import Dependency, Specifier
    from lockset.resolve.releases.index_repository import IndexRepository

__all__ = ["HeldBack", "NewerReleases", "ReleaseNews", "RequirementOn", "pythons_do_not_fit"]

HeldBackKind = Literal[
    "requirement", "constraint", "requires-python", "files", "exclude-newer", "yanked", "pre-release", "metadata",
    "conflict",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """One reason why a newer release does not fit.

    Attributes:
        kind: `requirement`, `constraint`, `requires-python`, `files` (no file for a platform, or none that may be
            used), `exclude-newer`, `yanked`, `pre-release`, `metadata` (it cannot be read) or `conflict` (the release
            requires what others exclude).
        text: The reason, such as `httpx 0.28.1 requires idna<3`.
    """

    kind: HeldBackKind
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementOn:
    """A requirement on a package: its text, who has it (such as `httpx 0.28.1`, or a file), and where it applies."""

    name: str
    text: str
    specifier: Specifier
    by: str
    region: MarkerSet


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseNews:
    """The releases of an index that are newer than one locked version.

    Attributes:
        newest: The newest final release that is not yanked; a pre-release if the locked version is newer than all final
            ones. None if there is none.
        fits: The newest release that fits; None if the package is no longer required.
        held_back: Why `newest` does not fit; empty if it does.
        yanked: Why the locked version was yanked, "" if no reason is given; None if it was not.
        status: The project's status on the index (PEP 792), such as `archived`; None for `active`.
    """

    newest: Version | None
    fits: Version | None
    held_back: tuple[HeldBack, ...] = ()
    yanked: str | None = None
    status: str | None = None


class NewerReleases:
    """Compares locked versions with the releases of an index.

    Args:
        repository: The releases, under the rules of the lock.
        policy: Constraints and the policy for pre-releases.
        requirements: All requirements that apply, by the name of the required package.
        chosen: The versions that the others are compared with, by name: those of the lock, or of a new lock.
        samples: The environments to test files with.
        is_upgraded: Whether `chosen` are the newest versions that fit together; else they may be upgraded, too.
    """

    def __init__(
        self,
        repository: IndexRepository,
        policy: ReleasePolicy,
        requirements: Mapping[str, Sequence[RequirementOn]],
        chosen: Mapping[str, Sequence[tuple[Version, MarkerSet]]],
        samples: Sequence[TargetInterpreter],
        *,
        is_upgraded: bool,
    ) -> None:
        self._repository = repository
        self._policy = policy
        self._requirements = requirements
        self._chosen = chosen
        self._samples = samples
        self._is_upgraded = is_upgraded

    def news(self, name: str, locked: Version, region: MarkerSet, *, upgraded: Version | None = None) -> ReleaseNews:
        """Compare the version `locked` in `region`; `upgraded` is the version of a new lock, if one was made.

        Raises:
            LocksetError: If the page of the project cannot be read; `project-not-found`.
        """
        versions = self._repository.all_versions(name)
        page = self._repository.page(name)
        if page is None:
            raise self._repository.not_found[name]
        # With `unsafe-first-match`, the versions of later indexes are not upgrades.
        number = page.index_numbers.get(locked, 0)
        versions = tuple(v for v in versions if page.index_numbers.get(v, 0) <= number)
        newest = self._newest(name, versions, locked)
        fits = upgraded if upgraded is not None else self._fitting(name, versions, locked, region)
        held: tuple[HeldBack, ...] = ()
        if newest is not None and newest > max(locked, fits):
            held = self._known_reasons(name, newest, region) or (self._unknown(name, newest),)
        elif newest is not None and (withdrawn := self._withdrawn(name, versions, newest)) is not None:
            held = (withdrawn,)
        return ReleaseNews(
            newest=newest,
            fits=fits,
            held_back=held,
            yanked=_yank_reason(page, locked),
            status=None if page.status in {None, "active"} else page.status,
        )

    def _newest(self, name: str, versions: Sequence[Version], locked: Version) -> Version | None:
        releases = self._repository.page(name)
        assert releases is not None, name
        usable = [version for version in versions if not releases.yanked(version)]
        final = next((version for version in usable if not version.is_prerelease), None)
        if self._policy.prerelease_of.get(name, self._policy.prerelease) == "allow" or final is None or final < locked:
            return next(iter(usable), None)
        return final

    def _withdrawn(self, name: str, versions: Sequence[Version], newest: Version) -> HeldBack | None:
        """The yanked final release that is newer than `newest`."""
        version = next((v for v in versions if v > newest and not v.is_prerelease), None)
        return None if version is None else HeldBack(kind="yanked", text=f"{name} {version} is yanked")

    def _fitting(self, name: str, versions: Sequence[Version], locked: Version, region: MarkerSet) -> Version:
        """The newest version that fits all others as they are locked; the locked one if none is newer."""
        admits_prereleases = self._policy.prerelease_of.get(name, self._policy.prerelease) == "allow"
        for version in versions:
            if version <= locked:
                break
            if version.is_prerelease and not (admits_prereleases or locked.is_prerelease):
                continue
            if next(self._reasons(name, version, region), None) is None:
                return version
        return locked

    def _reasons(self, name: str, version: Version, region: MarkerSet) -> Iterator[HeldBack]:
        """Why the release does not fit, the most relevant reasons first."""
        page = self._repository.page(name)
        if page is not None and page.yanked(version):
            yield HeldBack(kind="yanked", text=f"{name} {version} is yanked")
        left_out = self._repository.left_out(name, version)
        if left_out is not None:
            limited = self._repository.rules.limit(name) is not None
            yield HeldBack(kind="exclude-newer" if limited else "files", text=left_out)
            return
        yield from self._by_requirements(name, version, region)
        pythons = pythons_do_not_fit(self._repository, name, version, region)
        if pythons is not None:
            yield HeldBack(kind="requires-python", text=pythons)
            return
        yield from self._by_files(name, version, region)
        yield from self._by_metadata(name, version, region)

    def _known_reasons(self, name: str, version: Version, region: MarkerSet) -> tuple[HeldBack, ...]:
        """All reasons; offline, those that need no metadata if the cache has none, but at least one.

        Raises:
            OfflineError: No reason is known without the metadata, and it is not in the cache.
        """
        known: list[HeldBack] = []
        try:
            known.extend(self._reasons(name, version, region))
        except OfflineError:
            if not known:
                raise
        return tuple(known)

    def _by_requirements(self, name: str, version: Version, region: MarkerSet) -> Iterator[HeldBack]:
        seen: set[str] = set()
        for one in self._requirements.get(name, ()):
            text = f"{one.by} requires {one.text}"
            if text not in seen and not one.specifier.admits(version) and not one.region.is_disjoint(region):
                seen.add(text)
                yield HeldBack(kind="requirement", text=text)
        for specifier, where in self._policy.constraints.get(name, ()):
            if not specifier.admits(version) and not where.is_disjoint(region):
                yield HeldBack(kind="constraint", text=f"{name}{specifier} is a constraint")

    def _by_files(self, name: str, version: Version, region: MarkerSet) -> Iterator[HeldBack]:
        lacking = self._repository.lacks_files(name, version) & region
        wheels = self._repository.wheels_serve(name, version)
        if wheels is not None:
            lacking |= (region & self._repository.target_region) - wheels
        lacking = lacking.without_extras_and_groups()
        samples = [sample for sample in self._samples if lacking.evaluate(sample.environment)]
        if samples:
            yield HeldBack(kind="files", text=f"{name} {version} has no wheel for {environments_in_words(samples)}")

    def _by_metadata(self, name: str, version: Version, region: MarkerSet) -> Iterator[HeldBack]:
        facts = self._repository.facts(name, version)
        if facts is None:
            why = self._repository.stepped_over.get((name, version), "its metadata cannot be read")
            yield HeldBack(kind="metadata", text=f"{name} {version}: {why}")
            return
        for dependency in facts.dependencies.with_extras(()):
            where = dependency.marker.with_metadata_extra(None) & region
            if dependency.url is None and not where.is_empty:
                yield from self._by_dependency(f"{name} {version}", name, dependency, where)

    def _by_dependency(self, release: str, name: str, dependency: Dependency, where: MarkerSet) -> Iterator[HeldBack]:
        """What excludes every version that the release requires of another package; that one may be upgraded, too."""
        text, other = f"{release} requires {dependency.text}", dependency.name
        chosen = [
            version
            for version, region in self._chosen.get(other, ())
            if not dependency.specifier.admits(version) and not region.is_disjoint(where)
        ]
        if not chosen:
            return
        fitting = [version for version in self._repository.all_versions(other) if dependency.specifier.admits(version)]
        for one in self._requirements.get(other, ()):
            if one.by.partition(" ")[0] == name or one.region.is_disjoint(where):
                continue
            if not any(map(one.specifier.admits, fitting)):
                yield HeldBack(kind="conflict", text=f"{text}, and {one.by} requires {one.text}")
                return
        if self._is_upgraded:
            yield HeldBack(kind="conflict", text=f"{text}, and {chosen[0]} is chosen")

    @staticmethod
    def _unknown(name: str, version: Version) -> HeldBack:
        return HeldBack(kind="conflict", text=f"see `lockset why-not {name}=={version}`")


def pythons_do_not_fit(repository: IndexRepository, name: str, version: Version, region: MarkerSet) -> str | None:
    """`numpy 2.5.5 requires Python >=3.12; the lock covers >=3.10`, if the release does not serve all of `region`."""
    page = repository.page(name)
    if page is None:
        return None
    pythons = MarkerSet.union(map(repository.admits, page.requires_pythons(version)))
    needed = region.without_extras_and_groups().without_platforms()
    if needed.implies(pythons):
        return None
    covered = pythons_in_words(needed).removeprefix("Python ")
    return f"{name} {version} requires {pythons_in_words(pythons)}; the lock covers {covered}"


def _yank_reason(page: ProjectDetail, version: Version) -> str | None:
    if version not in page or not page.yanked(version):
        return None
    reasons: Iterable[str] = (file.yanked_reason for file in page.files(version) if file.yanked_reason)
    return next(iter(reasons), "")
