"""What a failure proposes is done to the letter, and the world has a lock."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import tomli

from support.worlds.small_world import SmallWorld

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

World = dict[str, Any]
FOLDER = Path(__file__).parent
NOT_ALL = "not the only one"


def proposals(text: str) -> list[str]:
    """Each proposal of a golden text; none where they do not help everywhere."""
    hint = text.partition("hint: ")[2]
    if "tried" not in hint or NOT_ALL in hint:
        return []
    several = re.findall(r"(?m)^- (.*)$", hint)
    return several or [hint.partition(": ")[2].strip()]


def cases() -> Iterator[tuple[str, str]]:
    for path in sorted(FOLDER.glob("*.txt")):
        for proposal in proposals(path.read_text(encoding="utf-8")):
            yield path.stem, proposal


def settings(world: World) -> World:
    table: World = world.setdefault("tool", {}).setdefault("lockset", {})
    return table


def lines(world: World) -> Iterator[list[str]]:
    """Every list of requirements of the project."""
    project = world.get("project", {})
    yield project.setdefault("dependencies", [])
    yield from project.get("optional-dependencies", {}).values()
    yield from world.get("dependency-groups", {}).values()


def replace_line(world: World, old: str, new: str | None) -> None:
    """Put `new` in the place of the requirement that begins as `old`, without its marker; None: without it."""
    wanted = old.partition(" ;")[0].replace(" ", "")
    name = re.split(r"[<>=!~@]", wanted)[0]
    result = 0
    for several in lines(world):
        for at, line in enumerate(several):
            requests = line.partition(" ;")[0].replace(" ", "")
            if set(re.split(r"[,]", requests.removeprefix(name))) == set(wanted.removeprefix(name).split(",")):
                several[at : at + 1] = [] if new is None else [new]
                result += 1
                break
    assert result, f"{old} is asked for nowhere"


def by_toml(world: World, match: re.Match[str]) -> None:
    for key, value in tomli.loads(match[1]).items():
        held = settings(world).get(key, [])
        settings(world)[key] = [*held, *value]


def by_python(world: World, match: re.Match[str]) -> None:
    world.setdefault("project", {})["requires-python"] = match[1]


def by_platform(world: World, match: re.Match[str]) -> None:
    world.setdefault("choices", {})["platforms"] = re.findall(r"--platform (\S+?)[` ]", match[0] + " ")


def by_option(key: str, value: Any = None) -> Callable[[World, re.Match[str]], None]:
    def change(world: World, match: re.Match[str]) -> None:
        world.setdefault("choices", {})[key] = [match[1]] if value is None else value

    return change


def prerelease(world: World, match: re.Match[str]) -> None:
    world.setdefault("choices", {})["prerelease-package"] = {match[1]: "allow"}


def lifted(world: World, match: re.Match[str]) -> None:
    world.setdefault("choices", {})["exclude-newer-package"] = {match[1]: None}


def pinned(world: World, match: re.Match[str]) -> None:
    name = match[1].partition("==")[0]
    requests = next(lines(world))
    requests[:] = [*(line for line in requests if re.split(r"[<>=!~ ]", line)[0] != name), match[1]]


def loosened(world: World, match: re.Match[str]) -> None:
    replace_line(world, match[1], re.split(r"[<>=!~]", match[1])[0])


def marked(world: World, match: re.Match[str]) -> None:
    replace_line(world, match[1], match[1])


def without_constraint(world: World, match: re.Match[str]) -> None:
    for held in (settings(world), world.get("choices", {})):
        held["constraints"] = [c for c in held.get("constraints", []) if c != match[1]]


def without_override(world: World, match: re.Match[str]) -> None:
    settings(world)["overrides"] = [o for o in settings(world)["overrides"] if o != match[1]]


def without_wheels(world: World, match: re.Match[str]) -> None:
    del match
    settings(world).pop("require-wheels-for", None)
    world.get("choices", {}).pop("require-wheels-for", None)


WAYS: list[tuple[str, Callable[[World, re.Match[str]], None]]] = [
    (r"`(conflicts = .*\]\])`", by_toml),
    (r"`(overrides = .*\])`", by_toml),
    (r"--python '([^']*)'", by_python),
    (r"--platform .*", by_platform),
    (r"`--no-group (\S+)`", by_option("no-groups")),
    (r"--allow-direct-url (\S+)`", by_option("allow-direct-urls")),
    (r"--prerelease-package (\S+)=allow", prerelease),
    (r"--exclude-newer-package (\S+)=false", lifted),
    (r"leave `--no-build` out", by_option("no-build", [])),
    (r"leave `--no-binary :all:` out", by_option("no-binary", [])),
    (r"leave out `--require-wheels-for`", without_wheels),
    (r"pinned: require `([^`]*)`", pinned),
    (r"oosen the constraint `([^`]*)`", without_constraint),
    (r"hange the override `([^`]*)`", without_override),
    (r"oosen `([^`]*)`", loosened),
    (r"only where it fits: `([^`]*)`", marked),
    (r"emove `([^`]*)`", lambda world, match: replace_line(world, match[1], None)),
]


@pytest.mark.parametrize(("name", "proposal"), list(cases()))
def test_a_proposal_done_to_the_letter_makes_the_world_resolvable(name: str, proposal: str) -> None:
    world = copy.deepcopy(tomli.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8")))
    if "--allow-direct-url" in proposal:
        pytest.skip("what is at the URL is not known before it is allowed")
    for pattern, change in WAYS:
        match = re.search(pattern, proposal)
        if match is not None:
            change(world, match)
            break
    else:
        pytest.fail(f"no test knows how to follow: {proposal}")
    assert SmallWorld(world).lock().lock.packages


def test_most_failures_have_a_proposal() -> None:
    texts = [path.read_text(encoding="utf-8") for path in FOLDER.glob("*.txt")]
    assert sum("tried" in text for text in texts) * 5 > len(texts) * 4
