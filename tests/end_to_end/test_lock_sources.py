"""Requirements by URL and path: what `lockset lock` records of them, and that it can be installed."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import tomli

from support.builders import make_sdist, make_wheel
from support.builders.sdist import source_files, write_source_tree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.command import Command
    from support.local_index import LocalIndex
    from support.venvs import VenvMaker


@pytest.fixture
def lock(cli: Command, local_index: LocalIndex, tmp_path: Path) -> Callable[..., dict[str, dict[str, Any]]]:
    """Locks requirements with options; the entries by name."""

    def locked(*lines: str, options: tuple[object, ...] = ()) -> dict[str, dict[str, Any]]:
        (tmp_path / "requirements.in").write_text("".join(f"{line}\n" for line in lines))
        cli.ok("lock", "requirements.in", "--python", ">=3.10", "-i", local_index.url, "--refresh", *options)
        data = tomli.loads((tmp_path / "pylock.toml").read_text())
        results = {p["name"]: p for p in data["packages"]}
        assert len(results) == len(data["packages"])
        return results

    return locked


def static_tree(folder: Path, name: str, *requires: str, more: str = "") -> Path:
    """A source tree whose pyproject.toml tells all, and whose backend must not run."""
    files = source_files(name, "1.5", fails=dict.fromkeys(("prepare_metadata_for_build_wheel",), "must not run"))
    folder.mkdir(parents=True)
    write_source_tree(folder, files)
    project = f'[project]\nname = "{name}"\nversion = "1.5"\ndependencies = {list(requires)}\n{more}\n'
    (folder / "pyproject.toml").write_text(project + (folder / "pyproject.toml").read_text())
    return folder


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    return subprocess.run([*command, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def test_a_wheel_by_url_is_an_archive_with_size_and_hash(
    lock: Callable[..., dict[str, dict[str, Any]]], local_index: LocalIndex
) -> None:
    wheel = make_wheel("a", "1.0", requires_dist=["b"])
    local_index.world.add_file("elsewhere", wheel).add("a", "9.0").add("b")
    url = local_index.file_url("elsewhere", wheel.filename)
    result = lock(f"a @ {url}")
    assert result["a"]["archive"] == {"url": url, "size": wheel.size, "hashes": {"sha256": wheel.sha256}}
    assert result["a"]["version"] == "1.0"
    assert "index" not in result["a"]
    assert list(result) == ["a", "b"]
    assert local_index.paths(part="/simple/a/") == [], "an index has no say in what comes by URL"


def test_the_url_wins_over_what_packages_of_the_index_ask_for(
    lock: Callable[..., dict[str, dict[str, Any]]], local_index: LocalIndex
) -> None:
    wheel = make_wheel("a", "1.0+local")
    local_index.world.add_file("elsewhere", wheel).add("a", "2.0").add("b", requires=["a>=1"])
    result = lock("b", f"a @ {local_index.file_url('elsewhere', wheel.filename)}")
    assert result["a"]["version"] == "1.0+local"


def test_the_name_of_a_bare_url_is_that_of_its_file(
    lock: Callable[..., dict[str, dict[str, Any]]], local_index: LocalIndex
) -> None:
    wheel = make_wheel("a", "1.0")
    local_index.world.add_file("elsewhere", wheel)
    assert list(lock(local_index.file_url("elsewhere", wheel.filename))) == ["a"]


def test_an_sdist_by_path_is_relative_and_not_built_where_it_is_static(
    lock: Callable[..., dict[str, dict[str, Any]]], local_index: LocalIndex, tmp_path: Path
) -> None:
    local_index.world.add("b")
    (tmp_path / "files").mkdir()
    failing = dict.fromkeys(("prepare_metadata_for_build_wheel", "build_wheel"), "must not run")
    sdist = make_sdist("a", requires_dist=["b"], fails=failing)
    sdist.write(tmp_path / "files")
    result = lock(f"./files/{sdist.filename}")
    assert result["a"]["archive"]["path"] == f"files/{sdist.filename}"
    assert result["a"]["archive"]["hashes"] == {"sha256": sdist.sha256}
    assert list(result) == ["a", "b"]


def test_a_folder_has_no_version_and_its_own_folders_are_followed(
    lock: Callable[..., dict[str, dict[str, Any]]], local_index: LocalIndex, tmp_path: Path
) -> None:
    local_index.world.add("c").add("extra-of-a")
    static_tree(tmp_path / "libs" / "b", "b", "c")
    more = '[project.optional-dependencies]\nx = ["extra-of-a"]'
    static_tree(tmp_path / "libs" / "a", "a", "b @ ../b", more=more)
    result = lock("-e ./libs/a[x]")
    assert result["a"]["directory"] == {"path": "libs/a", "editable": True}
    assert result["b"]["directory"] == {"path": "libs/b"}
    assert "version" not in result["a"]
    assert result["a"]["dependencies"] == [{"name": "b"}, {"name": "extra-of-a"}]
    assert list(result) == ["a", "b", "c", "extra-of-a"]


def test_a_folder_that_only_a_build_knows_is_built_unless_builds_are_off(
    lock: Callable[..., dict[str, dict[str, Any]]], cli: Command, local_index: LocalIndex, tmp_path: Path
) -> None:
    local_index.world.add("b")
    (tmp_path / "a").mkdir()
    write_source_tree(tmp_path / "a", source_files("a", "1.0", requires_dist=["b"]))
    assert list(lock("a @ ./a")) == ["a", "b"]
    message = cli.refused("lock", "requirements.in", "-i", local_index.url, "--python", ">=3.10", "--no-build")
    assert "builds are off" in message


def test_a_commit_is_recorded_and_kept_until_an_upgrade(
    lock: Callable[..., dict[str, dict[str, Any]]], tmp_path: Path
) -> None:
    repository = static_tree(tmp_path / "repository" / "sub", "a").parent
    git(repository, "init", "--quiet")
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "one")
    first = git(repository, "rev-parse", "HEAD")
    line = f"a @ git+{repository.as_uri()}@main#subdirectory=sub"
    vcs = lock(line)["a"]["vcs"]
    assert (vcs["type"], vcs["commit-id"], vcs["requested-revision"], vcs["subdirectory"]) == (
        "git",
        first,
        "main",
        "sub",
    )
    git(repository, "commit", "-qm", "two", "--allow-empty")
    second = git(repository, "rev-parse", "HEAD")
    assert lock(line)["a"]["vcs"]["commit-id"] == first
    assert lock(line, options=("-P", "a"))["a"]["vcs"]["commit-id"] == second
    assert lock(line.replace("@main", f"@{first[:9]}"))["a"]["vcs"]["commit-id"] == first


def test_two_sources_under_markers_are_two_entries(cli: Command, local_index: LocalIndex, tmp_path: Path) -> None:
    one, other = make_wheel("a", "1.0"), make_wheel("a", "1.0", files={"a.py": "other = True\n"})
    local_index.world.add_file("one", one).add_file("other", other).add("b", requires=["a>=1"])
    (tmp_path / "requirements.in").write_text(
        f"a @ {local_index.file_url('one', one.filename)} ; sys_platform == 'win32'\n"
        f"a @ {local_index.file_url('other', other.filename)} ; sys_platform != 'win32'\n"
        "b\n"
    )
    cli.ok("lock", "requirements.in", "--python", ">=3.10", "-i", local_index.url)
    result = tomli.loads((tmp_path / "pylock.toml").read_text())["packages"]
    assert [(p["name"], p.get("marker")) for p in result] == [
        ("a", "sys_platform != 'win32'".replace("'", '"')),
        ("a", 'sys_platform == "win32"'),
        ("b", None),
    ]
    assert [set(d) for d in result[2]["dependencies"]] == [{"name", "archive"}, {"name", "archive"}]
    cli.ok("validate", "pylock.toml", "--strict")


def test_what_is_locked_can_be_installed_and_serves_its_sources(
    lock: Callable[..., dict[str, dict[str, Any]]],
    cli: Command,
    local_index: LocalIndex,
    make_venv: VenvMaker,
    tmp_path: Path,
) -> None:
    wheel = make_wheel("w", "1.0")
    local_index.world.add_file("elsewhere", wheel).add("b")
    make_sdist("s", "2.0", requires_dist=["b"]).write(tmp_path)
    (tmp_path / "t").mkdir()
    write_source_tree(tmp_path / "t", source_files("t", "3.0"))
    (tmp_path / "t" / "pyproject.toml").write_text(
        '[project]\nname = "t"\nversion = "3.0"\n' + (tmp_path / "t" / "pyproject.toml").read_text()
    )
    lock(f"w @ {local_index.file_url('elsewhere', wheel.filename)}", "./s-2.0.tar.gz", "./t")
    assert "is up to date" in cli.ok("lock", "requirements.in", "--python", ">=3.10", "--check").stderr
    env = make_venv("env")
    cli.ok("sync", "--python", env.python, "-i", local_index.url)
    assert {n: env.installed()[n] for n in "wstb"} == {"w": "1.0", "s": "2.0", "t": "3.0", "b": "1.0"}
    (tmp_path / "requirements.in").write_text("w\n./s-2.0.tar.gz\n-e ./t\n")
    output = cli("lock", "requirements.in", "--python", ">=3.10", "--check")
    assert output.code == 1
    assert "t @ ./t (requirements.in:3): t is locked" in output.stderr


def test_urls_of_index_packages_need_their_host_to_be_allowed(
    lock: Callable[..., dict[str, dict[str, Any]]], cli: Command, local_index: LocalIndex
) -> None:
    wheel = make_wheel("b", "1.0")
    url = local_index.file_url("elsewhere", wheel.filename)
    local_index.world.add_file("elsewhere", wheel).add("a", requires=[f"b @ {url}"]).add("b", "3.0")
    result = lock("b", "a", options=("--allow-direct-url", "127.0.0.1"))
    assert result["b"]["archive"]["url"] == url
    message = cli.refused("lock", "requirements.in", "--python", ">=3.10", "-i", local_index.url, "--upgrade")
    assert "b @ " in message
    assert "--allow-direct-url" in message


def lines_refused(index: LocalIndex, folder: Path) -> dict[str, tuple[str, str]]:
    """What is asked for, and what the refusal says."""
    wheel = make_wheel("a", "1.0")
    index.world.add_file("elsewhere", wheel).add_file("lies", make_wheel("other", "1.0"))
    index.world.add_file("lies", make_wheel("liar", "1.0", metadata="Metadata-Version: 2.1\nName: x\nVersion: 1\n"))
    (folder / "empty").mkdir()
    (folder / "bad").mkdir()
    (folder / "bad" / "pyproject.toml").write_text("[project\n")
    (folder / "text-1.0-py3-none-any.whl").write_text("no archive")
    good = index.file_url("elsewhere", wheel.filename)
    other = index.file_url("lies", "other-1.0-py3-none-any.whl")
    return {
        "hash": (f"a @ {good}#sha256={'0' * 64}", "hash-mismatch"),
        "missing": (f"a @ {index.origin}/files/none/a-1.0-py3-none-any.whl", "has no such file (status 404)"),
        "another project": (f"a @ {other}", "other"),
        "metadata of another": (f"liar @ {index.file_url('lies', 'liar-1.0-py3-none-any.whl')}", "metadata"),
        "no file": ("a @ file:///nowhere/a-1.0-py3-none-any.whl", "there is no such file"),
        "empty folder": ("a @ ./empty", "neither a pyproject.toml nor a setup.py"),
        "not toml": ("a @ ./bad", "not valid TOML"),
        "no zip": ("a @ ./text-1.0-py3-none-any.whl", "text"),
        "scheme": ("a @ ftp://example.org/a-1.0.tar.gz", "is not a supported scheme"),
        "transport": ("a @ git+ext::sh -c touch", "requirement"),
        "git transport": ("a @ git+git://example.org/a", "git must not be used over"),
        "option": ("a @ git+https://example.org/a@--upload-pack=x", "is not a valid revision"),
        "climbs": ("a @ git+https://example.org/a#subdirectory=../b", "is outside its source tree"),
        "no archive": ("a @ https://example.org/a.exe", "not a wheel"),
        "mercurial": ("a @ hg+https://example.org/a", "not locked"),
        "two places": (f"a @ {good}\na @ ./empty", "in the same environments"),
    }


@pytest.mark.parametrize(
    "case",
    [
        "hash", "missing", "another project", "metadata of another", "no file", "empty folder", "not toml", "no zip",
        "scheme", "transport", "git transport", "option", "climbs", "no archive", "mercurial", "two places",
    ],
)  # fmt: skip
def test_a_source_that_is_not_what_it_says_is_refused_and_the_old_lock_stays(
    case: str, cli: Command, local_index: LocalIndex, tmp_path: Path
) -> None:
    lines, says = lines_refused(local_index, tmp_path)[case]
    (tmp_path / "requirements.in").write_text(f"{lines}\n")
    old = 'lock-version = "1.0"\ncreated-by = "someone"\npackages = []\n'
    (tmp_path / "pylock.toml").write_text(old)
    message = cli.refused("lock", "requirements.in", "--python", ">=3.10", "-i", local_index.url)
    assert says in message or says.replace("-", " ") in message or "does not match" in message
    assert (tmp_path / "pylock.toml").read_text() == old


def test_credentials_of_a_url_are_used_and_never_recorded(
    cli: Command, local_index: LocalIndex, tmp_path: Path
) -> None:
    wheel = make_wheel("a", "1.0")
    local_index.world.add_file("elsewhere", wheel)
    local_index.set_mode(credentials=("me", "secret"))
    url = local_index.file_url("elsewhere", wheel.filename)
    (tmp_path / "requirements.in").write_text(f"a @ {url.replace('//', '//me:secret@')}\n")
    output = cli.ok("lock", "requirements.in", "--python", ">=3.10", "-i", local_index.url, "-v")
    text = (tmp_path / "pylock.toml").read_text()
    assert f'url = "{url}"' in text
    assert "secret" not in text + output.stdout + output.stderr


def test_what_a_locked_folder_asks_for_now_is_checked(
    lock: Callable[..., dict[str, dict[str, Any]]], cli: Command, local_index: LocalIndex, tmp_path: Path
) -> None:
    local_index.world.add("b").add("c")
    tree = static_tree(tmp_path / "a", "a", "b")
    lock("./a")
    check = ("lock", "requirements.in", "--python", ">=3.10", "--check")
    cli.ok(*check)
    text = (tree / "pyproject.toml").read_text()
    (tree / "pyproject.toml").write_text(text.replace("['b']", '["b>=2", "c ; sys_platform == \'win32\'"]'))
    output = cli(*check)
    assert output.code == 1
    assert "a (a) needs b>=2: 1.0 is locked" in output.stderr
    assert "a (a) needs c: nothing is locked" in output.stderr


def test_a_changed_archive_at_the_same_url_is_reported(
    lock: Callable[..., dict[str, dict[str, Any]]], cli: Command, local_index: LocalIndex
) -> None:
    wheel = make_wheel("a", "1.0")
    local_index.world.add_file("elsewhere", wheel)
    url = local_index.file_url("elsewhere", wheel.filename)
    lock(f"a @ {url}")
    local_index.world.projects["elsewhere"].clear()
    local_index.world.add_file("elsewhere", make_wheel("a", "1.0", files={"a.py": "new = True\n"}))
    output = cli.ok("lock", "requirements.in", "--python", ">=3.10", "-i", local_index.url)
    assert f"{url} has changed since it was locked" in output.stderr


def test_an_archive_that_is_the_same_is_fetched_once(
    lock: Callable[..., dict[str, dict[str, Any]]], local_index: LocalIndex
) -> None:
    wheel, pinned = make_wheel("a", "1.0", requires_dist=["b"]), make_wheel("c", "1.0")
    local_index.world.add_file("elsewhere", wheel).add_file("elsewhere", pinned).add("b")
    lines = (
        f"a @ {local_index.file_url('elsewhere', wheel.filename)}",
        f"c @ {local_index.file_url('elsewhere', pinned.filename)}#sha256={pinned.sha256}",
    )
    first = lock(*lines)
    requests = len(local_index.seen)
    assert lock(*lines) == first
    again = [(s.method, s.path.rpartition("/")[2]) for s in local_index.seen[requests:] if "/files/" in s.path]
    assert again == [("HEAD", wheel.filename)]
