"""Compatibility tags (PEP 425): those of a described platform, and the region in which a wheel can be used.

Regions are never too small, but may be too large: versions of glibc, musl and macOS are not marker values, and wheels
for Python 3.x are assumed to work on every later Python, which `Requires-Python` may limit. There is one exception:
markers cannot distinguish an interpreter that is narrower than its machine (32-bit Python on 64-bit Windows) from the
usual one, and regions refer to the usual one.

Neither can markers distinguish free-threaded and debug builds of CPython from the default build. So there are two
regions: that of any build (`wheel_region`), for the question whether a wheel is of use at all, and that of default
builds (`default_build_region`), for the question whether an environment has a usable wheel.
"""

from __future__ import annotations

from functools import cache, reduce
from operator import or_

from lockset._named_tuple import NamedTuple
from lockset._pattern import lazy_pattern
from lockset.errors import LocksetError
from lockset.markers.environment import split_platform, unknown_platform
from lockset.markers.marker_set import MarkerSet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from packaging.tags import Tag

__all__ = [
    "AcceptedTags",
    "accepted_tags",
    "default_build_region",
    "described_tags",
    "is_for_every_python3",
    "tag_platform_region",
    "tag_set_region",
    "wheel_region",
]

# Default versions for platforms that are described without one.
DEFAULT_GLIBC = (2, 28)
DEFAULT_MUSL = (1, 2)
DEFAULT_MACOS = (14, 0)
DEFAULT_IOS = (13, 0)
DEFAULT_ANDROID = 24
DEFAULT_PYODIDE = "2024_0"

_LEGACY_MANYLINUX = {(2, 5): "manylinux1", (2, 12): "manylinux2010", (2, 17): "manylinux2014"}
_LEGACY_GLIBC = {name: level for level, name in _LEGACY_MANYLINUX.items()}
# The oldest glibc with tags: 2.5 for the first two architectures, 2.17 for the others (PEP 600).
_OLD_ARCHITECTURES = frozenset({"x86_64", "i686"})
_OLDEST_MINOR, _OLDEST_MINOR_ELSEWHERE = 5, 17

_IMPLEMENTATIONS = {
    "cp": "CPython",
    "pp": "PyPy",
    "graalpy": "GraalVM",
    "jy": "Jython",
    "ip": "IronPython",
}
_INTERPRETER = lazy_pattern(r"([a-z]+)(\d*)")
# `cp311` names a minor version, `pp3` does not.
_DIGITS_WITH_MINOR = 2
# CPython 3.2 brought the stable ABI, and 3.8 dropped the `m` from the name of its own one.
_FIRST_WITH_ABI3, _FIRST_WITHOUT_PYMALLOC = 2, 8
# `platform.machine()` on each system for the architecture of a platform tag; others have the same name.
_LINUX_MACHINES = {"armv7l": ("armv7l", "armv8l"), "armv6l": ("armv6l", "armv7l", "armv8l")}
_MACOS_MACHINES = {
    "universal2": ("arm64", "x86_64"),
    "universal": ("i386", "ppc", "ppc64", "x86_64"),
    "intel": ("i386", "x86_64"),
    "fat": ("i386", "ppc"),
    "fat3": ("i386", "ppc", "x86_64"),
    "fat64": ("ppc64", "x86_64"),
}
_WINDOWS_MACHINES = {"win32": "x86", "win_amd64": "AMD64", "win_arm64": "ARM64", "win_arm32": "ARM", "win_ia64": "IA64"}
_ANDROID_MACHINES = {
    "arm64_v8a": ("aarch64",),
    "armeabi_v7a": ("armv7l", "armv8l"),
    "x86_64": ("x86_64",),
    "x86": ("i686",),
}
# Limit for the digits of a number, since every lower number is a tag; no Python, libc or system has so many.
_LONG_NUMBER = 5
_LEVEL = lazy_pattern(r"(?:manylinux|musllinux|macosx|macos|ios|android|pyodide)_(\d+)(?:_(\d+))?(?=_|$)")
_LINUX = lazy_pattern(r"(?:manylinux(?:1|2010|2014|_\d+_\d+)|musllinux_\d+_\d+|linux)_(.+)")
_MACOS = lazy_pattern(r"macosx_\d+_\d+_(.+)")
_ANDROID = lazy_pattern(r"android_\d+_(.+)")
_SYSTEMS = {
    "ios": "ios",
    "emscripten": "emscripten",
    "pyodide": "emscripten",
    "pyemscripten": "emscripten",
    "wasi": "wasi",
}


