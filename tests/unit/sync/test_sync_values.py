"""Small values of sync: paths, RECORD, scripts, the plan."""

from __future__ import annotations

import csv
import io
import os
import posixpath
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import default_environment
from packaging.tags import sys_tags

from lockset.errors import LocksetError
from lockset.hashes import Digest
from lockset.markers import KNOWN_PYTHONS
from lockset.sync.desired import DesiredDistribution, may_hold_secret, public_url
from lockset.sync.disk.inspect.interpreter import ask_interpreter, interpreter_of
from lockset.sync.disk.request import environment_target
from lockset.sync.installed import InstalledDistribution
from lockset.sync.plan import RemovalPolicy, plan
from lockset.sync.target import _OWN_SCRIPTS, _OWN_STARTS, interpreter_tags, is_within
from lockset.sync.wheel.entry_points import scripts_in
from lockset.sync.wheel.file_lists import Manifest, Row, StoredGroup, StoredScript, format_record, parse_record
from lockset.sync.wheel.safe_path import path_problem
from lockset.sync.wheel.scripts import rewrite_script, shebang
from support.venvs import interpreter

if TYPE_CHECKING:
    from pathlib import Path

SHA = "a" * 64


def wanted(name: str = "sample", version: str = "1.0", **more: Any) -> DesiredDistribution:
    digests = (Digest(algorithm="sha256", value=SHA),)
    defaults: dict[str, Any] = {"kind": "wheel", "filename": f"{name}-{version}-py3-none-any.whl", "digests": digests}
    return DesiredDistribution(name=name, version_text=version, url="https://files.example.org/x", **(defaults | more))


def installed(name: str = "sample", version: str = "1.0", **more: Any) -> InstalledDistribution:
    defaults: dict[str, Any] = {"installer": "lockset", "origin": {"sha256": SHA}}
    return InstalledDistribution(name=name, version=version, info=f"/lib/{name}.dist-info", **(defaults | more))


@given(st.text(max_size=40))
def test_a_safe_path_stays_below_its_root(path: str) -> None:
    if path_problem(path) is None:
        joined = posixpath.normpath(f"/tree/{path}")
        assert is_within(joined, "/tree")
        assert joined == f"/tree/{path}"


def test_within_compares_components() -> None:
    assert is_within("/a/b/c", "/a/b")
    assert not is_within("/a/bc", "/a/b")
    assert not is_within("/a/b", "/a/b")


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), min_size=1, max_size=20)


@given(
    st.lists(
        st.builds(Row, texts, st.sampled_from(["", "sha256=abc"]), st.none() | st.integers(0, 2**64)),
        unique_by=lambda row: row.path,
        max_size=5,
    )
)
def test_record_reads_what_it_writes_as_csv_does(rows: list[Row]) -> None:
    data = format_record(rows)
    assert sorted(parse_record(data.decode()), key=str) == sorted(rows, key=str)
    message = list(csv.reader(io.StringIO(data.decode(), newline="")))
    assert [row[0] for row in message] == [row.path for row in sorted(rows, key=lambda row: (not row.hash, row.path))]


