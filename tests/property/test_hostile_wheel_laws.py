"""A wheel with a matching hash, whatever it contains, is installed as its RECORD says, or changes nothing."""

from __future__ import annotations

import shutil
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from lockset.errors import LocksetError
from support.builders.archives import Artifact
from support.builders.core_metadata import core_metadata
from support.builders.forged_zip import Entry, forge
from support.builders.wheel import make_wheel, record_text
from support.worlds.target_world import World, judge, tree

if TYPE_CHECKING:
    from collections.abc import Sequence

INFO = "sample-1.0.dist-info"
# Parts of paths that systems, archives or installers give a meaning of their own.
PARTS = [
    *(
        "..",
        ".",
        "",
        " ",
        "a",
        "A",
        "\u00e4",
        "a\u0308",
        "a.",
        "a ",
        "con",
        "aux.py",
        "nul",
        "a:b",
        "c:",
        "~",
        "*",
        "-x",
    ),
    *("a\\b", "\x00", "\x1b[31m", "\n", "\u202e", "\ufeff", "x" * 200, "x" * 300, "sample", "Sample", "sample.pth"),
    *("sample-1.0.data", INFO, "other-1.0.dist-info", "purelib", "platlib", "scripts", "data", "headers", "bin"),
    *(
        "pyvenv.cfg",
        "RECORD",
        "METADATA",
        "INSTALLER",
        "direct_url.json",
        "REQUESTED",
        "RECORD.jws",
        "entry_points.txt",
    ),
    *("__pycache__", "m.cpython-311.pyc", "m.py", "bystander", "../../canary"),
]
paths = st.builds("/".join, st.lists(st.sampled_from(PARTS), min_size=1, max_size=4)) | st.sampled_from(
    [
        f"{INFO}/entry_points.txt",
        "sample-1.0.data/scripts/../../x",
        "sample-1.0.data/data/../canary",
        "/etc/canary",
        "//x/y",
        "a/",
    ]
)
contents = st.sampled_from(
    [
        b"",
        b"x = 1\n",
        b"#!python\n",
        b"[console_scripts]\nrun = os:system\n",
        b"[console_scripts]\n../run = a:b\n",
        b"\xff",
    ]
)
modes = st.sampled_from(
    [*[0o100644] * 9, 0, 0o100755, 0o104755, 0o102755, 0o100777, 0o120777, 0o040755, 0o060644, 0o010644]
)
flags = st.sampled_from([*[0x800] * 8, 0, 1, 0x8, 0x40])


@st.composite
def members(draw: st.DrawFn) -> list[Entry]:
    """What a wheel has besides its module: members that may be of any kind."""
    return [
        Entry(
            name=name.encode(draw(st.sampled_from([*["utf-8"] * 9, "utf-16-le", "latin-1"])), "replace"),
            content=draw(contents),
            method=draw(st.sampled_from([*[8] * 8, 0, 12, 99])),
            flags=draw(flags),
            mode=draw(modes),
            local=draw(st.sampled_from([*[{}] * 12, {"name": b"m.py"}, {"size": 1}, {"crc": 1}, {"method": 0}])),
            central=draw(st.sampled_from([*[{}] * 12, {"size": 0xFFFFFFFF}, {"offset": 0}, {"crc": zlib.crc32(b"")}])),
        )
        for name in draw(st.lists(paths, min_size=1, max_size=3))
    ]


def forged_wheel(extra: Sequence[Entry]) -> Artifact:
    """A wheel of `sample 1.0` with `extra` members, which RECORD lists."""
    texts: dict[str, str | bytes] = {
        "sample/__init__.py": "version = '1.0'\n",
        f"{INFO}/METADATA": core_metadata("sample", "1.0"),
        f"{INFO}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    listed = texts | {entry.name.decode("utf-8", "replace"): entry.content for entry in extra}
    texts[f"{INFO}/RECORD"] = record_text(listed, f"{INFO}/RECORD")
    usual = [
        Entry(name=name.encode(), content=text if isinstance(text, bytes) else text.encode())
        for name, text in texts.items()
    ]
    return Artifact(filename="sample-1.0-py3-none-any.whl", content=forge(*usual[:-1], *extra, usual[-1]), metadata=b"")


def outcome(world: World, *wheels: Artifact) -> str | None:
    """The message of the refusal, if any."""
    try:
        world.sync(*wheels)
    except LocksetError as error:
        return error.render()
    return None


@settings(max_examples=40)
@given(members())
def test_a_hostile_wheel_is_installed_as_recorded_or_changes_nothing(extra: list[Entry]) -> None:
    folder = Path(tempfile.mkdtemp(prefix="lockset-law-"))
    bystander = make_wheel("bystander", "1.0")
    try:
        world = World(folder=folder / "a" / "world", directory=str(folder / "a" / "target"), cache=folder / "cache")
        world.sync(bystander)
        (folder / "canary").write_bytes(b"as it was")
        before = tree(folder / "a" / "target")
        outside = {path.name for path in folder.iterdir()} | {path.name for path in (folder / "a").iterdir()}
        message = outcome(world, bystander, forged_wheel(extra))
        if message is not None:
            assert tree(folder / "a" / "target") == before
            assert "\x1b" not in message
        else:
            assert judge(folder / "a" / "target") == {"bystander": "1.0", "sample": "1.0"}
            assert not world.sync(bystander, forged_wheel(extra)).changed
        assert (folder / "canary").read_bytes() == b"as it was"
        assert {path.name for path in folder.iterdir()} | {path.name for path in (folder / "a").iterdir()} == outside
    finally:
        shutil.rmtree(folder)
