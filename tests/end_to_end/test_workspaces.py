"""Workspaces: one resolution for all members, one lock file for each, and commands that find them."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
import tomli
from jsonschema import Draft202012Validator  # type: ignore[import-untyped] # it has no stubs of its own

from lockset import IndexOptions, RunContext, lock
from support.builders.sdist import source_files, write_source_tree
from support.repository import SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.command import Command, Result
    from support.local_index import LocalIndex
    from support.venvs import VenvMaker

ROOT = '[tool.uv.workspace]\nmembers = ["packages/*", "apps/*"]\n'
SOURCES = "[tool.uv.sources]\n"


class Workspace:
    """A workspace on disk, and the command in it."""

    def __init__(self, cli: Command, index: LocalIndex, root: Path) -> None:
        self.cli, self.index, self.root = cli, index, root
        root.mkdir()

    def write(self, *texts: str, at: str = ".") -> None:
        folder = self.root / at
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "pyproject.toml").write_text("\n".join(texts))

    def member(self, at: str, *texts: str, dependencies: tuple[str, ...] = (), python: str = ">=3.10") -> None:
        """A member that can be built without a network; further tables are `texts`."""
        folder, name = self.root / at, at.rpartition("/")[2]
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        write_source_tree(folder, source_files(name, "1.5"))
        head = f'[project]\nname = "{name}"\nversion = "1.5"\nrequires-python = "{python}"\n'
        built = (folder / "pyproject.toml").read_text()
        (folder / "pyproject.toml").write_text(
            "\n".join([head + f"dependencies = {list(dependencies)}", *texts, built])
        )

    def run(self, *arguments: object, at: str = ".") -> Result:
        return self.cli(*arguments, cwd=self.root / at)

    def lock(self, *arguments: object, at: str = ".") -> Result:
        return self.run("lock", "-i", self.index.url, *arguments, at=at)

    def data(self, name: str = "") -> dict[str, Any]:
        return tomli.loads((self.root / (f"pylock.{name}.toml" if name else "pylock.toml")).read_text())

    def packages(self, name: str = "") -> dict[str, str | None]:
        return {p["name"]: p.get("version") for p in self.data(name)["packages"]}

    def files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted(self.root.glob("pylock*"))}


@pytest.fixture
def space(cli: Command, local_index: LocalIndex, tmp_path: Path) -> Workspace:
    """A virtual root with three members: api requires core with an extra, web requires api."""
    for version in ("1.0", "2.0", "3.0"):
        local_index.world.add("hull", version)
    for name in ("mast", "sail", "keel"):
        local_index.world.add(name, "1.0", requires=("hull",))
    # What a stranger has under the names of members.
    for name in ("core", "api", "web"):
        local_index.world.add(name, "99.0")
    space = Workspace(cli, local_index, tmp_path / "space")
    space.write(ROOT)
    space.member("packages/core", '[project.optional-dependencies]\nfast = ["sail"]', dependencies=("hull",))
    space.member(
        "packages/api",
        '[dependency-groups]\ntest = ["keel"]',
        f"{SOURCES}core = {{ workspace = true }}",
        dependencies=("core[fast]", "hull<3"),
    )
    space.member("apps/web", f"{SOURCES}api = {{ workspace = true }}", dependencies=("api", "mast"))
    return space


def test_all_members_are_locked_together_and_agree_on_versions(space: Workspace) -> None:
    result = space.lock()
    assert result.code == 0, str(result)
    assert space.packages("core") == {"hull": "2.0", "sail": "1.0"}
    assert space.packages("api") == {"core": None, "hull": "2.0", "keel": "1.0", "sail": "1.0"}
    assert space.packages("web") == {"api": None, "core": None, "hull": "2.0", "mast": "1.0", "sail": "1.0"}
    assert space.packages()["hull"] == "2.0"


def test_a_virtual_root_has_all_members_as_editable_folders(space: Workspace) -> None:
    space.lock()
    folders = {p["name"]: p["directory"] for p in space.data()["packages"] if "directory" in p}
    assert folders == {
        "api": {"path": "packages/api", "editable": True},
        "core": {"path": "packages/core", "editable": True},
        "web": {"path": "apps/web", "editable": True},
    }
    assert (space.data()["extras"], space.data()["dependency-groups"]) == (["fast"], ["test"])


def test_extras_and_groups_of_a_member_keep_their_names(space: Workspace) -> None:
    space.lock()
    markers = {p["name"]: p.get("marker") for p in space.data("api")["packages"]}
    assert markers["keel"] == '"test" in dependency_groups'
    assert space.data("core")["extras"] == ["fast"]
    assert {p["name"]: p.get("marker") for p in space.data("core")["packages"]}["sail"] == '"fast" in extras'


def test_a_member_that_is_required_comes_from_its_folder_without_a_table_of_sources(space: Workspace) -> None:
    space.write('[tool.lockset.workspace]\nmembers = ["packages/*", "apps/*"]\n')
    space.member("packages/api", dependencies=("core",))
    space.member("apps/web", dependencies=("api",))
    result = space.lock()
    assert result.code == 0, str(result)
    assert space.packages("web") == {"api": None, "core": None, "hull": "3.0"}
    assert "other tools" not in result.stderr


def test_the_table_of_lockset_wins(space: Workspace) -> None:
    space.write('[tool.uv.workspace]\nmembers = ["nowhere"]\n[tool.lockset.workspace]\nmembers = ["packages/core"]')
    assert space.lock().code == 0
    assert sorted(space.files()) == ["pylock.core.toml", "pylock.toml"]


def test_a_root_that_is_a_project_is_locked_as_one(space: Workspace) -> None:
    space.write('[project]\nname = "fleet"\nversion = "1"\ndependencies = ["mast"]', ROOT)
    assert space.lock().code == 0
    assert space.packages() == {"hull": "2.0", "mast": "1.0"}
    assert "directory" not in (space.root / "pylock.toml").read_text()


def test_folders_that_are_excluded_are_not_members(space: Workspace) -> None:
    space.write('[tool.uv.workspace]\nmembers = ["packages/*", "apps/*"]\nexclude = ["apps/web"]\n')
    assert space.lock().code == 0
    assert "pylock.web.toml" not in space.files()


def test_the_bytes_are_the_same_wherever_the_command_runs(space: Workspace) -> None:
    space.lock()
    first = space.files()
    shutil.rmtree(space.root.parent / "cache", ignore_errors=True)
    for path in space.root.glob("pylock*"):
        path.unlink()
    assert space.lock(at="packages/core").code == 0
    assert space.files() == first


def test_files_that_do_not_change_are_not_touched(space: Workspace) -> None:
    space.lock()
    times = {path.name: path.stat().st_mtime_ns for path in space.root.glob("pylock*")}
    space.member("apps/web", f"{SOURCES}api = {{ workspace = true }}", dependencies=("api",))
    result = space.lock()
    changed = {p.name for p in space.root.glob("pylock*") if p.stat().st_mtime_ns != times[p.name]}
    assert changed == {"pylock.toml", "pylock.web.toml"}
    assert "(2 of 4 files changed)" in result.stderr
    assert "- mast 1.0" in result.stderr


def test_an_error_in_one_member_writes_nothing(space: Workspace) -> None:
    space.lock()
    before = space.files()
    space.member("apps/web", dependencies=("keel", "nothing-of-this-name"))
    assert space.lock().code == 1
    assert space.files() == before


def test_a_file_that_cannot_be_written_leaves_all_as_they_were(space: Workspace) -> None:
    space.lock()
    before = space.files()
    space.member("packages/core", dependencies=("hull", "keel"))
    (space.root / "pylock.web.toml").unlink()
    (space.root / "pylock.web.toml").mkdir()
    result = space.lock()
    assert result.code == 1
    assert "pylock.web.toml" in result.stderr
    (space.root / "pylock.web.toml").rmdir()
    assert space.files() == {name: data for name, data in before.items() if name != "pylock.web.toml"}


def test_pins_of_all_files_are_kept_until_an_upgrade(space: Workspace) -> None:
    space.lock()
    space.index.world.add("mast", "2.0")
    space.index.world.add("keel", "2.0")
    assert "are current" in space.lock("--refresh").stderr
    space.lock("-P", "keel")
    assert (space.packages("api")["keel"], space.packages("web")["mast"]) == ("2.0", "1.0")
    space.lock("--upgrade")
    assert (space.packages("web")["mast"], space.packages()["mast"]) == ("2.0", "2.0")


def test_check_names_the_files_that_are_out_of_date(space: Workspace) -> None:
    space.lock()
    assert space.lock("--check").code == 0
    space.member("apps/web", f"{SOURCES}api = {{ workspace = true }}", dependencies=("api", "mast", "keel"))
    result = space.lock("--check")
    assert result.code == 1
    assert "stale: pylock.web.toml: keel" in result.stderr
    assert "pylock.toml and pylock.web.toml are out of date" in result.stderr
    (space.root / "pylock.core.toml").unlink()
    assert "stale: pylock.core.toml: there is no usable lock file" in space.lock("--check").stderr


def test_a_lock_of_a_folder_that_is_no_member_any_more_is_reported(space: Workspace) -> None:
    space.lock()
    space.write('[tool.uv.workspace]\nmembers = ["packages/*"]\n')
    check, again = space.lock("--check"), space.lock()
    assert "pylock.web.toml is there, and web is not a member" in check.stderr
    assert "web is not a member of the workspace" in again.stderr
    assert "web" not in space.packages()


def test_json_has_the_changes_of_each_file(space: Workspace) -> None:
    schema = json.loads((SCHEMAS / "command-output.schema.json").read_text())
    space.lock()
    space.member("packages/core", dependencies=("hull", "keel"))
    report = space.lock("--dry-run", "--json").json()
    lock_schema = {**schema, "$ref": "#/$defs/lock"}
    assert list(Draft202012Validator(lock_schema).iter_errors(report)) == []
    changes = {one["lock"].rpartition("/")[2]: one["changes"] for one in report["members"]}
    assert {"name": "keel", "old": None, "new": "1.0"} in changes["pylock.core.toml"]
    checked = space.lock("--check", "--json").json()
    check_schema = {**schema, "$ref": "#/$defs/lock-check"}
    assert list(Draft202012Validator(check_schema).iter_errors(checked)) == []
    assert {one["lock"].rpartition("/")[2] for one in checked["members"] if not one["current"]} >= {"pylock.core.toml"}


def test_a_member_that_is_named_is_locked_alone(space: Workspace) -> None:
    result = space.lock("packages/core/pyproject.toml", "-o", "pylock.alone.toml")
    assert result.code == 0, str(result)
    assert sorted(space.files()) == ["pylock.alone.toml"]
    assert space.packages("alone")["hull"] == "3.0"


def test_the_root_may_be_named_as_a_source(space: Workspace) -> None:
    assert space.lock("pyproject.toml").code == 0
    assert sorted(space.files()) == ["pylock.api.toml", "pylock.core.toml", "pylock.toml", "pylock.web.toml"]
    assert space.lock(".", "--check").code == 0
    assert space.run("lock", "-i", space.index.url, "..", "--check", at="packages").code == 0


def test_a_project_that_is_locked_alone_does_not_replace_a_lock_file_of_the_workspace(space: Workspace) -> None:
    space.lock()
    before = space.files()
    for output in ("pylock.toml", "pylock.core.toml"):
        result = space.lock("packages/core/pyproject.toml", "-o", output)
        assert result.code == 1
        assert "is one of a workspace" in result.stderr
    assert space.files() == before


def test_a_root_without_its_workspace_is_a_project_again(space: Workspace) -> None:
    space.write('[project]\nname = "fleet"\nversion = "1"\ndependencies = ["mast"]', ROOT)
    space.lock()
    space.write('[project]\nname = "fleet"\nversion = "1"\ndependencies = ["mast"]')
    result = space.lock()
    assert result.code == 0, str(result)
    assert "members" not in space.data()["tool"]["lockset"]


def test_pythons_of_groups_hold_for_the_groups_of_each_member(space: Workspace) -> None:
    group = '[dependency-groups]\ndev = ["keel"]\n[tool.uv.dependency-groups]\ndev = { requires-python = ">=3.12" }'
    space.member("apps/web", group, dependencies=("mast",))
    result = space.lock()
    assert "is not read" not in result.stderr
    markers = {p["name"]: p.get("marker") for p in space.data("web")["packages"]}
    assert markers["keel"] == 'python_version >= "3.12" and "dev" in dependency_groups'
    assert space.lock("--check").code == 0


def test_choices_of_groups_last_in_each_lock_file(space: Workspace) -> None:
    space.lock("--no-group", "test")
    assert space.data("api")["dependency-groups"] == []
    assert space.lock("--check").code == 0
    second = space.lock()
    assert "are current" in second.stderr, second.stderr
    space.lock("--all-groups")
    assert space.data("api")["dependency-groups"] == ["test"]


def test_platforms_and_groups_in_the_settings_are_what_the_check_expects(space: Workspace) -> None:
    space.write(ROOT, '[tool.lockset]\nplatforms = ["linux"]\npython = ">=3.11"')
    space.member("apps/web", '[dependency-groups]\ndev = ["keel"]\n[tool.lockset]\ngroups = []', dependencies=("mast",))
    assert space.lock().code == 0
    assert space.lock("--check").code == 0
    assert {space.data(name)["requires-python"] for name in ("", "api", "core", "web")} == {">=3.11"}
    assert all(space.data(name)["environments"] for name in ("", "api", "core", "web"))
    assert "keel" not in space.packages("web")


def test_members_that_require_each_other_are_locked(space: Workspace) -> None:
    space.member("packages/core", '[dependency-groups]\ntest = ["web"]', f"{SOURCES}web = {{ workspace = true }}")
    assert space.lock().code == 0
    assert set(space.packages("core")) == {"api", "core", "hull", "mast", "sail", "web"} - {"sail"}
    assert space.lock("--check").code == 0
    again = space.lock()
    assert "are current" in again.stderr, str(again)


def test_members_are_in_their_own_locks_where_the_setting_says_so(space: Workspace) -> None:
    space.write(ROOT, "[tool.lockset]\nwith-project = true")
    space.member("packages/core", '[dependency-groups]\ntest = ["web"]', f"{SOURCES}web = {{ workspace = true }}")
    assert space.lock().code == 0
    folders = {p["name"]: p["directory"]["path"] for p in space.data("core")["packages"] if "directory" in p}
    assert folders == {"api": "packages/api", "core": "packages/core", "web": "apps/web"}
    assert space.lock("--check").code == 0


def test_a_project_that_is_not_a_package_is_not_installed_by_a_virtual_root(space: Workspace) -> None:
    space.write('[project]\nname = "tool"\nversion = "1"\ndependencies = ["keel"]\n', at="apps/tool")
    space.lock()
    assert "tool" not in space.packages()
    assert space.packages()["keel"] == "1.0"


def test_the_pythons_are_those_of_all_members(space: Workspace) -> None:
    space.member("apps/web", dependencies=("mast",), python=">=3.11")
    result = space.lock()
    assert {space.data(name)["requires-python"] for name in ("", "api", "core", "web")} == {">=3.11"}
    assert "locked for Python >=3.11, which all members support: web requires >=3.11" in result.stderr


def test_settings_of_a_member_that_do_not_count_are_named(space: Workspace) -> None:
    space.member("apps/web", '[tool.lockset]\nconstraints = ["hull<2"]', dependencies=("mast",))
    result = space.lock()
    assert "`constraints` in [tool.lockset] of apps/web/pyproject.toml has no effect" in result.stderr
    assert space.packages("web")["hull"] == "2.0"


def test_settings_of_the_root_hold_for_all_members(space: Workspace) -> None:
    space.write(ROOT, '[tool.lockset]\nconstraints = ["hull<2"]')
    assert space.lock().code == 0
    assert {space.packages(name)["hull"] for name in ("", "api", "core", "web")} == {"1.0"}
    assert space.lock("--check").code == 0


@pytest.mark.parametrize("table", ["tool.uv", "tool.lockset"])
def test_a_declared_conflict_lets_members_have_versions_of_their_own(space: Workspace, table: str) -> None:
    conflicts = '[[{ package = "core", extra = "new" }, { package = "api" }]]'
    space.write(ROOT, f"[{table}]\nconflicts = {conflicts}")
    space.member(
        "packages/core", '[project.optional-dependencies]\nfast = ["sail"]\nnew = ["hull>=3"]', dependencies=("hull",)
    )
    result = space.lock()
    assert result.code == 0, str(result)
    versions = {(p["version"], p.get("marker")) for p in space.data("core")["packages"] if p["name"] == "hull"}
    assert versions == {("3.0", None)}
    assert space.packages("api")["hull"] == "2.0"
    assert space.lock("--check").code == 0
    second = space.lock()
    assert "are current" in second.stderr, second.stderr


def test_members_that_conflict_are_left_out_of_the_lock_of_a_virtual_root(space: Workspace) -> None:
    space.write(ROOT, '[tool.lockset]\nconflicts = [[{ package = "core" }, { package = "api" }]]')
    space.member("packages/core", dependencies=("hull>=3",))
    space.member("packages/api", dependencies=("hull<3",))
    space.member("apps/web", dependencies=("mast",))
    result = space.lock()
    assert result.code == 0, str(result)
    assert "pylock.toml leaves out api and core" in result.stderr
    assert (space.packages("core")["hull"], space.packages("api")["hull"]) == ("3.0", "2.0")
    assert set(space.packages()) == {"hull", "mast", "web"}


def test_a_conflict_within_one_member_is_one_of_its_lock(space: Workspace) -> None:
    extras = '[project.optional-dependencies]\nold = ["hull<2"]\nnew = ["hull>=2"]'
    space.member("packages/core", extras, '[tool.uv]\nconflicts = [[{ extra = "old" }, { extra = "new" }]]')
    space.member("packages/api", f"{SOURCES}core = {{ workspace = true }}", dependencies=("core[old]",))
    space.member("apps/web", f"{SOURCES}core = {{ workspace = true }}", dependencies=("core",))
    result = space.lock()
    assert result.code == 0, str(result)
    assert space.data("core")["tool"]["lockset"]["conflicts"] == [[{"extra": "new"}, {"extra": "old"}]]
    assert space.packages("api")["hull"] == "1.0"
    assert space.packages("web") == {"core": None}


def test_a_conflict_that_is_not_declared_names_both_members_and_their_lines(space: Workspace) -> None:
    space.member("apps/web", dependencies=("hull>=3",))
    result = space.lock()
    assert result.code == 1
    assert "packages/api/pyproject.toml:5 [project.dependencies]" in result.stderr
    assert "apps/web/pyproject.toml:5 [project.dependencies]" in result.stderr
    assert 'conflicts = [[{ package = "web" }, { package = "api" }]]' in result.stderr
    assert space.files() == {}


def test_where_one_member_requires_the_other_no_conflict_is_proposed(space: Workspace) -> None:
    space.member("apps/web", f"{SOURCES}api = {{ workspace = true }}", dependencies=("api", "hull>=3"))
    result = space.lock()
    assert result.code == 1
    assert "conflicts =" not in result.stderr
    assert "web requires api" in result.stderr


def missing(space: Workspace) -> None:
    space.write('[tool.uv.workspace]\nmembers = ["packages/none"]')


def empty(space: Workspace) -> None:
    space.write('[tool.uv.workspace]\nmembers = ["pakages/*"]')


def no_project(space: Workspace) -> None:
    (space.root / "packages" / "docs").mkdir()
    (space.root / "packages" / "docs" / "index.md").touch()


def namesakes(space: Workspace) -> None:
    space.write('[project]\nname = "Core"\nversion = "1"', at="apps/other")


def outside(space: Workspace) -> None:
    space.write('[tool.uv.workspace]\nmembers = ["../other"]')


def link_outside(space: Workspace) -> None:
    (space.root.parent / "far").mkdir()
    (space.root / "packages" / "far").symlink_to(space.root.parent / "far", target_is_directory=True)


def nested(space: Workspace) -> None:
    space.member("apps/web", '[tool.uv.workspace]\nmembers = ["x"]')


def broken(space: Workspace) -> None:
    space.write("[project\n", at="apps/web")


def not_a_member(space: Workspace) -> None:
    space.member("apps/web", f"{SOURCES}mast = {{ workspace = true }}", dependencies=("mast",))


def disjoint(space: Workspace) -> None:
    space.member("apps/web", python="<3.10")


def circle(space: Workspace) -> None:
    (space.root / "packages" / "loop").symlink_to("..", target_is_directory=True)


def nameless(space: Workspace) -> None:
    space.write('[dependency-groups]\ndev = ["mast"]', at="apps/web")


def unknown_conflict(space: Workspace) -> None:
    space.write(ROOT, '[tool.lockset]\nconflicts = [[{ package = "core" }, { package = "nobody" }]]')


def wrong_type(space: Workspace) -> None:
    space.write('[tool.uv.workspace]\nmembers = "packages/*"')


@pytest.mark.parametrize(
    ("damage", "lines"),
    [
        (missing, ["pyproject.toml:2:12: error", "packages/none"]),
        (empty, ["pyproject.toml:2:12: error", "matches no folder: `pakages/*`"]),
        (no_project, ["pyproject.toml:2:12: error", "packages/docs, which has no pyproject.toml"]),
        (namesakes, ["apps/other/pyproject.toml:2:8", "packages/core/pyproject.toml:2:8"]),
        (outside, ["pyproject.toml:2:12: error", "is outside of the root"]),
        (link_outside, ["pyproject.toml:2:12: error", "a link to a folder outside of the root"]),
        (nested, ["apps/web/pyproject.toml:", "a workspace inside the workspace of pyproject.toml"]),
        (broken, ["apps/web/pyproject.toml:1:", "not valid TOML"]),
        (not_a_member, ["apps/web/pyproject.toml:7:8: error", "no member of that name", "its members are"]),
        (disjoint, ["packages/api/pyproject.toml:4:19", "apps/web/pyproject.toml:4:19", "no Python in common"]),
        (circle, ["packages/loop/pyproject.toml", "a workspace inside the workspace"]),
        (nameless, ["apps/web/pyproject.toml", "needs a [project] table with a name"]),
        (unknown_conflict, ["pyproject.toml:5:13: error", "`nobody`"]),
        (wrong_type, ["pyproject.toml:2:11: error", "must be an array"]),
    ],
)
def test_what_is_wrong_with_a_workspace_is_one_paragraph_and_nothing_is_written(
    space: Workspace, damage: Callable[[Workspace], None], lines: list[str]
) -> None:
    damage(space)
    result = space.lock()
    assert result.code == 1, str(result)
    assert result.stderr.count("error: ") == 1
    for line in lines:
        assert line in result.stderr
    assert space.files() == {}
    assert space.lock("--check").code == 1


def test_the_lock_file_of_a_script_is_not_overwritten(space: Workspace) -> None:
    (space.root / "core.py").write_text('# /// script\n# dependencies = ["mast"]\n# ///\n')
    space.lock("core.py")
    before = space.files()
    result = space.lock()
    assert result.code == 1
    assert "pylock.core.toml would be the lock file of the member core" in result.stderr
    assert space.files() == before


@pytest.mark.parametrize("output", ["-", "pylock.dev.toml"])
def test_an_output_that_cannot_hold_several_files_is_refused(space: Workspace, output: str) -> None:
    result = space.lock("-o", output)
    assert result.code == 2
    assert "several lock files" in result.stderr


def test_lock_files_can_be_written_to_another_folder(space: Workspace) -> None:
    (space.root / "locks").mkdir()
    assert space.lock("-o", "locks/pylock.toml").code == 0
    assert sorted(path.name for path in (space.root / "locks").iterdir()) == [
        "pylock.api.toml", "pylock.core.toml", "pylock.toml", "pylock.web.toml"
    ]  # fmt: skip


def test_the_library_locks_and_writes_all_files(space: Workspace) -> None:
    context = RunContext(folder=space.root, cache=space.root.parent / "cache")
    result = lock(indexes=IndexOptions(index_url=space.index.url), context=context)
    assert [one.path.name for one in result.members if one.path is not None] == [
        "pylock.web.toml", "pylock.api.toml", "pylock.core.toml"
    ]  # fmt: skip
    assert space.files() == {}
    result.write()
    assert len(space.files()) == 4


def test_in_the_folder_of_a_member_commands_use_its_lock_file(space: Workspace, make_venv: VenvMaker) -> None:
    space.lock()
    venv = make_venv()
    result = space.run("sync", "-p", venv.path, "--offline", "--dry-run", at="packages/core")
    assert "+ hull 2.0" in result.stderr
    assert "mast" not in result.stderr
    assert space.run("why", "sail", at="packages/core").code == 0
    assert space.run("why", "mast", at="packages/core").code == 1
    assert space.run("tree", at="packages/core").stdout.startswith("hull 2.0")


def test_sync_of_a_package_installs_its_lock_file_with_members_as_editable(
    space: Workspace, make_venv: VenvMaker
) -> None:
    space.lock()
    venv = make_venv()
    result = space.run("sync", "-p", venv.path, "--package", "api", "--group", "test")
    assert result.code == 0, str(result)
    assert venv.installed() == {"core": "1.5", "hull": "2.0", "keel": "1.0", "sail": "1.0"}
    assert space.run("check-env", "-p", venv.path, "--package", "api", "--group", "test").code == 0
    assert space.run("sync", "-p", venv.path, "--all-packages", "--offline", "--dry-run").code == 0


def test_several_packages_are_installed_together(space: Workspace, make_venv: VenvMaker) -> None:
    space.lock()
    venv = make_venv()
    assert space.run("sync", "-p", venv.path, "--package", "Core", "--package", "web").code == 0
    assert set(venv.installed()) == {"api", "core", "hull", "mast", "sail"}
    assert space.run("sync", "-p", venv.path, "--all-packages").code == 0
    assert set(venv.installed()) == {"api", "core", "hull", "mast", "sail", "web"}


def test_a_package_that_is_not_a_member_is_refused_with_those_that_are(space: Workspace, make_venv: VenvMaker) -> None:
    space.lock()
    result = space.run("sync", "-p", make_venv().path, "--package", "cor")
    assert result.code == 1
    assert "has no member named cor" in result.stderr
    assert "`core`" in result.stderr
    both = space.run("sync", "-p", make_venv("other").path, "--package", "core", "pylock.toml")
    assert both.code == 2


def test_sync_tells_that_a_member_has_changed_since_it_was_locked(space: Workspace, make_venv: VenvMaker) -> None:
    space.lock()
    venv = make_venv()
    space.member("packages/core", dependencies=("hull", "keel"))
    for arguments, at in ((("--package", "core"), "."), ((), "packages/core"), (("--all-packages",), ".")):
        result = space.run("sync", "-p", venv.path, *arguments, "--dry-run", at=at)
        assert "The project has changed since it was locked" in result.stderr, str(result)
    assert "changed since it was locked" in space.run("sync", "-p", venv.path, "--dry-run").stderr
    locked = space.run("sync", "-p", venv.path, "--package", "core", "--locked")
    assert locked.code == 1
    space.lock()
    assert "changed since" not in space.run("sync", "-p", venv.path, "--package", "core", "--dry-run").stderr


def test_why_says_which_members_require_a_package(space: Workspace) -> None:
    space.write('[project]\nname = "fleet"\nversion = "1"\ndependencies = []', ROOT)
    space.lock()
    result = space.run("why", "sail")
    assert result.code == 0, str(result)
    assert "api, in pylock.api.toml:" in result.stdout
    assert "web, in pylock.web.toml:" in result.stdout
    schema = json.loads((SCHEMAS / "command-output.schema.json").read_text())
    report = space.run("why", "mast", "--json").json()
    assert list(Draft202012Validator({**schema, "$ref": "#/$defs/why"}).iter_errors(report)) == []
    assert [package["member"] for package in report["packages"]] == ["web"]
    assert "None of the lock files" in space.run("why", "nothing").stderr


def test_export_takes_the_lock_file_of_a_package(space: Workspace) -> None:
    space.lock()
    exported = space.run("export", "--package", "Core", "--no-hashes", "--no-annotate")
    assert exported.stdout == space.run("export", "pylock.core.toml", "--no-hashes", "--no-annotate").stdout
    assert "hull==2.0" in exported.stdout
    assert "keel" not in exported.stdout
    assert "no member named cores" in space.run("export", "--package", "cores").stderr
    both = space.run("export", "pylock.toml", "--package", "core")
    assert (both.code, both.stdout) == (2, "")
    assert "--package and FILE (pylock.toml) each say which lock files to take" in both.stderr


def test_download_takes_the_lock_file_of_a_package(space: Workspace) -> None:
    space.lock()
    assert space.run("download", "--all-files", "--no-editable", "-d", "out", "--package", "core").code == 0
    names = sorted(path.name.partition("-")[0] for path in (space.root / "out").iterdir() if path.suffix == ".whl")
    assert names == ["hull", "sail"]


def test_a_second_lock_keeps_every_version_where_groups_and_extras_conflict(space: Workspace) -> None:
    """Each lock file has markers for its own extras and groups, which say nothing of those of other members."""
    space.index.world.add("burner", "1.0", requires=("hull<3",))
    space.write(
        ROOT,
        '[project]\nname = "top"\nversion = "1"\nrequires-python = ">=3.10"\n',
        '[project.optional-dependencies]\ntasks = ["core[tasks]"]\nflow = ["core[flow]"]\n',
        '[dependency-groups]\ndev = ["hull"]\n',
        SOURCES + "core = { workspace = true }\n",
        "[tool.uv]\nconflicts = [",
        '    [{ package = "core", extra = "tasks" }, { group = "dev" }],',
        '    [{ package = "top", extra = "tasks" }, { group = "dev" }],\n]',
    )
    space.member("packages/core", '[project.optional-dependencies]\ntasks = ["burner"]\nflow = ["hull"]')
    for name in ("packages/api", "apps/web"):
        space.member(name)
    assert space.lock().code == 0
    before = space.files()
    hulls = {p["version"]: p["marker"] for p in space.data()["packages"] if p["name"] == "hull"}
    assert "dev" in hulls["3.0"]
    assert "dev" not in hulls["2.0"]
    assert "current" in space.lock().stderr
    assert space.files() == before
