"""The marker values of one interpreter, measured or described by name; examples of sets, common ones if possible."""

from __future__ import annotations

from functools import cache, lru_cache

from packaging.version import InvalidVersion

from lockset._dataclass import dataclass
from lockset.dependency_specifiers import read_version
from lockset.errors import LocksetError
from lockset.markers import diagram as dd
from lockset.markers.variables import ORIGIN, Kind, Release, Variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeAlias

__all__ = [
    "COMMON_PLATFORMS",
    "KNOWN_PYTHONS",
    "UNNAMED_SYSTEM",
    "Environment",
    "Example",
    "common_environments",
    "example",
    "example_in_words",
    "split_platform",
    "unknown_platform",
]

# Name in messages for a system with empty marker values, which no marker mentions.
UNNAMED_SYSTEM = "an unnamed system"

# Minor versions of Python that are released.
KNOWN_PYTHONS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14", "3.15")

# Most common first: examples use the first one that matches.
COMMON_PLATFORMS = (
    "linux_x86_64",
    "macos_arm64",
    "win_amd64",
    "linux_aarch64",
    "macos_x86_64",
    "win_arm64",
    "win32",
    "linux_armv7l",
    "linux_i686",
    "linux_ppc64le",
    "linux_s390x",
    "linux_riscv64",
)

# A string that no comparison mentions.
_OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The values of all marker variables for one interpreter; fields are named as in the specification."""

    os_name: str
    sys_platform: str
    platform_machine: str
    platform_python_implementation: str
    platform_release: str
    platform_system: str
    platform_version: str
    python_version: str
    python_full_version: str
    implementation_name: str
    implementation_version: str

    def as_dict(self) -> dict[str, str]:
        """The values by name, for `packaging.markers.Marker.evaluate`."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def of_platform(cls, platform: str, python: str, implementation: str = "cpython") -> Environment:
        """The environment of a described platform.

        Args:
            platform: A wheel's platform tag (`manylinux_2_28_x86_64`, `macosx_14_0_arm64`, `win_amd64`), or `linux`,
                `macos`, `windows`, each with an optional architecture after an underscore (`linux_aarch64`).
            python: "3.12" or "3.12.4"; without a third number, the first release of the series.
            implementation: `cpython` or `pypy`, or any `sys.implementation.name`.

        Raises:
            LocksetError: `unknown-platform` or `python-version-invalid`.
        """
        family, machine = split_platform(platform)
        system, sys_platform, os_name = _FAMILIES[family]
        full, minor = _python_versions(python)
        return cls(
            os_name=os_name,
            sys_platform=sys_platform,
            platform_machine=machine,
            platform_python_implementation=_IMPLEMENTATIONS.get(implementation, implementation),
            platform_release="",
            platform_system=system,
            platform_version="",
            python_version=minor,
            python_full_version=full,
            implementation_name=implementation,
            implementation_version=full if implementation == "cpython" else _VERSIONS.get(implementation, "0"),
        )


# family: platform_system, sys_platform, os_name
_FAMILIES = {
    "linux": ("Linux", "linux", "posix"),
    "macos": ("Darwin", "darwin", "posix"),
    "windows": ("Windows", "win32", "nt"),
    "android": ("Android", "android", "posix"),
    "ios": ("iOS", "ios", "posix"),
    "pyodide": ("Emscripten", "emscripten", "posix"),
}
_PREFIXES = {
    "linux": "linux",
    "manylinux": "linux",
    "manylinux1": "linux",
    "manylinux2010": "linux",
    "manylinux2014": "linux",
    "musllinux": "linux",
    "macos": "macos",
    "macosx": "macos",
    "darwin": "macos",
    "win": "windows",
    "win32": "windows",
    "windows": "windows",
    "android": "android",
    "ios": "ios",
    "pyodide": "pyodide",
    "emscripten": "pyodide",
}
_DEFAULT_MACHINES = {
    "linux": "x86_64",
    "macos": "arm64",
    "windows": "AMD64",
    "android": "aarch64",
    "ios": "arm64",
    "pyodide": "wasm32",
}
# `platform_machine` on each system; machines that are not listed have the same name everywhere.
_MACHINES = {
    "windows": {"amd64": "AMD64", "x86_64": "AMD64", "arm64": "ARM64", "aarch64": "ARM64", "x86": "x86", "32": "x86"},
    "macos": {"aarch64": "arm64", "amd64": "x86_64", "universal2": "arm64"},
    "linux": {"amd64": "x86_64", "arm64": "aarch64"},
    "android": {"arm64_v8a": "aarch64", "armeabi_v7a": "armv8l"},
    "ios": {"arm64_iphoneos": "arm64", "arm64_iphonesimulator": "arm64", "x86_64_iphonesimulator": "x86_64"},
    "pyodide": {},
}
_IMPLEMENTATIONS = {"cpython": "CPython", "pypy": "PyPy", "graalpy": "GraalVM", "jython": "Jython"}
# A current version for described implementations with their own version numbers.
_VERSIONS = {"pypy": "7.3.17", "graalpy": "24.0.0"}


def example_in_words(values: Mapping[str, str]) -> str:
    """A description for messages, such as `Python 3.13.0 on linux x86_64`."""
    platform = f"{values['sys_platform']} {values['platform_machine']}" if values["sys_platform"] else UNNAMED_SYSTEM
    return f"Python {values['python_full_version']} on {platform.strip()}"


