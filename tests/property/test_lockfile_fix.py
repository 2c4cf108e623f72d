"""Laws of mending, and agreement of the rules on environments with the standard's own selection."""

from __future__ import annotations

from typing import TYPE_CHECKING

import tomli
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from lockset.errors import LocksetError
from lockset.lockfile.fix.fix import fix_text
from lockset.lockfile.select import select_entries
from lockset.lockfile.validate.report import validate_document
from lockset.markers import described_target

if TYPE_CHECKING:
    from lockset.lockfile.model import Pylock
    from lockset.markers import TargetInterpreter

NAMES = st.sampled_from(["a", "A", "b_b", "B.B", "c-c", "Zeta"])
PATHS = st.sampled_from([".", "x/y", "x\\y", "../z", "C:\\x"])
TEXTS = st.fixed_dictionaries(
    {"name": NAMES, "directory": st.fixed_dictionaries({"path": PATHS})},
    optional={"version": st.sampled_from(["1.0", "2.0"]), "tool": st.just({"hand": {"a": 1}})},
)
LOCKS = st.fixed_dictionaries(
    {
        "lock-version": st.just("1.0"),
        "created-by": st.sampled_from(["hand", "My_Tool"]),
        "packages": st.lists(TEXTS, max_size=4),
    },
    optional={"extras": st.lists(NAMES, max_size=3), "dependency-groups": st.lists(NAMES, max_size=3)},
)


@given(LOCKS, st.sampled_from(["\n", "\r\n"]))
def test_fixing_is_idempotent_and_loses_no_entry(data: dict[str, object], end: str) -> None:
    text = tomli_w.dumps(data).replace("\n", end)
    fixed = fix_text(text)
    assert fix_text(fixed.text).changes == ()
    names_now_one = {"duplicate-overlap", "packages-narrow-to-one", "name-duplicate"}
    before_fix = {i.code for i in validate_document(text).issues}
    assert {i.code for i in validate_document(fixed.text).issues} <= before_fix | names_now_one
    before, after = tomli.loads(text), tomli.loads(fixed.text)
    assert len(after["packages"]) == len(before["packages"])
    assert after.keys() == before.keys()


MARKERS = st.sampled_from([
    None, "python_version < '3.11'", "python_version >= '3.11'", "python_full_version >= '3.10.2'",
    "sys_platform == 'linux'", "os_name == 'nt'", "platform_machine == 'arm64'", "'x' in extras",
    "'x' not in extras and sys_platform == 'darwin'", "python_version >= '3.9' and os_name == 'posix'",
])  # fmt: skip
TARGETS = [
    described_target(platform, python)
    for platform in ("linux", "macos", "windows")
    for python in ("3.9", "3.10", "3.11", "3.13")
]


@given(st.lists(MARKERS, min_size=2, max_size=3), st.sampled_from([None, ">=3.9", ">=3.11"]))
def test_where_no_overlap_is_found_no_selection_is_ambiguous(markers: list[str | None], requires: str | None) -> None:
    head = {"lock-version": "1.0", "created-by": "hand", "extras": ["x"]} | (
        {} if requires is None else {"requires-python": requires}
    )
    entries = [
        {"name": "a"} | ({} if marker is None else {"marker": marker}) | {"directory": {"path": "."}}
        for marker in markers
    ]
    report = validate_document(tomli_w.dumps({**head, "packages": entries}))
    results = {issue.code for issue in report.issues}
    if report.lock is None:
        assert results & {"packages-narrow-to-one"}
        return
    refused = {refusal(report.lock, target, extras) for target in TARGETS for extras in ((), ("x",))}
    assert "ambiguous-package" not in refused or "duplicate-overlap" in results


def refusal(lock: Pylock, target: TargetInterpreter, extras: tuple[str, ...]) -> str | None:
    try:
        select_entries(lock, environment=target.environment, tags=target.tags, extras=extras)
    except LocksetError as error:
        return error.diagnostic.code
    return None
