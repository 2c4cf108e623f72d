"""Faults do not hide one another: several broken entries in one file give every finding, each at its line."""

from __future__ import annotations

import random
import re

import pytest

from lockset.lockfile.validate.report import validate_document
from support.repository import SPEC_EXAMPLES

EXAMPLES = SPEC_EXAMPLES
HEAD = 'lock-version = "1.0"\ncreated-by = "hand"\n\n'
PLAIN = re.compile(
    r"# rule: ([a-z0-9-]+), line: (\d+)\nlock-version = \"1.0\"\ncreated-by = \"hand\"\n\n?(\[\[packages\]\]\n.*)",
    re.DOTALL,
)
# About several entries, or about something that renaming the entry would change.
NOT_ALONE = {"packages-narrow-to-one", "package-name-normalized", "package-name-valid", "toml-syntax"}


def entries() -> list[tuple[str, int, str]]:
    """Rule, line within the entry, and text of every broken example that is one entry below a plain head."""
    results = []
    for path in sorted((EXAMPLES / "invalid").glob("pylock.*.toml")):
        matched = PLAIN.fullmatch(path.read_text("utf-8"))
        if matched and matched[1] not in NOT_ALONE and matched[3].count("[[packages]]") == 1:
            head_lines = path.read_text("utf-8").split("[[packages]]")[0].count("\n")
            results.append((matched[1], int(matched[2]) - head_lines, matched[3]))
    return results


ENTRIES = entries()


@pytest.mark.parametrize("seed", range(20))
def test_a_file_with_many_faults_gives_each_of_them_at_its_line(seed: int) -> None:
    chosen = random.Random(seed).sample(ENTRIES, 12)
    text, expected = HEAD, []
    for number, (rule, line, entry) in enumerate(chosen):
        begins = text.count("\n")
        expected.append((rule, begins + line))
        text += entry.replace("sample", f"sample{number:02}").rstrip("\n") + "\n\n"
    results = [(issue.code, issue.line) for issue in validate_document(text).errors]
    assert sorted(results) == sorted(expected)


def test_there_are_enough_of_them() -> None:
    assert len(ENTRIES) > 60
