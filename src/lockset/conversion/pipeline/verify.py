"""Verify a conversion: input and lock file install the same, and every hash that is new or gone is accounted for.

Pins of a file that is written by hand may lack some of their dependencies: those are a loss, too.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement

from lockset._dataclass import dataclass
from lockset.conversion.model.imported_lock import Loss, identity, region_of_text, universe_of
from lockset.conversion.model.selection import Situation
from lockset.dependency_specifiers import read_dependency
from lockset.errors import LocksetError
from lockset.lockfile.model import artifacts
from lockset.markers import MarkerSet
from lockset.markers.environment import common_environments
from lockset.package_names import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from packaging.specifiers import SpecifierSet

    from lockset.conversion.model.imported_lock import ImportedLock, ImportedPackage
    from lockset.conversion.model.ports import Remote
    from lockset.index.pages.project_page import DistributionFile
    from lockset.index.ports import Index
    from lockset.lockfile.model import Package, Pylock


__all__ = [
    "Proof",
    "ProofRow",
    "entry_hashes",
    "environments_within",
    "identity_of_package",
    "missing_dependencies",
    "selected",
    "selector",
    "verify_conversion",
]

_PLATFORMS = (
    ("linux", "x86_64"),
    ("linux", "aarch64"),
    ("darwin", "arm64"),
    ("darwin", "x86_64"),
    ("win32", "AMD64"),
    ("win32", "ARM64"),
)
# How many regions get example environments of their own, besides the common ones.
_EXAMPLES = 200
# How many differences a message shows.
_SHOWN = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofRow:
    """One selection of extras and groups, compared in all environments.

    Attributes:
        choice: The selection, in words.
        environments: Number of environments compared.
        fewest: Number of packages in the environment with the fewest.
        most: Number of packages in the environment with the most.
    """

    choice: str
    environments: int
    fewest: int
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The result of a comparison in which everything was equal.

    Attributes:
        rows: One for each selection.
        hashes: Number of hashes in the input.
        kept: Number of them in the output.
        lost: Number of them that are not, each named in a loss.
    """

    rows: tuple[ProofRow, ...]
    hashes: int
    kept: int
    lost: int


def identity_of_package(package: Package) -> str:
    """The identity of an entry: equal for entries that install the same."""
    return identity(package.name, package.version, package.vcs or package.directory or package.archive)


def entry_hashes(package: Package) -> list[frozenset[str]]:
    """The hashes of each file of the entry. A commit counts as a hash."""
    files: list[frozenset[str]] = []
    for artifact in artifacts(package):
        hashes = getattr(artifact, "hashes", None)
        if hashes is not None:
            files.append(frozenset(f"{algorithm}:{value}" for algorithm, value in hashes.items()))
        commit = getattr(artifact, "commit_id", None)
        if commit is not None:
            files.append(frozenset({f"commit:{commit}"}))
    return files


def environments_within(
    requires_python: SpecifierSet | None, declared: Sequence[str], regions: Iterable[MarkerSet]
) -> list[dict[str, str]]:
    """The common environments that a lock supports, and one inside and one outside of every region."""
    common = [
        environment.as_dict()
        for environment in common_environments()
        if (environment.sys_platform, environment.platform_machine) in _PLATFORMS
        and (environment.implementation_name == "cpython" or environment.platform_machine == "x86_64")
    ]
    environments = {tuple(sorted(values.items())): values for values in common}
    distinct = list(dict.fromkeys(regions))[:_EXAMPLES]
    for region in distinct:
        for side in (region, ~region):
            example = side.example()
            if example is not None:
                values = {name: value for name, value in example.environment.items() if name != "extra"}
                environments.setdefault(tuple(sorted(values.items())), values)
    return [values for values in environments.values() if _is_supported(values, requires_python, declared)]


def _is_supported(values: Mapping[str, str], requires_python: SpecifierSet | None, declared: Sequence[str]) -> bool:
    version = values["python_full_version"]
    if requires_python is not None and not requires_python.contains(version, prereleases=True):
        return False
    situation = Situation(environment=values, extras=frozenset(), groups=frozenset())
    return not declared or any(situation.holds(text) for text in declared)


def selected(lock: Pylock, situation: Situation) -> frozenset[str]:
    """Identities of the entries whose markers hold, evaluated with packaging alone.

    Raises:
        LocksetError: `ambiguous-package` if two entries of one name apply.
    """
    return selector(lock, is_input=True)(situation)


