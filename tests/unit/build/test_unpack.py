"""Source archives: nothing leaves the tree, and what is odd is refused whole."""

from __future__ import annotations

import gzip
import io
import os
import posixpath
import stat
import tarfile
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lockset.build.unpack import MAX_TOTAL, member_path, unpack_sdist
from lockset.errors import LocksetError
from support.builders.sdist import make_sdist

if TYPE_CHECKING:
    from pathlib import Path

Member = tuple[str, dict[str, Any]]


def tar_of(*members: Member) -> io.BytesIO:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, facts in members:
            info = tarfile.TarInfo(name)
            content = facts.pop("content", b"")
            for key, value in facts.items():
                setattr(info, key, value)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    buffer.seek(0)
    return buffer


def link(target: str) -> dict[str, Any]:
    return {"type": tarfile.SYMTYPE, "linkname": target}


def hard(target: str) -> dict[str, Any]:
    return {"type": tarfile.LNKTYPE, "linkname": target}


@pytest.fixture
def into(tmp_path: Path) -> Path:
    location = tmp_path / "outer" / "tree"
    location.mkdir(parents=True)
    (tmp_path / "outer" / "canary").write_text("alive")
    return location


def outside(into: Path) -> dict[str, str]:
    return {str(path): path.read_text() for path in into.parent.iterdir() if path != into and path.is_file()}


def test_an_sdist_comes_out_with_its_one_folder(into: Path) -> None:
    sdist = make_sdist(files={"sample.py": "x = 1\n"})
    tree = unpack_sdist(io.BytesIO(sdist.content), sdist.filename, into)
    assert tree == into / "sample-1.0"
    assert (tree / "PKG-INFO").read_bytes() == sdist.metadata


def check_refused(members: list[Member], into: Path) -> None:
    before = outside(into)
    with pytest.raises(LocksetError) as caught:
        unpack_sdist(tar_of(*[(name, dict(facts)) for name, facts in members]), "x-1.tar.gz", into)
    assert caught.value.diagnostic.code == "archive-refused"
    assert outside(into) == before


@pytest.mark.parametrize(
    "members",
    [
        [("/etc/x", {})],
        [("../x", {})],
        [("a/../../x", {})],
        [("a/../b", {})],
        [("a\\b", {})],
        [("C:/x", {})],
        [("a\nb", {})],
        [("a/" + "n" * 300, {})],
        [("a", hard("../canary"))],
        [("a", hard("/etc/passwd"))],
        [("a", hard("missing"))],
        [("l", link("../canary")), ("a", hard("l"))],
        [("a", {"type": tarfile.CHRTYPE})],
        [("a", {"type": tarfile.FIFOTYPE})],
        [("a", {}), ("a/b", {})],
        [("", {})],
    ],
    ids=str,
)
def test_archives_with_unsafe_members_are_refused_and_write_nothing(members: list[Member], into: Path) -> None:
    check_refused(members, into)


@pytest.mark.parametrize(
    "members",
    [
        [("a", link("/etc/passwd"))],
        [("a", link("../canary"))],
        [("a/b", link("../../canary"))],
        [("a", link("b")), ("b", link("../canary"))],
        [("d/up", link("..")), ("e", link("d/up/../canary"))],
        [("d", link("..")), ("d/x", {"content": b"x"})],
        [("d", link("sub")), ("d/x", link("y"))],
        [("d/a", link(".")), ("d/a/b", link("c"))],
        [("a", link(""))],
    ],
    ids=str,
)
def test_a_link_that_leaves_the_tree_is_refused_and_touches_nothing(members: list[Member], into: Path) -> None:
    check_refused(members, into)


def test_links_inside_the_tree_are_kept(into: Path) -> None:
    tree = unpack_sdist(
        tar_of(
            ("x-1/real/file", {"content": b"text"}),
            ("x-1/near", link("real/file")),
            ("x-1/real/back", link("../near")),
            ("x-1/same", hard("x-1/real/file")),
            ("x-1/dangling", link("nowhere")),
        ),
        "x-1.tar.gz",
        into,
    )
    assert (tree / "near").read_bytes() == (tree / "real/back").read_bytes() == (tree / "same").read_bytes() == b"text"
    assert not (tree / "same").is_symlink()


