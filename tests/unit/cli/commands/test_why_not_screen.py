"""How `lockset why-not` reads: a reason in one sentence, and lines that fit the terminal."""

from __future__ import annotations

import sys
from io import StringIO
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from lockset.cli.commands import why_not as command
from lockset.cli.output import streams
from lockset.cli.output.streams import Output
from lockset.composition.exclusion import ChosenVersion, WhyNot
from lockset.errors import Diagnostic

if TYPE_CHECKING:
    from typing import Any


class Screen(StringIO):
    """A terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def shown(answer: WhyNot, columns: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    screen: Any = Screen()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setattr(streams, "columns_of", lambda _: columns)
    monkeypatch.setattr(command, "why_not", lambda *_, **__: answer)
    given: Any = SimpleNamespace(
        package="a", sources=(), options=None, indexes=None, output=None, context=None, json=False
    )
    command.run(given, Output(environ={"NO_COLOR": "1"}))
    return [line for line in screen.getvalue().split("\n") if line]


ANSWER = WhyNot(
    name="numpy",
    version="2.5.5",
    chosen=(ChosenVersion(version="2.2.6", marker="python_version < '3.11' and sys_platform == 'linux'"),),
    reason="numpy 2.5.5 requires Python >=3.12; the lock covers >=3.10",
    conflict=Diagnostic(code="x", message="one and two are incompatible on Python 3.10", context=("one is required",)),
    hint="Each of these was tried and helps:\n- Loosen `one` in pyproject.toml [project.dependencies]\n- Drop it",
)


@pytest.mark.parametrize("columns", [30, 50, 80])
def test_every_line_fits_the_terminal_and_breaks_between_words(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(ANSWER, columns, monkeypatch)
    assert max(map(len, lines)) <= columns
    words = [word for word in " ".join(lines).split() if word != "hint:"]
    assert "[project.dependencies]" in words
    assert "'3.11'" in words


def test_a_reason_that_names_the_release_does_not_repeat_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(ANSWER, 200, monkeypatch)[0] == "numpy 2.5.5 requires Python >=3.12; the lock covers >=3.10"
