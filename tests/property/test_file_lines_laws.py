"""A lock file whose lines of files are read by a pattern has the tables that the TOML parser finds in it."""

from __future__ import annotations

from typing import Any

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st

from lockset.lockfile import file_lines, read
from lockset.lockfile.file_lines import read_toml
from lockset.lockfile.read import read_document
from lockset.lockfile.validate.report import validate_document

WHEEL = (
    '    {name = "six-1.0-py3-none-any.whl", upload-time = 2024-05-06T07:08:09.012345Z,'
    ' url = "https://files.example.org/six-1.0-py3-none-any.whl", size = 11, hashes = {sha256 = "ab"}},'
)
SDIST = "sdist = " + WHEEL.strip().removesuffix(",")
LINES = (
    *[WHEEL] * 4,
    WHEEL.replace(".012345", ""),
    WHEEL.replace(", size = 11", ""),
    WHEEL.replace("11", "0"),
    WHEEL.replace("upload-time = 2024-05-06T07:08:09.012345Z, ", ""),
    # Not as lockset writes it, or not TOML.
    WHEEL.replace(".012345", ".0123456789"),
    WHEEL.replace("05-06", "02-30"),
    WHEEL.replace("T07", "T25"),
    WHEEL.replace(":09.012345", ""),
    WHEEL.replace("Z,", "+01:00,"),
    WHEEL.replace("Z,", ","),
    WHEEL.replace("11", "011"),
    WHEEL.replace("11", "1" * 30),
    WHEEL.replace("six", "si\\u0078"),
    WHEEL.replace("six", "si\tx"),
    WHEEL.replace("six", "\u00df"),
    WHEEL.replace("}},", ", }},"),
    WHEEL.replace("}},", "}}"),
    WHEEL.replace("}},", '}, name = "b"},'),
    WHEEL.replace("name", "url", 1),
    SDIST,
    SDIST + ",",
    "    " + SDIST,
    "archive = " + SDIST.removeprefix("sdist = "),
    WHEEL + "  # comment",
    WHEEL + "\r",
    WHEEL.strip(),
    "    " + WHEEL,
    "# " + WHEEL,
    "]",
    "[",
    "wheels = [",
    "wheels = [[",
    "other = [",
    "packages = [",
    "packages = 1",
    "packages.wheels = [",
    "{",
    "},",
    '{name = "a", wheels = [',
    "]},",
    "[[packages]]",
    "[[packages.wheels]]",
    "[packages.tool]",
    "[packages]",
    "[tool]",
    'name = "six"',
    '"""',
    'text = """',
    "'''",
    "text = '''",
    "    'x',",
    f'    "{file_lines._STAND_IN}",',
    '    "lockset\\u003a a file",',
    "    1,",
    "",
)


def outcome(read: Any, text: str) -> Any:
    try:
        return repr(read(text))
    except (ValueError, RecursionError) as error:
        return type(error), str(error)


WHEELS = st.lists(st.sampled_from(LINES[:8]), max_size=3).map(lambda wheels: ["wheels = [", *wheels, "]"])
FILES = st.one_of(WHEELS, WHEELS.map(lambda wheels: [SDIST, *wheels]), WHEELS.map(lambda wheels: [*wheels, SDIST]))
PACKAGE = FILES.map(lambda files: ["[[packages]]", 'name = "six"', *files])
ANY = st.lists(st.one_of(PACKAGE, st.sampled_from(LINES).map(lambda line: [line])), max_size=12)


@given(ANY)
def test_the_tables_are_those_of_the_parser_and_so_are_its_errors(blocks: list[list[str]]) -> None:
    text = "\n".join(line for block in blocks for line in block)
    assert outcome(lambda given: read_toml(given)[0], text) == outcome(tomli.loads, text)


@given(PACKAGE, st.sampled_from(LINES), st.integers(0, 8), PACKAGE)
def test_a_line_anywhere_in_a_lock_file_means_the_same(one: list[str], odd: str, at: int, other: list[str]) -> None:
    text = "\n".join([*one[:at], odd, *one[at:], *other, ""])
    assert outcome(lambda given: read_toml(given)[0], text) == outcome(tomli.loads, text)


def test_packages_may_have_any_type() -> None:
    for line in ("packages = 1", "packages = 'text'", "[packages]", "other = 1"):
        assert read_toml(f"{line}\n")[0] == tomli.loads(line)


@given(PACKAGE, PACKAGE)
def test_files_as_lockset_writes_them_are_not_parsed(one: list[str], other: list[str]) -> None:
    text = "\n".join([*one, *other, ""])
    assert "sha256" not in read_toml(text)[1]


@given(PACKAGE, st.sampled_from(LINES), st.integers(0, 8), PACKAGE)
def test_the_findings_are_those_of_a_text_that_is_parsed_as_a_whole(
    one: list[str], odd: str, at: int, other: list[str]
) -> None:
    text = "\n".join(['lock-version = "1.0"', 'created-by = "x"', *one[:at], odd, *one[at:], *other, ""])
    whole = validate_document(text)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(read, "_LONG", 0)
        assert validate_document(text).issues == whole.issues
        assert whole.document is None or read_document(text).data == whole.document.data