def test_modes_are_ours_but_for_the_executable_bit(into: Path) -> None:
    tree = unpack_sdist(
        tar_of(
            ("x-1/run", {"mode": 0o6777}),
            ("x-1/plain", {"mode": 0o000}),
            ("x-1/d", {"type": tarfile.DIRTYPE, "mode": 0}),
        ),
        "x-1.tar.gz",
        into,
    )
    assert [stat.S_IMODE((tree / name).stat().st_mode) for name in ("run", "plain")] == [0o755, 0o644]
    assert stat.S_IMODE((tree / "d").stat().st_mode) & 0o700 == 0o700


@pytest.mark.parametrize("name", ["../x", "/x", "a\\..\\x"])
def test_zip_archives_obey_the_same_rules(name: str, into: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, "x")
    with pytest.raises(LocksetError):
        unpack_sdist(buffer, "x-1.zip", into)


def test_a_link_in_a_zip_is_refused(into: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo("x-1/a")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "../canary")
    with pytest.raises(LocksetError):
        unpack_sdist(buffer, "x-1.zip", into)


@pytest.mark.parametrize("filename", ["x-1.tar.gz", "x-1.zip"])
@pytest.mark.parametrize("content", [b"", b"no archive", make_sdist().content[:100]])
def test_damaged_archives_are_refused(content: bytes, filename: str, into: Path) -> None:
    with pytest.raises(LocksetError) as caught:
        unpack_sdist(io.BytesIO(content), filename, into)
    assert caught.value.diagnostic.code == "archive-refused"


@given(st.text(max_size=30))
def test_a_member_is_refused_or_stays_below_the_tree(name: str) -> None:
    try:
        parts = member_path(name, archive="x")
    except LocksetError:
        return
    joined = posixpath.normpath("/".join(("/tree", *parts)))
    assert joined == "/tree" or joined.startswith("/tree/")


steps = st.sampled_from(["a", "b", "..", "."])
targets = st.lists(steps, min_size=1, max_size=4).map("/".join)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=150)
@given(st.lists(st.tuples(st.sampled_from(["a", "b", "a/a", "a/b", "b/a", "a/b/a"]), targets), max_size=5))
def test_whatever_links_an_archive_has_none_ends_outside(tmp_path_factory: Any, links: list[tuple[str, str]]) -> None:
    into = tmp_path_factory.mktemp("tree")
    try:
        unpack_sdist(tar_of(*[(name, link(target)) for name, target in links]), "x-1.tar.gz", into)
    except LocksetError:
        return
    for folder, folders, files in os.walk(into):
        for name in (*folders, *files):
            end = os.path.realpath(os.path.join(folder, name))
            assert end == str(into) or end.startswith(f"{into}/")


@pytest.mark.parametrize("second", [b"other", b"on", b"one and more", b""])
def test_two_members_with_one_name_must_be_the_same(into: Path, second: bytes) -> None:
    with pytest.raises(LocksetError, match="twice"):
        unpack_sdist(tar_of(("x-1/a.py", {"content": b"one"}), ("x-1/a.py", {"content": second})), "x-1.tar.gz", into)


def test_a_member_may_be_there_twice_with_the_same_content(into: Path) -> None:
    tree = unpack_sdist(
        tar_of(("x-1/a.py", {"content": b"one"}), ("x-1/a.py", {"content": b"one"})), "x-1.tar.gz", into
    )
    assert (tree / "a.py").read_bytes() == b"one"


def test_a_member_that_says_itself_that_it_is_too_large_is_refused_before_a_byte_of_it_is_written(into: Path) -> None:
    info = tarfile.TarInfo("x-1/huge")
    info.size = MAX_TOTAL + 1
    packed = gzip.compress(info.tobuf() + bytes(1 << 20))
    with pytest.raises(LocksetError, match="unpacks to more"):
        unpack_sdist(io.BytesIO(packed), "x-1.tar.gz", into)
    assert not list(into.iterdir())


def test_a_member_of_less_than_no_bytes_is_refused(into: Path) -> None:
    """A reader that believes it would read the same members without end."""
    info = tarfile.TarInfo("x-1/a.py")
    info.pax_headers = {"size": "-512"}
    packed = gzip.compress(info.tobuf(tarfile.PAX_FORMAT) + bytes(1024))
    with pytest.raises(LocksetError):
        unpack_sdist(io.BytesIO(packed), "x-1.tar.gz", into)
