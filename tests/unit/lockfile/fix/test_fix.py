"""Mending: one right answer is given, all else stays as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import tomli

from lockset.lockfile.fix.fix import fix_text
from lockset.lockfile.validate.report import validate_document
from support.repository import SPEC_EXAMPLES

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLES = SPEC_EXAMPLES
TOP = 'lock-version = "1.0"\ncreated-by = "hand"\n'
DIGEST = "a1" * 32
MENDED = {
    "package-name-normalized", "extras-name-normalized", "hash-algorithm-case", "vcs-url-prefix", "path-not-posix",
    "created-by-normalized", "packages-unsorted", "wheel-upload-time-utc", "sdist-upload-time-utc",
    "archive-upload-time-utc", "package-version-source-tree", "packages-required",
}  # fmt: skip
FILES = sorted(EXAMPLES.glob("*/*.toml"))


def text_of(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_fixing_twice_changes_nothing_and_adds_no_finding(path: Path) -> None:
    fixed = fix_text(text_of(path))
    assert fix_text(fixed.text) == type(fixed)(text=fixed.text, changes=())
    before = {issue.code for issue in validate_document(text_of(path)).issues}
    assert {issue.code for issue in validate_document(fixed.text).issues} <= before
    if not fixed.changes:
        assert fixed.text == text_of(path)


@pytest.mark.parametrize("rule", sorted(MENDED))
def test_values_with_one_right_answer_are_fixed(rule: str) -> None:
    [path] = EXAMPLES.glob(f"*/pylock.{rule}.toml")
    fixed = fix_text(text_of(path))
    assert fixed.changes
    assert validate_document(fixed.text).issues == ()


def test_comments_and_layout_stay() -> None:
    text = (
        TOP + "# about b\n[[packages]] # here\nname = 'B_b'   # a name\n\n[packages.directory]\npath = 'b'\n\n"
        "# about a\n[[packages]]\nname = \"a\"\ndirectory = {path = 'x\\y'} # tree\n\n[tool.hand]\nkey = 1\n"
    )
    fixed = fix_text(text)
    assert fixed.text == (
        TOP + "# about a\n[[packages]]\nname = \"a\"\ndirectory = {path = 'x/y'} # tree\n\n"
        "# about b\n[[packages]] # here\nname = 'b-b'   # a name\n\n[packages.directory]\npath = 'b'\n\n"
        "[tool.hand]\nkey = 1\n"
    )
    assert fixed.changes == (
        "packages[0].name: 'B_b' became 'b-b'",
        "packages[1].directory.path: 'x\\y' became 'x/y'",
        "packages: sorted by name and version",
    )


def test_windows_line_ends_stay() -> None:
    text = (TOP + '[[packages]]\nname = "A"\ndirectory = {path = "."}\n').replace("\n", "\r\n")
    assert fix_text(text).text == text.replace('"A"', '"a"')


def test_a_byte_order_mark_goes() -> None:
    text = TOP + "packages = []\n"
    assert fix_text("\ufeff" + text).text == text


def test_arrays_with_comments_are_left_in_their_order() -> None:
    text = TOP + 'extras = [\n"b", # about b\n"a",\n]\npackages = []\n'
    assert fix_text(text).text == text


def test_hashes_become_lower_case_and_times_utc() -> None:
    wheel = (
        '{url = "https://x.example.org/a-1.0-py3-none-any.whl", upload-time = "2025-01-25T11:30:10+01:00", '
        f'hashes = {{SHA256 = "{DIGEST.upper()}"}}}}'
    )
    fixed = fix_text(TOP + f'[[packages]]\nname = "a"\nversion = "1.0"\nwheels = [{wheel}]\n')
    [result] = tomli.loads(fixed.text)["packages"][0]["wheels"]
    assert result["hashes"] == {"sha256": DIGEST}
    assert "upload-time = 2025-01-25T10:30:10Z" in fixed.text
    assert validate_document(fixed.text).issues == ()


FILE = f"{{url = 'https://files.example.org/a-1-py3-none-any.whl', hashes = {{sha256 = '{DIGEST}'}}}}"
ENTRY = f"[[packages]]\nname = 'a'\nversion = '1'\n%s\nwheels = [{FILE}]\n"


@pytest.mark.parametrize("value", ["''", '""', "'  '"])
@pytest.mark.parametrize("key", ["marker", "index"])
def test_an_empty_key_of_a_package_is_removed(key: str, value: str) -> None:
    text = TOP + ENTRY % f"{key} = {value}"
    fixed = fix_text(text)
    assert fixed.text == TOP + ENTRY.replace("%s\n", "")
    assert fixed.changes == (f"packages[0].{key}: removed, it was empty",)
    assert validate_document(fixed.text).issues == ()


def test_an_empty_key_leaves_its_comment() -> None:
    fixed = fix_text(TOP + ENTRY % "marker = ''  # everywhere")
    assert fixed.text == TOP + ENTRY % "# everywhere"


def test_an_empty_key_is_removed_from_an_inline_table() -> None:
    entry = f"{{%sname = 'a', version = '1'%s, wheels = [{FILE}]%s}}"
    plain = TOP + f"packages = [{entry % ('', '', '')}]\n"
    for part in (("marker = '', ", "", ""), ("", ", marker = ''", ""), ("", "", ", marker = ''")):
        assert fix_text(TOP + f"packages = [{entry % part}]\n").text == plain
    both = ("marker = '', ", ", index = ''", "")
    assert fix_text(TOP + f"packages = [{entry % both}]\n").text == plain


def test_an_empty_version_and_an_empty_time_are_removed() -> None:
    file = FILE.replace("hashes", "upload-time = '', hashes")
    fixed = fix_text(TOP + f"[[packages]]\nname = 'a'\nversion = ''\nwheels = [{file}]\n")
    assert fixed.text == TOP + f"[[packages]]\nname = 'a'\nwheels = [{FILE}]\n"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_lock_file_of_no_packages_gets_the_key(end: str) -> None:
    for text in (TOP, TOP.rstrip(), TOP + "requires-python = '>=3.10'\n", TOP + "\n[tool.hand]\nkey = [\n1]\n"):
        fixed = fix_text(text.replace("\n", end))
        assert fixed.changes == ("packages: added, because the key is required",)
        assert validate_document(fixed.text).issues == ()
        assert tomli.loads(fixed.text) == {**tomli.loads(text), "packages": []}
        assert fix_text(fixed.text).changes == ()


@pytest.mark.parametrize("text", ["version = 1\n[[package]]\nname = 'a'\n", "created-by = 'a'\n", TOP + "x = 1\n"])
def test_only_lock_files_get_the_missing_key(text: str) -> None:
    assert fix_text(text).text == text


def test_a_semicolon_before_a_marker_and_quotes_around_a_size_go() -> None:
    file = FILE.replace("hashes", "size = '12', hashes")
    fixed = fix_text(
        TOP + f"[[packages]]\nname = 'a'\nversion = '1'\nmarker = \"; os_name == 'nt'\"\nwheels = [{file}]\n"
    )
    assert tomli.loads(fixed.text)["packages"][0]["marker"] == "os_name == 'nt'"
    assert tomli.loads(fixed.text)["packages"][0]["wheels"][0]["size"] == 12