@pytest.mark.parametrize("text", ["a,b\n", "a,b,c,d\n", "a,b,x\n", 'a,"b\n', "a,,-1\n", "a,,٤\n", "a,," + "9" * 30])
def test_a_malformed_record_is_ignored(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_record(text)


def test_scripts_are_found_with_extras_and_dotted_attributes() -> None:
    text = "[console_scripts]\nrun = a.b:C.d [x,y]\n[gui_scripts]\ng-2=m:f\n[other]\nevil/name = %(x)s\n"
    assert [(s.name, s.section, s.module, s.attribute) for s in scripts_in(text)] == [
        ("run", "console", "a.b", "C.d"),
        ("g-2", "gui", "m", "f"),
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_commands_are_the_same_whatever_ends_a_line(end: str) -> None:
    text = end.join(["[console_scripts]", "one = a:b", "[other]", "x = 1", "[gui_scripts]", "two = a:c", ""])
    assert [(s.name, s.section) for s in scripts_in(text)] == [("one", "console"), ("two", "gui")]


@pytest.mark.parametrize("folder", ["plain", "with space", "quote'd", "l" * 130, "tab\tbed"])
@pytest.mark.skipif(os.name == "nt", reason="first lines are POSIX's")
def test_scripts_run_wherever_the_interpreter_is(tmp_path: Path, folder: str) -> None:
    python = tmp_path / folder / "python"
    python.parent.mkdir()
    python.symlink_to(sys.executable)
    script = tmp_path / "script"
    script.write_bytes(rewrite_script(b"#!python -E\nimport sys\nprint(sys.argv[1:])\n", str(python)))
    script.chmod(0o755)
    done = subprocess.run([script, "a b", "c"], capture_output=True, text=True, check=True)
    assert done.stdout == "['a b', 'c']\n"
    assert shebang("/usr/bin/python") == b"#!/usr/bin/python\n"


def test_a_manifest_survives_and_notices_damage() -> None:
    group = StoredGroup(
        "purelib",
        "",
        executable=False,
        rewrite=False,
        names="a.py\0b/c.py",
        folders="b",
        hashes="sha256=x\0sha256=y",
        sizes=(3, 1),
        times=(5, 2),
    )
    made = Manifest(
        name="sample",
        version="1.0",
        dist_info="sample-1.0.dist-info",
        root_scheme="purelib",
        digests={"sha256": SHA},
        groups=(group,),
        scripts=(StoredScript("run", "console", "a", "b", b"body"),),
    )
    data = made.dumps()
    assert Manifest.loads(data) == made
    for location in range(len(data)):
        changed = bytearray(data)
        changed[location] ^= 1
        assert Manifest.loads(bytes(changed)) is None
    assert Manifest.loads(data[:-1]) is None
    assert Manifest.loads(b"") is None


def test_tags_and_markers_are_those_that_packaging_tells_inside() -> None:
    message = ask_interpreter(interpreter_of(sys.executable), memory=None)
    assert interpreter_tags(message) == tuple(sys_tags())
    assert dict(message.markers) == default_environment()


@pytest.mark.parametrize("version", KNOWN_PYTHONS)
def test_every_supported_python_answers(version: str) -> None:
    base = interpreter(version)
    if base is None:
        pytest.skip(f"no Python {version} here")
    message = ask_interpreter(interpreter_of(str(base)), memory=None)
    assert message.markers["python_version"] == version
    assert str(interpreter_tags(message)[0]).startswith(f"cp{version.replace('.', '')}-cp{version.replace('.', '')}-")
    assert environment_target(message).kind == "system"


def test_a_shim_is_queried_each_time(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    ask_interpreter(str(python), memory=tmp_path / "memory")
    times = python.stat()
    python.write_text("#!/bin/sh\nexit 1".ljust(times.st_size, "\n"))
    os.utime(python, ns=(times.st_atime_ns, times.st_mtime_ns))
    with pytest.raises(LocksetError, match="is not a working Python"):
        ask_interpreter(str(python), memory=tmp_path / "memory")


@pytest.mark.skipif(sys.platform == "win32", reason="a script of the shell")
@pytest.mark.parametrize("stream", ["1", "2"])
def test_an_interpreter_that_talks_without_end_is_ended(tmp_path: Path, stream: str) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\nexec yes >&{stream}\n")
    python.chmod(0o755)
    began = time.monotonic()
    with pytest.raises(LocksetError, match="is not a working Python"):
        ask_interpreter(str(python), memory=None)
    assert time.monotonic() - began < 30


@pytest.mark.skipif(sys.platform == "win32", reason="a script of the shell")
def test_an_interpreter_that_leaves_somebody_behind_is_not_waited_for(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nsleep 60 &\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    began = time.monotonic()
    assert ask_interpreter(str(python), memory=None).implementation == "cpython"
    assert time.monotonic() - began < 30


def actions(*, wants: list[DesiredDistribution], has: list[InstalledDistribution], **policy: Any) -> dict[str, str]:
    return {step.name: step.action for step in plan(wants, has, policy=RemovalPolicy(**policy)).steps}


def test_a_plan_installs_changes_repairs_removes_and_keeps() -> None:
    has = [
        installed("same"),
        installed("older", "0.9"),
        installed("other-bytes", origin={"sha256": "b" * 64}),
        installed("unknown-bytes", origin={}),
        installed("broken", problems=("`x` is missing",)),
        installed("gone"),
        installed("pip", installer="pip"),
        installed("twice"),
        installed("twice", "2.0"),
    ]
    names = ["same", "older", "other-bytes", "unknown-bytes", "broken", "new", "twice"]
    assert actions(wants=[wanted(name) for name in names], has=has) == {
        "same": "keep",
        "older": "change",
        "other-bytes": "change",
        "unknown-bytes": "change",
        "broken": "repair",
        "gone": "remove",
        "pip": "keep",
        "new": "install",
        "twice": "repair",
    }


def test_the_policy_decides_what_is_removed() -> None:
    has = [installed("ours"), installed("theirs", installer="pip"), installed("pip", installer="pip")]
    old = installed("old-egg", installer="", unlisted="has no list", suspects=("/lib/old.py",))
    has += [old, installed("setuptools")]
    exact = {"ours": "remove", "theirs": "remove", "pip": "keep", "old-egg": "remove", "setuptools": "remove"}
    assert actions(wants=[], has=has) == exact
    assert set(actions(wants=[], has=has, exact=False).values()) == {"keep"}
    assert actions(wants=[], has=has, owned_only=True) == exact | {"theirs": "keep", "old-egg": "keep"}
    assert [step.name for step in plan([], has, policy=RemovalPolicy()).blocked] == ["old-egg"]
    assert actions(wants=[], has=has, keep=frozenset({"ours"})) == exact | {"ours": "keep"}
    assert actions(wants=[], has=has, remove_seeds=True) == exact | {"pip": "remove"}


def test_versions_are_compared_as_versions() -> None:
    assert actions(wants=[wanted(version="1.0.0")], has=[installed(version="1.0")]) == {"sample": "keep"}
    assert actions(wants=[wanted()], has=[installed(version="not a version")]) == {"sample": "change"}


@given(st.lists(st.sampled_from("abc"), unique=True), st.lists(st.sampled_from("abcd"), unique=True))
def test_a_plan_carried_out_leaves_nothing_to_do(wants: list[str], has: list[str]) -> None:
    first = plan([wanted(n) for n in wants], [installed(n, "0.1") for n in has], policy=RemovalPolicy())
    after = [installed(s.name) for s in first.steps if s.desired is not None]
    assert plan([wanted(n) for n in wants], after, policy=RemovalPolicy()).changes == ()


def test_urls_are_shown_without_secrets() -> None:
    assert public_url("https://user:secret@example.org:8/a?token=x#y") == "https://example.org:8/a"


_ADDRESSES = st.lists(st.sampled_from(["https", "http", "HTTPS", "://", *"aZ8:/@?#;[]%+! \n\té.&='\"\\"])).map("".join)


@given(st.one_of(_ADDRESSES, _ADDRESSES.map("https://example.org/".__add__)))
def test_an_address_is_shown_as_the_standard_library_reads_it(url: str) -> None:
    try:
        parts = urlsplit(url)
    except ValueError:
        with pytest.raises(ValueError, match=r"."):
            public_url(url)
        return
    assert public_url(url) == urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


@given(_ADDRESSES)
def test_a_text_may_hold_a_secret_if_an_address_has_a_user_or_a_query(text: str) -> None:
    pattern = r"""://[^\s"'/]*@|://[^\s"'?]*\?"""
    assert may_hold_secret(text) == (re.search(pattern, text) is not None)


@given(st.from_regex(re.compile(_OWN_SCRIPTS.pattern), fullmatch=True))
def test_the_scripts_of_an_environment_are_recognized_by_their_start_first(name: str) -> None:
    assert name.lower().startswith(_OWN_STARTS)
