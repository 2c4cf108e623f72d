"""Where a conflict arises, in words: one environment, and which other environments fail too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.markers.environment import UNNAMED_SYSTEM
from lockset.resolve.explain.failure import join_words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from lockset.markers import Environment
    from lockset.resolve.explain.failure import Failure
    from lockset.resolve.explain.minimal_conflict import MinimalConflict

__all__ = ["environment_in_words", "failing_environments", "pythons_listed"]

_USUAL_MACHINES = {"Linux": "x86_64", "Darwin": "arm64", "Windows": "AMD64"}
_SYSTEMS = {"linux": "Linux", "darwin": "macOS", "win32": "Windows"}


def environment_in_words(failure: Failure) -> str:
    """`Python 3.10, Windows with extra `gpu``."""
    example = failure.conflict.region.example()
    if example is None:
        return "no environment"
    values = example.environment
    python = ".".join(values["python_full_version"].split(".")[:2])
    implementation = values["platform_python_implementation"]
    chosen = [f"extra `{e}`" for e in failure.extras] + [f"group `{g}`" for g in failure.groups]
    suffix = f" with {join_words(chosen)}" if chosen else ""
    kind = "Python" if implementation in {"CPython", ""} else implementation
    # An environment that no marker names has empty texts.
    system = values["platform_system"] or _SYSTEMS.get(values["sys_platform"], values["sys_platform"])
    machine = values["platform_machine"]
    unusual = "" if _USUAL_MACHINES.get(system, machine) == machine else f" {machine}"
    platform = f"{'macOS' if system == 'Darwin' else system}{unusual if machine else ''}".strip()
    return f"{kind} {python}, {platform or UNNAMED_SYSTEM}{suffix}"


def failing_environments(conflict: MinimalConflict) -> Iterator[str]:
    """At most one line: in which sampled environments it fails, and which are fine."""
    if len(conflict.failing) + len(conflict.holding) < 2 or not conflict.failing:
        return
    if not conflict.holding:
        yield "It fails on every Python and platform of the lock"
        return
    pythons, systems = _parts(conflict.failing)
    all_pythons, all_systems = _parts((*conflict.failing, *conflict.holding))
    alike = {(e.python_version, e.sys_platform) for e in conflict.failing}
    holding = {(e.python_version, e.sys_platform) for e in conflict.holding}
    if len(alike) != len(pythons) * len(systems) or alike & holding:
        yield f"It fails in {len(conflict.failing)} of {len(conflict.failing) + len(conflict.holding)} environments"
    elif pythons == all_pythons:
        fine = [_SYSTEMS.get(s, s) for s in all_systems if s not in systems]
        yield f"It fails on {_named(systems)} with every Python; {join_words(fine)} {_is(fine)} fine"
    elif systems == all_systems:
        fine = [p for p in all_pythons if p not in pythons]
        others = f"{pythons_listed(fine)} {_is(fine)} fine"
        yield f"It fails on Python {pythons_listed(pythons)} with every platform; {others}"
    else:
        yield f"It fails on Python {pythons_listed(pythons)} with {_named(systems)} only"


def _parts(environments: Collection[Environment]) -> tuple[list[str], list[str]]:
    """Minor versions, oldest first, and systems."""
    pythons = sorted({e.python_version for e in environments}, key=lambda p: tuple(map(int, p.split("."))))
    return pythons, sorted({e.sys_platform for e in environments})


def _named(systems: Collection[str]) -> str:
    return join_words([_SYSTEMS.get(s, s) for s in systems])


def pythons_listed(pythons: list[str]) -> str:
    """`3.10`, `3.9 and 3.10`, `3.9 to 3.12` where they follow one another."""
    minors = [int(p.split(".")[1]) for p in pythons]
    if len(pythons) > 2 and minors == list(range(minors[0], minors[-1] + 1)):
        return f"{pythons[0]} to {pythons[-1]}"
    return join_words(pythons)


def _is(things: list[str]) -> str:
    return "is" if len(things) == 1 else "are"
