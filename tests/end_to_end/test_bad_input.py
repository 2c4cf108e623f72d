"""Bad input: one clear paragraph, exit code 1, target and old lock file untouched."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from support.builders import locked_package, make_lock, make_wheel
from support.posix import is_root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.command import Command
    from support.local_index import LocalIndex
    from support.venvs import Venv, VenvMaker

WHEEL = make_wheel("sample", "1.0")
NEXT = make_wheel("zebra", "1.0")


@pytest.fixture
def env(make_venv: VenvMaker, local_index: LocalIndex, cli: Command, tmp_path: Path) -> Venv:
    """An environment that holds one package already."""
    env = make_venv("env")
    before = make_wheel("before", "1.0")
    local_index.world.add_file("before", before)
    first = tmp_path / "pylock.first.toml"
    first.write_text(make_lock([locked_package("before", wheels=[before], url=f"{local_index.origin}/files/before")]))
    cli.ok("sync", first, "--python", env.python)
    return env


def lock_of(index: LocalIndex, **changes: Any) -> str:
    """A lock of `sample`, which exists, and `zebra`, whose entry is changed."""
    for wheel in (WHEEL, NEXT):
        index.world.add_file(wheel.filename.partition("-")[0], wheel)
    entries = [
        locked_package("sample", wheels=[WHEEL], url=f"{index.origin}/files/sample"),
        locked_package("zebra", wheels=[NEXT], url=f"{index.origin}/files/zebra"),
    ]
    entries[1]["wheels"][0].update(changes)
    return make_lock(entries)


def without_hashes(index: LocalIndex) -> str:
    return lock_of(index, hashes={})


def with_weak_hash(index: LocalIndex) -> str:
    return lock_of(index, hashes={"md5": "0" * 32})


def with_other_hash(index: LocalIndex) -> str:
    return lock_of(index, hashes={"sha256": "0" * 64})


def with_other_size(index: LocalIndex) -> str:
    return lock_of(index, size=NEXT.size + 1)


def with_smaller_size(index: LocalIndex) -> str:
    return lock_of(index, size=NEXT.size - 1)


def with_a_tampered_file(index: LocalIndex) -> str:
    index.fault("*zebra-1.0*", corrupt=True, times=None)
    return lock_of(index)


def with_a_file_that_is_gone(index: LocalIndex) -> str:
    index.fault("*zebra-1.0*", status=404, times=None)
    return lock_of(index)


def for_another_platform(index: LocalIndex) -> str:
    wheel = make_wheel("zebra", "1.0", tags="cp311-cp311-win_arm64")
    entries = [
        locked_package("sample", wheels=[WHEEL], url=f"{index.origin}/files/sample"),
        locked_package("zebra", wheels=[wheel], url=f"{index.origin}/files/zebra"),
    ]
    lock_of(index)
    return make_lock(entries)


def for_another_python(index: LocalIndex) -> str:
    return make_lock([], requires_python=">=4")


def for_another_environment(index: LocalIndex) -> str:
    return make_lock([], environments=["sys_platform == 'plan9'"])


TEXTS: dict[str, Callable[[LocalIndex], str]] = {
    "not TOML": lambda _: "packages = [\n",
    "empty": lambda _: "",
    "wrong type": lambda _: 'lock-version = "1.0"\ncreated-by = "x"\npackages = 3\n',
    "unknown major": lambda _: make_lock(lock_version="2.0"),
    "marker": lambda index: make_lock([locked_package("sample", wheels=[WHEEL], marker="python_version >> '3'")]),
    "climbing name": lambda index: lock_of(index, name="../zebra-1.0-py3-none-any.whl"),
    "no hash": without_hashes,
    "weak hash": with_weak_hash,
    "other hash": with_other_hash,
    "other size": with_other_size,
    "smaller size": with_smaller_size,
    "tampered": with_a_tampered_file,
    "gone": with_a_file_that_is_gone,
    "other platform": for_another_platform,
    "other Python": for_another_python,
    "other environment": for_another_environment,
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_a_bad_lock_changes_nothing(
    cli: Command, env: Venv, local_index: LocalIndex, tmp_path: Path, text: Callable[[LocalIndex], str]
) -> None:
    lock = tmp_path / "pylock.toml"
    lock.write_text(text(local_index))
    before = env.tree()
    cli.refused("sync", lock, "--python", env.python)
    assert env.tree() == before


def test_bytes_that_are_not_text_are_refused(cli: Command, env: Venv, tmp_path: Path) -> None:
    lock = tmp_path / "pylock.toml"
    lock.write_bytes(b"\xff\xfe\x00")
    assert "pylock.toml" in cli.refused("sync", lock, "--python", env.python)


def test_a_lock_that_is_not_there_is_named(cli: Command, env: Venv) -> None:
    assert "pylock.absent.toml" in cli.refused("sync", "pylock.absent.toml", "--python", env.python)


@pytest.mark.parametrize(("option", "name"), [("--extra", "chart"), ("--group", "tests")])
def test_an_unknown_extra_or_group_lists_the_known(
    cli: Command, env: Venv, tmp_path: Path, option: str, name: str
) -> None:
    lock = tmp_path / "pylock.toml"
    lock.write_text(make_lock([], extras=["charts"], dependency_groups=["test"]))
    before = env.tree()
    paragraph = cli.refused("sync", lock, "--python", env.python, option, name)
    assert name in paragraph
    assert ("charts" if option == "--extra" else "test") in paragraph
    assert env.tree() == before


def test_a_target_that_is_not_an_environment_is_refused(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "pylock.toml").write_text(make_lock())
    (tmp_path / "folder").mkdir()
    cli.refused("sync", "--python", tmp_path / "folder" / "bin" / "python")
    cli.refused("sync", "--python", tmp_path / "pylock.toml")
    assert list((tmp_path / "folder").iterdir()) == []


def test_without_an_environment_the_error_says_how_to_create_one(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "pylock.toml").write_text(make_lock())
    assert "venv" in cli.refused("sync")


@pytest.fixture
def read_only(env: Venv) -> Iterator[Venv]:
    """The environment, with a site-packages folder that nobody can write to."""
    if not is_root():
        env.site_packages.chmod(0o555)
        yield env
        env.site_packages.chmod(0o755)
        return
    chattr = shutil.which("chattr")
    if chattr is None or subprocess.run([chattr, "+i", env.site_packages], check=False, capture_output=True).returncode:
        pytest.skip("root can write everywhere here")
    yield env
    subprocess.run([chattr, "-i", env.site_packages], check=True)


def test_a_read_only_target_is_left_as_it_was(
    cli: Command, read_only: Venv, local_index: LocalIndex, tmp_path: Path
) -> None:
    lock = tmp_path / "pylock.toml"
    lock.write_text(lock_of(local_index))
    before = read_only.tree()
    cli.refused("sync", lock, "--python", read_only.python)
    assert read_only.tree() == before


OLD_LOCK = make_lock([locked_package("kept", wheels=[make_wheel("kept")])])
PROJECT = '[project]\nname = "station"\nversion = "1.0"\nrequires-python = ">=3.10"\ndependencies = {lines}\n'


@pytest.fixture
def lock_refused(cli: Command, local_index: LocalIndex, tmp_path: Path) -> Callable[..., str]:
    """Locks a project with the given requirements, which must be refused and leave the old lock as it was."""

    def refused(*lines: str, index: str | None = None, options: tuple[str, ...] = ()) -> str:
        (tmp_path / "pyproject.toml").write_text(PROJECT.format(lines=list(lines)))
        old = tmp_path / "pylock.toml"
        old.write_text(OLD_LOCK)
        paragraph = cli.refused("lock", "--default-index", index or local_index.url, "--retries", "0", *options)
        assert old.read_text() == OLD_LOCK
        return paragraph

    return refused


def test_an_unknown_package_is_named(lock_refused: Callable[..., str]) -> None:
    assert "absent-package" in lock_refused("absent-package>=1")


def test_a_package_without_a_fitting_version_is_named(
    lock_refused: Callable[..., str], local_index: LocalIndex
) -> None:
    local_index.world.add("sample", "1.0")
    paragraph = lock_refused("sample>=2")
    assert "sample" in paragraph
    assert "1.0" in paragraph


def test_requirements_that_cannot_hold_together_are_shown_with_their_chains(
    lock_refused: Callable[..., str], local_index: LocalIndex
) -> None:
    local_index.world.add("left", requires=["shared<2"]).add("right", requires=["shared>=2"])
    local_index.world.add("shared", "1.0").add("shared", "2.0").add("bystander")
    paragraph = lock_refused("left", "right", "bystander")
    assert all(text in paragraph for text in ("left 1.0 needs shared<2", "right 1.0 needs shared>=2", "Python 3.10"))
    assert "bystander" not in paragraph


def test_an_unreachable_index_is_named(lock_refused: Callable[..., str]) -> None:
    assert "127.0.0.1:9" in lock_refused("sample", index="http://127.0.0.1:9/simple/")


def test_an_index_that_fails_is_named(lock_refused: Callable[..., str], local_index: LocalIndex) -> None:
    local_index.fault("/simple/*", status=500, times=None)
    assert "500" in lock_refused("sample")


def test_an_invalid_requirement_line_is_shown(lock_refused: Callable[..., str]) -> None:
    assert "not a requirement!" in lock_refused("not a requirement!")


def test_a_build_that_is_forbidden_is_not_run(lock_refused: Callable[..., str], local_index: LocalIndex) -> None:
    local_index.world.add("sample", wheels=(), sdist="dynamic")
    assert "sample" in lock_refused("sample", options=("--no-build",))


def test_a_project_that_is_not_toml_is_refused_with_its_place(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project\n")
    assert "pyproject.toml:1" in cli.refused("lock")


def test_a_folder_without_a_project_is_reported(cli: Command) -> None:
    assert "pyproject.toml" in cli.refused("lock")


def test_credentials_are_never_shown(lock_refused: Callable[..., str], local_index: LocalIndex) -> None:
    local_index.set_mode(credentials=("user", "right"))
    url = local_index.url.replace("://", "://user:topsecret@")
    paragraph = lock_refused("sample", index=url)
    assert "topsecret" not in paragraph
    assert "401" in paragraph


def test_wrong_usage_ends_with_two(cli: Command) -> None:
    assert cli("lock", "--no-such-option").code == 2
    assert cli("sync", "--python").code == 2
