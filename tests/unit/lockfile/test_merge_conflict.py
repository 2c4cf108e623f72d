"""A lock file with an open merge conflict: the pins of both sides, however git marks them."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from lockset.errors import LocksetError
from lockset.lockfile.merge_conflict import old_lock, sides_of
from lockset.lockfile.read import read_document
from lockset.lockfile.validate.report import validate_document

if TYPE_CHECKING:
    from pathlib import Path

HEAD = 'lock-version = "1.0"\nrequires-python = ">=3.10"\ncreated-by = "lockset"\n'


def entry(name: str, version: str, *, marker: str = "") -> str:
    wheel = f'{name}-{version}-py3-none-any.whl", url = "https://files.example.org/{name}-{version}-py3-none-any.whl"'
    condition = f"marker = '''{marker}'''\n" if marker else ""
    return (
        f'\n[[packages]]\nname = "{name}"\nversion = "{version}"\n{condition}'
        f'wheels = [\n    {{name = "{wheel}, hashes = {{sha256 = "{version[0] * 64}"}}}},\n]\n'
    )


def lock(*pins: str) -> str:
    return HEAD + "".join(entry(*pin.split()) for pin in pins) + '\n[tool.lockset]\nroots = ["a"]\n'


def pins(text: str) -> list[str]:
    result = sides_of(text)
    assert result is not None
    assert result.merged
    return [f"{p.name} {p.version}" for p in result.pins.packages]


def merged(folder: Path, base: str, ours: str, theirs: str, *options: str) -> str:
    """What `git merge-file` leaves; it ends with the number of conflicts."""
    for name, text in (("base", base), ("ours", ours), ("theirs", theirs)):
        (folder / name).write_bytes(text.encode())
    command = ["git", "merge-file", "-p", *options, "ours", "base", "theirs"]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    assert done.returncode > 0, done.stderr
    return done.stdout.decode()


BASE = lock("a 1.0", "b 1.0", "c 1.0")


@pytest.mark.parametrize("options", [(), ("--diff3",), ("--zdiff3",), ("--marker-size=9",)])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_the_updates_of_each_side_come_first(tmp_path: Path, options: tuple[str, ...], end: str) -> None:
    ours, theirs = lock("a 2.0", "b 1.0", "c 1.0", "d 1.0"), lock("a 1.0", "b 2.0", "c 1.0", "e 1.0")
    texts = [text.replace("\n", end) for text in (BASE, ours, theirs)]
    try:
        text = merged(tmp_path, *texts, *options)
    except AssertionError:
        pytest.skip("this git does not know the style")
    result = pins(text)
    for newer, older in (("a 2.0", "a 1.0"), ("b 2.0", "b 1.0")):
        assert newer in result
        assert older not in result or result.index(newer) < result.index(older)
    assert {"c 1.0", "d 1.0", "e 1.0"} <= set(result)


def test_with_diff3_the_entry_that_one_side_changed_comes_first() -> None:
    base, ours, theirs = ("a 3.0", "b 1.0"), ("a 2.0", "b 1.0"), ("a 3.0", "b 2.0")
    for one, other in ((ours, theirs), (theirs, ours)):
        parts = ("".join(entry(*pin.split()) for pin in side) for side in (one, base, other))
        text = "{}<<<<<<< HEAD{}||||||| base{}======={}>>>>>>> main\n".format(HEAD, *parts)
        result = pins(text)
        assert result.index("a 2.0") < result.index("a 3.0")
        assert result.index("b 2.0") < result.index("b 1.0")


def test_conflicts_within_conflicts_keep_the_pins_of_all_sides() -> None:
    inner = f"<<<<<<< one{entry('a', '2.0')}======={entry('a', '3.0')}>>>>>>> two\n"
    text = f"{HEAD}<<<<<<< ours\n{inner}=======\n{entry('a', '1.0')}>>>>>>> theirs\n{entry('b', '1.0')}"
    assert pins(text) == ["a 3.0", "a 2.0", "a 1.0", "b 1.0"]
    longer = inner.replace("<<<<<<<", "<<<<<<<<<").replace("=======", "=========").replace(">>>>>>>", ">>>>>>>>>")
    text = f"{HEAD}<<<<<<< ours{entry('a', '5.0')}||||||| base\n{longer}======={entry('a', '4.0')}>>>>>>> theirs\n"
    assert pins(text) == ["a 5.0", "a 4.0"]


def test_an_invalid_side_gives_its_readable_entries() -> None:
    ours = f"{entry('a', '2.0')}\n[[packages]]\nname = \n{entry('c', '1.0')}"
    text = f"{HEAD}<<<<<<< HEAD{ours}======={entry('a', '1.0')}>>>>>>> main\n\n[tool.other]\nx = 1\n"
    assert pins(text) == ["a 2.0", "a 1.0", "c 1.0"]


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}{entry('a', '2.0')}======={entry('a', '1.0')}>>>>>>> main\n",
        f"{HEAD}<<<<<<< HEAD{entry('a', '2.0')}======={entry('a', '1.0')}",
        f"{HEAD}<<<<<<< HEAD{entry('a', '2.0')}{entry('a', '1.0')}",
        f"{HEAD}{entry('a', '2.0')}{entry('a', '1.0')}>>>>>>> main\n>>>>>>> main\n=======\n|||||||\n",
    ],
)
def test_markers_that_were_half_removed_lose_no_pin(text: str) -> None:
    assert pins(text) == ["a 2.0", "a 1.0"]


def test_sides_may_differ_in_the_head_and_in_markers(tmp_path: Path) -> None:
    base = HEAD + entry("a", "1.0")
    ours = HEAD.replace("3.10", "3.11") + entry("a", "1.0", marker="python_version < '3.13'")
    theirs = HEAD.replace("3.10", "3.12") + entry("a", "2.0")
    result = sides_of(merged(tmp_path, base, ours, theirs))
    assert result is not None
    assert str(result.ours.requires_python) == str(result.pins.requires_python) == ">=3.11"
    assert [(str(p.version), str(p.marker or "")) for p in result.pins.packages] == [
        ("2.0", ""),
        ("1.0", 'python_version < "3.13"'),
    ]


@pytest.mark.parametrize("text", ["", "<<<<<<< HEAD\n", "=======\n", BASE, "<<<<<<< HEAD\nx\n=======\ny\n>>>>>>> b\n"])
def test_without_entries_or_without_markers_there_are_no_sides(text: str) -> None:
    assert sides_of(text) is None


def test_very_many_markers_are_read_in_time() -> None:
    assert sides_of("<<<<<<< a\n" * 20_000 + entry("a", "1.0") + "=======\n" * 20_000) is not None


def test_a_merge_conflict_is_reported_as_one() -> None:
    text = f"{HEAD}{entry('x', '1.0') * 60}<<<<<<< HEAD\n{entry('a', '2.0')}=======\n>>>>>>> main\n"
    with pytest.raises(LocksetError) as caught:
        read_document(text, path="pylock.toml")
    line = text[: text.index("<<<")].count("\n") + 1
    assert caught.value.diagnostic.message == "The file has an unresolved merge conflict"
    assert caught.value.diagnostic.location == f"pylock.toml:{line}:1"
    assert "`lockset lock`" in (caught.value.diagnostic.hint or "")
    [issue] = validate_document(text).issues
    assert (issue.code, issue.line) == ("toml-syntax", line)
    assert "merge conflict" in issue.message


def test_a_broken_file_without_markers_stays_an_error(tmp_path: Path) -> None:
    path = tmp_path / "pylock.toml"
    path.write_text(f"{HEAD}a = \n")
    with pytest.raises(LocksetError, match="not valid TOML"):
        old_lock(path)
    path.write_bytes(b"\xff<<<<<<< HEAD\n")
    with pytest.raises(LocksetError):
        old_lock(path)
