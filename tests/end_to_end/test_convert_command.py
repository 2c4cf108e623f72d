"""`lockset convert` and `lockset export`, seen from outside."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest
import tomli

from support.local_index.mode import Mode

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command
    from support.local_index import LocalIndex


@pytest.fixture
def index(local_index: LocalIndex) -> LocalIndex:
    local_index.world.add("a", "1.0", sdist=True).add("a", "2.0").add("b", "1.0", requires_python=">=3.9")
    return local_index


def digest(index: LocalIndex, name: str, version: str = "1.0", *, ends: str = ".whl") -> str:
    files = [f.artifact for f in index.world.projects[name]]
    return next(f.sha256 for f in files if f.filename.endswith(ends) and f"-{version}" in f.filename)


def test_pins_are_completed_from_the_index(cli: Command, index: LocalIndex, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(f"a==1.0 --hash=sha256:{digest(index, 'a')}\n")
    done = cli.ok("convert", "requirements.txt", "-i", index.url, "--verify")
    assert "lost: 0" in done.stderr
    (package,) = tomli.loads((tmp_path / "pylock.toml").read_text())["packages"]
    (wheel,) = package["wheels"]
    assert (wheel["name"], wheel["hashes"]) == ("a-1.0-py3-none-any.whl", {"sha256": digest(index, "a")})
    assert wheel["url"].startswith("http://127.0.0.1")
    assert wheel["size"] > 0
    assert "upload-time" in wheel
    assert package["version"] == "1.0"
    assert "sdist" not in package
    cli.ok("validate", "pylock.toml", "--strict")


def test_what_was_converted_is_synced(cli: Command, index: LocalIndex, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("a==1.0\nb==1.0\n")
    cli.ok("convert", "requirements.txt", "-i", index.url)
    cli.ok("sync", "--target", tmp_path / "target")
    assert (tmp_path / "target" / "a-1.0.dist-info").is_dir()


def test_nothing_is_written_when_refused(cli: Command, index: LocalIndex, tmp_path: Path) -> None:
    target = tmp_path / "pylock.toml"
    target.write_text("old")
    (tmp_path / "requirements.txt").write_text(f"a==1.0 --hash=sha256:{'0' * 64}\n")
    message = cli.refused("convert", "requirements.txt", "-i", index.url)
    assert "requirements.txt:1" in message
    assert "a 1.0" in message
    (tmp_path / "open.txt").write_text("a>=1\n")
    assert "lockset lock open.txt" in cli.refused("convert", "open.txt", "-i", index.url)
    assert target.read_text() == "old"


def test_losses_are_reported_and_strict_refuses_them(cli: Command, index: LocalIndex, tmp_path: Path) -> None:
    text = f"a==1.0 --hash=sha256:{digest(index, 'a')} --hash=sha256:{'0' * 64}\n"
    (tmp_path / "requirements.txt").write_text(text)
    done = cli.ok("convert", "requirements.txt", "-i", index.url, "--json")
    assert "lost: a 1.0: 1 of 2 hashes" in done.stderr
    (loss,) = [one for one in done.json()["losses"] if not one["note"]]
    assert loss["hashes"] == [f"sha256:{'0' * 64}"]
    assert done.json()["proof"]["kept"] == 1
    assert "would be lost" in cli.refused(
        "convert", "requirements.txt", "-i", index.url, "--strict", "-o", "pylock.s.toml"
    )
    assert not (tmp_path / "pylock.s.toml").exists()


def test_offline_takes_what_the_file_gives_or_refuses(cli: Command, index: LocalIndex, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("a==1.0\n")
    assert "without `--offline`" in cli.refused("convert", "requirements.txt", "-i", index.url, "--offline")
    files = tmp_path / "files"
    files.mkdir()
    index.world.write_files(files)
    cli.ok("convert", "requirements.txt", "--offline", "--no-index", "-f", "files")
    (package,) = tomli.loads((tmp_path / "pylock.toml").read_text())["packages"]
    assert package["wheels"][0]["path"] == "files/a-1.0-py3-none-any.whl"


def test_an_index_without_hashes_is_read(cli: Command, index: LocalIndex, tmp_path: Path) -> None:
    index.mode = Mode(hashes=())
    (tmp_path / "requirements.txt").write_text("b==1.0\n")
    cli.ok("convert", "requirements.txt", "-i", index.url)
    (package,) = tomli.loads((tmp_path / "pylock.toml").read_text())["packages"]
    assert package["wheels"][0]["hashes"] == {"sha256": digest(index, "b")}


def test_requirements_come_by_stdin(cli: Command, index: LocalIndex, tmp_path: Path) -> None:
    done = cli.ok("convert", "-", "-o", "-", "-i", index.url, stdin="b==1.0\n")
    assert tomli.loads(done.stdout)["packages"][0]["name"] == "b"


def test_pylock_files_are_narrowed_and_merged(cli: Command, index: LocalIndex, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("a==1.0\nb==1.0 ; sys_platform == 'win32'\n")
    cli.ok("convert", "requirements.txt", "-i", index.url)
    for platform in ("linux", "windows", "macos"):
        cli.ok("convert", "pylock.toml", "--platform", platform, "-o", f"pylock.{platform}.toml")
    cli.ok("convert", "pylock.linux.toml", "pylock.windows.toml", "-o", "pylock.both.toml")
    data = tomli.loads((tmp_path / "pylock.both.toml").read_text())
    assert [(p["name"], p.get("marker")) for p in data["packages"]] == [("a", None), ("b", 'sys_platform == "win32"')]
    assert "is only for pylock files" in cli.refused("convert", "requirements.txt", "--settle", code=2)


def test_exports_are_written(cli: Command, index: LocalIndex, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("a==1.0\nb==1.0 ; sys_platform == 'win32'\n")
    cli.ok("convert", "requirements.txt", "-i", index.url)
    text = cli.ok("export").stdout
    assert "b==1.0 ; sys_platform == 'win32' \\" in text
    assert f"--hash=sha256:{digest(index, 'b')}" in text
    cli.ok("export", "--format", "constraints", "-o", "constraints.txt")
    assert "a==1.0\n" in (tmp_path / "constraints.txt").read_text()
    pytest.importorskip("cyclonedx")
    assert json.loads(cli.ok("export", "--format", "cyclonedx").stdout)["specVersion"] == "1.6"
    assert "nobody" in cli.refused("export", "--extra", "nobody")


def test_the_library_converts_and_exports(index: LocalIndex, tmp_path: Path) -> None:
    import lockset

    path = tmp_path / "requirements.txt"
    path.write_text("b==1.0\n")
    done = lockset.convert(path, output=tmp_path / "pylock.toml", indexes=lockset.IndexOptions(index_url=index.url))
    (tmp_path / "pylock.toml").write_text(done.text)
    assert "b==1.0" in lockset.export(tmp_path / "pylock.toml").text
    assert callable(lockset.convert)


def test_missing_sizes_are_requested_from_the_server(cli: Command, index: LocalIndex, tmp_path: Path) -> None:
    index.mode = Mode(json=False, sizes=False)
    (tmp_path / "requirements.txt").write_text("b==1.0\n")
    for options, file in ((), "pylock.toml"), (("--sizes",), "pylock.sized.toml"):
        cli.ok("convert", "requirements.txt", "-i", index.url, "-o", file, *options)
    cli.ok("convert", "pylock.toml", "--fill", "-i", index.url, "-o", "pylock.filled.toml")

    def size(name: str) -> int | None:
        result: int | None = tomli.loads((tmp_path / name).read_text())["packages"][0]["wheels"][0].get("size")
        return result

    assert size("pylock.toml") is None
    assert size("pylock.sized.toml") == size("pylock.filled.toml") == index.world.projects["b"][0].artifact.size


def test_a_branch_is_looked_up_in_its_repository(cli: Command, index: LocalIndex, tmp_path: Path) -> None:
    git = ("git", "-C", str(tmp_path / "repo"), "-c", "user.name=a", "-c", "user.email=a@example.org")
    (tmp_path / "repo").mkdir()
    for args in (
        ("init", "-q", "-b", "main"),
        ("commit", "-q", "--allow-empty", "-m", "x"),
        ("tag", "-a", "v1", "-m", "v1"),
    ):
        subprocess.run([*git, *args], check=True, capture_output=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    url = (tmp_path / "repo").as_uri()
    for revision in ("@main", "@v1", ""):
        (tmp_path / "requirements.txt").write_text(f"r @ git+{url}{revision}\n")
        cli.ok("convert", "requirements.txt", "-i", index.url)
        vcs = tomli.loads((tmp_path / "pylock.toml").read_text())["packages"][0]["vcs"]
        assert vcs["commit-id"] == commit
        assert vcs.get("requested-revision") == (revision[1:] or None)
    (tmp_path / "requirements.txt").write_text(f"r @ git+{url}@nobody\n")
    assert "nobody" in cli.refused("convert", "requirements.txt", "-i", index.url)
