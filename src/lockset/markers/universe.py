"""The environments that a lock file must support, and the combinations of platform values that can occur."""

from __future__ import annotations

from functools import cache
from itertools import compress

from lockset._dataclass import dataclass, replace
from lockset.dependency_specifiers import read_specifiers
from lockset.markers.environment import KNOWN_PYTHONS, Environment, split_platform
from lockset.markers.marker_set import MarkerSet
from lockset.markers.tags import AcceptedTags, accepted_tags, described_tags, tag_platform_region

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from packaging.specifiers import SpecifierSet
    from packaging.tags import Tag

__all__ = [
    "DEFAULT_PLATFORMS",
    "KNOWN_PYTHONS",
    "MeasuredTags",
    "TargetInterpreter",
    "Universe",
    "described_target",
    "known_pythons",
    "platform_region",
    "possible",
    "targets_within",
]

# Platforms for which a lock file must have usable files by default.
DEFAULT_PLATFORMS = ("manylinux_2_28_x86_64", "macosx_14_0_arm64", "win_amd64")

# Platforms for declared environments that include none of the default ones.
_RARE_PLATFORMS = (
    *("manylinux_2_28_aarch64", "macosx_14_0_x86_64", "win_arm64", "win32", "manylinux_2_28_i686"),
    *("manylinux_2_28_ppc64le", "manylinux_2_28_s390x", "manylinux_2_31_armv7l", "manylinux_2_39_riscv64"),
)

# Values that only occur together, in both directions. Values that are not listed are possible with all others.
_TOGETHER = (
    ("sys_platform", "win32", "platform_system", "Windows"),
    ("sys_platform", "win32", "os_name", "nt"),
    ("sys_platform", "darwin", "platform_system", "Darwin"),
    ("sys_platform", "linux", "platform_system", "Linux"),
    ("platform_python_implementation", "CPython", "implementation_name", "cpython"),
    ("platform_python_implementation", "PyPy", "implementation_name", "pypy"),
    ("platform_python_implementation", "GraalVM", "implementation_name", "graalpy"),
    ("platform_python_implementation", "Jython", "implementation_name", "jython"),
    ("platform_python_implementation", "IronPython", "implementation_name", "ironpython"),
)
# The first implies the second.
_FOLLOWS = (
    ("sys_platform", "linux", "os_name", "posix"),
    ("sys_platform", "darwin", "os_name", "posix"),
    ("os_name", "java", "platform_python_implementation", "Jython"),
)
# Machine names that a system never uses; new machines are possible everywhere.
_FOREIGN_MACHINES = {
    "linux": ("AMD64", "ARM64", "arm64", "amd64", "x86"),
    "darwin": ("AMD64", "ARM64", "aarch64", "amd64", "x86", "i686", "armv7l", "ppc64le", "s390x", "riscv64"),
    "win32": ("arm64", "aarch64", "amd64", "x86_64", "i686", "armv7l", "ppc64le", "s390x", "riscv64"),
}


@cache
def possible() -> MarkerSet:
    """The environments whose values can occur together; only combinations known to be impossible are excluded."""
    implications = [*_FOLLOWS, *_TOGETHER, *((c, d, a, b) for a, b, c, d in _TOGETHER)]
    rules = [f"{one} != '{value}' or {other} == '{its}'" for one, value, other, its in implications]
    for system, machines in _FOREIGN_MACHINES.items():
        others = " and ".join(f"platform_machine != '{machine}'" for machine in machines)
        rules.append(f"sys_platform != '{system}' or {others}")
    return MarkerSet.parse(" and ".join(f"({rule})" for rule in rules))


def platform_region(name: str) -> MarkerSet:
    """The region of a described platform: `linux`, `macos_arm64`, `win_amd64`, `manylinux_2_28_aarch64`, ...

    A name without an architecture means all of them.

    Raises:
        LocksetError: `unknown-platform`.
    """
    _, machine = split_platform(name)
    environment = Environment.of_platform(name, KNOWN_PYTHONS[0])
    region = MarkerSet.parse(f"sys_platform == '{environment.sys_platform}'")
    plain = name.lower().replace("-", "_")
    if plain in _FAMILY_NAMES:
        return region
    by_tag = tag_platform_region(plain)
    if not by_tag.is_full and by_tag.implies(region):
        return by_tag
    return region & MarkerSet.parse(f"platform_machine == '{machine}'")


