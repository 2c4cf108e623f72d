"""The recipes under docs/ are run: their steps, in a shell, in a git repository, against the local index."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from lockset.cli.main import COMMANDS

if TYPE_CHECKING:
    from support.command import Command
    from support.local_index import LocalIndex

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the steps are for bash")

ROOT = Path(__file__).parents[2]
RECIPES = ROOT / "docs" / "recipes"
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


def load(path: Path) -> Any:
    """YAML without types: `on` stays a word."""
    return yaml.load(path.read_text("utf-8"), Loader=yaml.BaseLoader)


@dataclass(frozen=True, kw_only=True)
class Runner:
    """Runs `run` steps as a runner of GitHub does: one shell each, with files for outputs, variables and a summary."""

    folder: Path
    temp: Path
    environ: dict[str, str]
    values: dict[str, str] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)

    def shell(self, script: str, environ: dict[str, str], folder: Path, *, code: int = 0) -> str:
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=folder, env={**self.environ, **environ}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == code, f"{script}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def filled(self, text: str) -> str:
        return EXPRESSION.sub(lambda match: self.values[match[1]], text)

    def steps(self, steps: list[dict[str, Any]], environ: dict[str, str], *, failing: str = "") -> list[str]:
        """Run the steps; the names of those that ran. After `failing`, which must fail, only `always()` runs."""
        ran: list[str] = []
        for step in steps:
            if "run" not in step or not self._holds(step.get("if", "true")):
                continue
            if failing in ran and step.get("if") != "always()":
                continue
            words = set(re.findall(r"^\s*lockset ([a-z-]+)", step["run"], re.MULTILINE))
            if not words <= set(COMMANDS):
                continue  # a command that this version does not have
            files = {name: self.temp / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_ENV")}
            files["GITHUB_OUTPUT"].write_text("")
            own = {name: self.filled(value) for name, value in step.get("env", {}).items()}
            more = {**{name: str(path) for name, path in files.items()}, "RUNNER_TEMP": str(self.temp)}
            folder = self.folder / self.filled(step.get("working-directory", "."))
            code = 1 if step.get("name") == failing else 0
            self.log.append(self.shell(step["run"], {**environ, **own, **more}, folder, code=code))
            for line in files["GITHUB_OUTPUT"].read_text().splitlines():
                name, _, value = line.partition("=")
                self.values[f"steps.{step['id']}.outputs.{name}"] = value
            if files["GITHUB_ENV"].exists():
                lines = files["GITHUB_ENV"].read_text().splitlines()
                environ = {**environ, **dict(line.split("=", 1) for line in lines)}
            ran.append(step["name"])
        return ran

    def _holds(self, condition: str) -> bool:
        if condition in {"true", "always()"}:
            return True
        name, _, value = condition.partition(" == ")
        return self.values.get(name) == value.strip("'")


@pytest.fixture
def runner(tmp_path: Path, cli: Command, local_index: LocalIndex) -> Runner:
    """A repository with a lock file and a remote; `pip`, `gh` and `curl` are recorded, and do nothing."""
    world = local_index.world.add("a", "1.0", requires=["b"]).add("b", "1.0")
    remote, folder, tools, temp = (tmp_path / name for name in ("remote.git", "repository", "tools", "temp"))
    for made in (folder, tools, temp):
        made.mkdir()
    calls = tmp_path / "calls"
    for tool in ("gh", "curl", "python"):
        (tools / tool).write_text(f'#!/bin/sh\nprintf "%s " {tool} "$@" >> {calls}\necho >> {calls}\n')
    (tools / "lockset").write_text(f'#!/bin/sh\nexec {sys.executable} -m lockset "$@"\n')
    for path in tools.iterdir():
        path.chmod(0o755)
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.10"\ndependencies = ["a"]\n'
    )
    cli.ok("lock", "-i", local_index.url, cwd=folder)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run([*git, "init", "-q", "--bare", remote], check=True)
    subprocess.run([*git, "init", "-q", "-b", "main"], cwd=folder, check=True)
    subprocess.run([*git, "add", "-A"], cwd=folder, check=True)
    subprocess.run([*git, "commit", "-qm", "first"], cwd=folder, check=True)
    subprocess.run([*git, "remote", "add", "origin", remote], cwd=folder, check=True)
    world.add("a", "2.0", requires=["b"])
    environ = {
        **os.environ,
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "LOCKSET_DEFAULT_INDEX": local_index.url,
        "LOCKSET_REFRESH": "1",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{remote}.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://oauth2:token@gitlab.example.org/group/app.git",
    }
    return Runner(folder=folder, temp=temp, environ=environ)


def calls(runner: Runner) -> str:
    path = runner.folder.parent / "calls"
    return path.read_text() if path.exists() else ""


def pushed(runner: Runner, branch: str) -> str:
    """The lock file that was pushed."""
    return runner.shell(f"git --git-dir ../remote.git show {branch}:pylock.toml", {}, runner.folder)


def test_the_workflow_for_github_opens_a_pull_request_with_what_changed(runner: Runner) -> None:
    job = load(RECIPES / "github-update.yml")["jobs"]["update"]
    runner.values["github.token"] = "token"
    ran = runner.steps(job["steps"], job["env"])
    assert [ran[0], ran[-1]] == ["Install lockset", "Open or update the pull request"]
    assert 'version = "2.0"' in pushed(runner, "lockset/update")
    assert "python -m pip install lockset" in calls(runner)
    assert "gh pr create --head lockset/update --title Update pylock.toml --body-file" in calls(runner)
    for text in (runner.temp / "changes.md").read_text(), (runner.temp / "github_step_summary").read_text():
        assert "1.0" in text
        assert "2.0" in text


def test_the_workflow_for_github_does_nothing_where_nothing_is_newer(runner: Runner) -> None:
    job = load(RECIPES / "github-update.yml")["jobs"]["update"]
    runner.values["github.token"] = "token"
    runner.shell("lockset lock -U && git -c user.name=a -c user.email=a@b commit -qam up", {}, runner.folder)
    ran = runner.steps(job["steps"], job["env"])
    assert ran == ["Install lockset", "Upgrade", "Describe the changes"]
    assert "gh" not in calls(runner)


def test_the_workflow_for_github_names_what_it_needs() -> None:
    workflow = load(RECIPES / "github-update.yml")
    assert workflow["permissions"] == {"contents": "write", "pull-requests": "write"}
    assert set(workflow["on"]) == {"schedule", "workflow_dispatch"}
    uses = [step["uses"] for step in workflow["jobs"]["update"]["steps"] if "uses" in step]
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", action) for action in uses)


@pytest.mark.parametrize("newer", [True, False])
def test_the_job_for_gitlab_opens_a_merge_request(runner: Runner, newer: bool) -> None:  # noqa: FBT001
    job = load(RECIPES / "gitlab-update.yml")["update-lock"]
    environ = {
        **job["variables"],
        "UPDATE_TOKEN": "token",
        "CI_SERVER_HOST": "gitlab.example.org",
        "CI_PROJECT_PATH": "group/app",
        "CI_PROJECT_ID": "7",
        "CI_DEFAULT_BRANCH": "main",
        "CI_API_V4_URL": "https://gitlab.example.org/api/v4",
    }
    if not newer:
        runner.shell("lockset lock -U && git -c user.name=a -c user.email=a@b commit -qam up", {}, runner.folder)
    lines = [*job["before_script"], *job["script"]]
    lines = [line for line in lines if "lockset report" not in line or "report" in COMMANDS]
    # GitLab runs all lines in one shell.
    runner.shell("\n".join(lines), environ, runner.folder)
    if not newer:
        assert "curl" not in calls(runner)
        return
    assert 'version = "2.0"' in pushed(runner, "lockset-update")
    assert "source_branch=lockset-update" in calls(runner)
    assert "description@changes.md" in calls(runner)
    assert "https://gitlab.example.org/api/v4/projects/7/merge_requests" in calls(runner)
    assert "2.0" in (runner.folder / "changes.md").read_text()


def test_the_tasks_of_renovate_lock_what_it_has_changed_and_nothing_else(
    runner: Runner, local_index: LocalIndex
) -> None:
    local_index.world.add("b", "2.0")
    rules = json.loads((RECIPES / "renovate.json").read_text())["packageRules"]
    task = rules[0]["postUpgradeTasks"]
    project = runner.folder / "pyproject.toml"
    project.write_text(project.read_text().replace('"a"', '"a>=2"'))
    for command in task["commands"]:
        runner.shell(command, {}, runner.folder)
    changed = runner.shell("git diff --name-only", {}, runner.folder).split()
    assert changed == ["pylock.toml", "pyproject.toml"]
    assert "pylock.toml" in task["fileFilters"]
    text = (runner.folder / "pylock.toml").read_text()
    assert 'name = "a"\nversion = "2.0"' in text
    assert 'name = "b"\nversion = "1.0"' in text


def test_the_action_checks_a_good_lock_and_writes_a_summary(runner: Runner) -> None:
    action = load(ROOT / "docs" / "action" / "action.yml")
    runner.values.update({f"inputs.{name}": one["default"] for name, one in action["inputs"].items()})
    steps = action["runs"]["steps"]
    ran = runner.steps(steps, {})
    assert ran == ["Install lockset", "Validate", "Check that the lock file is up to date", "Summary"]
    assert "a 1.0" in (runner.temp / "github_step_summary").read_text()
    assert all(step.get("shell") == "bash" for step in steps if "run" in step)
    # What a user writes never becomes a part of a script.
    assert not any(EXPRESSION.search(step["run"]) for step in steps if "run" in step)


@pytest.mark.parametrize(
    ("file", "old", "new", "failing"),
    [
        ("pylock.toml", 'name = "b"', 'name = "B_"', "Validate"),
        ("pyproject.toml", '"a"', '"a>=2"', "Check that the lock file is up to date"),
    ],
)
def test_the_action_fails_where_something_is_wrong(runner: Runner, file: str, old: str, new: str, failing: str) -> None:
    action = load(ROOT / "docs" / "action" / "action.yml")
    runner.values.update({f"inputs.{name}": one["default"] for name, one in action["inputs"].items()})
    path = runner.folder / file
    path.write_text(path.read_text().replace(old, new))
    runner.steps(action["runs"]["steps"], {}, failing=failing)
    if failing == "Validate":
        assert any("::error" in text for text in runner.log)


def test_the_export_hook_keeps_requirements_in_step(runner: Runner) -> None:
    hooks = {hook["id"]: hook for hook in load(ROOT / ".pre-commit-hooks.yaml")}
    named = load(RECIPES / "export-hook.yml")["repos"][0]["hooks"][0]["id"]
    hook = hooks[named]
    assert re.search(hook["files"], "pylock.toml")
    runner.shell(hook["entry"], {}, runner.folder)
    first = (runner.folder / "requirements.txt").read_bytes()
    runner.shell(hook["entry"], {}, runner.folder)
    assert (runner.folder / "requirements.txt").read_bytes() == first
    assert b"a==1.0" in first
    assert b"--hash=sha256:" in first


def test_every_recipe_is_shown_on_the_page() -> None:
    page = (ROOT / "docs" / "pages" / "how-to" / "automatic-updates.md").read_text("utf-8")
    shown = set(re.findall(r'^--8<-- "(.*)"$', page, re.MULTILINE))
    files = [*RECIPES.iterdir(), *(ROOT / "docs" / "action").iterdir()]
    assert shown == {path.relative_to(ROOT / "docs").as_posix() for path in files}
