"""Whatever a file holds, reading it ends with a value or one clear sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockset.errors import LocksetError
from lockset.lockfile import read as read_module
from lockset.lockfile.read import TomlError, load, load_bytes, read_document, tag_count
from lockset.lockfile.validate.report import validate_document
from support.posix import make_pipe

HEAD = b'lock-version = "1.0"\ncreated-by = "hand"\n'


@pytest.mark.parametrize(
    ("data", "line", "column", "message"),
    [
        (b"\xef\xbb\xbfa = 1", 1, 1, "The file starts with a byte order mark, which TOML does not allow"),
        (b"\xff\xfea\x00", 1, 1, "The file is UTF-16, and TOML is UTF-8"),
        (b'a = 1\nb = "\xc3\xa9\xff"', 2, 7, "The byte 0xff is not UTF-8"),
        (b"a = 1\r\nb = \r\n", 2, 5, "This is not valid TOML: invalid value"),
        (b"a = 1\x00", 1, 6, "This is not valid TOML: expected newline or end of document after a statement"),
        (b"a = 1\n  a-b = 3\n  a-b  = 2", 3, 3, "This is not valid TOML: `a-b` already has a value"),
        (b"[a.b]\n[c]\n[a.b]\n", 3, 5, "This is not valid TOML: `[a.b]` is declared twice"),
        (b"a = 1\nb = " + b"1" * 5000, 2, 5, "A number has too many digits"),
        (b"a = " + b"[" * 100_000, 1, 1, "Tables or arrays are nested too deeply"),
        (b"a = " + b"{a=" * 100_000, 1, 1, "Tables or arrays are nested too deeply"),
        (b"a" + b".a" * 100_000 + b" = 1", 1, 1, "Tables or arrays are nested too deeply"),
    ],
)
def test_invalid_toml_is_refused_with_its_position(data: bytes, line: int, column: int, message: str) -> None:
    with pytest.raises(TomlError) as caught:
        read_document(data, path="pylock.toml")
    error = caught.value
    assert error.diagnostic.message == message
    assert (error.line, error.column) == (line, column)
    assert error.diagnostic.location == f"pylock.toml:{line}:{column}"
    [issue] = validate_document(data).issues
    assert (issue.code, issue.line, issue.column) == ("toml-syntax", line, column)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("flask==3.0 \\\n    --hash=sha256:abc\n", "a requirements file"),
        ("-r other.txt\n", "a requirements file"),
        ("# by a tool\nrequests[socks] >= 2\n", "a requirements file"),
        ('{"_meta": {}}', "a Pipfile.lock"),
        ("[1, 2", None),
        ("<!DOCTYPE html><p>", "a web page"),
        ("version: 1\nmetadata:\n", "YAML"),
        ('[[package]]\nname = "a"\n[metadata]\ncontent-hash = "x"\n', "a poetry.lock"),
        ('[[package]]\nname = "a"\n[metadata]\ncontent_hash = "x"\n', "a pdm.lock"),
        ('version = 1\n[[package]]\nname = "a"\n', "a uv.lock"),
        ('[project]\nname = "a"\n', "a pyproject.toml"),
        ('[[source]]\nname = "a"\n[packages]\n', "a Pipfile"),
        ("packages = 1\n", None),
    ],
)
def test_a_wrong_kind_of_file_is_recognized(text: str, kind: str | None) -> None:
    hints = [
        issue.hint
        for issue in validate_document(text).issues
        if issue.hint and issue.hint.startswith("This looks like")
    ]
    assert len(hints) == (kind is not None)
    assert kind is None or hints[0].startswith(f"This looks like {kind}")


def test_a_wheel_name_that_stands_for_millions_of_tags_is_refused_at_once() -> None:
    many = ".".join(f"a{number}" for number in range(400))
    name = f"sample-1.0-{many}-{many}-{many}.whl"
    wheel = f'wheels = [{{name = "{name}", url = "https://files.example.org/x", hashes = {{sha256 = "{"a" * 64}"}}}}]'
    text = f'{HEAD.decode()}[[packages]]\nname = "sample"\nversion = "1.0"\n{wheel}\n'
    assert tag_count(name) == 400**3
    assert [issue.code for issue in validate_document(text).errors] == ["wheel-file-name"]
    with pytest.raises(LocksetError, match="more than 2000 tags"):
        _ = read_document(text).lock


def test_very_many_specifiers_names_and_keys_cost_no_more_than_their_length() -> None:
    specifiers = ",".join(f"!={number}" for number in range(5000))
    names = ", ".join(f'"e{number}"' for number in range(5000))
    keys = "".join(f"key{number} = 1\n" for number in range(5000))
    text = f'{HEAD.decode()}packages = []\nrequires-python = "{specifiers}"\ndependency-groups = [{names}]\n{keys}'
    issues = validate_document(text).issues
    assert {issue.code for issue in issues} == {"packages-unsorted", "unknown-key"}
    assert len(issues) == 5001


def test_deep_tool_tables_are_read_and_placed() -> None:
    depth = 80
    text = HEAD.decode() + "packages = []\nunknown = 1\n[tool.deep]\nx = " + "[" * depth + "]" * depth + "\n"
    [issue] = validate_document(text).issues
    assert (issue.code, issue.line) == ("unknown-key", 4)


def test_deep_dependencies_do_not_end_the_run() -> None:
    deep = "{a = " * 60 + "1" + "}" * 60
    text = HEAD.decode() + f'[[packages]]\nname = "a"\nvcs = {deep}\ndependencies = [{{name = "a", vcs = {deep}}}]\n'
    assert not validate_document(text).ok


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_no_bytes_make_an_exception(data: bytes) -> None:
    report = validate_document(data, path="pylock.toml")
    assert not report.ok
    assert report.lock is None


def test_another_major_version_and_invalid_files_have_different_errors() -> None:
    with pytest.raises(LocksetError) as caught:
        _ = read_document('lock-version = "2.0"\ncreated-by = "x"\npackages = []\n', path="pylock.toml").lock
    assert caught.value.diagnostic.code == "lock-unsupported"
    with pytest.raises(LocksetError) as caught:
        _ = read_document('lock-version = "1.0"\npackages = []\n', path="pylock.toml").lock
    assert caught.value.diagnostic.code == "lock-invalid"
    assert caught.value.diagnostic.hint == "`lockset validate pylock.toml` lists every finding with its line"


def test_a_newer_minor_version_is_read_with_a_warning() -> None:
    report = validate_document('lock-version = "1.1"\ncreated-by = "x"\npackages = []\nnovelty = 1\n')
    assert report.ok
    assert report.lock is not None
    assert [issue.code for issue in report.issues] == ["lock-version-minor", "unknown-key"]


def test_a_file_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "pylock.toml"
    path.write_bytes(HEAD + b"packages = []\n")
    assert load(path).lock.created_by == "hand"
    assert load(path).path == str(path)


def test_only_regular_files_are_read_and_pipes_never_block(tmp_path: Path) -> None:
    with pytest.raises(LocksetError, match="it is a folder"):
        load_bytes(tmp_path)
    with pytest.raises(LocksetError, match="There is no file"):
        load_bytes(tmp_path / "pylock.toml")
    with pytest.raises(LocksetError, match="There is no file"):
        load_bytes(Path(__file__) / "pylock.toml")
    with pytest.raises(LocksetError, match="is not a valid path"):
        load_bytes("pylock\0.toml")


def test_a_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    pipe = tmp_path / "pylock.toml"
    make_pipe(pipe)
    with pytest.raises(LocksetError, match="it is not a regular file"):
        load_bytes(pipe)


def test_a_file_beyond_the_bound_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pylock.toml"
    with path.open("wb") as file:
        file.truncate(read_module.MAX_BYTES + 1)
    with pytest.raises(LocksetError, match="larger than 64 MiB"):
        load_bytes(path)


@pytest.mark.parametrize("location", ["top", "package"])
def test_a_range_of_pythons_that_cannot_be_compared_is_refused(location: str) -> None:
    line = f'requires-python = ">={"9" * 5000}"\n'
    top, package = (line, "") if location == "top" else ("", line)
    text = f'{HEAD.decode()}{top}[[packages]]\nname = "a"\n{package}[packages.directory]\npath = "."\n'
    with pytest.raises(LocksetError, match="too many digits"):
        _ = read_document(text).lock


def test_bytes_beyond_the_limit_are_refused_before_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    data = HEAD + b"packages = []\n"
    assert read_document(data).lock.packages == []
    monkeypatch.setattr(read_module, "MAX_BYTES", len(data) - 1)
    with pytest.raises(TomlError, match="The file is larger than"):
        read_document(data)
