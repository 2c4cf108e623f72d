"""Options on builds: config settings of single packages, and builds without isolation."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import tomli

from support.builders import make_sdist
from support.builders.sdist import source_files, write_source_tree

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command
    from support.local_index import LocalIndex
    from support.venvs import Venv, VenvMaker

# The wheel has a module with what its backend received, and with the version of a module that it imported.
_SHOWS = """plan = _enter("build_wheel")
    try:
        import tool
        used = tool.version
    except ImportError:
        used = None
    plan["files"] = {f"shown_{plan['name']}.py": repr((config_settings, used))}"""
_ASKS = """

def prepare_metadata_for_build_wheel(directory, config_settings=None):
    import pathlib
    import json
    plan = json.loads(pathlib.Path("tiny.json").read_text())
    try:
        import tool
        wanted = tool.version
    except ImportError:
        wanted = (config_settings or {}).get("wanted", "3.0")
    info = pathlib.Path(directory, f"{plan['name']}-1.0.dist-info")
    info.mkdir()
    text = f"Metadata-Version: 2.1\\nName: {plan['name']}\\nVersion: 1.0\\nRequires-Dist: b=={wanted}\\n"
    (info / "METADATA").write_text(text)
    return info.name
"""


def source(name: str, *, requires: str = "", needs: str = "") -> dict[str, str]:
    """A source tree that builds what it is told; `needs` is a module without which its backend fails."""
    files = source_files(name, "1.0")
    backend = files["tiny_backend.py"].replace('plan = _enter("build_wheel")', _SHOWS)
    files["tiny_backend.py"] = backend.replace("import base64\n", f"import base64\nimport {needs or 'json'}\n", 1)
    files["pyproject.toml"] = files["pyproject.toml"].replace("requires = []", f"requires = [{requires}]")
    return files


def tree(folder: Path, name: str, **more: str) -> None:
    write_source_tree(folder / name, source(name, **more))


def lock_of(folder: Path, *names: str) -> None:
    entries = "".join(f'[[packages]]\nname = "{n}"\ndirectory = {{ path = "{n}" }}\n' for n in names)
    (folder / "pylock.toml").write_text(f'lock-version = "1.0"\ncreated-by = "test"\n{entries}')


def shown(venv: Venv, name: str) -> Any:
    return eval((venv.site_packages / f"shown_{name}.py").read_text())


@pytest.fixture
def venv(make_venv: VenvMaker) -> Venv:
    return make_venv(".venv")


class TestConfigSettings:
    def test_a_package_has_settings_of_its_own(self, cli: Command, tmp_path: Path, venv: Venv) -> None:
        tree(tmp_path, "one")
        tree(tmp_path, "two")
        lock_of(tmp_path, "one", "two")
        cli.ok("sync", "-C", "a=1", "-C", "b=2", "--config-settings-package", "One:a=3", "--config-settings", "c=4")
        assert shown(venv, "one") == ({"a": "3", "b": "2", "c": "4"}, None)
        assert shown(venv, "two") == ({"a": "1", "b": "2", "c": "4"}, None)

    @pytest.mark.parametrize("text", ["one", "one:", "one:a", ":a=1", "a=1", "on e:a=1", "one:=1"])
    def test_what_is_not_a_setting_of_a_package_is_refused(self, cli: Command, tmp_path: Path, text: str) -> None:
        lock_of(tmp_path, "one")
        for command in ("sync", "lock"):
            assert text.partition(":")[0] in cli.refused(command, "--config-settings-package", text, code=2)

    def test_a_sync_uses_the_settings_of_the_project(self, cli: Command, tmp_path: Path, venv: Venv) -> None:
        tree(tmp_path, "one")
        lock_of(tmp_path, "one")
        (tmp_path / "pyproject.toml").write_text(
            '[tool.lockset]\nconfig-settings = { a = "1", b = "1" }\nconfig-settings-package = { one = { b = "2" } }\n'
        )
        cli.ok("sync")
        assert shown(venv, "one") == ({"a": "1", "b": "2"}, None)
        cli.ok(
            "sync", "--reinstall", env={"LOCKSET_CONFIG_SETTINGS_PACKAGE": "one:b=3", "LOCKSET_CONFIG_SETTING": "a=4"}
        )
        assert shown(venv, "one") == ({"a": "4", "b": "3"}, None)

    def test_settings_of_a_requirement_line_reach_the_lock_and_the_sync(
        self, cli: Command, tmp_path: Path, local_index: LocalIndex, venv: Venv
    ) -> None:
        local_index.world.add("b", "1.0").add("b", "3.0")
        tree(tmp_path, "one")
        write_source_tree(tmp_path / "one", {"tiny_backend.py": source("one")["tiny_backend.py"] + _ASKS})
        (tmp_path / "requirements.in").write_text("one @ ./one --config-settings wanted=1.0\n")
        cli.ok("lock", "requirements.in", "-i", local_index.url)
        packages = {p["name"]: p for p in tomli.loads((tmp_path / "pylock.toml").read_text())["packages"]}
        assert packages["b"]["version"] == "1.0"
        cli.ok("sync", "pylock.toml", "-i", local_index.url)
        assert shown(venv, "one") == ({"wanted": "1.0"}, None)
        assert "no errors" in cli.ok("validate", "pylock.toml").stderr

    def test_cached_metadata_of_other_settings_is_not_used(
        self, cli: Command, tmp_path: Path, local_index: LocalIndex
    ) -> None:
        for version in ("1.0", "2.0", "3.0"):
            local_index.world.add("b", version)
        local_index.world.add_file("one", _sdist("one"))
        (tmp_path / "requirements.in").write_text("one\n")

        def locked(*options: str) -> str:
            cli.ok("lock", "requirements.in", "-i", local_index.url, "-U", *options)
            packages = tomli.loads((tmp_path / "pylock.toml").read_text())["packages"]
            return str(next(p["version"] for p in packages if p["name"] == "b"))

        assert locked() == "3.0"
        assert locked("--config-settings-package", "one:wanted=1.0") == "1.0"
        assert locked("-C", "wanted=2.0") == "2.0"
        assert locked() == "3.0"
        again = cli.ok("lock", "requirements.in", "-i", local_index.url, "-U", "-C", "wanted=2.0")
        assert "Building" not in again.stderr


def _sdist(name: str) -> Any:
    files = source(name)
    files["tiny_backend.py"] += _ASKS
    return make_sdist(name, "1.0", dynamic=("Requires-Dist",), more=files)


class TestNoIsolation:
    """`--no-build-isolation` and `--no-build-isolation-package`."""

    def test_a_sync_builds_in_the_target(self, cli: Command, tmp_path: Path, venv: Venv) -> None:
        tree(tmp_path, "one", requires='"tool"')
        lock_of(tmp_path, "one")
        (venv.site_packages / "tool.py").write_text("version = 'mine'\n")
        done = cli.ok("sync", "--no-build-isolation")
        assert shown(venv, "one") == (None, "mine")
        assert "tool (not installed)" in done.stderr

    def test_without_the_option_the_environment_is_not_seen(self, cli: Command, tmp_path: Path, venv: Venv) -> None:
        tree(tmp_path, "one")
        lock_of(tmp_path, "one")
        (venv.site_packages / "tool.py").write_text("version = 'mine'\n")
        cli.ok("sync", "--no-build-isolation-package", "two")
        assert shown(venv, "one") == (None, None)
        cli.ok("sync", "--reinstall", "--no-build-isolation-package", "One")
        assert shown(venv, "one") == (None, "mine")

    def test_what_is_locked_with_it_is_installed_first(
        self, cli: Command, tmp_path: Path, local_index: LocalIndex, venv: Venv
    ) -> None:
        local_index.world.add("tool", "5.0", files={"tool.py": "version = '5.0'\n"})
        tree(tmp_path, "one", requires='"tool"', needs="tool")
        (tmp_path / "requirements.in").write_text("one @ ./one\ntool\n")
        options = ("--no-build-isolation-package", "one", "-i", local_index.url)
        (venv.site_packages / "tool.py").write_text("version = '0'\n")
        cli.ok("lock", "requirements.in", *options)
        (venv.site_packages / "tool.py").unlink()
        done = cli.ok("sync", "pylock.toml", *options)
        assert shown(venv, "one") == (None, "5.0")
        assert venv.installed() == {"one": "1.0", "tool": "5.0"}
        assert "not installed" not in done.stderr
        assert "2 packages" in done.stderr, "the report counts both"

    def test_a_failure_after_the_others_says_so_and_can_be_tried_again(
        self, cli: Command, tmp_path: Path, local_index: LocalIndex, venv: Venv
    ) -> None:
        local_index.world.add("other", "5.0")
        tree(tmp_path, "one", needs="tool")
        (tmp_path / "requirements.in").write_text("other\n")
        cli.ok("lock", "requirements.in", "-i", local_index.url)
        with (tmp_path / "pylock.toml").open("a") as lock:
            lock.write('\n[[packages]]\nname = "one"\ndirectory = { path = "one" }\n')
        result = cli("sync", "pylock.toml", "--no-build-isolation", "-i", local_index.url)
        assert result.code == 1
        assert "are installed" in result.stderr
        assert "was not changed" not in result.stderr
        assert venv.installed() == {"other": "5.0"}
        (venv.site_packages / "tool.py").write_text("version = '1'\n")
        cli.ok("sync", "pylock.toml", "--no-build-isolation", "--reinstall", "-i", local_index.url)
        assert venv.installed() == {"one": "1.0", "other": "5.0"}

    def test_a_missing_requirement_is_named_with_the_command_that_installs_it(
        self, cli: Command, tmp_path: Path, venv: Venv, local_index: LocalIndex
    ) -> None:
        local_index.world.add("tool", "5.0", files={"tool.py": "version = '5.0'\n"})
        tree(tmp_path, "one", requires='"tool>=5"', needs="tool")
        lock_of(tmp_path, "one")
        result = cli("sync", "--no-build-isolation")
        assert result.code == 1
        message = " ".join(result.stderr.split())
        assert "does not have: tool>=5 (not installed)" in message
        assert "Install them first:" in message
        assert "Traceback" not in result.stderr
        assert not venv.installed()

    @pytest.mark.skipif(sys.platform == "win32", reason="the command is one of a POSIX shell")
    def test_the_command_for_a_missing_requirement_works(
        self, cli: Command, tmp_path: Path, venv: Venv, local_index: LocalIndex
    ) -> None:
        local_index.world.add("tool", "5.0", files={"tool.py": "version = '5.0'\n"})
        tree(tmp_path, "one", requires='"tool>=5"', needs="tool")
        lock_of(tmp_path, "one")
        error = cli("sync", "--no-build-isolation", "--json").json()["error"]
        command = error["hint"].partition("`")[2].rpartition("`")[0]
        path = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
        surroundings = {**os.environ, "PATH": path, "LOCKSET_DEFAULT_INDEX": local_index.url}
        subprocess.run(["sh", "-c", command], cwd=tmp_path, env=surroundings, check=True)
        cli.ok("sync", "--no-build-isolation", "--inexact")
        assert shown(venv, "one") == (None, "5.0")

    def test_another_version_is_noted_and_used(self, cli: Command, tmp_path: Path, venv: Venv) -> None:
        tree(tmp_path, "one", requires='"tool>=5", "other ; python_version < \'3\'"')
        lock_of(tmp_path, "one")
        (venv.site_packages / "tool.py").write_text("version = '4'\n")
        info = venv.site_packages / "tool-4.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: Tool\nVersion: 4\n")
        done = cli.ok("sync", "--no-build-isolation", "--inexact")
        assert "tool>=5 (4 is installed)" in done.stderr
        assert "other ;" not in done.stderr
        assert shown(venv, "one") == (None, "4")

    def test_a_lock_builds_in_the_environment_that_a_sync_would_use(
        self, cli: Command, tmp_path: Path, local_index: LocalIndex, venv: Venv
    ) -> None:
        for version in ("1.0", "2.0", "3.0"):
            local_index.world.add("b", version)
        local_index.world.add_file("one", _sdist("one"))
        (tmp_path / "requirements.in").write_text("one\n")

        def locked(*options: str, **more: Any) -> str:
            cli.ok("lock", "requirements.in", "-i", local_index.url, "-U", *options, **more)
            packages = tomli.loads((tmp_path / "pylock.toml").read_text())["packages"]
            return str(next(p["version"] for p in packages if p["name"] == "b"))

        (venv.site_packages / "tool.py").write_text("version = '1.0'\n")
        assert locked() == "3.0"
        assert locked("--no-build-isolation") == "1.0"
        (venv.site_packages / "tool.py").write_text("version = '2.00'\n")
        assert locked("--no-build-isolation-package", "one") == "2.0"
        assert locked() == "3.0"
        (tmp_path / "pyproject.toml").write_text('[tool.lockset]\nno-build-isolation = ["one"]\n')
        assert locked() == "2.0"
        (tmp_path / "pyproject.toml").unlink()
        assert locked(env={"LOCKSET_NO_BUILD_ISOLATION": "1"}) == "2.0"

    def test_a_failure_is_not_stored(self, cli: Command, tmp_path: Path, local_index: LocalIndex, venv: Venv) -> None:
        local_index.world.add("b", "1.0")
        files = source("one", needs="tool")
        files["tiny_backend.py"] += _ASKS
        local_index.world.add_file("one", make_sdist("one", "1.0", dynamic=("Requires-Dist",), more=files))
        (tmp_path / "requirements.in").write_text("one\n")
        options = ("lock", "requirements.in", "-i", local_index.url, "--no-build-isolation")
        assert cli(*options).code == 1
        (venv.site_packages / "tool.py").write_text("version = '1.0'\n")
        cli.ok(*options)

    def test_an_interpreter_that_cannot_list_its_packages_is_named(
        self, cli: Command, tmp_path: Path, venv: Venv
    ) -> None:
        tree(tmp_path, "one")
        lock_of(tmp_path, "one")
        # Debian's Pythons have a `sitecustomize` of their own.
        (venv.site_packages / "odd.pth").write_text("import importlib.metadata as m; del m.distributions\n")
        assert "could not list what is installed" in cli.refused("sync", "--no-build-isolation")

    def test_what_builds_require_may_itself_need_a_build(
        self, cli: Command, tmp_path: Path, local_index: LocalIndex, venv: Venv
    ) -> None:
        files = source_files("tool", "7.0", files={"tool.py": "version = '7.0'\n"})
        local_index.world.add_file("tool", make_sdist("tool", "7.0", more=files))
        tree(tmp_path, "one", requires='"tool"', needs="tool")
        lock_of(tmp_path, "one")
        cli.ok("sync", "-i", local_index.url)
        assert shown(venv, "one") == (None, "7.0")
