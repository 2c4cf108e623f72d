"""A project with many extras, in which packages that are released together meet others that hold them back.

Like large real projects: every extra needs some packages of a family whose releases pin each other (`tele-*`), one of
them is behind (`tele-db`), one extra (`fresh`) needs a newer one through a server that a group must not be chosen
with, and one extra (`hub`) holds back, on some machines, what a release of another package needs in a newer version.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks.generated_world import GeneratedWorld

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["many_extras"]

_RELEASES = 10
_MACHINES = "platform_machine == 'x86_64' or platform_machine == 'arm64' or platform_machine == 'aarch64'"


def many_extras(count: int) -> GeneratedWorld:
    """The project with `count` ordinary extras."""
    packages = {
        **_family(),
        "server": _each(lambda n: [f"tele-api>=1.{min(n + 1, _RELEASES - 1)}", "tele-sdk"]),
        "tasks": _each(lambda n: [f"server>=1.{max(n - 1, 0)}"]),
        "log": _each(lambda _: ["tele-sdk>=1.2", "tele-http", "tele-db"]),
        "xet": _each(lambda _: []),
        "hub": _each(lambda n: [f"xet>=1.{max(n - 1, 0)}"]),
        "models": _each(lambda n: [f"hub>=1.{max(n - 3, 0)}", "log"]),
    }
    extras = {"fresh": ["tasks>=1.3"], "hub": ["hub<2", f"xet<1.4 ; {_MACHINES}"], "models": ["models>=1.2"]}
    for number in range(count):
        packages[f"part-{number}"] = _each(lambda n: ["tele-api>=1.1", f"log>=1.{n // 2}"])
        extras[f"extra{number}"] = [f"part-{number}>=1.1", *(["models"] if number % 3 == 0 else [])]
    return GeneratedWorld(
        packages,
        ("log", "tele-http"),
        extras=extras,
        groups={"dev": ["server>=1.2", "models"]},
        conflict=("fresh", "dev"),
    )


def _family() -> dict[str, dict[str, dict[str, Any]]]:
    """Packages that are released together; `tele-db` has no release that goes with the newest two of the others."""
    pinned = {
        "tele-api": [],
        "tele-conv": ["tele-api"],
        "tele-sdk": ["tele-api", "tele-conv"],
        "tele-base": ["tele-conv"],
        "tele-http": ["tele-base", "tele-conv"],
    }
    family = {name: _each(partial(_pins, others)) for name, others in pinned.items()}
    return {**family, "tele-db": _each(partial(_pins, ["tele-base", "tele-conv"]), _RELEASES - 2)}


def _pins(others: list[str], number: int) -> list[str]:
    return [f"{other}==1.{number}" for other in others]


def _each(requires: Callable[[int], list[str]], count: int = _RELEASES) -> dict[str, dict[str, Any]]:
    return {f"1.{number}": {"requires": requires(number)} for number in range(count)}
