"""A project's name goes before `:all:` in what allows wheels and source distributions, wherever it is said."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import tomli

from support.builders.sdist import make_sdist

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from support.command import Command
    from support.local_index import LocalIndex
    from support.venvs import VenvMaker

PROJECT = '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.10"\ndependencies = ["hull", "mast"]\n'
BOTH = {"hull": "wheel", "mast": "wheel"}


class Given(NamedTuple):
    """Options, variables and settings of one run."""

    options: tuple[str, ...] = ()
    env: Mapping[str, str] = MappingProxyType({})
    settings: str = ""


@pytest.fixture
def index(local_index: LocalIndex) -> LocalIndex:
    for name in ("hull", "mast"):
        local_index.world.add(name).add_file(name, make_sdist(name, "1.0"))
    return local_index


@pytest.fixture
def kinds(cli: Command, index: LocalIndex, tmp_path: Path) -> Callable[..., dict[str, str]]:
    """Locks hull and mast; which kind of file each has then (`both` where it has both)."""

    def locked(
        *options: str, settings: str = "", env: dict[str, str] | None = None, lines: str | None = None
    ) -> dict[str, str]:
        if lines is None:
            (tmp_path / "pyproject.toml").write_text(f"{PROJECT}[tool.lockset]\n{settings}\n")
            sources: tuple[str, ...] = ()
        else:
            (tmp_path / "requirements.in").write_text(f"{lines}\nhull\nmast\n")
            sources = ("requirements.in", "--python", ">=3.10")
        cli.ok("lock", *sources, "-i", index.url, "--refresh", *options, env=env)
        packages: list[dict[str, Any]] = tomli.loads((tmp_path / "pylock.toml").read_text())["packages"]
        return {
            p["name"]: "both" if "sdist" in p and "wheels" in p else "sdist" if "sdist" in p else "wheel"
            for p in packages
        }

    return locked


ONLY_HULL_FROM_SOURCE = {"hull": "sdist", "mast": "wheel"}
ONLY_HULL_FROM_WHEEL = {"hull": "wheel", "mast": "sdist"}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--only-binary", ":all:", "--no-binary", "hull"), ONLY_HULL_FROM_SOURCE),
        (("--no-binary", "hull", "--only-binary", ":all:"), ONLY_HULL_FROM_SOURCE),
        (("--no-binary", ":all:", "--only-binary", "Hull"), ONLY_HULL_FROM_WHEEL),
        (("--only-binary", "hull", "--no-binary", ":all:"), ONLY_HULL_FROM_WHEEL),
        (("--only-binary", ":all:,mast", "--no-binary", "hull"), ONLY_HULL_FROM_SOURCE),
        (("--only-binary", "hull", "--only-binary", ":none:"), {"hull": "both", "mast": "both"}),
        (("--no-binary", ":all:,:none:,hull", "--only-binary", ":all:"), ONLY_HULL_FROM_SOURCE),
    ],
)
def test_in_options(kinds: Callable[..., dict[str, str]], options: tuple[str, ...], expected: dict[str, str]) -> None:
    assert kinds(*options) == expected


@pytest.mark.parametrize(
    ("only", "none", "expected"),
    [(":all:", "hull", ONLY_HULL_FROM_SOURCE), ("hull", ":all:", ONLY_HULL_FROM_WHEEL)],
)
def test_in_variables_settings_and_files_and_across_them(
    kinds: Callable[..., dict[str, str]], only: str, none: str, expected: dict[str, str]
) -> None:
    variables = {"LOCKSET_ONLY_BINARY": only, "LOCKSET_NO_BINARY": none}
    assert kinds(env=variables) == expected
    no_build, no_binary = f'no-build = ["{only}"]', f'no-binary = ["{none}"]'
    assert kinds(settings=f"{no_build}\n{no_binary}") == expected
    assert kinds(settings=f"{no_binary}\n{no_build}") == expected
    assert kinds(lines=f"--only-binary {only}\n--no-binary {none}") == expected
    assert kinds(lines=f"--no-binary {none}\n--only-binary {only}") == expected
    assert kinds("--only-binary", only, lines=f"--no-binary {none}") == expected
    assert kinds("--no-binary", none, lines=f"--only-binary {only}") == expected
    assert kinds("--only-binary", only, settings=no_binary) == expected
    assert kinds("--no-binary", none, env={"LOCKSET_ONLY_BINARY": only}) == expected


def test_of_two_places_that_say_the_opposite_of_one_word_the_nearer_one_holds(
    kinds: Callable[..., dict[str, str]],
) -> None:
    from_source = {"hull": "sdist", "mast": "both"}
    assert kinds("--no-binary", "hull", settings='no-build = ["hull"]') == from_source
    assert kinds("--no-binary", "hull", env={"LOCKSET_ONLY_BINARY": "hull"}) == from_source
    assert kinds("--no-binary", "hull", lines="--only-binary hull") == from_source
    every = {"hull": "sdist", "mast": "sdist"}
    assert kinds("--no-binary", ":all:", settings="no-build = true") == every
    assert kinds("--no-binary", ":all:", lines="--only-binary :all:") == every


def test_with_no_build_nothing_is_built_whatever_is_named(
    kinds: Callable[..., dict[str, str]], cli: Command, index: LocalIndex
) -> None:
    assert kinds("--no-build", env={"LOCKSET_NO_BINARY": "hull"}) == BOTH
    for settings, lines in (('no-binary = ["hull"]', None), ("", "--no-binary hull")):
        with pytest.raises(AssertionError, match="exit code 1"):
            kinds("--no-build", settings=settings, lines=lines)
    refusal = cli.refused("lock", "-i", index.url, "--no-build", "--no-binary", "hull", code=2)
    assert "`--no-build` excludes the sources of hull" in refusal
    assert "excludes the sources of" in cli.refused("lock", "--only-binary", "hull", "--no-binary", "hull", code=2)


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        (Given(options=("--only-binary", ":all:")), "leave `--only-binary :all:` out"),
        (Given(options=("--only-binary", "hull")), "leave `--only-binary hull` out"),
        (Given(options=("--no-build",)), "leave `--no-build` out"),
        (Given(env={"LOCKSET_NO_BUILD": "1"}), "leave `LOCKSET_NO_BUILD` out"),
        (Given(env={"LOCKSET_ONLY_BINARY": ":all:"}), "leave `LOCKSET_ONLY_BINARY` out"),
        (Given(settings="no-build = true"), "take `no-build` for all packages out of [tool.lockset]"),
        (Given(settings='no-build = ["hull"]'), "take hull out of `no-build` in [tool.lockset]"),
    ],
)
def test_messages_speak_of_what_was_given_and_of_nothing_else(
    cli: Command, local_index: LocalIndex, tmp_path: Path, given: Given, advice: str
) -> None:
    local_index.world.add_file("hull", make_sdist("hull", "1.0"))
    local_index.world.add("mast").add("hull", "0.9")
    text = PROJECT.replace('"hull"', '"hull>=1"') + f"[tool.lockset]\n{given.settings}\n"
    (tmp_path / "pyproject.toml").write_text(text)
    refusal = cli.refused("lock", "-i", local_index.url, *given.options, env=given.env)
    (tmp_path / "pyproject.toml").write_text(text.replace('"hull>=1"', '"hull"'))
    output = cli("why-not", "hull==1.0", "-i", local_index.url, *given.options, env=given.env)
    for message in (refusal, output.stdout + output.stderr):
        assert advice in message
        others = {"--no-build", "--only-binary", "--no-binary", "LOCKSET_NO_BUILD", "LOCKSET_ONLY_BINARY"}
        assert not [other for other in others if other in message and other not in advice], message


def test_sync_takes_the_kind_of_file_that_the_name_says(
    cli: Command, index: LocalIndex, make_venv: VenvMaker, tmp_path: Path
) -> None:
    (tmp_path / "requirements.in").write_text("hull\nmast\n")
    cli.ok("lock", "requirements.in", "--python", ">=3.10", "-i", index.url)
    sync = ("sync", "--dry-run", "--python", make_venv().python, "-i", index.url)
    for options in (
        ("--only-binary", ":all:", "--no-binary", "hull"),
        ("--no-binary", "hull", "--only-binary", ":all:"),
    ):
        index.forget()
        cli.ok(*sync, *options)
    text = (tmp_path / "pylock.toml").read_text().splitlines()
    # Without a wheel of mast, and without an sdist of hull, only a name can be in the way.
    (tmp_path / "pylock.toml").write_text("\n".join(line for line in text if "mast" not in line or "whl" not in line))
    assert "mast" in cli.refused(*sync, "--only-binary", ":all:", "--no-binary", "hull")
    cli.ok(*sync, "--only-binary", "hull", "--no-binary", ":all:")
    assert "hull" in cli.refused(*sync, "--no-build", "--no-binary", "hull")