def selector(lock: Pylock, *, is_input: bool = False) -> Callable[[Situation], frozenset[str]]:
    """`selected` for many situations. What does not depend on them is prepared once.

    Two entries that apply at once are a fault of the user's file if the lock `is_input` (`ambiguous-package`), and of
    lockset if it was made here (`proof-failed`).
    """
    entries = [(p.name, None if p.marker is None else str(p.marker), identity_of_package(p)) for p in lock.packages]

    def select(situation: Situation) -> frozenset[str]:
        chosen = [(name, key) for name, marker, key in entries if marker is None or situation.holds(marker)]
        twice = [name for name, count in Counter(name for name, _ in chosen).items() if count > 1]
        if twice and is_input:
            raise LocksetError(
                "ambiguous-package",
                f"The lock file has two entries for `{twice[0]}` that both apply in one environment",
                context=(_shown(situation),),
                hint="Give them markers that exclude each other, or remove one",
            )
        if twice:
            raise LocksetError(
                "proof-failed",
                f"Two entries of {twice[0]} would apply at once in the lock file",
                context=(_shown(situation),),
                hint="Nothing was written. This is a bug in lockset: report it with the input",
            )
        return frozenset(key for _, key in chosen)

    return select


def verify_conversion(imported: ImportedLock, lock: Pylock, losses: Sequence[Loss]) -> Proof:
    """Verify that the lock file installs what the input does, and return what was compared.

    Raises:
        LocksetError: `proof-failed` with the first differences. That is a bug in lockset; do not write the lock file.
    """
    environments = environments_within(
        imported.requires_python,
        imported.environments,
        (package.region.without_extras_and_groups() for package in imported.packages),
    )
    select = selector(lock)
    rows = []
    for extras, groups in dict.fromkeys(imported.selectable.choices()):
        if _is_conflicting(imported, extras, groups):
            continue
        situations = [Situation(environment=values, extras=extras, groups=groups) for values in environments]
        expected = [imported.selector.select(situation) for situation in situations]
        installed = [select(situation) for situation in situations]
        for situation, before, after in zip(situations, expected, installed, strict=True):
            if not _agree(before, after, imported.stand_ins):
                raise _difference(before, after, situation, imported.location)
        counts = [len(got) for got in installed]
        if counts:
            row = ProofRow(
                choice=_choice(imported, extras, groups), environments=len(counts), fewest=min(counts), most=max(counts)
            )
            rows.append(row)
    hashes, kept, lost = _compare_hashes(imported, lock, losses)
    return Proof(rows=tuple(rows), hashes=hashes, kept=kept, lost=lost)


def _agree(expected: frozenset[str], installed: frozenset[str], stand_ins: Mapping[str, frozenset[str]]) -> bool:
    """Whether both sides install the same: every entry of the input or a stand-in for it, and nothing else."""
    if expected == installed:
        return True
    allowed = [stand_ins.get(one, frozenset({one})) for one in expected]
    return all(one & installed for one in allowed) and installed <= frozenset().union(*allowed)


def _is_conflicting(imported: ImportedLock, extras: frozenset[str], groups: frozenset[str]) -> bool:
    return any(
        all(imported.selectable.holds(side, extras, groups) for side in conflict) for conflict in imported.conflicts
    )


def _choice(imported: ImportedLock, extras: frozenset[str], groups: frozenset[str]) -> str:
    defaults = frozenset(imported.selectable.default_groups)
    named = [*sorted(extras), *sorted(groups - defaults)]
    if groups >= defaults:
        return " + ".join(["default", *named])
    return " + ".join(sorted(extras | groups)) or "nothing"


def _difference(
    expected: frozenset[str], installed: frozenset[str], situation: Situation, location: str
) -> LocksetError:
    missing, added = sorted(expected - installed), sorted(installed - expected)
    context = [f"only in the input: {text}" for text in missing[:_SHOWN]]
    context += [f"only in the output: {text}" for text in added[:_SHOWN]]
    return LocksetError(
        "proof-failed",
        "The lock file would not install what the input does",
        location=location,
        context=(_shown(situation), *context),
        hint="Nothing was written. This is a bug in lockset: report it with the input",
    )


def _shown(situation: Situation) -> str:
    values = situation.environment
    chosen = ", ".join(sorted(situation.extras | situation.groups)) or "nothing chosen"
    return (
        f"{values['implementation_name']} {values['python_full_version']} on {values['sys_platform']} "
        f"{values['platform_machine']}, {chosen}"
    )


