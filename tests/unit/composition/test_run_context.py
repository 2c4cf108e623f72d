"""Surroundings and options that cost nothing to import, listeners that are functions, and errors as text."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import lockset
from lockset.cli.output.streams import Output
from lockset.errors import Diagnostic
from lockset.progress import NullListener, listener_of

if TYPE_CHECKING:
    from pathlib import Path

CHEAP: tuple[Any, ...] = (lockset.RunContext, lockset.IndexOverrides, lockset.SyncOptions)


@pytest.mark.parametrize("cls", CHEAP)
def test_a_cheap_class_is_a_dataclass_for_whoever_asks(cls: Any) -> None:
    name = dataclasses.fields(cls)[0].name
    changed = dataclasses.replace(cls(), **{name: "x"})
    assert (changed == cls(**{name: "x"}), changed == cls()) == (True, False)
    assert hash(copy.copy(changed)) == hash(changed)
    assert all(p.kind is inspect.Parameter.KEYWORD_ONLY for p in inspect.signature(cls).parameters.values())
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(changed, name, "y")
    with pytest.raises(TypeError, match="unexpected keyword argument 'no'"):
        cls(no=1)


def test_a_plain_sync_is_described_without_importing_what_reads_annotations() -> None:
    code = "import sys, lockset; lockset.SyncOptions(extras=('x',), exact=False); lockset.RunContext(cache='c')"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    assert not {"ast", "dataclasses", "inspect"} & set(done.stdout.split())


def test_a_function_hears_every_call_of_a_listener() -> None:
    events: list[lockset.ProgressEvent] = []
    listener = listener_of(events.append)
    listener.phase("Resolving", total=3)
    listener.step("a", done=2)
    listener.transferred(5)
    for say in (listener.note, listener.warning, listener.hint):
        say("text")
    kinds = [(event.kind, event.text, event.amount) for event in events]
    assert kinds == [
        ("phase", "Resolving", 3),
        ("step", "a", 2),
        ("transferred", "", 5),
        ("note", "text", None),
        ("warning", "text", None),
        ("hint", "text", None),
    ]
    own = NullListener()
    assert listener_of(own) is own


def test_an_error_renders_as_the_command_line_shows_it(capsys: pytest.CaptureFixture[str]) -> None:
    error = lockset.LocksetError(
        "code", "What\x1b[1m is wrong", location="https://me:secret@example.org/a", context=("fact",), hint="Do\nthis"
    )
    Output(color="never").error(Diagnostic(*error.diagnostic))
    assert capsys.readouterr().err.rstrip("\n") == error.render()
    assert "secret" not in error.render()


def test_a_folder_of_the_context_stands_for_the_working_folder(tmp_path: Path) -> None:
    with pytest.raises(lockset.LocksetError) as caught:
        lockset.read(context=lockset.RunContext(folder=tmp_path))
    assert str(tmp_path) in caught.value.diagnostic.message
