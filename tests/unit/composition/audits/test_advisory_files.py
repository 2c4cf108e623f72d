"""Advisories are read from folders and archives, and hostile data is bounded."""

from __future__ import annotations

import io
import json
import os
import stat
import sys
import tarfile
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from lockset.composition.audits import advisory_files
from lockset.composition.audits.advisory_files import read_advisory_files
from lockset.errors import LocksetError
from support.repository import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from lockset.advisories.database import AdvisoryDatabase

ADVISORIES = ROOT / "tests" / "support" / "advisories"


def text(own: str = "GHSA-1", name: str = "a", **more: Any) -> str:
    ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]
    affected = [{"package": {"name": name, "ecosystem": "PyPI"}, "ranges": ranges}]
    return json.dumps({"id": own, "modified": "2026-01-02T03:04:05Z", "affected": affected, **more})


def read(path: Path, *names: str) -> AdvisoryDatabase:
    return read_advisory_files(str(path), shown=path.name, names=set(names or ("a",)))


def ids(database: AdvisoryDatabase) -> list[str]:
    return sorted(one.id for one in database)


def zipped(path: Path, files: dict[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def tarred(path: Path, files: dict[str, str], *more: tarfile.TarInfo, mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content.encode())
            archive.addfile(info, io.BytesIO(content.encode()))
        for info in more:
            archive.addfile(info)
    return path


def test_both_layouts_are_read_from_one_folder() -> None:
    database = read(ADVISORIES, "jinja2", "requests")
    (state,) = database.states
    assert ids(database) == [
        "GHSA-aaaa-1111-jinj",
        "GHSA-bbbb-2222-requ",
        "PYSEC-2026-101",
        "PYSEC-2026-102",
        "PYSEC-2026-104",
    ]
    assert (state.files, str(state.newest), state.unreadable) == (32, "2026-11-25 08:30:00+00:00", ())


def test_archives_hold_the_same_as_a_folder(tmp_path: Path) -> None:
    files = {
        path.relative_to(ADVISORIES).as_posix(): path.read_text("utf-8")
        for path in sorted(ADVISORIES.rglob("*"))
        if path.is_file()
    }
    names = ("jinja2", "urllib3", "numpy")
    whole = read(ADVISORIES, *names)
    for made in (
        zipped(tmp_path / "all.zip", dict(files)),
        tarred(tmp_path / "main.tar.gz", {f"advisory-database-main/{name}": each for name, each in files.items()}),
        tarred(tmp_path / "plain", files, mode="w"),
        tarred(tmp_path / "data.tar.xz", files, mode="w:xz"),
    ):
        database = read(made, *names)
        assert ids(database) == ids(whole)
        assert database.states[0].files == whole.states[0].files


def test_one_file_is_one_advisory(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(text())
    assert ids(read(tmp_path / "one.json")) == ["GHSA-1"]


def test_unreadable_files_are_counted_and_named_and_the_others_are_read(tmp_path: Path) -> None:
    (tmp_path / "good.json").write_text(text())
    (tmp_path / "cut.json").write_text(text()[:30])
    (tmp_path / "text.json").write_bytes(b"\xff\xfe name: a")
    (tmp_path / "list.yaml").write_text("- a\n- b\n")
    (tmp_path / "bad.yaml").write_text("id: [\n")
    (tmp_path / "deep.json").write_text("[" * 100_000)
    (tmp_path / "notes.txt").write_text("not an advisory")
    database = read(tmp_path)
    (state,) = database.states
    assert ids(database) == ["GHSA-1"]
    assert sorted(one.path for one in state.unreadable) == [
        "bad.yaml",
        "cut.json",
        "deep.json",
        "list.yaml",
        "text.json",
    ]
    assert state.files == 6


def test_bombs_of_yaml_are_refused(tmp_path: Path) -> None:
    (tmp_path / "good.json").write_text(text())
    (tmp_path / "aliases.yaml").write_text("id: A\nname: a\nx: &x [1, 1]\ny: &y [*x, *x]\nz: [*y, *y]\n")
    (tmp_path / "nested.yaml").write_text("id: A\nname: a\nx: " + "[" * 50_000)
    reasons = {one.path: one.reason for one in read(tmp_path).states[0].unreadable}
    assert "aliases" in reasons["aliases.yaml"]
    assert "nest" in reasons["nested.yaml"]


def test_versions_of_yaml_are_texts_as_they_are_written(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(
        "id: A\nmodified: 2026-01-01T00:00:00Z\n"
        "affected:\n- package: {name: a, ecosystem: PyPI}\n  versions: [2.10, 1e3]\n"
    )
    (advisory,) = read(tmp_path)
    assert [str(version) for entry in advisory.affected["a"] for version in entry.listed] == ["2.10"]


@pytest.mark.skipif(sys.platform == "win32", reason="makes symbolic links")
def test_symbolic_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text(text("SECRET-1"))
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "good.json").write_text(text())
    os.symlink(tmp_path / "secret.json", folder / "link.json")
    os.symlink(tmp_path, folder / "up")
    database = read(folder)
    assert ids(database) == ["GHSA-1"]
    assert [one.path for one in database.states[0].unreadable] == ["link.json"]


def test_links_in_archives_are_not_followed(tmp_path: Path) -> None:
    link = tarfile.TarInfo("link.json")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    hard = tarfile.TarInfo("hard.json")
    hard.type, hard.linkname = tarfile.LNKTYPE, "good.json"
    unreadable = read(tarred(tmp_path / "a.tar.gz", {"good.json": text()}, link, hard)).states[0].unreadable
    assert [one.path for one in unreadable] == ["link.json", "hard.json"]
    entry = zipfile.ZipInfo("link.json")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = zipped(tmp_path / "a.zip", {"good.json": text()})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(entry, text("GHSA-2"))
    database = read(path)
    assert ids(database) == ["GHSA-1"]
    assert [one.reason for one in database.states[0].unreadable] == ["It is a symbolic link"]


def test_names_that_lead_out_of_an_archive_write_nothing(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    database = read(zipped(inside / "a.zip", {"../../x.json": text(), "/y.json": text("GHSA-2")}))
    assert len(list(database)) == 2
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.zip", "inside"]


def test_a_large_file_is_named_and_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(advisory_files, "_LARGEST", 1000)
    files = {"good.json": text(), "large.json": text(details="x" * 2000)}
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    folder = tmp_path / "made"
    folder.mkdir()
    for path in (tmp_path, zipped(folder / "a.zip", dict(files)), tarred(folder / "a.tar.gz", files)):
        database = read(path)
        assert ids(database) == ["GHSA-1"]
        assert [one.path for one in database.states[0].unreadable] == ["large.json"]


def test_an_archive_that_expands_without_bound_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(advisory_files, "_MOST_EXPANDED", 20_000)
    files = {f"{number}.json": text(f"GHSA-{number}", details="x" * 2000) for number in range(30)}
    for path in (zipped(tmp_path / "a.zip", dict(files)), tarred(tmp_path / "a.tar.gz", files)):
        with pytest.raises(LocksetError) as refused:
            read(path)
        assert refused.value.diagnostic.code == "advisories-too-large"


def test_a_header_of_any_size_is_not_taken_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(advisory_files, "_LARGEST_PIECE", 100_000)
    info = tarfile.TarInfo("a.json")
    info.pax_headers = {"comment": "x" * 1_000_000}
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(info)
    with pytest.raises(LocksetError) as refused:
        read(tmp_path / "a.tar.gz")
    assert refused.value.diagnostic.code == "advisories-too-large"


def test_a_large_directory_of_a_zip_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(advisory_files, "_LARGEST_DIRECTORY", 1000)
    path = zipped(tmp_path / "a.zip", {f"{number}.txt": "" for number in range(100)})
    with pytest.raises(LocksetError) as refused:
        read(path)
    assert refused.value.diagnostic.code == "advisories-too-large"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "advisories-empty"),
        (b"PK\x03\x04 broken", "advisories-unreadable"),
        (b"\x1f\x8b broken", "advisories-unreadable"),
        (b"\xfd7zXZ\x00 broken", "advisories-unreadable"),
        (b"\x00" * 600, "advisories-empty"),
    ],
)
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes, code: str) -> None:
    (tmp_path / "data").write_bytes(content)
    with pytest.raises(LocksetError) as refused:
        read(tmp_path / "data")
    assert refused.value.diagnostic.code == code