def _compare_hashes(imported: ImportedLock, lock: Pylock, losses: Sequence[Loss]) -> tuple[int, int, int]:
    """Count the hashes of the input: all, kept, lost.

    Raises:
        LocksetError: `proof-failed` if a hash is lost without a loss, or a file matches no hash of the input.
    """
    named = {text for loss in losses for text in loss.hashes}
    present: dict[str, set[str]] = {}
    sources = _sources(imported)
    for package in lock.packages:
        keys = sources.get(identity_of_package(package), ())
        given = frozenset().union(*(imported.evidence[key] for key in keys))
        for hashes in entry_hashes(package):
            for key in keys:
                present.setdefault(key, set()).update(hashes)
            if given and not hashes & given and imported.unhashed.isdisjoint(keys):
                raise _hash_failure(
                    f"A file of {package.name} matches no hash of the input", sorted(hashes), imported.location
                )
    total = kept = lost = 0
    for key, given in imported.evidence.items():
        total += len(given)
        here = given & present.get(key, set())
        kept += len(here)
        gone = given - here
        lost += len(gone)
        if gone - named:
            raise _hash_failure(f"A hash of {key} would be lost unreported", sorted(gone - named), imported.location)
    return total, kept, lost


def _sources(imported: ImportedLock) -> Mapping[str, list[str]]:
    """Identity of an entry of the lock to the entries of the input that it replaces."""
    sources: dict[str, list[str]] = {}
    for key in imported.evidence:
        for one in imported.stand_ins.get(key, (key,)):
            sources.setdefault(one, []).append(key)
    return sources


def _hash_failure(message: str, hashes: Sequence[str], location: str) -> LocksetError:
    return LocksetError(
        "proof-failed",
        message,
        location=location,
        context=tuple(hashes[:_SHOWN]),
        hint="Nothing was written. This is a bug in lockset: report it with the input",
    )


# How many missing projects the message names.
_SHOWN = 6


def missing_dependencies(imported: ImportedLock, index: Index, remote: Remote) -> tuple[Loss, ...]:
    """A loss that names the dependencies that the file does not pin; empty if it pins all of them.

    Checks only files that may be written by hand, and only releases whose metadata is available.
    """
    if not imported.may_be_partial:
        return ()
    universe = universe_of(imported.requires_python, imported.environments)
    there: dict[str, MarkerSet] = {}
    for package in imported.packages:
        there[package.name] = there.get(package.name, MarkerSet.none()) | package.region
    releases = [(package, files) for package in imported.packages if (files := _files(package, index))]
    for _, files in releases:
        remote.hint(files)
    missing: dict[str, str] = {}
    for package, files in releases:
        for name, region in _needs(package, remote.requires(files) or ()):
            left = region & package.region & universe
            if not (left - there.get(name, MarkerSet.none())).is_empty:
                missing.setdefault(name, package.shown)
    if not missing:
        return ()
    named = [f"{name} (for {dependent})" for name, dependent in sorted(missing.items())]
    more = f" and {len(named) - _SHOWN} more" if named[_SHOWN:] else ""
    message = (
        f"The file does not pin all dependencies of its pins: {', '.join(named[:_SHOWN])}"
        f"{more}; installers would resolve them, but the lock file lacks them. Pin them, or, if they are for other "
        "Pythons, limit the lock file with `--python`"
    )
    return (Loss(kind="needs-missing", message=message),)


def _files(package: ImportedPackage, index: Index) -> Sequence[DistributionFile]:
    """The files of the release on the index; none for an entry with a direct source."""
    if package.source is not None or package.version is None:
        return ()
    try:
        detail = index.project(package.name)
    except LocksetError:
        return ()
    return detail.files(package.version) if package.version in detail else ()


def _needs(package: ImportedPackage, requires: Sequence[str]) -> Iterator[tuple[str, MarkerSet]]:
    for text in requires:
        try:
            requirement = read_dependency(text)
        except InvalidRequirement:
            continue
        marker = region_of_text(None if requirement.marker is None else str(requirement.marker))
        region = marker.with_metadata_extra(None)
        for extra in package.extras:
            region |= marker.with_metadata_extra(extra)
        if not region.is_empty:
            yield canonicalize_name(requirement.name), region
