"""The environments a lock file must serve, and which combinations of platform values occur at all."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from lockset._dataclass import dataclass
from lockset.dependency_specifiers import read_specifiers
from lockset.markers.environment import Environment, split_platform
from lockset.markers.marker_set import MarkerSet
from lockset.markers.sample import KNOWN_PYTHONS
from lockset.markers.tags import described_tags, tag_platform_region

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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
]

# What a lock must have usable files for where the project declares nothing.
DEFAULT_PLATFORMS = ("manylinux_2_28_x86_64", "macosx_14_0_arm64", "win_amd64")

# What stands for an environment that is declared and holds none of them.
_RARE_PLATFORMS = (
    *("manylinux_2_28_aarch64", "macosx_14_0_x86_64", "win_arm64", "win32", "manylinux_2_28_i686"),
    *("manylinux_2_28_ppc64le", "manylinux_2_28_s390x", "manylinux_2_31_armv7l", "manylinux_2_39_riscv64"),
)

# Values that only occur together, each row in both directions. Values that no row names stay possible with all others.
_TOGETHER = (
    ("sys_platform == 'win32'", "platform_system == 'Windows'"),
    ("sys_platform == 'win32'", "os_name == 'nt'"),
    ("sys_platform == 'darwin'", "platform_system == 'Darwin'"),
    ("sys_platform == 'linux'", "platform_system == 'Linux'"),
    ("platform_python_implementation == 'CPython'", "implementation_name == 'cpython'"),
    ("platform_python_implementation == 'PyPy'", "implementation_name == 'pypy'"),
    ("platform_python_implementation == 'GraalVM'", "implementation_name == 'graalpy'"),
    ("platform_python_implementation == 'Jython'", "implementation_name == 'jython'"),
    ("platform_python_implementation == 'IronPython'", "implementation_name == 'ironpython'"),
)
# The first implies the second.
_FOLLOWS = (
    ("sys_platform == 'linux' or sys_platform == 'darwin'", "os_name == 'posix'"),
    ("os_name == 'java'", "platform_python_implementation == 'Jython'"),
)
# Spellings of machines that a system never uses; new machines stay possible everywhere.
_FOREIGN_MACHINES = {
    "linux": ("AMD64", "ARM64", "arm64", "amd64", "x86"),
    "darwin": ("AMD64", "ARM64", "aarch64", "amd64", "x86", "i686", "armv7l", "ppc64le", "s390x", "riscv64"),
    "win32": ("arm64", "aarch64", "amd64", "x86_64", "i686", "armv7l", "ppc64le", "s390x", "riscv64"),
}


@cache
def possible() -> MarkerSet:
    """The care set: environments whose values can occur together. Only what is known to be impossible is left out."""
    found = MarkerSet.any()
    for one, other in _TOGETHER:
        a, b = MarkerSet.parse(one), MarkerSet.parse(other)
        found &= (a & b) | (~a & ~b)
    for one, other in _FOLLOWS:
        found &= ~MarkerSet.parse(one) | MarkerSet.parse(other)
    for system, machines in _FOREIGN_MACHINES.items():
        for machine in machines:
            found -= MarkerSet.parse(f"sys_platform == '{system}' and platform_machine == '{machine}'")
    return found


def platform_region(name: str) -> MarkerSet:
    """The region of a described platform: `linux`, `macos_arm64`, `win_amd64`, `manylinux_2_28_aarch64`, ...

    A name without an architecture stands for all of them.

    Raises:
        LocksetError: `platform-unknown`.
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
    """The tags that an interpreter of this computer told, best first; compared by identity, as there are hundreds."""

    tags: tuple[Tag, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetInterpreter:
    """One interpreter that the lock must have usable files for; described, or with the tags that it told itself."""

    platform: str
    python: str
    implementation: str
    environment: Environment
    measured: MeasuredTags | None = None

    @property
    def name(self) -> str:
        """The target in words, as in "win_amd64, Python 3.12"."""
        implementation = "Python" if self.implementation == "cpython" else self.implementation
        return f"{self.platform}, {implementation} {self.python}"

    @property
    def tags(self) -> tuple[Tag, ...]:
        """The tags that it accepts, best first (made on first use, then remembered)."""
        if self.measured is not None:
            return self.measured.tags
        return described_tags(self.platform, self.python, self.implementation)


@cache
def described_target(platform: str, python: str, implementation: str = "cpython") -> TargetInterpreter:
    """The target of a described platform and Python.

    Raises:
        LocksetError: `platform-unknown` or `python-version-invalid`.
    """
    return TargetInterpreter(
        platform=platform,
        python=python,
        implementation=implementation,
        environment=Environment.of_platform(platform, python.removesuffix("t"), implementation),
    )


def known_pythons(region: MarkerSet) -> tuple[str, ...]:
    """For every known minor version that the region admits somewhere, its first admitted release, oldest first."""
    found: list[str] = []
    for minor in KNOWN_PYTHONS:
        first = (region & MarkerSet.parse(f"python_version == '{minor}'")).python_minimum()
        if first is not None:
            found.append(".".join(map(str, first)))
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Universe:
    """What a lock serves.

    Attributes:
        region: Every environment to be served: the Pythons of `requires_python`, in one of the declared environments,
            among what can occur.
        requires_python: As declared, or None.
        environments: As declared; empty means all.
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
        """The universe of a project's declarations.

        Targets are made of `platforms` for every known Python of the range, where they lie in the region.

        Raises:
            LocksetError: `requires-python-invalid`, `platform-unknown`.
        """
        declared = tuple(environments)
        region = possible()
        if requires_python is not None:
            region &= MarkerSet.of_python(requires_python)
        if declared:
            united = MarkerSet.none()
            for environment in declared:
                united |= environment
            region &= united
        specifiers = read_specifiers(requires_python) if isinstance(requires_python, str) else requires_python
        return cls(
            region=region,
            requires_python=specifiers,
            environments=declared,
            targets=_targets(region, platforms),
        )

    def with_rare_targets(self) -> Universe:
        """The same with interpreters also for declared environments that hold none of the usual ones."""
        found = list(self.targets)
        for environment in self.environments:
            region = (self.region & environment).without_extras_and_groups()
            if not any(region.evaluate(t.environment) for t in found):
                found += _rare_targets(region)
        return replace(self, targets=tuple(found))

    def pythons(self) -> tuple[str, ...]:
        """The known Pythons of the universe, one release of each minor version, oldest first."""
        return known_pythons(self.region)


def _rare_targets(region: MarkerSet) -> tuple[TargetInterpreter, ...]:
    """The interpreters of the first kind, less common than the usual ones, of which some lie in `region`."""
    for platforms, implementation in (
        (DEFAULT_PLATFORMS, "pypy"),
        (_RARE_PLATFORMS, "cpython"),
        (_RARE_PLATFORMS, "pypy"),
    ):
        found = _targets(region, platforms, implementation)
        if found:
            return found
    return ()


def _targets(
    region: MarkerSet, platforms: Sequence[str], implementation: str = "cpython"
) -> tuple[TargetInterpreter, ...]:
    choices = region.without_extras_and_groups()
    pythons = known_pythons(region)
    made = (described_target(platform, python, implementation) for platform in platforms for python in pythons)
    return tuple(target for target in made if choices.evaluate(target.environment))
