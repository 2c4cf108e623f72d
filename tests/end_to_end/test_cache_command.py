"""`lockset cache`: what it shows, removes and refuses."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.builders import make_wheel
from support.builders.locks import write_lock
from support.output_schema import check_output

if TYPE_CHECKING:
    from support.command import Command
    from support.local_index import LocalIndex
    from support.venvs import VenvMaker

DAY = 24 * 60 * 60


@pytest.fixture
def cache(cli: Command, local_index: LocalIndex, tmp_path: Path) -> Path:
    """A cache after a lock and a sync by copies of two packages, `aa` and `bb`."""
    local_index.world.add("aa", "1.0").add("bb", "1.0")
    (tmp_path / "requirements.in").write_text("aa\nbb\n")
    cli.ok("lock", "requirements.in", "-i", local_index.url, "--python", ">=3.10")
    cli.ok("sync", "--target", "site", "--link-mode", "copy")
    return Path(cli.ok("cache", "dir").stdout.strip())


def make_old(cache: Path, days: int) -> None:
    then = time.time() - days * DAY
    for above, folders, files in os.walk(cache):
        for name in (*folders, *files):
            os.utime(Path(above, name), (then, then), follow_symlinks=False)


def number(cli: Command) -> int:
    return int(check_output(cli.ok("cache", "size", "--json").stdout, "cache-size")["entries"])


def test_the_folder_is_that_of_the_variable_and_the_option(cli: Command, tmp_path: Path) -> None:
    assert cli.ok("cache", "dir").stdout == os.environ["LOCKSET_CACHE_DIR"] + "\n"
    assert cli.ok("cache", "dir", "--cache-dir", tmp_path / "c").stdout == f"{tmp_path / 'c'}\n"


def test_the_size_is_the_sum_of_all_files(cli: Command, cache: Path) -> None:
    sizes = check_output(cli.ok("cache", "size", "--json").stdout, "cache-size")
    files = [path for path in cache.rglob("*") if path.is_file() and path.name != ".lock"]
    assert sizes["bytes"] == sum(path.stat().st_size for path in files)
    assert sizes["kinds"]["wheels"]["entries"] == 2
    assert sizes["kinds"]["pages"]["entries"] == 2
    shown = cli.ok("cache", "size").stdout.splitlines()
    assert shown[0].split() == ["kind", "entries", "size"]
    assert shown[-1].split()[:2] == ["total", str(sizes["entries"])]


def test_prune_keeps_what_was_used_lately_and_removes_the_rest(
    cli: Command, local_index: LocalIndex, cache: Path
) -> None:
    assert "Nothing to remove" in cli.ok("cache", "prune").stderr
    make_old(cache, 40)
    before = number(cli)
    dry = check_output(cli.ok("cache", "prune", "--dry-run", "--json").stdout, "cache-removal")
    assert (dry["entries"], number(cli)) == (before, before)
    # Locking reads the pages, and a new target the wheels: these are used, the rest is not.
    cli.ok("lock", "requirements.in", "-i", local_index.url, "--python", ">=3.10", "-U", "--offline")
    cli.ok("sync", "--target", "other", "--link-mode", "copy", "--offline")
    pruned = check_output(cli.ok("cache", "prune", "--json").stdout, "cache-removal")
    assert pruned["entries"] < before
    kinds = check_output(cli.ok("cache", "size", "--json").stdout, "cache-size")["kinds"]
    assert (kinds["wheels"]["entries"], kinds["pages"]["entries"]) == (2, 2)


def test_the_age_of_prune_is_an_option(cli: Command, cache: Path) -> None:
    make_old(cache, 3)
    assert "Nothing to remove" in cli.ok("cache", "prune").stderr
    assert "Removed 2 unpacked wheels" in cli.ok("cache", "prune", "--older-than", "2d").stderr
    assert "not a valid age" in cli.refused("cache", "prune", "--older-than", "soon", code=2)


@pytest.mark.skipif(sys.platform == "win32", reason="links count otherwise there")
def test_prune_keeps_wheels_that_an_environment_shares_and_clean_does_not_harm_it(
    cli: Command, cache: Path, make_venv: VenvMaker, tmp_path: Path
) -> None:
    del make_venv
    cli.ok("sync", "--target", "linked", "--link-mode", "hardlink")
    make_old(cache, 400)
    cli.ok("cache", "prune")
    assert check_output(cli.ok("cache", "size", "--json").stdout, "cache-size")["kinds"]["wheels"]["entries"] == 2
    output = cli.ok("cache", "clean").stderr
    assert "Environments keep" in output
    assert number(cli) == 0
    cli.ok("check-env", "--target", "linked", "--verify-files")
    assert (tmp_path / "linked" / "aa" / "__init__.py").exists() or list((tmp_path / "linked").glob("aa*"))


def test_clean_of_a_package_removes_all_of_it_and_nothing_else(cli: Command, cache: Path) -> None:
    del cache
    removed = check_output(cli.ok("cache", "clean", "Aa", "--json").stdout, "cache-removal")
    assert {kind: removed["kinds"][kind]["entries"] for kind in ("wheels", "pages")} == {"wheels": 1, "pages": 1}
    assert removed["kinds"]["metadata"]["entries"] == 1
    again = check_output(cli.ok("cache", "clean", "aa", "--json").stdout, "cache-removal")
    assert again["entries"] == 0
    kinds = check_output(cli.ok("cache", "size", "--json").stdout, "cache-size")["kinds"]
    assert (kinds["wheels"]["entries"], kinds["pages"]["entries"]) == (1, 1)


def test_verify_finds_what_was_changed_and_removes_it_with_fix(cli: Command, cache: Path) -> None:
    assert "no damage" in cli.ok("cache", "verify").stderr
    wheel = next(path for path in (cache / "wheels-v1").rglob("*.py") if path.is_file())
    status = wheel.stat()
    wheel.chmod(0o644)
    wheel.write_bytes(b"#" * status.st_size)
    os.utime(wheel, ns=(status.st_atime_ns, status.st_mtime_ns))
    page = next(path for path in (cache / "v1" / "pages").rglob("*") if path.is_file())
    page.write_bytes(page.read_bytes()[:-3])
    shown = cli("cache", "verify")
    assert shown.code == 1
    assert "was changed" in shown.stdout
    assert str(page) in shown.stdout
    report = check_output(cli.ok("cache", "verify", "--fix", "--json").stdout, "cache-verify")
    assert [one["removed"] for one in report["damaged"]] == [True, True]
    cli.ok("cache", "verify")
    cli.ok("sync", "--target", "third")


@pytest.mark.parametrize("action", ["size", "prune", "clean", "verify"])
def test_a_folder_that_holds_something_else_is_refused_and_left_as_it_is(
    cli: Command, tmp_path: Path, action: str
) -> None:
    project = tmp_path / "project"
    (project / "v1").mkdir(parents=True)
    (project / "v1" / "api.py").write_text("keep me")
    (project / "tmp").mkdir()
    (project / "tmp" / "notes").write_text("keep me")
    refused = cli.refused("cache", action, "--cache-dir", project)
    assert "not a cache folder of lockset" in refused
    assert (project / "v1" / "api.py").read_text() == (project / "tmp" / "notes").read_text() == "keep me"
    (project / "v1" / "api.py").unlink()
    (project / "v1").rmdir()
    assert "`tmp`" in cli.refused("cache", action, "--cache-dir", project)


@pytest.mark.parametrize("action", ["size", "prune", "clean", "verify"])
def test_a_folder_that_is_missing_or_empty_has_nothing(cli: Command, tmp_path: Path, action: str) -> None:
    cli.ok("cache", action, "--cache-dir", tmp_path / "missing")
    assert not (tmp_path / "missing").exists()
    (tmp_path / "empty").mkdir()
    cli.ok("cache", action, "--cache-dir", tmp_path / "empty")


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_links_are_removed_and_not_followed(cli: Command, cache: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("keep me")
    (cache / "tmp" / "link").symlink_to(outside)
    (cache / "wheels-v1" / ("sha256-" + "0" * 64)).symlink_to(outside)
    (cache / "archives-v1").mkdir(exist_ok=True)
    (cache / "archives-v1" / ("sha256-" + "1" * 64)).symlink_to(outside / "file")
    (cache / "v1" / "pages" / "0").mkdir(exist_ok=True)
    (cache / "v1" / "pages" / "0" / "other").symlink_to(outside / "file")
    make_old(cache, 50)
    cli.ok("cache", "prune")
    cli.ok("cache", "clean")
    assert (outside / "file").read_text() == "keep me"
    assert not (cache / "tmp" / "link").is_symlink()
    assert number(cli) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="there are no shared locks")
def test_a_run_that_uses_the_cache_is_waited_for(cli: Command, cache: Path) -> None:
    script = (
        "import sys, time; from lockset.files.atomic import use_folder;"
        "held = use_folder(sys.argv[1]); print('held', flush=True); time.sleep(float(sys.argv[2]))"
    )

    def hold(seconds: float) -> subprocess.Popen[str]:
        run = subprocess.Popen(
            [sys.executable, "-c", script, str(cache), str(seconds)], stdout=subprocess.PIPE, text=True
        )
        assert run.stdout is not None
        assert run.stdout.readline() == "held\n"
        return run

    short = hold(1)
    assert "Removed" in cli.ok("cache", "clean").stderr
    assert short.wait() == 0
    long = hold(600)
    try:
        assert "Another lockset is using the cache" in cli.refused("cache", "clean")
    finally:
        long.kill()
        long.wait()
        assert long.stdout is not None
        long.stdout.close()
        assert short.stdout is not None
        short.stdout.close()


def test_a_sync_does_not_notice_that_the_cache_was_emptied(cli: Command, cache: Path, tmp_path: Path) -> None:
    del cache
    wheel = make_wheel("cc", "1.0")
    folder = tmp_path / "files"
    folder.mkdir()
    wheel.write(folder)
    write_lock(tmp_path / "pylock.toml", [wheel])
    cli.ok("sync", "--target", "one", "-f", "files")
    cli.ok("cache", "clean")
    cli.ok("sync", "--target", "two", "-f", "files")


@pytest.mark.parametrize(
    "arguments",
    [("dir", "--json"), ("size", "--dry-run"), ("prune", "aa"), ("clean", "--older-than", "1d"), ("clean", "a b")],
)
def test_options_of_another_action_are_refused(cli: Command, arguments: tuple[str, ...]) -> None:
    cli.refused("cache", *arguments, code=2)
