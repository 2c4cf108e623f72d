"""Every option and every setting of `lockset lock` does what it says, or is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import tomli
from packaging.tags import platform_tags

from support.builders import make_wheel
from support.builders.sdist import source_files, write_source_tree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.command import Command
    from support.local_index import LocalIndex

GROUPS = '[dependency-groups]\ndev = ["d"]\ndocs = ["e"]\n'


@pytest.fixture
def lock(cli: Command, local_index: LocalIndex, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Locks a project with options, settings and variables; the lock file's data."""

    def locked(
        *dependencies: str, options: tuple[object, ...] = (), more: str = "", env: dict[str, str] | None = None
    ) -> dict[str, Any]:
        project = f'[project]\nname = "app"\nrequires-python = ">=3.10"\ndependencies = {list(dependencies)}\n'
        (tmp_path / "pyproject.toml").write_text(project + more)
        cli.ok("lock", "-i", local_index.url, "--refresh", *options, env=env)
        return tomli.loads((tmp_path / "pylock.toml").read_text())

    return locked


def versions(data: dict[str, Any]) -> list[str]:
    return [f"{p['name']} {p['version']}" for p in data["packages"]]


def test_overrides_replace_what_packages_and_the_project_ask_for(
    lock: Callable[..., dict[str, Any]], local_index: LocalIndex, tmp_path: Path
) -> None:
    world = local_index.world.add("a", requires=["b<2"]).add("b", "1.0").add("b", "2.0").add("c", "1.0").add("c", "2.0")
    assert "b 1.0" in versions(lock("a", "c<2"))
    (tmp_path / "overrides.txt").write_text("b>=2\nc>=2\n")
    options = ("--upgrade", "--override", "overrides.txt")
    assert versions(lock("a", "c<2", options=options)) == ["a 1.0", "b 2.0", "c 2.0"]
    world.add("b", "3.0")
    settings = '[tool.lockset]\noverrides = ["b==3"]\n'
    assert "b 3.0" in versions(lock("a", "c<2", options=("--upgrade",), more=settings))
    (tmp_path / "overrides.txt").write_text("b<3\nc>=2\n")
    assert versions(lock("a", "c<2", options=options, more=settings)) == ["a 1.0", "b 2.0", "c 2.0"]


def test_what_is_excluded_is_not_locked(lock: Callable[..., dict[str, Any]], local_index: LocalIndex) -> None:
    local_index.world.add("a", requires=["b"]).add("b").add("c")
    assert versions(lock("a", "c", options=("--exclude", "B", "--exclude", "c"))) == ["a 1.0"]
    assert versions(lock("a", "c", more='[tool.lockset]\nexcludes = ["b", "c"]\n')) == ["a 1.0"]
    assert versions(lock("a", "c", env={"LOCKSET_EXCLUDE": "b c"})) == ["a 1.0"]


def test_a_group_is_left_out(lock: Callable[..., dict[str, Any]], local_index: LocalIndex) -> None:
    local_index.world.add("a").add("d").add("e")
    data = lock("a", options=("--no-group", "docs"), more=GROUPS)
    assert (data["dependency-groups"], versions(data)) == (["dev"], ["a 1.0", "d 1.0"])
    data = lock("a", options=("--only-group", "docs"), more=GROUPS)
    assert (data["dependency-groups"], versions(data)) == (["docs"], ["e 1.0"])


def test_default_groups_are_installed_unless_others_are_chosen(
    lock: Callable[..., dict[str, Any]], cli: Command, local_index: LocalIndex
) -> None:
    local_index.world.add("a").add("d").add("e")
    data = lock("a", more=GROUPS + '[tool.lockset]\ndefault-groups = ["dev"]\n')
    assert data["default-groups"] == ["default", "dev"]
    assert data["dependency-groups"] == ["docs"]
    cli.ok("validate", "pylock.toml", "--strict")
    assert "current" in cli.ok("lock", "-i", local_index.url).stderr
    assert "is up to date" in cli.ok("lock", "--check").stderr
    message = cli.refused("lock", "-i", local_index.url, "--no-config", "--no-group", "nope")
    assert "no dependency group named `nope`" in message