def split_platform(platform: str) -> tuple[str, str]:
    """Family (`linux`, `macos`, `windows`, ...) and `platform_machine` of a described platform.

    Raises:
        LocksetError: `unknown-platform`.
    """
    name = platform.lower().replace("-", "_").replace(".", "_")
    first, *rest = name.split("_")
    family = _PREFIXES.get(first)
    if family is None or not name.isidentifier():
        raise unknown_platform(platform)
    if first == "win32":
        return family, "x86"
    while rest and rest[0].isdigit() and not (family == "windows" and rest[0] == "32"):
        rest = rest[1:]
    machine = "_".join(rest)
    if not machine:
        return family, _DEFAULT_MACHINES[family]
    return family, _MACHINES[family].get(machine, machine)


def unknown_platform(platform: str) -> LocksetError:
    """The error for an unknown platform name."""
    from difflib import get_close_matches  # for messages

    close = get_close_matches(platform, _DEFAULT_MACHINES, n=1)
    near = f"Did you mean `{close[0]}`? " if close else ""
    return LocksetError(
        "unknown-platform",
        f"The platform `{platform}` is not known",
        hint=f"{near}Use linux, macos, windows, or a wheel's platform tag such as `manylinux_2_28_x86_64`, "
        "`musllinux_1_2_x86_64` (Alpine), `macosx_14_0_arm64`, `win_amd64`",
    )


@lru_cache(maxsize=256)
def _python_versions(python: str) -> tuple[str, str]:
    try:
        version = read_version(python)
    except InvalidVersion:
        version = None
    if version is None or len(version.release) < 2:
        raise LocksetError(
            "python-version-invalid",
            f"`{python}` is not a Python version with at least two numbers",
            hint="Write it as `3.12` or `3.12.4`",
        )
    minor = f"{version.major}.{version.minor}"
    named_fully = len(version.release) > 2 or version.is_prerelease
    return (python if named_fully else f"{minor}.0"), minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """An environment with selected extras and groups.

    `environment` maps every marker variable to its value (and `extra`, if the set requires one). `known` is True for a
    common environment, False for one that was constructed to match.
    """

    environment: dict[str, str]
    extras: frozenset[str]
    groups: frozenset[str]
    known: bool


@lru_cache(maxsize=1)
def common_environments() -> tuple[Environment, ...]:
    """CPython, then PyPy, on the common platforms, for every known Python; the most common first."""
    pythons = (*KNOWN_PYTHONS[-3::-1], *KNOWN_PYTHONS[-2:])
    environments = [
        Environment.of_platform(platform, python, implementation)
        for implementation in ("cpython", "pypy")
        for platform in COMMON_PLATFORMS
        for python in pythons
    ]
    return tuple(environments)


def example(diagram: int) -> Example | None:
    """One point of the set, or None if it is empty."""
    if diagram == dd.EMPTY:
        return None
    for number, environment in enumerate(common_environments()):
        rest = dd.assign(diagram, ("common", number), _values_of(number))
        if rest != dd.EMPTY:
            return _follow_path(rest, environment.as_dict(), known=True)
    start = Environment.of_platform(COMMON_PLATFORMS[0], KNOWN_PYTHONS[-3]).as_dict()
    return _follow_path(diagram, start, known=False)


@cache
def _values_of(number: int) -> Callable[[Variable], Any]:
    values = common_environments()[number].as_dict()

    def value_of(variable: Variable) -> Any:
        return dd.value_at(variable, values) if variable.name in values else None

    return value_of


def _follow_path(diagram: int, values: dict[str, str], *, known: bool) -> Example:
    """Follow a path to the full set with as few conditions as possible, and collect its values."""
    chosen: dict[str, set[str]] = {"extras": set(), "dependency_groups": set()}
    conditions: dict[str, list[_Condition]] = {}
    while diagram > dd.FULL:
        variable, labels, children = dd.NODES[diagram]
        # The last child means "any other" or False, and so adds the least.
        part = next(i for i in reversed(range(len(children))) if children[i] != dd.EMPTY)
        diagram = children[part]
        if variable.kind is Kind.FLAG:
            chosen[variable.name].update({variable.literal} if part == 0 else ())
        elif variable.kind is Kind.RELEASE:
            _set_release(values, variable, ORIGIN if part == 0 else labels[part - 1])
        elif variable.kind is Kind.TEXT and part < len(labels):
            values[variable.name] = labels[part]
        else:
            truth = variable.kind is not Kind.TEXT and part == 0
            conditions.setdefault(variable.name, []).append((variable, labels, truth))
    for name, required in conditions.items():
        if name in values or name == "extra":
            values[name] = _matching_value(values.get(name, ""), required)
    extras, groups = chosen["extras"], chosen["dependency_groups"]
    return Example(environment=values, extras=frozenset(extras), groups=frozenset(groups), known=known)


# A text variable with none of the labels, or a predicate with this truth value.
_Condition: TypeAlias = "tuple[Variable, tuple[Any, ...], bool]"


def _matching_value(value: str, required: list[_Condition]) -> str:
    """A value that satisfies the conditions, `value` if possible; `value` too if there is none."""
    literals = [variable.literal for variable, _, truth in required if truth]
    candidates = (value, "", _OTHER, _OTHER * 2, *literals, " ".join(literals))
    return next((c for c in candidates if all(_meets(c, *one) for one in required)), value)


def _meets(value: str, variable: Variable, labels: tuple[Any, ...], truth: bool) -> bool:  # noqa: FBT001 - of a condition
    if variable.kind is Kind.TEXT:
        return value not in labels
    return dd.predicate_holds(variable, value) is truth


def _set_release(values: dict[str, str], variable: Variable, release: Release) -> None:
    values[variable.name] = ".".join(map(str, release))
    if variable.name == "python_full_version":
        values["python_version"] = f"{release[0]}.{release[1]}"
