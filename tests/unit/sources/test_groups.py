"""Dependency groups."""

from __future__ import annotations

import pytest

from lockset.errors import LocksetError
from lockset.sources.groups import read_groups
from lockset.sources.toml_table import parse_settings_file


def groups(text: str) -> dict[str, list[str]]:
    table = parse_settings_file(f"[dependency-groups]\n{text}", location="pyproject.toml").table("dependency-groups")
    assert table is not None
    return {name: [str(line.requirement) for line in lines] for name, lines in read_groups(table).items()}


def test_includes_keep_their_position() -> None:
    read = groups("a = ['x', {include-group='b'}, 'y']\nb = ['z']")
    assert read == {"a": ["x", "z", "y"], "b": ["z"]}


def test_names_are_normalized_on_both_sides() -> None:
    assert groups("Type_Check = ['mypy']\nall = [{include-group='type.check'}]")["all"] == ["mypy"]


def test_a_requirement_included_twice_is_listed_once() -> None:
    read = groups(
        "a = [{include-group='b'}, {include-group='c'}]\nb = [{include-group='d'}]\nc=[{include-group='d'}]\nd = ['x']"
    )
    assert read["a"] == ["x"]


def test_includes_that_double_at_every_level_stay_cheap() -> None:
    text = "\n".join(f"g{n} = [{{include-group='g{n - 1}'}}, {{include-group='g{n - 1}'}}]" for n in range(1, 60))
    assert groups("g0 = ['x']\n" + text)["g59"] == ["x"]


@pytest.mark.parametrize(
    ("text", "code", "part"),
    [
        ("a = [{include-group='a'}]", "group-cycle", "a -> a"),
        (
            "z = [{include-group='a'}]\na = [{include-group='b'}]\nb = [{include-group='a'}]",
            "group-cycle",
            "a -> b -> a",
        ),
        ("a = [{include-group='tets'}]\ntest = []", "unknown-group", "`tets`"),
        ("a_b = []\nA-B = []", "group-duplicate", "`a-b`"),
        ("a = 'x'", "wrong-type", "`dependency-groups.a` must be an array, not a string"),
        ("a = [1]", "wrong-type", "`dependency-groups.a[0]`"),
        ("a = [{include-group=1}]", "wrong-type", "`dependency-groups.a[0].include-group`"),
        ("a = [{include-group='b', x=1}]", "invalid-value", "`dependency-groups.a[0]`"),
        ("a = [{}]", "invalid-value", "`dependency-groups.a[0]`"),
        ("a = ['x y']", "requirement-syntax", "`x y`"),
    ],
)
def test_errors_name_the_key(text: str, code: str, part: str) -> None:
    with pytest.raises(LocksetError) as caught:
        groups(text)
    assert caught.value.diagnostic.code == code
    assert part in caught.value.diagnostic.message


def test_an_unknown_include_names_the_nearest_group() -> None:
    with pytest.raises(LocksetError) as caught:
        groups("a = [{include-group='tets'}]\ntest = []")
    assert caught.value.diagnostic.hint == "Did you mean `test`?"


def test_a_very_deep_chain_is_refused_without_a_traceback() -> None:
    text = "\n".join(f"g{n} = [{{include-group='g{n + 1}'}}]" for n in range(3000))
    with pytest.raises(LocksetError, match="levels deep"):
        groups(text + "\ng3000 = []")