_FAMILY_NAMES = frozenset({"linux", "macos", "darwin", "windows", "android", "ios", "pyodide", "emscripten"})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MeasuredTags:
    """The tags that an interpreter on this machine reported, best first; compared by identity, which is faster."""

    tags: tuple[Tag, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TargetInterpreter:
    """An interpreter for which the lock file must have usable files; described, or with measured tags.

    Compared by identity, which is faster: `described_target` returns the same object for the same arguments.
    """

    platform: str
    python: str
    implementation: str
    environment: Environment
    measured: MeasuredTags | None = None

    @property
    def name(self) -> str:
        """A description for messages, such as "win_amd64, Python 3.12"."""
        implementation = "Python" if self.implementation == "cpython" else self.implementation
        return f"{self.platform}, {implementation} {self.python}"

    @property
    def tags(self) -> tuple[Tag, ...]:
        """The tags that it accepts, best first (cached)."""
        if self.measured is not None:
            return self.measured.tags
        return described_tags(self.platform, self.python, self.implementation)

    def accepts(self, tags: Collection[Tag]) -> bool:
        """Whether it accepts one of `tags`: what `tags` tells, but without a list of them."""
        if self.measured is not None:
            return not _set_of(self.measured).isdisjoint(tags)
        return self._described.has_any_of(tags)

    @property
    def platform_tags(self) -> frozenset[str]:
        """The platform tags among the tags that it accepts."""
        if self.measured is not None:
            return frozenset(tag.platform for tag in self.measured.tags)
        return self._described.platforms

    @property
    def _described(self) -> AcceptedTags:
        return accepted_tags(self.platform, self.python, self.implementation)


@cache
def _set_of(measured: MeasuredTags) -> frozenset[Tag]:
    return frozenset(measured.tags)


@cache
def described_target(platform: str, python: str, implementation: str = "cpython") -> TargetInterpreter:
    """The target of a described platform and Python.

    Raises:
        LocksetError: `unknown-platform` or `python-version-invalid`.
    """
    return TargetInterpreter(
        platform=platform,
        python=python,
        implementation=implementation,
        environment=Environment.of_platform(platform, python.removesuffix("t"), implementation),
    )


def known_pythons(region: MarkerSet) -> tuple[str, ...]:
    """The first release of every known minor version that the region includes on some platform, oldest first."""
    intervals = region.python_intervals()
    pythons: list[str] = []
    for known in KNOWN_PYTHONS:
        major, minor = map(int, known.split("."))
        begin, end = (major, minor, 0), (major, minor + 1, 0)
        starts = [max(start, begin) for start, stop in intervals if start < end and (stop is None or stop > begin)]
        if starts:
            pythons.append(".".join(map(str, starts[0])))
    return tuple(pythons)


@dataclass(frozen=True, slots=True, kw_only=True)
class Universe:
    """The set of environments that a lock file supports.

    Attributes:
        region: All supported environments: possible ones that match `requires_python` and a declared environment.
        requires_python: The declared specifier, or None.
        environments: The declared environments; empty for all.
        targets: The interpreters for which usable files must exist.
    """

    region: MarkerSet
    requires_python: SpecifierSet | None
    environments: tuple[MarkerSet, ...]
    targets: tuple[TargetInterpreter, ...]

    @classmethod
    def of(
        cls,
        *,
        requires_python: SpecifierSet | str | None = None,
        environments: Iterable[MarkerSet] = (),
        platforms: Sequence[str] = DEFAULT_PLATFORMS,
    ) -> Universe:
        """The universe for the declarations of a project.

        The targets are `platforms` with every known Python of the range, as far as they are in the region.

        Raises:
            LocksetError: `requires-python-invalid`, `unknown-platform`.
        """
        declared = tuple(environments)
        region = possible()
        if requires_python is not None:
            region &= MarkerSet.of_python(requires_python)
        if declared:
            region &= MarkerSet.union(declared)
        specifiers = read_specifiers(requires_python) if isinstance(requires_python, str) else requires_python
        return cls(
            region=region,
            requires_python=specifiers,
            environments=declared,
            targets=_targets(region, platforms),
        )

    def with_rare_targets(self) -> Universe:
        """The same universe with additional targets for declared environments that include no common interpreter."""
        targets = list(self.targets)
        for environment in self.environments:
            region = (self.region & environment).without_extras_and_groups()
            if not any(region.evaluate(t.environment) for t in targets):
                targets += _rare_targets(region)
        return replace(self, targets=tuple(targets))

    def pythons(self) -> tuple[str, ...]:
        """The known Pythons of the universe, one release of each minor version, oldest first."""
        return known_pythons(self.region)


def _rare_targets(region: MarkerSet) -> tuple[TargetInterpreter, ...]:
    """The targets in `region` from the first list of less common interpreters that has any."""
    for platforms, implementation in (
        (DEFAULT_PLATFORMS, "pypy"),
        (_RARE_PLATFORMS, "cpython"),
        (_RARE_PLATFORMS, "pypy"),
    ):
        targets = _targets(region, platforms, implementation)
        if targets:
            return targets
    return ()


def _targets(
    region: MarkerSet, platforms: Sequence[str], implementation: str = "cpython"
) -> tuple[TargetInterpreter, ...]:
    pythons = known_pythons(region)
    made = [described_target(platform, python, implementation) for platform in platforms for python in pythons]
    return targets_within(region.without_extras_and_groups(), made)


def targets_within(region: MarkerSet, targets: Sequence[TargetInterpreter]) -> tuple[TargetInterpreter, ...]:
    """The targets whose environments are in the region."""
    return tuple(compress(targets, region.evaluate_each([target.environment for target in targets])))
