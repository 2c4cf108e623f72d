"""The check with which every conversion ends: both sides install the same, and no hash has come or gone unsaid."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from lockset._dataclass import dataclass
from lockset.conversion.model.imported_lock import identity, identity_of_source
from lockset.conversion.model.reference_selector import Situation
from lockset.errors import LocksetError
from lockset.lockfile.model import artifacts
from lockset.markers.sample import common_environments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from packaging.specifiers import SpecifierSet

    from lockset.conversion.model.imported_lock import ImportedLock, Loss
    from lockset.lockfile.model import Package, Pylock
    from lockset.markers import MarkerSet

__all__ = [
    "Proof",
    "ProofRow",
    "entry_hashes",
    "environments_within",
    "identity_of_package",
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
# Bounds the environments made up for single markers; beyond it the common ones have to do.
_EXAMPLES = 200
# As many differences as a failure shows.
_SHOWN = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofRow:
    """One choice of extras and groups, on all environments of the grid.

    Attributes:
        choice: In words.
        environments: How many were compared.
        fewest: Packages in the environment with the fewest.
        most: The same for the most.
    """

    choice: str
    environments: int
    fewest: int
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What was compared, all of which agreed.

    Attributes:
        rows: By choice.
        hashes: Hashes of the input.
        kept: Those of them in the output.
        lost: Those that are not, each named in a loss.
    """

    rows: tuple[ProofRow, ...]
    hashes: int
    kept: int
    lost: int


def identity_of_package(package: Package) -> str:
    """What an entry installs, in one text."""
    source = package.vcs or package.directory or package.archive
    if source is not None:
        return identity_of_source(package.name, source)
    return identity(package.name, package.version, None)


def entry_hashes(package: Package) -> list[frozenset[str]]:
    """The hashes of every file of the entry; a commit counts as one."""
    found: list[frozenset[str]] = []
    for artifact in artifacts(package):
        hashes = getattr(artifact, "hashes", None)
        if hashes is not None:
            found.append(frozenset(f"{algorithm}:{value}" for algorithm, value in hashes.items()))
        commit = getattr(artifact, "commit_id", None)
        if commit is not None:
            found.append(frozenset({f"commit:{commit}"}))
    return found


def environments_within(
    requires_python: SpecifierSet | None, declared: Sequence[str], regions: Iterable[MarkerSet]
) -> list[dict[str, str]]:
    """The common environments a lock serves, and one inside and one outside of every region."""
    common = [
        environment.as_dict()
        for environment in common_environments()
        if (environment.sys_platform, environment.platform_machine) in _PLATFORMS
        and (environment.implementation_name == "cpython" or environment.platform_machine == "x86_64")
    ]
    found = {tuple(sorted(values.items())): values for values in common}
    distinct = list(dict.fromkeys(regions))[:_EXAMPLES]
    for region in distinct:
        for side in (region, ~region):
            example = side.example()
            if example is not None:
                values = {name: value for name, value in example.environment.items() if name != "extra"}
                found.setdefault(tuple(sorted(values.items())), values)
    return [values for values in found.values() if _is_served(values, requires_python, declared)]


def _is_served(values: Mapping[str, str], requires_python: SpecifierSet | None, declared: Sequence[str]) -> bool:
    version = values["python_full_version"]
    if requires_python is not None and not requires_python.contains(version, prereleases=True):
        return False
    situation = Situation(environment=values, extras=frozenset(), groups=frozenset())
    return not declared or any(situation.holds(text) for text in declared)


def selected(lock: Pylock, situation: Situation) -> frozenset[str]:
    """Identities of the entries whose markers hold, by packaging alone.

    Raises:
        LocksetError: `proof-failed`: two entries of one name.
    """
    return selector(lock)(situation)


def selector(lock: Pylock) -> Callable[[Situation], frozenset[str]]:
    """The same for many situations: what does not depend on them is worked out once."""
    entries = [(p.name, None if p.marker is None else str(p.marker), identity_of_package(p)) for p in lock.packages]

    def select(situation: Situation) -> frozenset[str]:
        chosen = [(name, found) for name, marker, found in entries if situation.holds(marker)]
        twice = [name for name, count in Counter(name for name, _ in chosen).items() if count > 1]
        if twice:
            raise LocksetError(
                "proof-failed",
                f"The lock file would have two entries of {twice[0]} at once",
                context=(_shown(situation),),
                hint="Nothing was written; report it with the input",
            )
        return frozenset(found for _, found in chosen)

    return select


