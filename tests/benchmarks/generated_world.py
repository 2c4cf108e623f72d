"""Worlds of any size that resemble real projects, the same for the same size and seed.

Packages lie in layers and ask for packages of lower layers, often for the few cores that everybody asks for.
Requirements have floors, some a cap; some hold for a Python or a platform only; some ask for extras. Newer releases of
some packages need newer Pythons, some packages are asked for in one version below a Python and in another above it,
some have wheels of each platform. For every fifty packages, one caps a core in its newest releases below what another
asks for, so that it has to stay behind.

Every package has a base release: what one of them asks for is met by all others, so that there is an answer.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import tomli_w

from lockset.composition.lock_pipeline import LockOptions, lock_project
from lockset.resolve.releases.index_repository import IndexRepository
from lockset.sources.pyproject import read_pyproject
from support.worlds.small_world import NOW, SmallIndex, SmallMetadata

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lockset.composition.lock_assembly import LockResult
    from lockset.progress import ProgressListener
    from lockset.resolve.problem.file_policy import FileRules
    from lockset.sources.project import RootProject

__all__ = ["CHOICES", "MARKERS", "GeneratedWorld", "generated_world"]

CHOICES = {
    "universal": LockOptions(),
    "fewest": LockOptions(fork="fewest"),
    "single": LockOptions(python="3.12", implementation="cpython", platforms=("linux",)),
}
MARKERS = (
    "python_version < '3.11'",
    "python_version < '3.12'",
    "python_version >= '3.12'",
    "sys_platform == 'win32'",
    "sys_platform != 'win32'",
    "sys_platform == 'darwin'",
    "platform_system == 'Linux' and platform_machine == 'x86_64'",
    "platform_python_implementation == 'CPython'",
)
_LAYERS = 6
_PLATFORM_TAGS = (
    "manylinux_2_17_x86_64.manylinux2014_x86_64",
    "manylinux_2_17_aarch64.manylinux2014_aarch64",
    "musllinux_1_1_x86_64",
    "macosx_11_0_arm64",
    "macosx_10_12_x86_64",
    "win_amd64",
)
_WHEELS = [f"cp{python}-cp{python}-{tags}" for python in ("310", "311", "312", "313") for tags in _PLATFORM_TAGS]


@dataclass(frozen=True)
class GeneratedWorld:
    """A project, and all releases of the packages that it reaches.

    Attributes:
        packages: As in a small world: project, version, facts of the release.
        roots: What the project asks for.
        extras: What each extra of the project requires.
        groups: What each dependency group requires.
        conflict: An extra and a group that are not chosen together.
    """

    packages: dict[str, dict[str, dict[str, Any]]]
    roots: tuple[str, ...]
    extras: dict[str, list[str]] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
    conflict: tuple[str, str] | None = None

    @cached_property
    def project(self) -> RootProject:
        project = {"name": "app", "requires-python": ">=3.10", "dependencies": list(self.roots)}
        content = {"project": {**project, "optional-dependencies": self.extras}, "dependency-groups": self.groups}
        if self.conflict is not None:
            extra, group = self.conflict
            content["tool"] = {"lockset": {"conflicts": [[{"extra": extra}, {"group": group}]]}}
        return read_pyproject(tomli_w.dumps(content), base=Path("/project"))

    @cached_property
    def _index(self) -> SmallIndex:
        return SmallIndex(self.packages)

    def lock(self, choices: LockOptions | None = None) -> LockResult:
        """The lock of the project; from the second time on, pages are in memory."""
        return lock_project(self.project, choices or LockOptions(), open_repository=self._open, now=NOW)

    @contextmanager
    def _open(self, rules: FileRules, listener: ProgressListener) -> Iterator[IndexRepository]:
        yield IndexRepository(
            index=self._index,
            metadata=SmallMetadata(self.packages),
            rules=rules,
            listener=listener,
            hash_file=lambda file: file.hashes,
        )


@dataclass(frozen=True)
class _Package:
    """A package before its releases are written down.

    Attributes:
        layer: 0 for cores.
        versions: Oldest first.
        base: Position of the base release; those after it need a newer Python.
        parted: Whether it is required in one version below a Python and in another above.
        asks: What its releases ask for.
        ceiling: What its newest releases ask for as well, and what cannot be had.
    """

    name: str
    layer: int
    versions: tuple[str, ...]
    base: int
    parted: bool
    compiled: bool
    extras: tuple[str, ...]
    asks: list[str] = field(default_factory=list)
    ceiling: list[str] = field(default_factory=list)


def generated_world(size: int, seed: int = 0) -> GeneratedWorld:
    """A world of `size` packages, all of which its project reaches."""
    random = Random(f"{size} {seed}")
    packages = [_package(random, number, size) for number in range(size)]
    layers = [[p for p in packages if p.layer == layer] for layer in range(_LAYERS + 1)]
    requests: set[str] = set()
    for package in packages:
        for other in _others(random, package, layers):
            requests.add(other.name)
            package.asks.extend(_requirements(random, other))
    _disagree(random, layers)
    roots = {p.name: _one(random, p) for p in packages if p.name not in requests}
    for package in random.sample(packages, size // 25):
        roots.setdefault(package.name, package.name)
    # Without markers: everything is reached somewhere.
    asked_for = tuple(root.split(" ;")[0] for root in roots.values())
    return GeneratedWorld({p.name: dict(_releases(random, p, layers)) for p in packages}, asked_for)


def _package(random: Random, number: int, size: int) -> _Package:
    cores = max(size // 12, 4)
    layer = 0 if number < cores else 1 + (number - cores) * _LAYERS // (size - cores)
    versions = tuple(_versions(random))
    behind = random.randrange(1, 3) if random.random() < 0.15 else 0
    return _Package(
        name=f"{'core' if layer == 0 else 'part'}-{number}",
        layer=layer,
        versions=versions,
        base=len(versions) - 1 - behind,
        parted=layer > 0 and number % 40 == 7,
        compiled=random.random() < 0.2,
        extras=("fast", "test")[: random.randrange(3)] if layer > 1 else (),
    )


def _versions(random: Random) -> Iterator[str]:
    major, minor = random.randrange(3), 0
    for _ in range(min(int(random.expovariate(0.07)) + 5, 60)):
        yield f"{major}.{minor}.{random.randrange(4)}"
        minor += 1
        if random.random() < 0.12:
            major, minor = major + 1, 0


def _others(random: Random, package: _Package, layers: list[list[_Package]]) -> list[_Package]:
    """What a package asks for: some of the layer below, some cores, some of any lower layer."""
    if package.layer == 0:
        return []
    below, cores = layers[package.layer - 1], layers[0]
    results = [random.choice(below) for _ in range(random.randrange(1, 4))]
    results += [cores[int(random.random() ** 2 * len(cores))] for _ in range(random.randrange(3))]
    results += [random.choice(layers[random.randrange(package.layer)]) for _ in range(random.randrange(2))]
    return list({p.name: p for p in results}.values())


def _disagree(random: Random, layers: list[list[_Package]]) -> None:
    """Cap a core in the newest releases of some packages, below what another package asks for."""
    upper = [p for layer in layers[2:] for p in layer]
    for behind, other in zip(upper[::50], upper[25::50], strict=False):
        core = random.choice(layers[0])
        if behind.base > 1 and not any(text.startswith(f"{core.name}<") for text in behind.ceiling):
            behind.ceiling.append(f"{core.name}<{core.versions[core.base]}")
            other.asks.append(f"{core.name}>={core.versions[core.base]}")


def _requirements(random: Random, other: _Package) -> list[str]:
    if not other.parted:
        return [_one(random, other)]
    bound = other.versions[len(other.versions) // 2]
    return [f"{other.name}<{bound} ; python_version < '3.12'", f"{other.name}>={bound} ; python_version >= '3.12'"]


def _one(random: Random, other: _Package) -> str:
    """A requirement on a package that its base release meets."""
    if other.parted:
        return other.name
    extra = f"[{random.choice(other.extras)}]" if other.extras and random.random() < 0.15 else ""
    floor = f">={other.versions[random.randrange(other.base + 1) // 2]}"
    next_major = int(other.versions[-1].split(".")[0]) + 1
    specifier = random.choices(("", floor, f"{floor},<{next_major}", f"{floor},!={other.versions[0]}"), (25, 60, 12, 3))
    marker = f" ; {random.choice(MARKERS)}" if random.random() < 0.15 else ""
    return f"{other.name}{extra}{specifier[0]}{marker}"


def _releases(random: Random, package: _Package, layers: list[list[_Package]]) -> Iterator[tuple[str, dict[str, Any]]]:
    floor = random.choice((">=3.11", ">=3.12"))
    lower = layers[package.layer - 1] if package.layer > 0 else []
    extras = {extra: [_one(random, random.choice(lower)) for _ in range(2)] for extra in package.extras}
    for position, version in enumerate(package.versions):
        # The oldest ask for less.
        asks = package.asks if position >= package.base // 3 else package.asks[: len(package.asks) // 2]
        facts: dict[str, Any] = {
            "requires": [*asks, *(package.ceiling if position >= package.base else ())],
            "requires-python": ">=3.8" if position <= package.base else floor,
            "extras": extras,
            "sdist": True,
        }
        if package.compiled:
            facts["wheels"] = _WHEELS
        yield version, facts
