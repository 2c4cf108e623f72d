"""Before a user hears that there is no answer, resolvelib is asked for the environment that is named."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from lockset.composition import lock_pipeline
from lockset.composition.exclusion import explain_exclusion
from lockset.composition.run_context import RunContext, context_of
from lockset.errors import IndexUnreachableError, LocksetError
from lockset.resolve.explain import explain
from lockset.resolve.lock import second_opinion
from lockset.resolve.one_environment.engine import Budget
from lockset.resolve.solver import search
from support.worlds.small_world import NOW, SmallWorld, entries

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.version import Version

# Each of `a` and `b` asks for one `c`; only their oldest agree.
PUZZLE = """
[project]
requires-python = ">=3.12,<3.13"
dependencies = ["a", "b"]
[packages]
a = { "1" = { requires = ["c==1"] }, "2" = { requires = ["c==2"] }, "3" = { requires = ["c==3"] } }
b = { "1" = { requires = ["c==1"] }, "5" = { requires = ["c==5"] }, "6" = { requires = ["c==6"] } }
c = { "1" = {}, "2" = {}, "3" = {}, "5" = {}, "6" = {} }
"""
WITHOUT_ANSWER = PUZZLE.replace('b = { "1" = { requires = ["c==1"] }, ', "b = { ")


def failure(text: str) -> LocksetError:
    with pytest.raises(LocksetError) as caught:
        SmallWorld.read(text).lock()
    assert caught.value.diagnostic.code == "no-resolution"
    return caught.value


def said_of_certainty(text: str) -> list[str]:
    return [line for line in failure(text).diagnostic.context if line.startswith("(")]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The universal search gives up at the first conflicts."""
    for name in ("_FIRST_RUN_REJECTIONS", "_FIRST_REJECTIONS"):
        monkeypatch.setattr(search, name, 0)
    for name in ("_RESTARTS", "_RESTARTS_OF_ONE"):
        monkeypatch.setattr(search, name, 1)


@pytest.fixture
def short_of_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second engine gives up at once."""
    for name in ("_TO_CONFIRM", "_TO_FIND"):
        monkeypatch.setattr(second_opinion, name, Budget(steps=0, seconds=60))


@pytest.fixture
def without_second_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(second_opinion, "_ask", lambda *_: None)


@pytest.mark.usefixtures("impatient", "without_second_engine")
def test_a_search_that_gives_up_alone_finds_no_answer_to_the_puzzle() -> None:
    assert said_of_certainty(PUZZLE) == ["(the search was stopped: there may be a solution)"]


@pytest.mark.usefixtures("impatient")
def test_a_solution_of_the_second_engine_resumes_the_search() -> None:
    assert entries(SmallWorld.read(PUZZLE).lock().lock) == ["a 1", "b 1", "c 1"]


@pytest.mark.usefixtures("impatient")
def test_why_not_has_an_answer_after_all(monkeypatch: pytest.MonkeyPatch) -> None:
    world = SmallWorld.read(PUZZLE)
    monkeypatch.setattr(lock_pipeline, "lock_repository", lambda *_, **__: world.opener())
    inputs: Any = SimpleNamespace(
        project=world.project,
        options=world.choices,
        context=context_of(RunContext(now=NOW)),
        pins=None,
        folder=None,
    )
    result = explain_exclusion(inputs, "a", "3")
    assert [chosen.version for chosen in result.chosen] == ["1"]


def test_nothing_is_reported_where_both_engines_tried_everything() -> None:
    assert said_of_certainty(WITHOUT_ANSWER) == []


@pytest.mark.usefixtures("short_of_steps")
def test_a_second_engine_that_could_not_confirm_it_is_reported() -> None:
    assert said_of_certainty(WITHOUT_ANSWER) == [
        "(the second engine, resolvelib, was stopped before it could confirm this)"
    ]


@pytest.mark.usefixtures("impatient")
def test_the_message_says_that_the_second_engine_confirms() -> None:
    [output] = said_of_certainty(WITHOUT_ANSWER)
    assert output == (
        "(the search was stopped; the second engine, resolvelib, finds no solution for this environment either)"
    )


@pytest.mark.usefixtures("impatient", "short_of_steps")
def test_two_engines_that_gave_up_are_reported() -> None:
    assert said_of_certainty(PUZZLE) == ["(the search was stopped: there may be a solution)"]


@pytest.mark.parametrize("exhausted", [True, False])
def test_engines_that_disagree_are_reported(monkeypatch: pytest.MonkeyPatch, *, exhausted: bool) -> None:
    def contradicting(impossible: search.ResolutionImpossible, *_: object) -> Mapping[str, Version] | None:
        impossible.exhausted, impossible.opinion = exhausted, "contradicted"
        return None

    monkeypatch.setattr(second_opinion, "_ask", contradicting)
    assert said_of_certainty(WITHOUT_ANSWER) == [explain._CERTAINTY[exhausted, "contradicted"]]


def test_a_page_that_cannot_be_read_leaves_the_failure_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object) -> Mapping[str, Version]:
        raise IndexUnreachableError("nobody answers")

    monkeypatch.setattr(second_opinion, "resolve_one", unreachable)
    assert said_of_certainty(WITHOUT_ANSWER) == [explain._CERTAINTY[True, "undecided"]]
