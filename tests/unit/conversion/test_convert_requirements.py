"""Requirements files of pins become lock files with exactly what was pinned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lockset.composition.conversions.conversion import Conversion, ConvertOptions
from lockset.composition.conversions.foreign_input import read_input
from lockset.conversion.model.formats import Format, recognize
from lockset.errors import LocksetError
from support.fakes.fake_conversion import FILES, FakeRemote, convert_text, sha, wheel_file

if TYPE_CHECKING:
    from pathlib import Path

    from support.builders.pages import PageFile

IDNA = [
    wheel_file("idna", "3.10", mark="w"),
    wheel_file("idna", "3.10", tags="cp312-cp312-win_amd64", mark="x"),
    wheel_file("idna", "3.10", filename="idna-3.10.tar.gz", url=f"{FILES}/idna-3.10.tar.gz", mark="s", size=7),
    wheel_file("idna", "3.11", mark="other"),
]


def hashed(mark: str) -> str:
    return f"--hash=sha256:{sha(mark)}"


def entries(done: Conversion) -> list[tuple[str, str, str | None]]:
    return [(p.name, str(p.version), str(p.marker) if p.marker else None) for p in done.lock.packages]


def kinds(done: Conversion) -> set[str]:
    return {loss.kind for loss in done.losses}


def refused(folder: Path, text: str, *, name: str = "requirements.txt", **options: object) -> LocksetError:
    with pytest.raises(LocksetError) as caught:
        convert_text(folder, name, text, **options)  # type: ignore[arg-type]
    return caught.value


def test_only_files_whose_hashes_are_listed_are_locked(tmp_path: Path) -> None:
    done = convert_text(
        tmp_path, "requirements.txt", f"idna==3.10 {hashed('w')} {hashed('s')}", projects={"idna": IDNA}
    )
    (package,) = done.lock.packages
    assert [wheel.name for wheel in package.wheels or ()] == ["idna-3.10-py3-none-any.whl"]
    assert package.sdist is not None
    assert (package.sdist.url, package.sdist.hashes) == (f"{FILES}/idna-3.10.tar.gz", {"sha256": sha("s")})
    assert (done.proof.hashes, done.proof.kept, done.proof.lost) == (2, 2, 0)


def test_a_pin_without_a_match_is_an_error(tmp_path: Path) -> None:
    error = refused(tmp_path, f"idna==3.10 {hashed('gone')}", projects={"idna": IDNA})
    assert error.diagnostic.code == "no-hash-matches"
    assert "idna 3.10" in error.diagnostic.message
    assert error.diagnostic.location == "requirements.txt:1" or str(tmp_path) in (error.diagnostic.location or "")


def test_a_hash_of_another_release_does_not_match(tmp_path: Path) -> None:
    assert (
        refused(tmp_path, f"idna==3.10 {hashed('other')}", projects={"idna": IDNA}).diagnostic.code == "no-hash-matches"
    )


def test_one_hash_without_a_file_is_a_loss_that_strict_refuses(tmp_path: Path) -> None:
    text = f"idna==3.10 {hashed('w')} {hashed('gone')}"
    done = convert_text(tmp_path, "requirements.txt", text, projects={"idna": IDNA})
    (loss,) = [loss for loss in done.losses if loss.kind == "hash-unmatched"]
    assert loss.hashes == (f"sha256:{sha('gone')}",)
    assert refused(tmp_path, text, projects={"idna": IDNA}, strict=True).diagnostic.code == "lossy"


def test_pins_without_hashes_lock_every_file_of_the_release(tmp_path: Path) -> None:
    done = convert_text(tmp_path, "requirements.txt", "idna==3.10", projects={"idna": IDNA})
    assert len(done.lock.packages[0].wheels or ()) == 2
    assert "trusted-on-first-use" in kinds(done)
    only_wheels = convert_text(
        tmp_path, "requirements.txt", "idna==3.10", projects={"idna": IDNA}, options=ConvertOptions(files="wheels")
    )
    assert only_wheels.lock.packages[0].sdist is None


def test_binary_options_select_files(tmp_path: Path) -> None:
    text = "--no-binary idna\nidna==3.10"
    done = convert_text(tmp_path, "requirements.txt", text, projects={"idna": IDNA})
    assert done.lock.packages[0].wheels is None


def test_a_stronger_hash_than_the_index_has_is_computed_from_the_file(tmp_path: Path) -> None:
    strong = "5" * 128
    remote = FakeRemote(
        hashes={
            "idna-3.10-py3-none-any.whl": {"sha256": sha("w"), "sha512": strong},
            "idna-3.10-cp312-cp312-win_amd64.whl": {"sha256": sha("x"), "sha512": "6" * 128},
            "idna-3.10.tar.gz": {"sha256": sha("s"), "sha512": "7" * 128},
        }
    )
    text = f"idna==3.10 --hash=sha512:{strong}"
    done = convert_text(tmp_path, "requirements.txt", text, projects={"idna": IDNA}, remote=remote)
    (wheel,) = done.lock.packages[0].wheels or ()
    assert wheel.hashes == {"sha256": sha("w"), "sha512": strong}


def test_pins_under_markers_are_forks(tmp_path: Path) -> None:
    text = "a==1 ; python_version < '3.11'\na==2 ; python_version >= '3.11'\n"
    assert entries(convert_text(tmp_path, "requirements.txt", text)) == [
        ("a", "1", 'python_version < "3.11"'),
        ("a", "2", 'python_version >= "3.11"'),
    ]


def test_pins_that_contradict_each_other_name_one_environment(tmp_path: Path) -> None:
    error = refused(tmp_path, "a==1 ; python_version < '3.12'\na==2 ; python_version >= '3.11'\n").diagnostic
    assert error.code == "pins-overlap"
    assert "3.11" in error.context[0]


def test_an_unpinned_requirement_is_refused_with_the_command_that_locks_it(tmp_path: Path) -> None:
    for text in ("a>=1", "a", "a==1.*", "a==1\nb~=2.0"):
        error = refused(tmp_path, text).diagnostic
        assert error.code == "not-pinned", text
        assert "lockset lock" in (error.hint or "")


def test_constraints_pin_unpinned_requirements(tmp_path: Path) -> None:
    (tmp_path / "c.txt").write_text("a==1\nunused==9\n")
    assert entries(convert_text(tmp_path, "requirements.txt", "-c c.txt\na")) == [("a", "1", None)]


def test_via_comments_become_dependencies(tmp_path: Path) -> None:
    text = "a==1\n    # via -r in.txt\nb==2\n    # via\n    #   a\n    #   c\nc==3  # via a\n"
    done = convert_text(tmp_path, "requirements.txt", text)
    results = {p.name: [d["name"] for d in p.dependencies or ()] for p in done.lock.packages}
    assert results == {"a": ["b", "c"], "b": [], "c": ["b"]}


def test_partly_annotated_files_have_no_dependencies(tmp_path: Path) -> None:
    done = convert_text(tmp_path, "requirements.txt", "a==1\nb==2\n    # via a\n")
    assert all(p.dependencies is None for p in done.lock.packages)
    assert "via-incomplete" in kinds(done)


def test_a_file_with_hashes_on_some_pins_is_refused(tmp_path: Path) -> None:
    text = f"idna==3.10 {hashed('w')}\nother==1"
    assert refused(tmp_path, text).diagnostic.code == "hashes-mixed"


def test_a_marker_for_an_extra_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, "a==1 ; extra == 'x'").diagnostic.code == "marker-extra"


def test_a_pin_that_applies_nowhere_is_left_out_and_named(tmp_path: Path) -> None:
    text = f"idna==3.10 {hashed('w')}\nold==1 ; python_version < '3.9' {hashed('o')}"
    options = ConvertOptions(python=">=3.10")
    done = convert_text(tmp_path, "requirements.txt", text, options=options)
    assert entries(done) == [("idna", "3.10", None)]
    assert done.proof.lost == 1


def test_trees_archives_and_repositories(tmp_path: Path) -> None:
    (tmp_path / "proj").mkdir()
    (tmp_path / "proj" / "pyproject.toml").write_text('[project]\nname = "proj"\nversion = "1"\n')
    commit = "c" * 40
    text = (
        "-e ./proj\n"
        f"arch @ {FILES}/arch-2.0.tar.gz#sha256={sha('arch')}\n"
        f"repo @ git+https://{'git.example.org'}/repo@{commit}#subdirectory=sub\n"
        "tagged @ git+https://git.example.org/tagged@v1\n"
    )
    remote = FakeRemote(commits={("https://git.example.org/tagged", "v1"): "d" * 40})
    done = convert_text(tmp_path, "requirements.txt", text, remote=remote)
    by_name = {str(p.name): p for p in done.lock.packages}
    assert by_name["proj"].directory is not None
    assert (by_name["proj"].directory.path, by_name["proj"].directory.editable) == ("proj", True)
    assert by_name["arch"].archive is not None
    assert by_name["arch"].archive.hashes == {"sha256": sha("arch")}
    assert str(by_name["arch"].version) == "2.0"
    assert by_name["repo"].vcs is not None
    assert (by_name["repo"].vcs.commit_id, by_name["repo"].vcs.subdirectory) == (commit, "sub")
    assert by_name["tagged"].vcs is not None
    assert (by_name["tagged"].vcs.commit_id, by_name["tagged"].vcs.requested_revision) == ("d" * 40, "v1")


def test_offline_refuses_files_that_need_the_network(tmp_path: Path) -> None:
    error = refused(tmp_path, f"arch @ {FILES}/arch-2.0.tar.gz").diagnostic
    assert error.code == "offline"
    assert "--offline" in (error.hint or "")


def test_build_settings_and_credentials_are_named(tmp_path: Path) -> None:
    text = "--index-url https://user:secret@index.example.org/simple\na==1 --config-settings k=v"
    done = convert_text(tmp_path, "requirements.txt", text)
    assert {"config-settings", "credentials-dropped"} <= kinds(done)
    assert "secret" not in done.text
    assert done.lock.packages[0].tool == {"lockset": {"config-settings": {"k": "v"}}}


def test_requires_python_of_a_release_is_written_only_where_it_cannot_cause_a_failure(tmp_path: Path) -> None:
    files: dict[str, list[PageFile]] = {"a": [wheel_file("a", "1", requires_python=">=3.10")]}
    wide = convert_text(tmp_path, "requirements.txt", "a==1", projects=files)
    assert wide.lock.packages[0].requires_python is None
    fitting = convert_text(
        tmp_path, "requirements.txt", "a==1", projects=files, options=ConvertOptions(python=">=3.11")
    )
    assert str(fitting.lock.packages[0].requires_python) == ">=3.10"
    assert str(fitting.lock.requires_python) == ">=3.11"


BAD = {
    "merge-conflict": "a==1\n<<<<<<< HEAD\nb==1\n=======\nb==2\n>>>>>>> main\n",
    "hash-malformed": f"a==1 --hash=sha999:{'a' * 64}\n",
    "variable-unset": "a @ https://${NOBODY_SETS_THIS}@files.example.org/a-1.tar.gz\n",
    "unknown-format": "",
    "nothing-pinned": "# nothing\n",
    "version-invalid": "a===one\n",
    "include-climbs": "-r ../../../../../../../../etc/hostname\n",
    "requirements-cycle": "-r requirements.txt\n",
    "source-missing": "-r not-there.txt\n",
    "release-missing": "idna==9.9\n",
    "project-not-found": "nobody==1\n",
}


@pytest.mark.parametrize("code", BAD)
def test_bad_input_is_one_clear_error(tmp_path: Path, code: str) -> None:
    error = refused(tmp_path, BAD[code], projects={"idna": IDNA})
    assert error.diagnostic.code == code
    assert "\n" not in error.diagnostic.message


def test_conflict_markers_are_reported_with_their_lines(tmp_path: Path) -> None:
    assert "lines 2, 4, 6" in refused(tmp_path, BAD["merge-conflict"]).diagnostic.message


def test_files_named_like_another_format_are_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, "a==1\n", name="pylock.toml").diagnostic.code == "format-misnamed"
    assert refused(tmp_path, "version = 1\n\n[[package]]\nname = 'a'\n").diagnostic.code == "format-misnamed"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_format_is_known_whatever_ends_a_line(end: str) -> None:
    text = end.join(["version = 1", "", "[[package]]", "name = 'a'", ""])
    assert recognize(text, name="any", location="any") is Format.UV


def test_equal_input_gives_equal_bytes(tmp_path: Path) -> None:
    text = "b==1\na==2\nc==3 ; sys_platform == 'win32'\n"
    assert (
        convert_text(tmp_path, "requirements.txt", text).text == convert_text(tmp_path, "requirements.txt", text).text
    )


def test_unpinned_dependencies_of_the_pins_are_named(tmp_path: Path) -> None:
    needs = {
        "a": ["b>=1", "c ; sys_platform == 'win32'", "d ; extra == 'x'", "e ; extra == 'y'", "f ; python_version < '3'"]
    }
    done = convert_text(
        tmp_path,
        "requirements.txt",
        "a[x]==1\nb==1",
        remote=FakeRemote(needs=needs),
        options=ConvertOptions(python=">=3.10"),
    )
    (loss,) = [loss for loss in done.losses if loss.kind == "needs-missing"]
    assert "c (for a 1), d (for a 1);" in loss.message
    compiled = "# This file is autogenerated by pip-compile\na[x]==1\n    # via x\nb==1\n    # via a\n"
    assert "needs-missing" not in kinds(
        convert_text(tmp_path, "requirements.txt", compiled, remote=FakeRemote(needs=needs))
    )


def test_a_pin_that_a_constraint_excludes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "c.txt").write_text("a==2 ; sys_platform == 'win32'\n")
    assert refused(tmp_path, "-c c.txt\na==1").diagnostic.code == "pin-contradicts"
    done = convert_text(tmp_path, "requirements.txt", "-c c.txt\na==1 ; sys_platform != 'win32'")
    assert entries(done) == [("a", "1", 'sys_platform != "win32"')]


@pytest.mark.parametrize("text", ["a==1\n--hash=sha256:{0}\n", "a==1 \\\n# why\n  --hash=sha256:{0}\n"])
def test_a_hash_that_belongs_to_no_requirement_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(LocksetError) as caught:
        convert_text(tmp_path, "requirements.txt", text.format(sha("a")))
    assert caught.value.diagnostic.code == "hash-without-requirement"


def test_require_hashes_refuses_a_pin_without_a_hash(tmp_path: Path) -> None:
    with pytest.raises(LocksetError) as caught:
        convert_text(tmp_path, "requirements.txt", "--require-hashes\na==1\n")
    assert caught.value.diagnostic.code == "hashes-mixed"


@pytest.mark.parametrize("mark", [b"# caf\xe9\n", b"caf\xe9==1\n"])
def test_invalid_utf_8_is_refused_with_its_line(tmp_path: Path, mark: bytes) -> None:
    path = tmp_path / "requirements.txt"
    path.write_bytes(b"a==1\n" + mark)
    with pytest.raises(LocksetError) as caught:
        read_input(path, ConvertOptions(), environ={})
    assert caught.value.diagnostic.code == "encoding"
    assert str(caught.value.diagnostic.location).endswith(":2")


def test_options_for_a_project_take_precedence_over_all(tmp_path: Path) -> None:
    text = "--no-binary :all:\n--only-binary idna\nidna==3.10\n"
    (package,) = convert_text(tmp_path, "requirements.txt", text, projects={"idna": IDNA}).lock.packages
    assert package.sdist is None
    assert package.wheels


@pytest.mark.parametrize(
    ("bounds", "option"),
    [
        ((">=3.9", ">=3.10"), "`--python '>=3.10'`"),
        ((">=3.9", ">=3.9,<3.12"), "a narrower `--python`"),
    ],
)
def test_a_note_names_the_pythons_with_which_requires_python_is_kept(
    tmp_path: Path, bounds: tuple[str, str], option: str
) -> None:
    projects = {
        name: [wheel_file(name, "1.0", mark=name, requires_python=bound)]
        for name, bound in zip("ab", bounds, strict=True)
    }
    text = "".join(f"{name}==1.0 {hashed(name)}\n" for name in "ab")
    done = convert_text(tmp_path, "requirements.txt", text, projects=projects)
    (note,) = [loss.message for loss in done.losses if loss.kind == "requires-python-left-out"]
    assert note == (
        "The input allows Pythons that a 1.0 and b 1.0 do not support, so the lock file omits their requires-python "
        f"({option} keeps it)"
    )
    if option.startswith("`"):
        kept = convert_text(
            tmp_path, "requirements.txt", text, projects=projects, options=ConvertOptions(python=">=3.10")
        )
        assert [str(package.requires_python) for package in kept.lock.packages] == list(bounds)


def test_a_yanked_release_is_named_once_with_its_reason(tmp_path: Path) -> None:
    files = [
        wheel_file("a", "1.0", mark="w", yanked="broken"),
        wheel_file("a", "1.0", tags="cp312-cp312-win_amd64", mark="x", yanked="broken"),
    ]
    done = convert_text(tmp_path, "requirements.txt", "a==1.0", projects={"a": files})
    assert [loss.message for loss in done.losses if loss.kind == "yanked"] == ["a 1.0 is yanked (broken)"]
    files.append(wheel_file("a", "1.0", tags="cp313-cp313-win_amd64", mark="y"))
    done = convert_text(tmp_path, "requirements.txt", "a==1.0", projects={"a": files})
    (note,) = [loss.message for loss in done.losses if loss.kind == "yanked"]
    assert note == "A part of a 1.0 (a-1.0-py3-none-any.whl, a-1.0-cp312-cp312-win_amd64.whl) is yanked (broken)"
