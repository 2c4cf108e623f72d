"""The environments of a report: platforms, each with the same Pythons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._dataclass import dataclass
from lockset.errors import LocksetError, UsageError
from lockset.markers import MarkerSet, Universe, described_target
from lockset.markers.environment import split_platform

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lockset.lockfile.model import Pylock
    from lockset.markers import TargetInterpreter

__all__ = ["REPORT_PLATFORMS", "ReportEnvironment", "environments_text", "report_environments"]

# The platforms of a report on a lock file that supports all of them.
REPORT_PLATFORMS = (
    "manylinux_2_28_x86_64",
    "manylinux_2_28_aarch64",
    "musllinux_1_2_x86_64",
    "macosx_14_0_arm64",
    "macosx_14_0_x86_64",
    "win_amd64",
)
# Limit for a report's environments, and so for its size.
_MOST = 100
# As many environments as a message names.
_SHOWN = 5
# So many neighbouring Pythons are a range.
_RUN = 3
_FAMILIES = {"linux": "Linux", "macos": "macOS", "windows": "Windows", "android": "Android", "ios": "iOS"}
_MACHINES = {"AMD64": "x86_64", "ARM64": "arm64"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportEnvironment:
    """One platform and Python.

    Attributes:
        platform: As described, such as `manylinux_2_28_x86_64`.
        system: The platform in words, such as `Linux x86_64`.
        python: The minor version, such as `3.12`; a full version if it was requested.
        target: The interpreter.
        supported: Whether the lock file supports it (`requires-python` and `environments`).
    """

    platform: str
    system: str
    python: str
    target: TargetInterpreter
    supported: bool

    @property
    def name(self) -> str:
        """In words, such as `Linux x86_64, Python 3.12`."""
        return f"{self.system}, Python {self.python}"


def report_environments(
    lock: Pylock, *, platforms: Sequence[str] = (), pythons: Sequence[str] = (), usual_pythons: Sequence[str]
) -> tuple[ReportEnvironment, ...]:
    """The environments of a report, by platform, then by Python.

    Args:
        lock: The lock file.
        platforms: Names of platforms; by default those of `REPORT_PLATFORMS` that the lock file supports, and others
            that its `environments` name.
        pythons: Versions such as `3.12`, `3.12.4` or `3.13t`; by default those of `usual_pythons` that the lock file
            supports.
        usual_pythons: Minor versions, oldest first.

    Raises:
        UsageError: `report-too-large`.
        LocksetError: `unknown-platform` or `python-version-invalid`; `environment-not-supported` if the lock file
            supports no requested environment.
    """
    declared = () if lock.environments is None else tuple(MarkerSet.of_marker(each) for each in lock.environments)
    universe = Universe.of(
        requires_python=lock.requires_python, environments=declared, platforms=REPORT_PLATFORMS
    ).with_rare_targets()
    region = universe.region.without_extras_and_groups()
    nothing_supported = lock.environments == []
    minors = {_minor(target.python): target.python for target in universe.targets}
    chosen_pythons = tuple(dict.fromkeys(pythons)) or _usual(minors, usual_pythons)
    chosen_platforms = tuple(dict.fromkeys(platforms)) or _platforms(universe, chosen_pythons)
    if len(chosen_pythons) * len(chosen_platforms) > _MOST:
        raise UsageError(
            "report-too-large",
            f"{len(chosen_platforms)} platforms and {len(chosen_pythons)} Pythons are more than {_MOST} environments",
            hint="Name fewer with `--platform` and `--python`",
        )
    environments = []
    for platform in chosen_platforms:
        for python in chosen_pythons:
            target = described_target(platform, minors.get(python, python))
            environments.append(
                ReportEnvironment(
                    platform=platform,
                    system=_system(platform),
                    python=python,
                    target=target,
                    supported=not nothing_supported and region.evaluate(target.environment),
                )
            )
    if (platforms or pythons) and not any(env.supported for env in environments):
        raise LocksetError(
            "environment-not-supported",
            "The lock file supports none of the requested environments",
            context=tuple(f"requested: {env.name}" for env in environments[:_SHOWN]),
            hint="Leave out `--platform` and `--python` to report on those that it supports",
        )
    return tuple(environments)


def environments_text(some: Sequence[ReportEnvironment], every: Sequence[ReportEnvironment]) -> str:
    """Some of the environments in words: `everywhere`, or `Linux x86_64; Windows x86_64 with Python 3.13, 3.14`."""
    if len(some) == sum(env.supported for env in every):
        return "everywhere"
    order = list(dict.fromkeys(env.python for env in every if env.supported))
    by_system: dict[str, list[str]] = {}
    for env in some:
        by_system.setdefault(env.system, []).append(env.python)
    whole = {system: sum(env.system == system and env.supported for env in every) for system in by_system}
    by_pythons: dict[str, list[str]] = {}
    for system, pythons in by_system.items():
        key = "" if len(pythons) == whole[system] else _pythons_text(pythons, order)
        by_pythons.setdefault(key, []).append(system)
    shared = next(iter(by_pythons))
    if len(by_pythons) == 1 and shared and len(by_system) == len({env.system for env in every}):
        return f"everywhere with Python {shared}"
    return "; ".join(
        ", ".join(systems) + (f" with Python {pythons}" if pythons else "") for pythons, systems in by_pythons.items()
    )


def _pythons_text(pythons: list[str], order: list[str]) -> str:
    """`3.12`, `3.11 to 3.14` for neighbours in `order`, else a list."""
    start = order.index(pythons[0]) if pythons[0] in order else 0
    if len(pythons) >= _RUN and order[start : start + len(pythons)] == pythons:
        return f"{pythons[0]} to {pythons[-1]}"
    return ", ".join(pythons)


def _usual(minors: dict[str, str], usual: Sequence[str]) -> tuple[str, ...]:
    """Those of the lock file's Pythons that are usual; all of its Pythons if none is, the usual ones if it has none."""
    return tuple(minor for minor in usual if minor in minors) or tuple(minors) or tuple(usual)


def _platforms(universe: Universe, pythons: Sequence[str]) -> tuple[str, ...]:
    """The platforms of the lock file's targets; the common ones if it has none."""
    kept = (target.platform for target in universe.targets if _minor(target.python) in pythons)
    return tuple(dict.fromkeys(kept)) or REPORT_PLATFORMS


def _minor(python: str) -> str:
    return ".".join(python.split(".")[:2])


def _system(platform: str) -> str:
    family, machine = split_platform(platform)
    name = "Linux (musl)" if platform.lower().startswith("musl") else _FAMILIES.get(family, family)
    return f"{name} {_MACHINES.get(machine, machine)}"