def test_only_one_implementation(lock: Callable[..., dict[str, Any]], local_index: LocalIndex) -> None:
    local_index.world.add("a", requires=["b ; implementation_name == 'pypy'", "c ; implementation_name != 'pypy'"])
    local_index.world.add("b").add("c")
    data = lock("a", options=("--implementation", "pypy"))
    assert versions(data) == ["a 1.0", "b 1.0"]
    assert data["environments"] == ['implementation_name == "pypy"']
    assert versions(lock("a", more='[tool.lockset]\nimplementation = "cpython"\n')) == ["a 1.0", "c 1.0"]
    assert versions(lock("a", env={"LOCKSET_LOCK_IMPLEMENTATION": "cpython"})) == ["a 1.0", "c 1.0"]


def test_wheels_of_the_requested_implementation_are_chosen(
    lock: Callable[..., dict[str, Any]], local_index: LocalIndex
) -> None:
    pypy, cpython = "pp310-pypy310_pp73-manylinux_2_28_x86_64", "cp310-cp310-manylinux_2_28_x86_64"
    local_index.world.add("a", "1.0", wheels=(pypy, cpython)).add("a", "2.0", wheels=(cpython,))
    options = ("--python", "3.10", "--platform", "manylinux_2_28_x86_64", "--implementation", "pypy")
    data = lock("a", options=options)
    assert versions(data) == ["a 1.0"]
    assert [w["name"] for w in data["packages"][0]["wheels"]] == [f"a-1.0-{pypy}.whl"]


def test_one_environment(lock: Callable[..., dict[str, Any]], local_index: LocalIndex) -> None:
    local_index.world.add("a", requires=["b ; sys_platform == 'win32'", "c ; python_version < '3.12'"])
    local_index.world.add("b").add("c")
    data = lock("a", options=("--python", "3.12", "--platform", "linux"))
    assert versions(data) == ["a 1.0"]
    assert data["requires-python"] == "==3.12.*"
    assert data["environments"] == ['sys_platform == "linux"']


def test_this_environment_is_the_one_that_sync_fills(
    lock: Callable[..., dict[str, Any]], cli: Command, local_index: LocalIndex, make_venv: Callable[..., Any]
) -> None:
    local_index.world.add("a", requires=["b ; sys_platform == 'win32'", "c"]).add("b").add("c")
    env = make_venv(".venv")
    full = env.run("import platform; print(platform.python_version())").strip()
    data = lock("a", options=("--this-environment",))
    assert data["requires-python"] == f"=={full.rpartition('.')[0]}.*,>={full}"
    assert versions(data) == ["a 1.0", "c 1.0"]
    cli.ok("sync", "-i", local_index.url)
    assert {"a", "c"} <= env.installed().keys()


def test_this_environment_has_the_c_library_that_it_has(
    lock: Callable[..., dict[str, Any]], cli: Command, local_index: LocalIndex, make_venv: Callable[..., Any]
) -> None:
    newest = next(iter(platform_tags()))
    local_index.world.add("a", "1.0").add("a", "2.0", wheels=(f"py3-none-{newest}",))
    env = make_venv(".venv")
    assert versions(lock("a", options=("--this-environment",))) == ["a 2.0"]
    cli.ok("sync", "-i", local_index.url)
    assert env.installed()["a"] == "2.0"


def test_rules_for_single_packages(lock: Callable[..., dict[str, Any]], local_index: LocalIndex) -> None:
    for name in "ab":
        local_index.world.add(name, "1.0").add(name, "2.0b1").add(name, "3.0")
    result = versions(lock("a<3", "b<3", options=("--prerelease-package", "a=allow")))
    assert result == ["a 2.0b1", "b 1.0"]
    settings = '[tool.lockset.prerelease-package]\nb = "allow"\n'
    assert versions(lock("a<3", "b<3", options=("--upgrade",), more=settings)) == ["a 1.0", "b 2.0b1"]


