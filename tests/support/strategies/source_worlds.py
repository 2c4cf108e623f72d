"""Random small worlds in which a project comes by URL somewhere."""

from __future__ import annotations

from itertools import product
from typing import Any

from hypothesis import strategies as st

from support.worlds.referee import Referee
from support.worlds.small_world import SmallWorld

__all__ = ["ENVIRONMENTS", "asked_by_url", "has_answer", "worlds"]

ENVIRONMENTS = ("3.10 linux", "3.10 windows", "3.13 linux", "3.13 windows")
MARKERS = st.sampled_from(
    ["", " ; sys_platform == 'win32'", " ; sys_platform != 'win32'", " ; python_version < '3.12'", " ; os_name == 'nt'"]
)
URLS = {f"https://files.example.org/{v}/a-{v}-py3-none-any.whl": v for v in ("1.5", "2.5", "3.0b1")}
SPECIFIERS = st.sampled_from(["", ">=2", "<2", "==1.5", ">=2.5", "!=1.0"])


@st.composite
def requirements(draw: st.DrawFn, names: str, *, most: int = 2) -> list[str]:
    chosen = draw(st.lists(st.sampled_from(names), max_size=most, unique=True))
    return [f"{name}{draw(SPECIFIERS) if name == 'a' else ''}{draw(MARKERS)}" for name in chosen]


@st.composite
def worlds(draw: st.DrawFn) -> SmallWorld:
    urls = draw(st.lists(st.sampled_from(sorted(URLS)), min_size=1, max_size=2, unique=True))
    sources: dict[str, Any] = {
        url: {"name": "a", "version": version, "requires": draw(requirements("bc")) if url in urls else []}
        for url, version in URLS.items()
    }
    packages = {
        name: {version: {"requires": draw(requirements("abc".replace(name, "")))} for version in ("1.0", "2.0")}
        for name in "abc"
    }
    dependencies = [f"a @ {url}{draw(MARKERS)}" for url in urls] + draw(requirements("bca", most=3))
    project = {"requires-python": ">=3.10", "dependencies": dependencies}
    environments = ["sys_platform == 'linux'", "sys_platform == 'win32'"]
    return SmallWorld(
        {
            "project": project,
            "packages": packages,
            "sources": sources,
            "tool": {"lockset": {"environments": environments}},
        }
    )


def asked_by_url(world: SmallWorld, environment: str) -> set[str]:
    """The versions that the project asks for by URL there."""
    referee = Referee(world, environment)
    roots = [r for r in referee.roots((), ()) if referee.applies(r, frozenset())]
    return {world.sources[r.url]["version"] for r in roots if r.url is not None}


def has_answer(world: SmallWorld, environment: str) -> bool:
    by_url = asked_by_url(world, environment)
    if len(by_url) > 1:
        return False
    of_a = [None, *by_url] if by_url else [None, "1.0", "2.0"]
    for a, b, c in product(of_a, (None, "1.0", "2.0"), (None, "1.0", "2.0")):
        chosen = {name: version for name, version in (("a", a), ("b", b), ("c", c)) if version is not None}
        try:
            Referee(world, environment).check(chosen, (), ())
        except AssertionError:
            continue
        return True
    return False
