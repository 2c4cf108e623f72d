"""A wheel's names, metadata, RECORD and paths must agree before anything of it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from packaging.version import Version

from lockset.errors import LocksetError
from lockset.sync.wheel.contents import Wheel, WheelIdentity, read_wheel
from lockset.sync.wheel.scripts import command_text
from lockset.sync.wheel.zip_reader import members, read_member
from support.builders.forged_zip import Entry, forge
from support.builders.wheel import make_wheel, record_text

if TYPE_CHECKING:
    from collections.abc import Mapping

METADATA = "Metadata-Version: 2.1\nName: sample\nVersion: 1.0\n\nbody\n"
WHEEL = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
INFO = "sample-1.0.dist-info"
IDENTITY = WheelIdentity(name="sample", version_text="1.0", filename="sample-1.0-py3-none-any.whl")


def read(data: bytes, identity: WheelIdentity = IDENTITY) -> Wheel:
    return read_wheel(
        members(data, what="it"), lambda m: read_member(data, m, what="it", limit=1 << 20), identity=identity
    )


def wheel(files: Mapping[str, str | None] = {}, *, record: str | None = None, **entry: Any) -> bytes:
    """A wheel of `sample 1.0`; None drops a file."""
    given = {"sample.py": "x = 1\n", f"{INFO}/METADATA": METADATA, f"{INFO}/WHEEL": WHEEL} | dict(files)
    kept = {name: text for name, text in given.items() if text is not None}
    if f"{INFO}/RECORD" not in given:
        kept[f"{INFO}/RECORD"] = record if record is not None else record_text(kept, f"{INFO}/RECORD")
    return forge(*(Entry(name=n.encode(), content=t.encode(), flags=2048, **entry) for n, t in kept.items()))


def refusal(data: bytes, identity: WheelIdentity = IDENTITY) -> str:
    with pytest.raises(LocksetError) as caught:
        read(data, identity)
    assert caught.value.diagnostic.code in {"wheel-refused", "archive-refused"}
    return caught.value.diagnostic.message


def test_a_whole_wheel_is_read() -> None:
    result = read(wheel({"sample-1.0.data/scripts/run": "#!python\n", "sample-1.0.data/data/share/x": "x"}))
    assert {(c.scheme, c.path) for c in result.contents} == {
        ("purelib", "sample.py"),
        ("purelib", f"{INFO}/METADATA"),
        ("purelib", f"{INFO}/WHEEL"),
        ("scripts", "run"),
        ("data", "share/x"),
    }


def test_names_and_versions_are_compared_normalized() -> None:
    made = make_wheel("My.Sample", "1.0.0")
    result = read(made.content, WheelIdentity(name="my-sample", version_text="1", filename=made.filename))
    assert (result.name, result.version) == ("my-sample", Version("1.0"))


@pytest.mark.parametrize(
    "path",
    [
        "../evil.py",
        "/evil.py",
        "a/../../evil.py",
        "a/./b.py",
        "a//b.py",
        "a\\b.py",
        "C:evil.py",
        "C:/evil.py",
        "a/nul.py",
        "AUX",
        "x" * 256,
        "a/" * 1200 + "b",
        "dot./b.py",
        "a \u200bb/c.py",
        "sample-1.0.data/unknown/x",
        "sample-1.0.data/x",
        "sample-1.0.data/scripts/a/b",
        "sample-1.0.data/purelib/other-1.0.dist-info/METADATA",
        "sample-1.0.data/purelib/sample.py",
        "sample-1.0.data/platlib/sample.py",
        "other-1.0.dist-info/METADATA",
        "other-1.0.DIST-INFO/METADATA",
    ],
)
def test_unsafe_paths_are_refused(path: str) -> None:
    refusal(wheel({path: "x"}))


@pytest.mark.parametrize("missing", ["METADATA", "WHEEL", "RECORD"])
def test_every_metadata_file_must_be_there(missing: str) -> None:
    assert missing in refusal(wheel({f"{INFO}/{missing}": None}))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("METADATA", METADATA.replace("sample", "other")),
        ("METADATA", METADATA.replace("1.0", "2.0")),
        ("METADATA", METADATA.replace("Version: 1.0\n", "Version: 1.0\nVersion: 2.0\n")),
        ("METADATA", "Metadata-Version: 2.1\n\nName: sample\nVersion: 1.0\n"),
        ("WHEEL", WHEEL.replace("1.0", "2.0")),
        ("WHEEL", WHEEL.replace("1.0", "10.0")),
        ("WHEEL", WHEEL.replace("1.0", "one")),
        ("WHEEL", WHEEL.replace("1.0", "-1.0")),
        ("WHEEL", WHEEL.replace("1.0", "9" * 5000)),
        ("WHEEL", WHEEL.replace("Wheel-Version: 1.0\n", "")),
        ("WHEEL", WHEEL.replace("true", "perhaps")),
        ("WHEEL", WHEEL + "Wheel-Version: 2.0\n"),
        ("entry_points.txt", "[console_scripts]\n../evil = a:b\n"),
        ("entry_points.txt", "[console_scripts]\nevil = a:b; import os\n"),
        ("entry_points.txt", "[console_scripts]\nevil = a:b\n  c\n"),
        ("entry_points.txt", "[console_scripts]\nevil = a\n"),
        ("entry_points.txt", "[console_scripts]\na = a:b\na = a:c\n"),
        ("entry_points.txt", "[console_scripts]\na = a:b\n[gui_scripts]\na = a:c\n"),
        ("entry_points.txt", "[DEFAULT]\nx = a:b\n[console_scripts]\n"),
        ("entry_points.txt", "no section\n"),
    ],
)
def test_metadata_that_disagrees_or_is_unsafe_is_refused(name: str, text: str) -> None:
    refusal(wheel({f"{INFO}/{name}": text}))


@pytest.mark.parametrize("version", ["0.1", "0.0", "1", "1.0", "1.9", "1.0.1"])
def test_only_a_greater_major_version_of_the_format_is_refused(version: str) -> None:
    assert read(wheel({f"{INFO}/WHEEL": WHEEL.replace("Version: 1.0", f"Version: {version}")})).root_scheme == "purelib"


@pytest.mark.parametrize(
    "identity",
    [
        WheelIdentity(name="other", version_text="1.0", filename="sample-1.0-py3-none-any.whl"),
        WheelIdentity(name="sample", version_text="1.1", filename="sample-1.0-py3-none-any.whl"),
        WheelIdentity(name="sample", version_text="1.0", filename="other-1.0-py3-none-any.whl"),
        WheelIdentity(name="sample", version_text="1.0", filename="sample-1.1-py3-none-any.whl"),
        WheelIdentity(name="sample", version_text="1.0", filename="sample.zip"),
    ],
)
def test_lock_entry_file_name_and_content_must_agree(identity: WheelIdentity) -> None:
    refusal(wheel(), identity)


def rows(**changes: str) -> str:
    kept = {"sample.py": "x = 1\n", f"{INFO}/METADATA": METADATA, f"{INFO}/WHEEL": WHEEL}
    lines = record_text(kept, f"{INFO}/RECORD").splitlines()
    return "\n".join(changes.get(f"line{n}", line) for n, line in enumerate(lines)) + "\n" + changes.get("more", "")


@pytest.mark.parametrize(
    "record",
    [
        rows(line0="sample.py,,"),
        rows(line0="sample.py,md5=rL0Y20zC-Fzt72VPzMSk2A,6"),
        rows(line0=""),
        rows(more="ghost.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n"),
        rows(more="sample.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,6\n"),
        rows(more="only two,columns\n"),
        rows(line0="sample.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,7"),
        rows(more='"open quote\n'),
    ],
)
def test_record_must_list_every_member_once_with_a_strong_hash(record: str) -> None:
    refusal(wheel(record=record))


def test_files_of_the_installer_and_bytecode_are_dropped() -> None:
    dropped = {
        f"{INFO}/INSTALLER": "evil",
        f"{INFO}/REQUESTED": "",
        f"{INFO}/direct_url.json": "{}",
        "__pycache__/sample.cpython-311.pyc": "x",
        "sample.pyc": "x",
        "alone.pyc": "x",
        "sub/optimised.pyo": "x",
    }
    result = read(wheel(dropped))
    assert {c.path for c in result.dropped} == set(dropped)


@pytest.mark.parametrize(
    "path", ["pip.egg-link", "pip-9.egg/EGG-INFO/PKG-INFO", "pip-9.egg-info", "pip-9.data/scripts/x"]
)
def test_paths_that_other_tools_take_for_metadata_or_data_are_refused(path: str) -> None:
    refusal(wheel({path: "x"}))


def test_texts_are_read_no_further_than_needed() -> None:
    """What would take minutes and gigabytes is refused, or passed over, at once."""
    assert "more files" in refusal(wheel(record="x,,\n" * 100_000))
    assert read(wheel({f"{INFO}/METADATA": METADATA + "Name: other\n" * 1000})).name == "sample"


def test_a_command_calls_its_object_and_imports_nothing_else() -> None:
    text = command_text("json.encoder", "JSONEncoder.__name__.upper").decode()
    with pytest.raises(SystemExit) as ended:
        exec(compile(text, "command", "exec"), {"__name__": "__main__"})
    assert ended.value.code == "JSONENCODER"
    assert [line for line in text.splitlines() if "import" in line] == [
        "import sys",
        "from json.encoder import JSONEncoder",
    ]