def test_files_uploaded_later_do_not_exist_for_single_packages(
    lock: Callable[..., dict[str, Any]], local_index: LocalIndex
) -> None:
    local_index.world.add("a", "1.0").add("b", "1.0").add("a", "2.0").add("b", "2.0")  # a day each, from 2020-01-01 on
    options = ("--exclude-newer", "2020-01-03", "--exclude-newer-package", "b=false")
    assert versions(lock("a", "b", options=options)) == ["a 1.0", "b 2.0"]
    settings = '[tool.lockset]\nexclude-newer = "2020-01-03"\nexclude-newer-package = { a = false }\n'
    assert versions(lock("a", "b", options=("--upgrade",), more=settings)) == ["a 2.0", "b 1.0"]


def test_wheels_are_required_for_a_platform(lock: Callable[..., dict[str, Any]], local_index: LocalIndex) -> None:
    local_index.world.add("a", "1.0").add("a", "2.0", wheels=("py3-none-manylinux_2_28_x86_64",), sdist=True)
    assert versions(lock("a")) == ["a 2.0"]
    assert versions(lock("a", options=("--upgrade", "--require-wheels-for", "windows")))[0] == "a 1.0"


def test_a_package_comes_from_the_index_it_is_pinned_to(
    lock: Callable[..., dict[str, Any]], local_index: LocalIndex, second_index: LocalIndex
) -> None:
    local_index.world.add("a", "1.0").add("b", "1.0")
    second_index.world.add("a", "2.0").add("b", "2.0")
    for name in ('name = "inner"\n', ""):
        index = f'[[tool.lockset.index]]\n{name}url = "{second_index.url}"\nexplicit = true\npackages = ["a"]\n'
        data = lock("a", "b", options=("--upgrade",), more=index)
        assert versions(data) == ["a 2.0", "b 1.0"]
        assert data["packages"][0]["index"] == second_index.url


def test_hashes_of_requirements_leave_no_other_files(cli: Command, local_index: LocalIndex, tmp_path: Path) -> None:
    one, other = make_wheel("a", "1.0"), make_wheel("a", "1.0", tags="py2.py3-none-any")
    local_index.world.add_file("a", one).add_file("a", other).add("a", "2.0")
    (tmp_path / "requirements.txt").write_text(f"a>=1 --hash=sha256:{one.sha256}\n")
    cli.ok("lock", "requirements.txt", "-i", local_index.url, "--python", ">=3.10")
    (package,) = tomli.loads((tmp_path / "pylock.toml").read_text())["packages"]
    assert [w["name"] for w in package["wheels"]] == [one.filename]


def backend_that_tells(folder: Path, *, requires: str = "") -> None:
    """A source tree whose one requirement is what its backend was told, or the version of what it builds with."""
    files = source_files("a", "1.0")
    message = (
        "\n\ndef prepare_metadata_for_build_wheel(directory, config_settings=None):\n"
        "    import pathlib\n"
        "    try:\n        import tool\n        wanted = 'b==' + tool.version\n"
        "    except ImportError:\n        wanted = 'b==' + config_settings['wanted']\n"
        "    info = pathlib.Path(directory, 'a-1.0.dist-info')\n    info.mkdir()\n"
        "    text = 'Metadata-Version: 2.1\\nName: a\\nVersion: 1.0\\nRequires-Dist: ' + wanted + '\\n'\n"
        "    (info / 'METADATA').write_text(text)\n    return info.name\n"
    )
    files["tiny_backend.py"] += message
    files["pyproject.toml"] = files["pyproject.toml"].replace("requires = []", f"requires = [{requires}]")
    write_source_tree(folder, files)


def test_build_backends_receive_config_settings(
    lock: Callable[..., dict[str, Any]], local_index: LocalIndex, tmp_path: Path
) -> None:
    local_index.world.add("b", "1.0").add("b", "2.0")
    backend_that_tells(tmp_path / "a")
    settings = '[tool.lockset]\nconfig-settings = { wanted = "1.0" }\n'
    assert lock("a @ ./a", more=settings)["packages"][1]["version"] == "1.0"
    assert lock("a @ ./a", more=settings, options=("-C", "wanted=2.0"))["packages"][1]["version"] == "2.0"