def wheel_region(tags: Iterable[Tag]) -> MarkerSet:
    """The region in which a wheel with these tags can be used: the union of the regions of its tags, cached."""
    return _region_of_all(tags if isinstance(tags, frozenset) else frozenset(tags))


def default_build_region(tags: Iterable[Tag]) -> MarkerSet:
    """The part of the `wheel_region` in which default builds can use the wheel, cached.

    Wheels for free-threaded builds (`cp314t`, `abi3t`) and debug builds (`cp38d`) are of no use to these, nor are those
    with tags that no interpreter accepts, such as `py3-abi3-any`.
    """
    return _default_region_of_all(tags if isinstance(tags, frozenset) else frozenset(tags))


def is_for_every_python3(tags: Iterable[Tag]) -> bool:
    """Whether every interpreter of Python 3 accepts a wheel with these tags: one of them is `py3-none-any`."""
    return any(tag.interpreter == "py3" and tag.abi == "none" and tag.platform == "any" for tag in tags)


@cache
def _region_of_all(tags: frozenset[Tag]) -> MarkerSet:
    region = MarkerSet.none()
    for tag in tags:
        region |= _python_region(tag.interpreter, tag.abi) & tag_platform_region(tag.platform)
    return region


@cache
def _default_region_of_all(tags: frozenset[Tag]) -> MarkerSet:
    return _region_of_all(
        frozenset(tag for tag in tags if _is_of_default_build(tag.interpreter, tag.abi, tag.platform))
    )


@cache
def tag_set_region(text: str, *, default_builds: bool = False) -> MarkerSet:
    """The same for a compressed tag set in lower case, such as `py2.py3-none-any`.

    Raises:
        ValueError: The text does not have three parts, or one of them is empty.
    """
    interpreters, abis, platforms = (part.split(".") for part in text.split("-"))
    if "" in {*interpreters, *abis, *platforms}:
        raise ValueError(f"a part of {text!r} is empty")
    pairs = [(interpreter, abi) for interpreter in interpreters for abi in abis]
    if not default_builds:
        return _union([_python_region(*pair) for pair in pairs]) & _union(map(tag_platform_region, platforms))
    region = MarkerSet.none()
    for platform in platforms:
        pythons = [_python_region(*pair) for pair in pairs if _is_of_default_build(*pair, platform)]
        if pythons:
            region |= _union(pythons) & tag_platform_region(platform)
    return region


def _union(regions: Iterable[MarkerSet]) -> MarkerSet:
    return reduce(or_, regions)


@cache
def _is_of_default_build(interpreter: str, abi: str, platform: str) -> bool:
    """Whether default builds of some interpreter accept the tag; True for an unknown interpreter."""
    match = _INTERPRETER.fullmatch(interpreter)
    if match is None or match[1] not in {"py", *_IMPLEMENTATIONS}:
        return True
    name, digits = match.groups()
    if name == "py":
        return abi == "none" and digits != ""
    if len(digits) < _DIGITS_WITH_MINOR:  # only PyPy has a tag for all its Pythons
        return (interpreter, abi, platform) == ("pp3", "none", "any")
    if name == "cp":
        abis = ("none",) if platform == "any" else _default_cpython_abis(interpreter, digits[0], int(digits[1:]))
        return abi in abis
    own = (f"pypy{digits}_", "pypy_") if name == "pp" else name  # `pypy311_pp73`, `graalpy250_311_native`
    return platform != "any" and (abi == "none" or abi.startswith(own))


def _default_cpython_abis(interpreter: str, major: str, minor: int) -> tuple[str, ...]:
    if major == "2":
        return "none", f"{interpreter}m", f"{interpreter}mu"
    stable = ("abi3",) if minor >= _FIRST_WITH_ABI3 else ()
    return "none", *stable, interpreter if minor >= _FIRST_WITHOUT_PYMALLOC else f"{interpreter}m"


@cache
def _python_region(interpreter: str, abi: str) -> MarkerSet:
    """The Pythons and implementations of an interpreter and ABI tag; everything for an unknown tag."""
    match = _INTERPRETER.fullmatch(interpreter)
    if match is None:
        return MarkerSet.any()
    name, digits = match.groups()
    version = f"{digits[0]}.{digits[1:]}" if len(digits) > 1 else digits
    if name == "py":
        return _from_python(version)
    if name not in _IMPLEMENTATIONS:
        return MarkerSet.any()
    implementation = MarkerSet.parse(f"platform_python_implementation == '{_IMPLEMENTATIONS[name]}'")
    if abi in {"abi3", "abi3t"} or len(digits) < _DIGITS_WITH_MINOR:
        return implementation & _from_python(version)
    return implementation & MarkerSet.parse(f"python_version == '{version}'")


