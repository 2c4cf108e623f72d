"""Several sources as one project."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from lockset.errors import LocksetError
from lockset.sources.project import RootProject, Settings, SourceOptions, merge_sources
from lockset.sources.requirements.requirement_line import parse_requirement


def project(*names: str, folder: str = "/a", **more: object) -> RootProject:
    lines = tuple(parse_requirement(name, origin="test") for name in names)
    return RootProject(base=Path(folder), dependencies=lines, **more)  # type: ignore[arg-type] # each test gives fitting ones


def test_one_source_is_itself() -> None:
    alone = project("a")
    assert merge_sources([alone]) is alone


def test_requirements_of_all_sources_are_joined() -> None:
    (x,) = project("x").dependencies
    (y,) = project("y").dependencies
    joined = merge_sources(
        [
            project("a", extras={"e": (x,)}, sources=("one",), requires_python=SpecifierSet(">=3.9")),
            project(
                "b", extras={"e": (y,)}, groups={"g": (x,)}, sources=("two",), requires_python=SpecifierSet("<3.14")
            ),
            project("c", constraints=(y,)),
        ]
    )
    assert [line.text for line in joined.dependencies] == ["a", "b", "c"]
    assert joined.extras == {"e": (x, y)}
    assert joined.groups == {"g": (x,)}
    assert joined.constraints == (y,)
    assert joined.sources == ("one", "two")
    assert joined.requires_python == SpecifierSet(">=3.9,<3.14")


def test_the_project_with_a_name_takes_precedence() -> None:
    joined = merge_sources([project("a", folder="/a"), project("b", folder="/b", name="demo")])
    assert (joined.name, joined.base) == ("demo", Path("/b"))


def test_options_of_later_sources_replace_or_extend() -> None:
    joined = merge_sources(
        [
            project(options=SourceOptions(index_url="one", extra_index_urls=("x",), require_hashes=True)),
            project(options=SourceOptions(index_url="two", extra_index_urls=("x", "y"), pre=True)),
        ]
    )
    assert joined.options == SourceOptions(index_url="two", extra_index_urls=("x", "y"), pre=True, require_hashes=True)


def test_settings_come_from_the_one_source_that_has_them() -> None:
    output = Settings(fork_strategy="fewest")
    assert merge_sources([project(), project(settings=output)]).settings == output
    assert merge_sources([project(settings=output), project(settings=output)]).settings == output


def test_settings_that_disagree_are_refused() -> None:
    with pytest.raises(LocksetError) as caught:
        merge_sources(
            [
                project(settings=Settings(fork_strategy="fewest"), sources=("one",)),
                project(settings=Settings(no_index=True), sources=("two",)),
            ]
        )
    assert caught.value.diagnostic.code == "settings-disagree"
    assert caught.value.diagnostic.location == "one, two"