def verify_conversion(draft: ImportedLock, lock: Pylock, losses: Sequence[Loss]) -> Proof:
    """What was compared.

    Raises:
        LocksetError: `proof-failed` with the first differences: a bug of lockset; nothing may be written.
    """
    environments = environments_within(
        draft.requires_python,
        draft.environments,
        (package.region.without_extras_and_groups() for package in draft.packages),
    )
    select = selector(lock)
    rows = []
    for extras, groups in dict.fromkeys(draft.offers.choices()):
        if _conflicting(draft, extras, groups):
            continue
        counts = []
        for values in environments:
            situation = Situation(environment=values, extras=extras, groups=groups)
            wanted, got = draft.judge.wanted(situation), select(situation)
            if not _agree(wanted, got, draft.settled):
                raise _difference(wanted, got, situation, draft.location)
            counts.append(len(got))
        if counts:
            row = ProofRow(
                choice=_choice(draft, extras, groups), environments=len(counts), fewest=min(counts), most=max(counts)
            )
            rows.append(row)
    hashes, kept, lost = _compare_hashes(draft, lock, losses)
    return Proof(rows=tuple(rows), hashes=hashes, kept=kept, lost=lost)


def _agree(wanted: frozenset[str], got: frozenset[str], settled: Mapping[str, frozenset[str]]) -> bool:
    """Whether both sides install the same: each entry of the input is answered, and no other entry is there."""
    if wanted == got:
        return True
    allowed = [settled.get(one, frozenset({one})) for one in wanted]
    return all(one & got for one in allowed) and got <= frozenset().union(*allowed)


def _conflicting(draft: ImportedLock, extras: frozenset[str], groups: frozenset[str]) -> bool:
    return any(all(draft.offers.holds(side, extras, groups) for side in conflict) for conflict in draft.conflicts)


def _choice(draft: ImportedLock, extras: frozenset[str], groups: frozenset[str]) -> str:
    defaults = frozenset(draft.offers.default_groups)
    named = [*sorted(extras), *sorted(groups - defaults)]
    if groups >= defaults:
        return " + ".join(["default", *named])
    return " + ".join(sorted(extras | groups)) or "nothing"


def _difference(wanted: frozenset[str], got: frozenset[str], situation: Situation, location: str) -> LocksetError:
    missing, added = sorted(wanted - got), sorted(got - wanted)
    context = [f"only in the input: {text}" for text in missing[:_SHOWN]]
    context += [f"only in the output: {text}" for text in added[:_SHOWN]]
    return LocksetError(
        "proof-failed",
        "The lock file would not install what the input does",
        location=location,
        context=(_shown(situation), *context),
        hint="Nothing was written; report it with the input",
    )


def _shown(situation: Situation) -> str:
    values = situation.environment
    chosen = ", ".join(sorted(situation.extras | situation.groups)) or "nothing chosen"
    return (
        f"{values['implementation_name']} {values['python_full_version']} on {values['sys_platform']} "
        f"{values['platform_machine']}, {chosen}"
    )


def _compare_hashes(draft: ImportedLock, lock: Pylock, losses: Sequence[Loss]) -> tuple[int, int, int]:
    """Numbers of the input's hashes: all, kept, lost.

    Raises:
        LocksetError: `proof-failed`: a hash went without a word, or a file came that the input does not vouch for.
    """
    named = {text for loss in losses for text in loss.hashes}
    present: dict[str, set[str]] = {}
    sources = _sources(draft)
    for package in lock.packages:
        keys = sources.get(identity_of_package(package), ())
        given = frozenset().union(*(draft.evidence[key] for key in keys))
        for hashes in entry_hashes(package):
            for key in keys:
                present.setdefault(key, set()).update(hashes)
            if given and not hashes & given and draft.unhashed.isdisjoint(keys):
                raise _hash_failure(
                    f"A file of {package.name} has no hash of the input", sorted(hashes), draft.location
                )
    total = kept = lost = 0
    for key, given in draft.evidence.items():
        total += len(given)
        here = given & present.get(key, set())
        kept += len(here)
        gone = given - here
        lost += len(gone)
        if gone - named:
            raise _hash_failure(f"A hash of {key} would get lost without a word", sorted(gone - named), draft.location)
    return total, kept, lost


def _sources(draft: ImportedLock) -> Mapping[str, list[str]]:
    """Identity of an entry of the lock to those of the input that it stands for."""
    found: dict[str, list[str]] = {}
    for key in draft.evidence:
        for one in draft.settled.get(key, (key,)):
            found.setdefault(one, []).append(key)
    return found


def _hash_failure(message: str, hashes: Sequence[str], location: str) -> LocksetError:
    return LocksetError(
        "proof-failed",
        message,
        location=location,
        context=tuple(hashes[:_SHOWN]),
        hint="Nothing was written; report it with the input",
    )