def _from_python(version: str) -> MarkerSet:
    # py2 means Python 2 only: later Pythons do not accept it.
    if version.split(".", maxsplit=1)[0] == "2":
        return MarkerSet.parse(f"python_version >= '{version}' and python_version < '3'")
    return MarkerSet.parse(f"python_version >= '{version}'") if version else MarkerSet.any()


@cache
def tag_platform_region(platform: str) -> MarkerSet:
    """The platforms on which a wheel with this platform tag can be used; everything for an unknown tag."""
    if platform in _WINDOWS_MACHINES:
        return _system("win32", (_WINDOWS_MACHINES[platform],))
    if match := _LINUX.fullmatch(platform):
        return _system("linux", _LINUX_MACHINES.get(match[1], (match[1],)))
    if match := _MACOS.fullmatch(platform):
        return _system("darwin", _MACOS_MACHINES.get(match[1], (match[1],)))
    if match := _ANDROID.fullmatch(platform):
        return _system("android", _ANDROID_MACHINES.get(match[1], ()))
    system = _SYSTEMS.get(platform.split("_", maxsplit=1)[0])
    return MarkerSet.any() if system is None else _system(system, ())


def _system(sys_platform: str, machines: tuple[str, ...]) -> MarkerSet:
    region = MarkerSet.parse(f"sys_platform == '{sys_platform}'")
    if not machines:
        return region
    any_machine = MarkerSet.none()
    for machine in machines:
        if not machine.replace("_", "").isalnum():
            return region
        any_machine |= MarkerSet.parse(f"platform_machine == '{machine}'")
    return region & any_machine


@cache
def described_tags(platform: str, python: str, implementation: str = "cpython") -> tuple[Tag, ...]:
    """The tags that a described interpreter accepts, best first, in the order of packaging.

    Args:
        platform: A wheel's platform tag with the newest version (`manylinux_2_28_x86_64`, `macosx_14_0_arm64`,
            `musllinux_1_2_aarch64`, `win_amd64`), or `linux`, `macos`, `windows` with an optional architecture.
        python: "3.12", "3.12.4", or "3.13t" for a free-threaded build.
        implementation: `cpython`, `pypy`, or another `sys.implementation.name`.

    Raises:
        LocksetError: `unknown-platform` or `python-version-invalid`.
    """
    return _tags_on(_platform_tags(platform), python, implementation)


class AcceptedTags(NamedTuple):
    """The tags that an interpreter accepts, without a list of all of them, which has hundreds.

    Attributes:
        platforms: The platform tags, `any` among them.
        on_platforms: Pairs of an interpreter and an ABI tag that are accepted with each of the other platform tags.
        anywhere: Those that are accepted with `any`.
    """

    platforms: frozenset[str]
    on_platforms: frozenset[tuple[str, str]]
    anywhere: frozenset[tuple[str, str]]

    def has_any_of(self, tags: Iterable[Tag]) -> bool:
        """Whether one of `tags` is accepted."""
        for tag in tags:
            platform = tag.platform
            if platform in self.platforms:
                accepted = self.anywhere if platform == "any" else self.on_platforms
                if (tag.interpreter, tag.abi) in accepted:
                    return True
        return False


@cache
def accepted_tags(platform: str, python: str, implementation: str = "cpython") -> AcceptedTags:
    """The tags of `described_tags`.

    Raises:
        LocksetError: As `described_tags`.
    """
    platforms = frozenset((*map(str.lower, _platform_tags(platform)), "any"))
    return AcceptedTags(platforms, *_pairs_of(python, implementation))


@cache
def _pairs_of(python: str, implementation: str) -> tuple[frozenset[tuple[str, str]], frozenset[tuple[str, str]]]:
    """Interpreter and ABI tags that an interpreter accepts with the tags of its platform, and with `any`."""
    tags = _tags_on(("some_platform",), python, implementation)
    pairs = {
        anywhere: frozenset((tag.interpreter, tag.abi) for tag in tags if (tag.platform == "any") is anywhere)
        for anywhere in (False, True)
    }
    return pairs[False], pairs[True]