def test_a_cut_archive_is_refused(tmp_path: Path) -> None:
    files = {f"{number}.json": text(f"GHSA-{number}", details=os.urandom(500).hex()) for number in range(30)}
    for path in (zipped(tmp_path / "a.zip", dict(files)), tarred(tmp_path / "a.tar.gz", files)):
        path.write_bytes(path.read_bytes()[:-2000])
        with pytest.raises(LocksetError) as refused:
            read(path)
        assert refused.value.diagnostic.code == "advisories-unreadable"


def test_a_missing_or_empty_folder_is_refused(tmp_path: Path) -> None:
    for path, code in ((tmp_path / "none", "advisories-not-found"), (tmp_path, "advisories-empty")):
        with pytest.raises(LocksetError) as refused:
            read(path)
        assert refused.value.diagnostic.code == code


def test_without_pyyaml_json_is_read_and_yaml_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    (tmp_path / "one.json").write_text(text())
    assert ids(read(tmp_path)) == ["GHSA-1"]
    (tmp_path / "other.yaml").write_text("id: B\nmodified: 2026-01-01T00:00:00Z\nname: b\n")
    assert ids(read(tmp_path)) == ["GHSA-1"]  # it is about another package
    (tmp_path / "two.yaml").write_text("id: A\nmodified: 2026-01-01T00:00:00Z\nname: a\n")
    with pytest.raises(LocksetError) as refused:
        read(tmp_path)
    assert refused.value.diagnostic.hint == "Install `lockset[audit]`"
