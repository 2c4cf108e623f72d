"""Inline script metadata."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockset.errors import LocksetError
from lockset.sources.script import has_script_metadata, read_script


def block(*lines: str) -> str:
    return "".join(f"{line}\n" for line in ("import os", "# /// script", *lines, "# ///", "", "print()"))


def test_requirements_pythons_and_settings_are_read() -> None:
    read = read_script(
        block(
            '# requires-python = ">=3.11"',
            "# dependencies = [",
            '#   "requests<3",',
            '#   "rich",',
            "# ]",
            "#",
            "# [tool.lockset]",
            "# constraints = ['idna<4']",
        ),
        base=Path("/project"),
        location="run.py",
    )
    assert str(read.requires_python) == ">=3.11"
    assert [line.text for line in read.dependencies] == ["requests<3", "rich"]
    assert read.dependencies[0].origin == "run.py [dependencies]"
    assert [line.text for line in read.constraints] == ["idna<4"]
    assert read.name is None


def test_locations_of_errors_are_lines_of_the_script() -> None:
    with pytest.raises(LocksetError) as caught:
        read_script(block("# dependencies = [", "# x"), base=Path("/project"), location="run.py")
    assert (caught.value.diagnostic.location or "").startswith("run.py:4:")


def test_windows_line_endings_are_not_part_of_the_block() -> None:
    text = block("# dependencies = ['a']").replace("\n", "\r\n")
    assert [line.text for line in read_script(text, base=Path("/w"), location="r.py").dependencies] == ["a"]


def test_two_blocks_are_refused() -> None:
    text = block("# dependencies = []") * 2
    with pytest.raises(LocksetError) as caught:
        read_script(text, base=Path("/w"), location="r.py")
    assert caught.value.diagnostic.code == "script-metadata-twice"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "print()",
        "# /// script\n# dependencies = []\n",
        "# /// script\n# ///\n",
        "# /// script \n# a = 1\n# ///\n",
        "# /// script\n#a = 1\n# ///\n",
        "# /// other\n# a = 1\n# ///\n",
        "# /// script\n# a = 1\n\n# ///\n",
    ],
)
def test_a_text_without_a_valid_block_has_no_metadata(text: str) -> None:
    assert not has_script_metadata(text)
    with pytest.raises(LocksetError) as caught:
        read_script(text, base=Path("/w"), location="r.py")
    assert caught.value.diagnostic.code == "no-script-metadata"


def test_many_starts_without_an_end_take_one_pass() -> None:
    assert not has_script_metadata("# /// script\n" * 200_000)


def test_a_wrong_key_is_reported_with_its_line_in_the_script() -> None:
    text = "#!/usr/bin/env python\n\n" + block("# dependencies = []", "# [tool.lockset]", "# platfroms = []")
    with pytest.raises(LocksetError) as caught:
        read_script(text, base=Path("/w"), location="r.py")
    assert caught.value.diagnostic.location == "r.py:7:3"