def _tags_on(platforms: Sequence[str], python: str, implementation: str) -> tuple[Tag, ...]:
    """The tags that an interpreter accepts on a system with these platform tags; see `described_tags`."""
    threaded = python.endswith("t")
    version = _minor_version(python.removesuffix("t"))
    nodot = "".join(map(str, version))
    from packaging import tags as pep425  # late, as below: it takes 11 ms, and most lock files have few platforms

    if implementation == "cpython":
        suffix = "t" if threaded else ("m" if version < (3, 8) else "")
        interpreter = f"cp{nodot}"
        own = pep425.cpython_tags(version, [f"cp{nodot}{suffix}"], platforms)
    elif implementation == "pypy":
        interpreter = "pp3"
        own = pep425.generic_tags(f"pp{nodot}", [f"pypy{nodot}_pp73"], platforms)
    else:
        interpreter = None  # packaging knows no tag of another implementation for wheels without a platform
        short_name = pep425.INTERPRETER_SHORT_NAMES.get(implementation, implementation)
        own = pep425.generic_tags(f"{short_name}{nodot}", ["none"], platforms)
    return tuple(dict.fromkeys([*own, *pep425.compatible_tags(version, interpreter, platforms)]))


def _minor_version(python: str) -> tuple[int, int]:
    numbers = python.split(".")
    if len(numbers) < 2 or not all(part.isdecimal() and len(part) < _LONG_NUMBER for part in numbers[:2]):
        raise LocksetError(
            "python-version-invalid",
            f"`{python}` is not a Python version with at least two numbers",
            hint="Write it as `3.12` or `3.12.4`",
        )
    return int(numbers[0]), int(numbers[1])


@cache
def _platform_tags(platform: str) -> tuple[str, ...]:
    return tuple(_each_platform_tag(platform))


def _each_platform_tag(platform: str) -> Iterator[str]:
    family, machine = split_platform(platform)
    name = platform.lower().replace("-", "_").replace(".", "_")
    first = name.split("_")[0]
    match = _LEVEL.match(name)
    numbers = [number for number in match.groups() if number] if match else []
    if any(len(number) >= _LONG_NUMBER for number in numbers):
        raise unknown_platform(platform)
    level = tuple(map(int, numbers))
    if family == "linux" and first == "musllinux":
        yield from _musl_tags(machine, _level(level, DEFAULT_MUSL))
    elif family == "linux":
        yield from _glibc_tags(machine, _LEGACY_GLIBC.get(first) or _level(level, DEFAULT_GLIBC))
    elif family == "macos":
        from packaging.tags import mac_platforms

        yield from mac_platforms(_level(level, DEFAULT_MACOS), machine)
    elif family == "windows":
        yield _first_known(platform, (tag for tag, known in _WINDOWS_MACHINES.items() if known == machine))
    elif family == "ios":
        multiarch = name.split("_", 3)[-1] if len(level) > 1 else "arm64_iphoneos"
        from packaging.tags import ios_platforms

        yield from ios_platforms(_level(level, DEFAULT_IOS), multiarch)
    elif family == "android":
        abi = _first_known(platform, (abi for abi, machines in _ANDROID_MACHINES.items() if machine in machines))
        from packaging.tags import android_platforms

        yield from android_platforms(level[0] if level else DEFAULT_ANDROID, abi)
    else:
        yield name if level else f"pyodide_{DEFAULT_PYODIDE}_{machine}"


def _first_known(platform: str, candidates: Iterator[str]) -> str:
    """The first candidate; without one, the machine of the described platform is not known."""
    name = next(candidates, None)
    if name is None:
        raise unknown_platform(platform)
    return name


def _level(numbers: tuple[int, ...], default: tuple[int, int]) -> tuple[int, int]:
    if not numbers:
        return default
    return numbers[0], numbers[1] if len(numbers) > 1 else 0


def _glibc_tags(machine: str, level: tuple[int, int]) -> Iterator[str]:
    # An armv8l userland also accepts armv7l wheels, after its own.
    machines = [machine, "armv7l"] if machine == "armv8l" else [machine]
    yield from (f"linux_{arch}" for arch in machines)
    oldest = _OLDEST_MINOR if _OLD_ARCHITECTURES.intersection(machines) else _OLDEST_MINOR_ELSEWHERE
    for arch in machines:
        for minor in range(level[1], oldest - 1, -1):
            yield f"manylinux_{level[0]}_{minor}_{arch}"
            legacy = _LEGACY_MANYLINUX.get((level[0], minor))
            if legacy is not None:
                yield f"{legacy}_{arch}"


def _musl_tags(machine: str, level: tuple[int, int]) -> Iterator[str]:
    machines = [machine, "armv7l"] if machine == "armv8l" else [machine]
    yield from (f"linux_{arch}" for arch in machines)
    for arch in machines:
        for minor in range(level[1], -1, -1):
            yield f"musllinux_{level[0]}_{minor}_{arch}"
