"""The library refuses wrong values of its options and arguments, one clear error each."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

import lockset
from lockset.conversion.model.formats import Format
from lockset.conversion.writers.requirements import RequirementsStyle
from lockset.errors import UsageError

OPTIONS: tuple[Any, ...] = (
    lockset.LockOptions,
    lockset.ConvertOptions,
    lockset.ExportOptions,
    lockset.SyncOptions,
    lockset.IndexOptions,
    RequirementsStyle,
)
FIELDS = [(cls, field.name) for cls in OPTIONS for field in dataclasses.fields(cls)]
CALLS = ("check_env", "convert", "fix", "lock", "sync_target", "validate", "validate_text", "why_not")


def refused(cls: Any, **values: Any) -> UsageError:
    with pytest.raises(UsageError) as caught:
        cls(**values)
    assert caught.value.diagnostic.code == "option-value"
    return caught.value


@pytest.mark.parametrize(("cls", "name"), FIELDS, ids=[f"{cls.__name__}.{name}" for cls, name in FIELDS])
def test_a_field_refuses_what_it_cannot_hold_and_names_itself(cls: Any, name: str) -> None:
    for value in (object(), b"x", [["a"]]):
        assert f"`{cls.__name__}.{name}`" in str(refused(cls, **{name: value}))


@pytest.mark.parametrize(("cls", "name"), FIELDS, ids=[f"{cls.__name__}.{name}" for cls, name in FIELDS])
def test_a_field_that_holds_several_refuses_one_text(cls: Any, name: str) -> None:
    if isinstance(getattr(cls(), name), (tuple, frozenset)) or name in {"extras", "groups"}:
        refused(cls, **{name: "charts"})


@pytest.mark.parametrize(
    ("cls", "name", "known"),
    [
        (lockset.LockOptions, "resolution", "`lowest-direct`"),
        (lockset.LockOptions, "prerelease", "`if-necessary`"),
        (lockset.LockOptions, "fork", "`fewest`"),
        (lockset.LockOptions, "implementation", "`pypy`"),
        (lockset.SyncOptions, "link_mode", "`hardlink`"),
        (lockset.ExportOptions, "format", "`cyclonedx`"),
        (lockset.ConvertOptions, "format", "`poetry`"),
        (lockset.ConvertOptions, "files", "`as-hashed`"),
        (lockset.IndexOptions, "strategy", "`unsafe-best-match`"),
    ],
)
def test_a_choice_that_does_not_exist_names_those_that_do(cls: Any, name: str, known: str) -> None:
    message = str(refused(cls, **{name: "foo"}))
    assert "'foo'" in message
    assert known in message


def test_a_text_in_place_of_names_is_not_taken_as_letters() -> None:
    assert "('charts',)" in (refused(lockset.LockOptions, extras="charts").diagnostic.hint or "")


@pytest.mark.parametrize("value", [{}, "", b""])
def test_an_empty_value_of_another_kind_is_refused(value: Any) -> None:
    refused(lockset.LockOptions, upgrade_packages=value)


@pytest.mark.parametrize("value", [frozenset(), "", ()])
def test_an_empty_value_that_is_not_a_mapping_is_refused(value: Any) -> None:
    refused(lockset.LockOptions, cooldown_package=value)


@pytest.mark.parametrize("value", ["allow', 'disallow", "", "'", "Literal"])
def test_a_part_of_an_annotation_is_not_a_choice(value: str) -> None:
    refused(lockset.LockOptions, prerelease=value)


def test_lists_and_sets_become_what_a_field_holds() -> None:
    assert lockset.LockOptions(extras=["a"], upgrade_packages={"b"}) == lockset.LockOptions(  # type: ignore[arg-type]
        extras=("a",), upgrade_packages=frozenset({"b"})
    )
    assert lockset.ConvertOptions(pyproject="x.toml").pyproject == Path("x.toml")  # type: ignore[arg-type]
    assert lockset.ConvertOptions(format="poetry").format is Format.POETRY


@pytest.mark.parametrize("name", ["connections", "connect_timeout", "read_timeout", "retries", "max_age"])
def test_numbers_have_bounds(name: str) -> None:
    assert "at least" in (message := str(refused(lockset.IndexOptions, **{name: -1}))) or "more than" in message


@pytest.mark.parametrize("call", CALLS)
def test_a_call_refuses_what_is_not_a_path(call: str) -> None:
    for value in (5, None, object(), ["a", 5], {"a": "b"}):
        with pytest.raises(UsageError) as caught:
            getattr(lockset, call)(value)
        assert caught.value.diagnostic.code == "option-value"


def test_a_call_refuses_options_of_another_kind() -> None:
    for call in (
        lambda: lockset.lock((), options={"python": ">=3.10"}),  # type: ignore[arg-type]
        lambda: lockset.lock((), indexes="https://index.example.org"),  # type: ignore[arg-type]
        lambda: lockset.convert("x", "uv"),  # type: ignore[arg-type]
        lambda: lockset.export("x", "constraints"),  # type: ignore[arg-type]
        lambda: lockset.sync_target("x", python="y", options="z"),  # type: ignore[arg-type]
        lambda: lockset.sync_target(
            "x",
            options=lockset.SyncOptions(described=lockset.DescribedInterpreter(3, 12)),  # type: ignore[arg-type]
        ),
    ):
        with pytest.raises(UsageError) as caught:
            call()
        assert caught.value.diagnostic.code == "option-value"


def test_the_package_lists_what_it_has() -> None:
    assert set(lockset.__all__) <= set(dir(lockset))
    assert all(hasattr(lockset, name) for name in dir(lockset))


@pytest.mark.parametrize("value", [3, b"x", ["pylock.toml"], True])
def test_an_argument_that_is_not_a_name_or_folder_is_refused(value: Any) -> None:
    with pytest.raises(UsageError, match="name"):
        lockset.validate_text("", name=value)
    with pytest.raises(UsageError, match="cache"):
        lockset.convert("requirements.txt", context=lockset.RunContext(cache=value))