def test_what_builds_need_is_limited(
    lock: Callable[..., dict[str, Any]], local_index: LocalIndex, tmp_path: Path
) -> None:
    for version in ("1.0", "2.0"):
        local_index.world.add("tool", version, files={"tool.py": f"version = {version!r}\n"}).add("b", version)
    backend_that_tells(tmp_path / "a", requires='"tool"')
    assert lock("a @ ./a")["packages"][1]["version"] == "2.0"
    (tmp_path / "limits.txt").write_text("tool<2\n")
    assert lock("a @ ./a", options=("--build-constraint", "limits.txt"))["packages"][1]["version"] == "1.0"
    settings = '[tool.lockset]\nbuild-constraints = ["tool<2"]\n'
    assert lock("a @ ./a", options=("--upgrade",), more=settings)["packages"][1]["version"] == "1.0"


def test_the_project_itself_is_locked(
    lock: Callable[..., dict[str, Any]], cli: Command, local_index: LocalIndex
) -> None:
    local_index.world.add("b").add("d").add("e")
    data = lock("b", options=("--with-project",), more=GROUPS)
    assert data["packages"][0] == {
        "name": "app",
        "marker": '"default" in dependency_groups',
        "directory": {"path": ".", "editable": True},
        "dependencies": [{"name": "b"}],
    }
    assert cli("lock", "--check").code == 0
    assert cli("lock", "--check", "--without-project").code == 1
    assert lock("b", more="[tool.lockset]\nwith-project = true\n")["packages"][0]["name"] == "app"
    assert "up to date" in cli.ok("lock", "--check").stderr


def test_statistics_count_packages_behind_the_newest(
    lock: Callable[..., dict[str, Any]], cli: Command, local_index: LocalIndex
) -> None:
    local_index.world.add("a", "1.0").add("a", "2.0").add("b", "1.0").add("b", "2.0", requires_python=">=3.12")
    lock("a<2", "b")
    output = cli.ok("lock", "-i", local_index.url, "--stats", "--json")
    result = output.json()
    assert result["behind"] == {"a": {"locked": "1.0", "newest": "2.0"}}
    assert (result["statistics"]["entries"], result["statistics"]["splits"]) == (3, 1)
    assert "a 1.0, newest 2.0" in output.stderr


def test_a_skipped_release_is_reported(
    lock: Callable[..., dict[str, Any]], cli: Command, local_index: LocalIndex
) -> None:
    local_index.world.add("a", "1.0").add_file("a", make_wheel("a", "2.0", metadata="Name: a\n"))
    assert versions(lock("a")) == ["a 1.0"]
    assert list(cli.ok("lock", "-U", "-i", local_index.url, "--json").json()["skipped"]) == ["a 2.0"]


