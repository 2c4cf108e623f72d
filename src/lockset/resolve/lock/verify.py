"""Verify a lock at sampled environments, with packaging alone and nothing from the solver.

At each sample and for each choice of extras and groups: at most one entry of a package applies; from the roots on, each
requirement that applies is met by the entry that applies; no other entry applies; each entry has a usable file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, cast

from lockset._dataclass import dataclass
from lockset._named_tuple import NamedTuple
from lockset._pattern import lazy_pattern
from lockset.dependency_specifiers import composed_marker, read_wheel_name
from lockset.errors import LocksetError
from lockset.lockfile.model import artifacts, file_name
from lockset.package_names import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from packaging.markers import Marker
    from packaging.tags import Tag
    from packaging.version import Version

    from lockset.lockfile.model import Package, Pylock
    from lockset.markers import MarkerSet
    from lockset.markers.universe import TargetInterpreter
    from lockset.resolve.problem.requirement import Dependency, RootRequirement

    _Values: TypeAlias = Mapping[str, str | AbstractSet[str]]

__all__ = ["MissingFile", "verify_lock"]

Choice = tuple[tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingFile:
    """An entry that applies in samples but has no file for them."""

    name: str
    version: str
    samples: tuple[TargetInterpreter, ...]


def verify_lock(
    lock: Pylock,
    *,
    versions: Sequence[Version | None] | None = None,
    roots: Sequence[RootRequirement],
    dependencies: Callable[[str, Version], Iterable[Dependency]],
    samples: Sequence[TargetInterpreter],
    choices: Sequence[Choice],
    universe: MarkerSet,
) -> tuple[MissingFile, ...]:
    """Verify `lock`; returns the entries without a usable file, each with the samples in which it has none.

    `versions` are those of its packages, in their order; needed for source trees, whose version a lock does not have.

    Raises:
        LocksetError: `internal-unsound`: the lock is not valid, and must not be written.
    """
    missing: dict[tuple[str, str], dict[str, TargetInterpreter]] = {}
    root_markers = [(r, r.region.text()) for r in roots if not r.region.is_empty]
    parsed = {text: composed_marker(text) for _, text in root_markers if text is not None}
    entries = [_Entry.of(package) for package in lock.packages]
    tags: dict[int, frozenset[Tag] | None] = {}
    all_versions = [p.version for p in lock.packages] if versions is None else versions
    of_entries = {id(p): version for p, version in zip(lock.packages, all_versions, strict=True) if version is not None}
    everywhere: dict[tuple[Dependency, str], bool] = {}
    in_all_samples: dict[_Question, bool] = {}
    admitted: set[tuple[Dependency, int]] = set()
    environments = [sample.environment for sample in samples]
    supported = [universe.evaluate_each(environments, extras=e, groups=g) for e, g in choices]
    names = [(frozenset(map(canonicalize_name, e)), frozenset(map(canonicalize_name, g))) for e, g in choices]
    for number, sample in enumerate(samples):
        proof = _Proof(
            sample, dependencies, everywhere, of_entries, tags, in_all_samples=in_all_samples, admitted=admitted
        )
        for (extras, groups), inside in zip(names, supported, strict=True):
            if not inside[number]:
                continue
            values: _Values = {**proof.values, "extras": extras, "dependency_groups": groups}
            applying = [r for r, t in root_markers if t is None or parsed[t].evaluate(values, context="lock_file")]
            chosen = proof.select(entries, values)
            proof.check(chosen, applying)
            for package in chosen.values():
                key = (package.name, str(of_entries[id(package)]))
                if not proof.has_file(package):
                    missing.setdefault(key, {})[sample.name] = sample
    return tuple(MissingFile(name=n, version=v, samples=tuple(by_name.values())) for (n, v), by_name in missing.items())


# A marker, and those of the chosen extras and groups that it names: its value in one sample depends on nothing else.
_Question = tuple[str, frozenset[str], frozenset[str]]
_QUOTED = lazy_pattern(r"'([^']*)'|\"([^\"]*)\"")
_VARIABLE = lazy_pattern(r"[a-z_]{3,}")
_NOT_OF_SAMPLES = frozenset(("extras", "dependency_groups", "and", "not"))


class _Entry(NamedTuple):
    """A package of the lock, with its marker.

    Attributes:
        package: The package.
        marker: Its marker.
        text: The marker's text.
        named: The normalised names and other values in the marker.
        in_all_samples: Whether the marker depends on extras and groups alone.
    """

    package: Package
    marker: Marker | None
    text: str
    named: frozenset[str]
    in_all_samples: bool

    @classmethod
    def of(cls, package: Package) -> _Entry:
        text = str(package.marker or "")
        named = frozenset(canonicalize_name(one or other) for one, other in _QUOTED.findall(text))
        variables = _VARIABLE.findall(_QUOTED.sub("", text))
        return cls(package, package.marker, text, named, _NOT_OF_SAMPLES.issuperset(variables))


class _Proof:
    def __init__(
        self,
        sample: TargetInterpreter,
        dependencies: Callable[[str, Version], Iterable[Dependency]],
        everywhere: dict[tuple[Dependency, str], bool],
        versions: Mapping[int, Version],
        tags: dict[int, frozenset[Tag] | None],
        *,
        in_all_samples: dict[_Question, bool],
        admitted: set[tuple[Dependency, int]],
    ) -> None:
        self._sample = sample
        self._dependencies = dependencies
        self.values = sample.environment.as_dict()
        self._everywhere = everywhere
        self._versions = versions
        self._tags = tags
        self._holds: dict[tuple[Dependency, str], bool] = {}
        self._in_all_samples = in_all_samples
        self._admitted = admitted
        self._in_this_sample: dict[_Question, bool] = {}
        self._usable: dict[int, bool] = {}
        self._accepted: frozenset[Tag] | None = None

    def fail(self, why: str) -> LocksetError:
        return LocksetError(
            "internal-unsound",
            f"The resolved lock is not valid for {self._sample.name}: {why}",
            hint="Nothing was written. This is a bug in lockset: report it with the project",
        )

    def select(self, entries: Sequence[_Entry], values: _Values) -> dict[str, Package]:
        chosen: dict[str, Package] = {}
        for entry in entries:
            if entry.marker is not None and not self._evaluate(entry, values):
                continue
            package = entry.package
            if package.name in chosen:
                raise self.fail(f"two entries of {package.name} apply")
            chosen[package.name] = package
        return chosen

    def _evaluate(self, entry: _Entry, values: _Values) -> bool:
        assert entry.marker is not None
        extras, groups = (cast("frozenset[str]", values[name]) for name in ("extras", "dependency_groups"))
        question = entry.text, extras & entry.named, groups & entry.named
        answers = self._in_all_samples if entry.in_all_samples else self._in_this_sample
        known = answers.get(question)
        if known is None:
            known = answers[question] = entry.marker.evaluate(values, context="lock_file")
        return known

    def check(self, chosen: Mapping[str, Package], roots: Iterable[RootRequirement]) -> None:
        reached: dict[str, set[str]] = {}
        waiting: list[tuple[str, Dependency]] = [("the project", r.dependency) for r in roots]
        while waiting:
            requirer, dependency = waiting.pop()
            package = chosen.get(dependency.name)
            if package is None:
                raise self.fail(f"{requirer} requires {dependency.text}, and no entry of it applies")
            version = self._versions[id(package)]
            if (dependency, id(package)) not in self._admitted:
                if not dependency.specifier.admits(version):
                    raise self.fail(f"{requirer} requires {dependency.text}, and {version} is locked")
                self._admitted.add((dependency, id(package)))
            known = reached.get(dependency.name)
            new = set(dependency.extras) - known if known is not None else {"", *dependency.extras}
            if new:
                reached.setdefault(dependency.name, set()).update(new)
                waiting.extend(self._requirements(package, version, new))
        if superfluous := chosen.keys() - reached.keys():
            raise self.fail(f"nothing requires {', '.join(sorted(superfluous))}")

    def _requirements(self, package: Package, version: Version, extras: set[str]) -> Iterable[tuple[str, Dependency]]:
        requirer = f"{package.name} {version}"
        for dependency in self._dependencies(package.name, version):
            if dependency.condition is None:
                if "" in extras:
                    yield requirer, dependency
            elif any(self._condition(dependency, extra) for extra in extras):
                yield requirer, dependency

    def _condition(self, dependency: Dependency, extra: str) -> bool:
        key = (dependency, extra)
        everywhere = self._everywhere.get(key)
        if everywhere is not None:
            return everywhere
        known = self._holds.get(key)
        if known is None:
            assert dependency.condition is not None
            known = dependency.condition.evaluate({**self.values, "extra": extra})
            if dependency.condition_on_extra_alone:
                self._everywhere[key] = known
            else:
                self._holds[key] = known
        return known

    def has_file(self, package: Package) -> bool:
        known = self._usable.get(id(package))
        if known is None:
            if id(package) not in self._tags:
                self._tags[id(package)] = _tags_of(package)
            tags = self._tags[id(package)]
            known = self._usable[id(package)] = tags is None or not tags.isdisjoint(self._accepted_tags())
        return known

    def _accepted_tags(self) -> frozenset[Tag]:
        """The tags of the interpreter, made for the first package that only has wheels: it has hundreds."""
        if self._accepted is None:
            self._accepted = frozenset(self._sample.tags)
        return self._accepted


def _tags_of(package: Package) -> frozenset[Tag] | None:
    """The tags of all its wheels; None where it also has a file that needs none."""
    files = [file_name(each) or "" for each in artifacts(package)]
    if any(not file.endswith(".whl") for file in files):
        return None
    return frozenset().union(*(read_wheel_name(file)[3] for file in files))
