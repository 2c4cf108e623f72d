"""The reference page of `lockset lock` says all there is, and its examples are true."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lockset.cli.main import build_parser
from lockset.sources.settings import KEYS

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGES = Path(__file__).parents[2] / "docs" / "pages" / "reference"
LOCK = (PAGES / "lock.md").read_text(encoding="utf-8")
OF_OTHERS = {"allow-overlap", "validate", "audit"}
OF_ALL_COMMANDS = {"--help", "--quiet", "--verbose", "--color", "--no-progress", "--directory"}


def long_options() -> Iterator[str]:
    commands = next(a for a in build_parser("lock")._actions if isinstance(a, argparse._SubParsersAction))
    for action in commands.choices["lock"]._actions:
        options = [o for o in action.option_strings if o.startswith("--")]
        if options and options[0] not in {*OF_ALL_COMMANDS, "--output-format"}:
            yield options[0]


def test_every_setting_of_locking_is_documented() -> None:
    assert [key for key in KEYS if key not in OF_OTHERS and f"`{key}`" not in LOCK] == []


def test_every_option_is_documented() -> None:
    short = {"--output": "-o", "--constraint": "-c", "--editable": "-e", "--upgrade": "-U", "--upgrade-package": "-P"}
    short |= {"--config-setting": "-C", "--default-index": "-i", "--find-links": "-f"}
    missing = [o for o in long_options() if f"`{short.get(o, o)}" not in LOCK]
    assert missing == []


def test_every_documented_option_is_there() -> None:
    named = {o for o in re.findall(r"`(--[a-z-]+)", LOCK.partition("## One environment")[0]) if o != "--hash"}
    assert named <= {*long_options()}


def test_the_examples_on_marker_sets_are_true() -> None:
    (block,) = re.findall(r"```python\n(.*?)```", (PAGES / "markers.md").read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, object] = {}
    claims = 0
    for line in block.splitlines():
        code, sign, claim = line.partition("  # ")
        if sign:
            claims += 1
            assert eval(code, names) == eval(claim, names), line
        elif code:
            exec(code, names)
    assert claims == 6


@pytest.mark.parametrize("name", ["lock", "LockResult", "LockOptions", "IndexOptions", "LocksetError"])
def test_names_of_the_example_are_public(name: str) -> None:
    import lockset

    assert name in lockset.__all__
    assert getattr(lockset, name) is not None