def test_variables_of_other_tools_are_named_where_they_would_have_mattered(
    cli: Command, local_index: LocalIndex, tmp_path: Path
) -> None:
    (tmp_path / "requirements.in").write_text("")
    for variable in ("PIP_INDEX_URL", "UV_DEFAULT_INDEX"):
        env = {variable: local_index.url, "LOCKSET_DEFAULT_INDEX": ""}
        output = cli.ok("lock", "requirements.in", "--python", ">=3.10", "--no-cache", env=env)
        assert output.stderr.count(variable) == 1
        output = cli.ok("lock", "requirements.in", "--python", ">=3.10", "-i", local_index.url, "--no-cache", env=env)
        assert variable not in output.stderr


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--this-environment", "--python", "3.12"), "--python"),
        (("--only-group", "dev", "--group", "docs"), "--only-group"),
        (("--group", "dev", "--no-group", "DEV"), "both included and excluded"),
        (("--no-index", "--index", "https://example.org"), "--index"),
        (("--check", "--upgrade"), "--upgrade"),
        (("--refresh", "--offline"), "--offline"),
        (("--no-build", "--no-binary", ":all:"), "nothing is left"),
        (("--prerelease-package", "a"), "NAME=VALUE"),
        (("--prerelease-package", "a=often"), "often"),
        (("--exclude-newer-package", "=2020-01-01"), "NAME=VALUE"),
        (("-C", "nothing"), "KEY=VALUE"),
        (("--retries", "-1"), "between 0 and"),
        (("--keyring-provider", "subprocess", "--client-cert"), "requires a value"),
    ],
)
def test_contradictions_and_nonsense_are_wrong_usage(
    options: tuple[str, ...], says: str, cli: Command, tmp_path: Path
) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "app"\n' + GROUPS)
    (tmp_path / "pylock.toml").write_text("x")
    output = cli("lock", *options)
    assert output.code == 2, str(output)
    assert says in output.stderr
    assert (tmp_path / "pylock.toml").read_text() == "x"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("LOCKSET_RESOLUTION", "newest"),
        ("LOCKSET_NO_SDIST", "perhaps"),
        ("LOCKSET_KEYRING_PROVIDER", "all"),
        ("LOCKSET_RETRIES", "many"),
        ("LOCKSET_TIMEOUT", "-1"),
    ],
)
def test_variables_with_nonsense_are_refused(variable: str, value: str, cli: Command, tmp_path: Path) -> None:
    (tmp_path / "requirements.in").write_text("")
    output = cli("lock", "requirements.in", env={variable: value})
    assert output.code == 2
    assert variable in output.stderr


def test_required_hashes_that_a_line_lacks_are_refused(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "requirements.in").write_text("--require-hashes\na\n")
    result = cli("lock", "requirements.in")
    assert result.code == 1
    assert "has no hash" in result.stderr


def test_a_client_certificate_that_cannot_be_read_is_named(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "requirements.in").write_text("a\n")
    (tmp_path / "mine.pem").write_text("no certificate\n")
    output = cli("lock", "requirements.in", "-i", "https://127.0.0.1:9/", "--client-cert", "mine.pem")
    assert output.code == 1
    assert "mine.pem" in output.stderr


def test_everything_goes_by_way_of_the_proxy(cli: Command, local_index: LocalIndex, tmp_path: Path) -> None:
    """The loopback index answers requests for any host, as a proxy does."""
    local_index.world.add("a")
    (tmp_path / "requirements.in").write_text("a\n")
    url = "http://index.example.org/simple/"
    cli("lock", "requirements.in", "--python", ">=3.10", "-i", url, "--proxy", local_index.origin, "--retries", "0")
    assert any("index.example.org" in path for path in local_index.paths())


def test_wheels_of_one_version_are_compared_where_requested(
    lock: Callable[..., dict[str, Any]], cli: Command, local_index: LocalIndex, tmp_path: Path
) -> None:
    linux, windows = "cp310-abi3-manylinux_2_28_x86_64", "cp310-abi3-win_amd64"
    world = local_index.world.add("b").add("c")
    for name, others in (("same", ["b", 'c ; sys_platform == "linux"']), ("other", ["b"])):
        world.add_file(name, make_wheel(name, "1.0", tags=linux, requires_dist=["b", "c ; sys_platform == 'linux'"]))
        world.add_file(name, make_wheel(name, "1.0", tags=windows, requires_dist=others if name == "same" else ["c"]))
    options = ("--platform", "manylinux_2_28_x86_64", "--platform", "win_amd64")
    lock("same", options=(*options, "--verify-metadata"))
    lock("other", options=options)
    before = (tmp_path / "pylock.toml").read_bytes()
    message = cli.refused("lock", "-i", local_index.url, "--upgrade", "--verify-metadata", *options)
    assert "other-1.0-cp310-abi3-win_amd64.whl does not require b" in message
    assert "other-1.0-cp310-abi3-win_amd64.whl requires c" in message
    assert (tmp_path / "pylock.toml").read_bytes() == before
