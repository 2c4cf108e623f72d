"""What `sync` prints of plans and refusals."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockset.cli.output.streams import Output, count_text, seconds_text
from lockset.cli.output.sync_report import carry_out, show_plan
from lockset.errors import LocksetError
from lockset.sync.plan import Plan, Step, plan_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from lockset.composition.sync_pipeline import SyncResult
    from lockset.sync.target import Target

VENV = cast("Target", SimpleNamespace(shown="/work/.venv", kind="venv"))


def installs(count: int) -> list[Step]:
    return [Step("install", f"package-{number:03}", "not installed") for number in range(count)]


def shown(plan: Plan, capsys: pytest.CaptureFixture[str], **options: Any) -> list[str]:
    show_plan(plan, VENV, Output(color="never", **options))
    return capsys.readouterr().err.splitlines()


def test_a_new_package_has_no_reason_and_others_have(capsys: pytest.CaptureFixture[str]) -> None:
    plan = plan_of((*installs(1), Step("remove", "old", "not in the lock file")))
    assert shown(plan, capsys) == ["Target /work/.venv", " + package-000", " - old (not in the lock file)"]


def test_a_long_plan_has_one_line_for_all_new_packages(capsys: pytest.CaptureFixture[str]) -> None:
    removed = Step("remove", "old", "not in the lock file")
    blocked = Step("remove", "stuck", "not in the lock file", blocked="it lists no files")
    lines = shown(plan_of((*installs(50), removed, blocked)), capsys)
    assert len(lines) == 4
    assert lines[1].startswith(" + 50 packages: package-000, package-001, ")
    assert lines[1].endswith("package-039 and 10 more (`--verbose` lists all)")
    assert lines[2] == " - old (not in the lock file)"
    assert lines[3] == " - stuck (not in the lock file; cannot be removed: it lists no files)"


def test_a_long_plan_is_listed_in_full_with_verbose(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(shown(plan_of(installs(50)), capsys, verbose=True)) == 51


@given(st.integers(0, 60), st.integers(0, 30))
def test_no_plan_is_longer_than_its_limit_but_for_what_is_blocked(news: int, removed: int) -> None:
    from lockset.cli.output.sync_report import _plan_lines

    steps = [*installs(news), *(Step("remove", f"x{number}", "gone") for number in range(removed))]
    lines = list(_plan_lines(steps, Output(color="never")))
    assert len(lines) <= 20
    assert (len(lines) == len(steps)) == (len(steps) <= 20)


@pytest.mark.parametrize(
    ("steps", "context"), [(installs(1), ("a fact", "The environment was not changed")), ([], ("a fact",))]
)
def test_a_refusal_after_the_plan_says_that_nothing_was_changed(steps: list[Step], context: tuple[str, ...]) -> None:
    def sync(show: Callable[[Target, Plan], None]) -> SyncResult:
        show(VENV, plan_of(steps))
        raise LocksetError("hash-mismatch", "not the locked file", context=("a fact",))

    with pytest.raises(LocksetError) as caught:
        carry_out(sync, Output(color="never"))
    assert caught.value.diagnostic.context == context


@pytest.mark.parametrize("path", [None, "/work/.venv/lib/file"])
def test_an_error_of_the_system_names_the_target_or_the_file(path: str | None) -> None:
    def sync(show: Callable[[Target, Plan], None]) -> SyncResult:
        show(VENV, plan_of(installs(1)))
        raise OSError(28, "No space left on device", path)

    with pytest.raises(LocksetError, match="The target cannot be changed: No space left on device") as caught:
        carry_out(sync, Output(color="never"))
    assert caught.value.diagnostic.code == "target-not-writable"
    assert caught.value.diagnostic.location == (path or VENV.shown)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0, "0.00 s"), (0.04, "0.04 s"), (0.44, "0.4 s"), (59.0, "59.0 s"), (125.7, "2 min 5 s")]
)
def test_a_duration_is_short(seconds: float, text: str) -> None:
    assert seconds_text(seconds) == text


def test_one_thing_is_singular() -> None:
    assert [count_text(number, "package") for number in (0, 1, 2)] == ["0 packages", "1 package", "2 packages"]
