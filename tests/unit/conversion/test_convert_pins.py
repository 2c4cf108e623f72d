"""Pins that admit more than one version or hash: what installers take is what is locked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from lockset.composition.conversions.conversion import Conversion, ConvertOptions
from lockset.errors import LocksetError
from support.fakes.fake_conversion import FILES, FakeRemote, convert_text, sha, wheel_file

if TYPE_CHECKING:
    from pathlib import Path

LINUX = "cp312-cp312-manylinux_2_28_x86_64"
MACOS = "cp312-cp312-macosx_11_0_arm64"
TORCH = [
    wheel_file("torch", "2.6.0+cpu", tags=LINUX, mark="cpu"),
    wheel_file("torch", "2.6.0+cpu", tags="cp312-cp312-win_amd64", mark="win"),
]
APART = [*TORCH, wheel_file("torch", "2.6.0", tags=MACOS, mark="mac")]
ANYWHERE = [wheel_file("torch", "2.6.0+cpu", mark="cpu"), wheel_file("torch", "2.6.0", mark="plain")]
ARCHIVE = f"{FILES}/hull-1.0.zip"


def hashed(*marks: str, algorithm: str = "sha256") -> str:
    return " ".join(f"--hash={algorithm}:{sha(mark) * (2 if algorithm == 'sha512' else 1)}" for mark in marks)


def entries(done: Conversion) -> list[tuple[str, str | None, list[str]]]:
    return [
        (str(p.version), str(p.marker) if p.marker else None, [w.name or "" for w in p.wheels or ()])
        for p in done.lock.packages
    ]


def refused(folder: Path, text: str, **options: object) -> LocksetError:
    with pytest.raises(LocksetError) as caught:
        convert_text(folder, "requirements.txt", text, **options)  # type: ignore[arg-type]
    assert "report it" not in (caught.value.diagnostic.hint or "")
    return caught.value


def pipfile(**packages: object) -> str:
    return json.dumps({"_meta": {"pipfile-spec": 6, "sources": []}, "default": packages})


@pytest.mark.parametrize("text", ["torch==2.6.0", "torch==2.6", f"torch==2.6.0 {hashed('cpu', 'win')}"])
def test_a_pin_uses_the_local_version_on_the_index(tmp_path: Path, text: str) -> None:
    done = convert_text(tmp_path, "requirements.txt", text, projects={"torch": TORCH})
    ((version, marker, wheels),) = entries(done)
    assert (version, marker, len(wheels)) == ("2.6.0+cpu", None, 2)


def test_a_pin_of_pipfile_lock_uses_the_local_version_on_the_index(tmp_path: Path) -> None:
    entry = {"version": "==2.6.0", "hashes": [f"sha256:{sha('cpu')}", f"sha256:{sha('win')}"]}
    done = convert_text(tmp_path, "Pipfile.lock", pipfile(torch=entry), projects={"torch": TORCH})
    assert [version for version, _, _ in entries(done)] == ["2.6.0+cpu"]


def test_a_local_version_is_used_where_it_has_a_file_and_the_plain_one_elsewhere(tmp_path: Path) -> None:
    for text in ("torch==2.6.0", f"torch==2.6.0 {hashed('cpu', 'win', 'mac')}"):
        done = convert_text(tmp_path, "requirements.txt", text, projects={"torch": APART})
        (plain, markers, wheels), (local, others, _) = entries(done)
        assert (plain, wheels) == ("2.6.0", [f"torch-2.6.0-{MACOS}.whl"])
        assert local == "2.6.0+cpu"
        assert "linux" in (others or "")
        assert markers is not None


def test_the_newest_local_version_wins_where_both_have_files(tmp_path: Path) -> None:
    done = convert_text(tmp_path, "requirements.txt", "torch==2.6.0", projects={"torch": ANYWHERE})
    assert [version for version, _, _ in entries(done)] == ["2.6.0+cpu"]


def test_hashes_decide_between_local_versions(tmp_path: Path) -> None:
    text = f"torch==2.6.0 {hashed('plain')}"
    done = convert_text(tmp_path, "requirements.txt", text, projects={"torch": ANYWHERE})
    assert [version for version, _, _ in entries(done)] == ["2.6.0"]


@pytest.mark.parametrize("pin", ["===2.6.0", "==2.6.0,!=2.6.0+cpu"])
def test_a_pin_that_excludes_the_local_version_does_not_use_it(tmp_path: Path, pin: str) -> None:
    done = convert_text(tmp_path, "requirements.txt", f"torch{pin}", projects={"torch": ANYWHERE})
    assert [version for version, _, _ in entries(done)] == ["2.6.0"]
    assert refused(tmp_path, f"torch{pin}", projects={"torch": TORCH}).diagnostic.code == "release-missing"


def test_a_pin_of_a_local_version_admits_no_other(tmp_path: Path) -> None:
    assert refused(tmp_path, "torch==2.6.0+cu124", projects={"torch": APART}).diagnostic.code == "release-missing"


@pytest.mark.parametrize("second", ["torch==2.6.0+cpu", "-c constraints.txt"])
def test_a_local_version_narrows_a_pin_that_admits_it(tmp_path: Path, second: str) -> None:
    (tmp_path / "constraints.txt").write_text("torch==2.6.0+cpu\n")
    projects = {"torch": [*ANYWHERE, wheel_file("torch", "2.6.0+cu124", mark="gpu")]}
    done = convert_text(tmp_path, "requirements.txt", f"torch==2.6.0\n{second}\n", projects=projects)
    assert [version for version, _, _ in entries(done)] == ["2.6.0+cpu"]


def test_a_local_version_narrows_a_pin_where_its_marker_holds(tmp_path: Path) -> None:
    text = "torch==2.6.0 ; python_version >= '3.10'\ntorch==2.6.0+cpu ; sys_platform == 'linux'\n"
    projects = {"torch": [*ANYWHERE, wheel_file("torch", "2.6.0+cu124", mark="gpu")]}
    done = convert_text(tmp_path, "requirements.txt", text, projects=projects)
    markers = {version: marker for version, marker, _ in entries(done)}
    assert markers["2.6.0+cu124"] == 'python_version >= "3.10" and sys_platform != "linux"'
    assert set(markers) == {"2.6.0+cpu", "2.6.0+cu124"}


def test_a_constraint_that_excludes_an_open_requirement_is_refused(tmp_path: Path) -> None:
    (tmp_path / "constraints.txt").write_text("torch==2.6.0\n")
    assert refused(tmp_path, "torch>=3\n-c constraints.txt\n").diagnostic.code == "pin-contradicts"


def test_of_two_hashes_of_one_algorithm_the_one_that_matches_the_archive_is_kept(tmp_path: Path) -> None:
    remote = FakeRemote(hashes={ARCHIVE: {"sha256": sha("right")}})
    text = f"hull @ {ARCHIVE} {hashed('wrong', 'right')}"
    done = convert_text(tmp_path, "requirements.txt", text, remote=remote)
    archive = done.lock.packages[0].archive
    assert archive is not None
    assert archive.hashes == {"sha256": sha("right")}
    assert [loss.hashes for loss in done.losses if loss.kind == "hash-unmatched"] == [(f"sha256:{sha('wrong')}",)]
    assert refused(tmp_path, text).diagnostic.code == "offline"
    text = f"hull @ {ARCHIVE} {hashed('wrong', 'other')}"
    assert refused(tmp_path, text, remote=remote).diagnostic.code == "no-hash-matches"


def test_a_hash_in_the_url_is_another_hash_that_the_archive_may_match(tmp_path: Path) -> None:
    remote = FakeRemote(hashes={ARCHIVE: {"sha256": sha("right")}})
    for one, other in (("right", "wrong"), ("wrong", "right")):
        text = f"hull @ {ARCHIVE}#sha256={sha(one)} {hashed(other)}"
        archive = convert_text(tmp_path, "requirements.txt", text, remote=remote).lock.packages[0].archive
        assert archive is not None
        assert archive.hashes == {"sha256": sha("right")}


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        (hashed("a"), hashed("a", algorithm="sha512"), {"sha256": sha("a"), "sha512": sha("a") * 2}),
        (hashed("a", "b"), hashed("a"), {"sha256": sha("a")}),
        (hashed("a"), "", {"sha256": sha("a")}),
    ],
)
def test_an_archive_on_two_lines_matches_a_hash_of_each(
    tmp_path: Path, first: str, second: str, kept: dict[str, str]
) -> None:
    for lines in ((first, second), (second, first)):
        text = "\n".join(f"hull @ {ARCHIVE} {line}" for line in lines)
        archive = convert_text(tmp_path, "requirements.txt", text).lock.packages[0].archive
        assert archive is not None
        assert archive.hashes == kept


def test_two_lines_that_give_an_archive_different_hashes_are_refused(tmp_path: Path) -> None:
    text = f"hull @ {ARCHIVE} {hashed('a')}\nhull @ {ARCHIVE} {hashed('b')}\n"
    assert refused(tmp_path, text).diagnostic.code == "hashes-contradict"


@pytest.mark.parametrize("where", ["git+https://example.org/hull.git@" + "a" * 40, "file:./hull"])
def test_a_hash_on_a_source_tree_is_refused(tmp_path: Path, where: str) -> None:
    (tmp_path / "hull").mkdir()
    assert refused(tmp_path, f"hull @ {where} {hashed('a')}").diagnostic.code == "tree-hashed"


def test_two_commits_of_one_repository_are_two_pins(tmp_path: Path) -> None:
    one, other = (f"hull @ git+https://example.org/hull.git@{digit * 40}" for digit in "ab")
    error = refused(tmp_path, f"{one}\n{other}\n").diagnostic
    assert error.code == "pins-overlap"
    assert "a" * 40 in error.message
    done = convert_text(
        tmp_path, "requirements.txt", f"{one} ; os_name == 'nt'\n{other} ; os_name != 'nt'\n", projects={}
    )
    assert sorted(p.vcs.commit_id for p in done.lock.packages if p.vcs) == ["a" * 40, "b" * 40]


def test_a_repeated_pin_keeps_the_files_that_both_lines_admit(tmp_path: Path) -> None:
    wheels = [wheel_file("hull", "1.0", tags=f"cp3{n}-cp3{n}-win_amd64", mark=str(n)) for n in (11, 12, 13)]
    text = f"hull==1.0 {hashed('11', '12')}\nhull==1.0 {hashed('12', '13')}\n"
    done = convert_text(tmp_path, "requirements.txt", text, projects={"hull": wheels})
    assert [names for _, _, names in entries(done)] == [["hull-1.0-cp312-cp312-win_amd64.whl"]]
    text = f"hull==1.0 {hashed('11')}\nhull==1.0 {hashed('12')}\n"
    error = refused(tmp_path, text, projects={"hull": wheels}).diagnostic
    assert (error.code, "other hashes" in error.message) == ("pins-overlap", True)


def test_pins_of_one_release_with_and_without_hashes_are_accepted(tmp_path: Path) -> None:
    wheels = [wheel_file("hull", "1.0", tags=tag, mark=tag) for tag in ("cp312-cp312-win_amd64", LINUX)]
    text = f"hull==1.0 {hashed(LINUX)} ; os_name != 'nt'\nhull==1.0 ; os_name == 'nt'\n".replace(
        f"{hashed(LINUX)} ; os_name != 'nt'", f"; os_name != 'nt' {hashed(LINUX)}"
    )
    done = convert_text(
        tmp_path, "requirements.txt", text, projects={"hull": wheels}, options=ConvertOptions(files="all")
    )
    assert sorted(len(names) for _, _, names in entries(done)) == [1, 2]


def test_a_page_without_links_to_files_is_reported(tmp_path: Path) -> None:
    error = refused(tmp_path, "hull==1.0", projects={"hull": []}).diagnostic
    assert error.code == "index-page-empty"
    assert "no links to wheels or sdists" in error.message


def test_hashes_that_the_index_no_longer_lists_are_reported(tmp_path: Path) -> None:
    text = f"torch==2.6.0 {hashed('plain', 'gone')}"
    done = convert_text(tmp_path, "requirements.txt", text, projects={"torch": ANYWHERE})
    (loss,) = [loss for loss in done.losses if loss.kind == "hash-unmatched"]
    assert "match no file on the index" in loss.message


def test_the_hint_does_not_ask_pipenv_to_write_the_same_file_again(tmp_path: Path) -> None:
    text = pipfile(torch={"version": "==2.6.0"})
    with pytest.raises(LocksetError) as caught:
        convert_text(tmp_path, "Pipfile.lock", text)
    assert "--files all" in (caught.value.diagnostic.hint or "")
    options = ConvertOptions(files="all")
    done = convert_text(tmp_path, "Pipfile.lock", text, projects={"torch": ANYWHERE}, options=options)
    assert [version for version, _, _ in entries(done)] == ["2.6.0+cpu"]


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://git.example.org/crew/hull/archive/refs/tags/3.0.2.tar.gz", "hull"),
        ("https://git.example.org/crew/hull/archive/v3.0.2.zip", "hull"),
        ("https://git.example.org/crew/hull/archive/" + "a" * 40 + ".tar.gz", "hull"),
        ("git+https://git.example.org/crew/hull.git@main", "hull"),
        ("https://git.example.org/crew/hull/tags/3.0.2.tar.gz", "hull"),
        ("https://git.example.org/crew/hull/archive/main.zip", "hull"),
        ("https://git.example.org/crew/hull/releases/download/2024.1", "hull"),
        ("https://git.example.org/1.0.zip", "NAME"),
    ],
)
def test_the_suggested_name_for_a_url_is_not_a_version(tmp_path: Path, url: str, name: str) -> None:
    hint = refused(tmp_path, url).diagnostic.hint or ""
    assert f"`{name} @ {url}`" in hint


@pytest.mark.parametrize(
    "line",
    [
        "hull @ {url}#md5={md5} --hash=sha256:{sha}",
        "hull @ {url}#md5={md5}&sha256={sha}",
        "hull @ {url}#sha256={sha}&md5={md5}",
        "hull @ {url}#SHA1={md5}&egg=hull&sha256={sha}",
        "{url}#md5={md5}&egg=hull --hash=sha256:{sha}",
    ],
)
def test_a_weak_hash_next_to_a_strong_one_is_dropped(tmp_path: Path, line: str) -> None:
    url = "https://files.example.org/hull-1.0-py3-none-any.whl"
    done = convert_text(tmp_path, "requirements.txt", line.format(url=url, md5="d" * 32, sha="a" * 64) + "\n")
    [package] = done.lock.packages
    assert package.archive is not None
    assert dict(package.archive.hashes) == {"sha256": "a" * 64}
