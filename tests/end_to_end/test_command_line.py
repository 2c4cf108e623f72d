"""The command line itself: what is misspelt, what variables say, which settings count, where things are written."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from lockset.cli.main import COMMANDS, build_parser
from lockset.cli.options.variables import variables
from lockset.cli.options.wrong_usage import option_answer, other_options, unknown_arguments
from lockset.cli.output.help.front_page import GROUPS, front_page
from lockset.cli.program import _OF_THE_CACHE
from lockset.errors import LocksetError

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from support.command import Command
    from support.local_index import LocalIndex


def parser_of(command: str) -> argparse.ArgumentParser:
    result: argparse.ArgumentParser = build_parser(command).parse_args([command, *NEEDED.get(command, ())]).parser
    return result


NEEDED = {"cache": ["dir"], "why": ["a"], "why-not": ["a"], "convert": ["a"]}
PYPROJECT = '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.10"\ndependencies = ["a"]\n'


@pytest.fixture
def project(tmp_path: Path, local_index: LocalIndex) -> Path:
    local_index.world.add("a", "1.0", requires=["b ; sys_platform == 'win32'"]).add("b", "1.0")
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["loc"], "Did you mean `lock`?"),
        (["compile"], "`lockset lock`"),
        (["add", "flask"], "edit pyproject.toml"),
        (["sync", "--inexakt"], "Did you mean `--inexact`?"),
        (["lock", "--upgrad"], "`--upgrade` or `--upgrade-package`"),
        (["lock", "--ignore-requires-python"], "--override"),
        (["lock", "--no-hashes"], "`lockset lock` has no option `--no-hashes`"),
        (["sync", "--no-verify-hashes"], "always verified"),
        (["sync", "--user"], "--target"),
        (["sync", "--ignore-installed"], "--reinstall"),
        (["lock", "--generate-hashes"], "Omit it"),
        (["lock", "--python-platform", "linux"], "`--platform`"),
        (["sync", "--requirements-from-script", "run.py"], "`lockset sync FILE`"),
        (["tree", "a", "b"], "Unexpected argument `b`"),
        (["why"], "Missing argument PACKAGE"),
        (["download"], "--dest"),
        (["lock", "--no-dev"], "Use `--no-group dev`"),
        (["lock", "--timeout", "x"], "not a number"),
        (["sync", "--implementation", "jython"], "not one of cpython, pypy"),
        (["lock", "--\x1b[31m"], "\\x1b"),
    ],
)
def test_wrong_usage_is_explained(arguments: list[str], says: str, cli: Command) -> None:
    assert says in cli.refused(*arguments, code=2)


def test_no_option_may_be_shortened() -> None:
    # `--no-default` would empty an environment today, and mean two things tomorrow.
    assert build_parser("sync").parse_known_args(["sync", "--no-default"])[1] == ["--no-default"]


@pytest.mark.parametrize("tool", other_options()["tools"])
def test_every_option_of_another_tool_is_the_same_or_answered(tool: str) -> None:
    table = other_options()["tools"][tool]
    parser = parser_of(table["command"])
    own = {option for action in parser._actions for option in action.option_strings}
    for option in table["options"]:
        if option in own:
            continue
        answer = unknown_arguments([option], parser)[1]
        assert answer == option_answer(option, own) or "Pass files" in answer, option
        assert not answer.startswith("See "), option
        if answer.startswith("Use `"):
            assert answer.split("`")[1].split()[0] in own, option


_PLACES = {
    "NAME": "name", "FILE": "pylock.toml", "DIR": "folder", "DATE": "2026-01-01", "MARKER": "os_name == 'nt'",
}  # fmt: skip


def _texts() -> list[tuple[str, str]]:
    """Every answer: the command of lockset that gives it, and its text."""
    texts: dict[tuple[str, str], None] = {}
    for tool in other_options()["tools"].values():
        parser = parser_of(tool["command"])
        own = {option for action in parser._actions for option in action.option_strings}
        names = {*tool["options"], *other_options()["answers"], *other_options()["short"]}
        for name in names - own:
            answer = option_answer(name, own)
            if answer not in {None, "FILE"}:
                texts[tool["command"], str(answer)] = None
    return list(texts)


def test_every_alternative_is_a_command_line_that_is_accepted() -> None:
    """Options in an answer belong to the command that gives it, or to one that the answer names."""
    wrong = []
    for command, text in _texts():
        spans = [span.split() for span in re.findall(r"`([^`]*)`", text)]
        named = [words[1] for words in spans if words[0] == "lockset" and len(words) > 1] or [command]
        for words in spans:
            if words[0] == "lockset" and len(words) > 1 and not words[1].startswith("-"):
                candidates, rest = [words[1]], words[2:]
            elif words[0].startswith("--"):
                candidates, rest = [*named, command, "lock", "sync", "export"], words
            else:
                continue
            if not any(_is_accepted([one, *(_PLACES.get(word, word) for word in rest)]) for one in candidates):
                wrong.append((command, text, " ".join(words)))
    assert wrong == []


def _is_accepted(arguments: list[str]) -> bool:
    """Whether the options are known, with their values; one that needs a value may stand without."""
    command = arguments[0]
    for value in ([], ["name"], ["1"], ["json"], ["cpython"]):
        try:
            unknown = build_parser(command).parse_known_args([*arguments, *value, *NEEDED.get(command, ())])[1]
        except (SystemExit, LocksetError):
            continue
        if not [word for word in unknown if word.startswith("-")]:
            return True
    return False


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["sync", "-U"], "`lockset lock`"),
        (["sync", "-n"], "`--dry-run`"),
        (["export", "-p", "3.12"], "`--python`"),
        (["sync", "-e", "."], "`lockset lock --editable DIR`"),
        (["sync", "-c", "limits.txt"], "`lockset lock`"),
        (["sync", "-t", "lib"], "`--target`"),
        (["install", "--no-deps"], "Omit it"),
        (["lock", "--no-deps"], "--exclude NAME"),
        (["lock", "--excludes", "names.txt"], "`--exclude NAME`"),
        (["sync", "--native-tls"], "Omit it"),
        (["sync", "--no-python-downloads"], "Omit it"),
    ],
)
def test_short_and_hidden_options_of_other_tools_are_answered(arguments: list[str], says: str, cli: Command) -> None:
    assert says in " ".join(cli.refused(*arguments, code=2).split())


def test_certificates_of_the_system_are_the_default(project: Path, local_index: LocalIndex, cli: Command) -> None:
    cli.ok("lock", "--system-certs", "-i", local_index.url)


def test_help_without_a_command_goes_to_stderr_and_exits_with_2(cli: Command) -> None:
    output = cli()
    assert (output.code, output.stdout) == (2, "")
    assert output.stderr == cli.ok("--help").stdout


def test_help_is_the_same_where_python_hands_over_a_formatter() -> None:
    """As argparse of Python 3.15 may."""
    parser: Any = build_parser(None)
    assert parser.format_help(None) == parser.format_help(formatter=None) == parser.format_help()


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_the_front_page_names_every_command_and_fits(columns: int) -> None:
    page = front_page(COMMANDS, columns).splitlines()
    assert sorted(name for names in GROUPS.values() for name in names) == sorted(COMMANDS)
    assert all(any(line.startswith(f"  {name} ") for line in page) for name in COMMANDS)
    assert max(map(len, page)) <= columns
    assert columns < 80 or len(page) <= 40


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_has_a_variable(command: str) -> None:
    actions = [a for a in parser_of(command)._actions if any(o.startswith("--") for o in a.option_strings)]
    named = {name: action.dest for action in actions for name in variables(command, action)}
    assert {action.dest for action in actions} - set(named.values()) <= {"help", "explain"}
    assert all(name.startswith("LOCKSET_") for name in named)
    # A run with these alone does not look for others.
    assert {named.get(name) for name in _OF_THE_CACHE} <= {None, "cache_dir", "no_cache"}


def test_a_variable_gives_way_to_the_command_line(project: Path, local_index: LocalIndex, cli: Command) -> None:
    env = {"LOCKSET_DEFAULT_INDEX": local_index.url, "LOCKSET_LOCK_PLATFORM": "windows"}
    assert "Would lock 2" in cli.ok("lock", "--dry-run", env=env).stderr
    assert "Would lock 1" in cli.ok("lock", "--dry-run", "--platform", "linux", env=env).stderr
    env["LOCKSET_LOCK_THIS_ENVIRONMENT"] = "1"
    assert "cannot be used with" in cli.refused("lock", "--dry-run", env=env, code=2)
    assert "Would lock 1" in cli.ok("lock", "--dry-run", "--this-environment", env=env).stderr


def test_variables_of_one_command_and_of_all(project: Path, local_index: LocalIndex, cli: Command) -> None:
    index = {"LOCKSET_DEFAULT_INDEX": local_index.url}
    assert cli.ok("lock", env={**index, "LOCKSET_QUIET": "1"}).stderr == ""
    assert cli.ok("tree", env={"LOCKSET_TREE_JSON": "yes"}).json()["packages"]
    assert "└" not in cli.ok("tree", env={"LOCKSET_TREE_DEPTH": "0"}).stdout
    assert "└" in cli.ok("tree", env={"LOCKSET_WHY_DEPTH": "0"}).stdout
    assert "\x1b[" in cli.ok("why", "b", env={"LOCKSET_COLOR": "always"}).stdout
    assert "\x1b[" not in cli.ok("why", "b", "--color", "never", env={"LOCKSET_COLOR": "always"}).stdout
    assert "LOCKSET_TREE_DEPTH" in cli.refused("tree", env={"LOCKSET_TREE_DEPTH": "deep"}, code=2)
    assert "LOCKSET_QUIET" in cli.refused("tree", env={"LOCKSET_QUIET": "perhaps"}, code=2)
    inside = {"LOCKSET_DIRECTORY": str(project)}
    assert cli.ok("tree", cwd=project.parent, env=inside).stdout == cli.ok("tree").stdout


def test_markers_in_a_variable_stand_on_lines_of_their_own(
    project: Path, local_index: LocalIndex, cli: Command
) -> None:
    markers = "sys_platform == 'linux'\nsys_platform == 'darwin'\n"
    env = {"LOCKSET_DEFAULT_INDEX": local_index.url, "LOCKSET_LOCK_ENVIRONMENT": markers}
    text = cli.ok("lock", "-o", "-", env=env).stdout
    assert 'sys_platform == "darwin"' in text
    assert '"b"' not in text


def test_settings_of_another_file(project: Path, local_index: LocalIndex, cli: Command) -> None:
    (project / "ci é.toml").write_text('[tool.lockset]\nplatforms = ["windows"]\n')
    with (project / "pyproject.toml").open("a") as file:
        file.write('[tool.lockset]\nplatforms = ["linux"]\nconstraints = ["a<1"]\n')
    index = ("-i", local_index.url)
    assert "Would lock 2" in cli.ok("lock", "--dry-run", *index, "--config", "ci é.toml").stderr
    assert "a<1" in cli.refused("lock", "--dry-run", *index)
    assert "cannot be used" in cli.refused("lock", "--dry-run", *index, "--config", "ci é.toml", "--no-config", code=2)
    assert "no.toml" in cli.refused("lock", *index, "--config", "no.toml")
    (project / "empty.toml").write_text("")
    assert "[tool.lockset]" in cli.refused("lock", *index, "--config", "empty.toml")


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ('pyton = ">=3.10"', "pyproject.toml:7:1: error: `tool.lockset.pyton`"),
        ("python = 3", "pyproject.toml:7:10: error"),
        ('constraints = [\n  "a",\n  "b>",\n]', "pyproject.toml:9:3: error"),
        ('[[tool.lockset.index]]\nurl = "https://example.org"\nnmae = "x"', "pyproject.toml:9:1: error"),
        ('[tool.lockset.prerelease-package]\n"a" = "often"', "pyproject.toml:8:7: error"),
        ('exclude-newer = "yesterday"', "pyproject.toml:7:17: error"),
    ],
)
def test_a_wrong_setting_is_reported_with_its_line(table: str, says: str, project: Path, cli: Command) -> None:
    (project / "pyproject.toml").write_text(f"{PYPROJECT}[tool.lockset]\n{table}\n")
    assert cli.refused("lock").startswith(says)


def test_an_answer_of_another_folder_is_not_remembered(
    project: Path, local_index: LocalIndex, cli: Command, tmp_path: Path
) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "pyproject.toml").write_text(PYPROJECT)
    line = ("lock", "-i", local_index.url, "--directory", "inner")
    cli.ok(*line)
    assert "inner" in cli.refused(*line, cwd=inner)


def test_a_sync_knows_the_indexes_of_the_project_around_its_lock(
    project: Path, local_index: LocalIndex, cli: Command, venv_at: Path
) -> None:
    with (project / "pyproject.toml").open("a") as file:
        file.write(f'[[tool.lockset.index]]\nname = "inner"\nurl = "{local_index.url}"\ndefault = true\n')
    local_index.set_mode(credentials=("user", "secret"))
    env = {
        "LOCKSET_DEFAULT_INDEX": "",
        "LOCKSET_INDEX_INNER_USERNAME": "user",
        "LOCKSET_INDEX_INNER_PASSWORD": "secret",
    }
    cli.ok("lock", env=env)
    assert "secret" not in (project / "pylock.toml").read_text()
    line = ("sync", project / "pylock.toml", "-p", venv_at, "--no-cache")
    refused = cli.refused(*line, "--no-config", cwd=project.parent, env=env)
    assert "401" in refused or "credentials" in refused
    assert "Installed 1 package" in cli.ok(*line, cwd=project.parent, env=env).stderr


@pytest.fixture
def venv_at(tmp_path: Path) -> Path:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / ".venv"], check=True)
    return tmp_path / ".venv"


def test_options_of_all_commands_are_understood_by_all(project: Path, local_index: LocalIndex, cli: Command) -> None:
    cli.ok("lock", "-i", local_index.url)
    anywhere = ("--offline", "--no-cache", "--no-config", "--no-progress", "--color", "never", "-q")
    for command in (["tree"], ["why", "a"], ["diff", "pylock.toml"], ["export"], ["validate"]):
        assert cli.ok(*command, *anywhere).stderr == ""
        assert "--offline" not in cli.ok(command[0], "--help").stdout or command == ["validate"]


def test_a_conversion_warns_of_a_variable_it_does_not_read(project: Path, cli: Command) -> None:
    (project / "requirements.txt").write_text("a==1.0\n")
    env = {
        "LOCKSET_DEFAULT_INDEX": "",
        "PIP_INDEX_URL": "https://example.org/simple/",
        "LOCKSET_PROXY": "http://[::1]:9",
    }
    output = cli("convert", "requirements.txt", "--retries", "0", env=env)
    assert output.stderr.count("PIP_INDEX_URL") == 1


@pytest.mark.parametrize("option", ["--exclude", "--only-binary", "--no-binary", "--group"])
def test_an_invalid_package_name_is_wrong_usage(option: str, project: Path, cli: Command) -> None:
    assert "`a==1`" in cli.refused("lock", option, "a==1", code=2)


def test_several_names_may_stand_in_one_value_as_pip_has_them(
    project: Path, local_index: LocalIndex, cli: Command
) -> None:
    line = ("lock", "-i", local_index.url, "--dry-run")
    assert "Would lock" in cli.ok(*line, "--only-binary", "a,b").stderr
    assert "nothing is left" in cli.refused(*line, "--no-build", "--no-binary", "b,:all:", code=2)


def test_names_of_the_settings_are_checked(project: Path, cli: Command) -> None:
    (project / "pyproject.toml").write_text(f'{PYPROJECT}[tool.lockset]\nexcludes = ["b", "a b"]\n')
    assert cli.refused("lock").startswith(
        "pyproject.toml:7:18: error: `tool.lockset.excludes[1]` is not a valid name: `a b`"
    )


def test_a_check_takes_what_decides_on_files() -> None:
    options = {option for action in parser_of("check-env")._actions for option in action.option_strings}
    assert options >= {"--no-editable", "--no-build", "--only-binary", "--no-binary", "--inexact", "--keep", "--strict"}


def test_of_two_forms_the_one_on_the_command_line_counts(project: Path, local_index: LocalIndex, cli: Command) -> None:
    cli.ok("lock", "-i", local_index.url)
    (project / "pylock.other.toml").write_text('lock-version = "1.0"\ncreated-by = "hand"\npackages = []\n')
    env = {"LOCKSET_DIFF_JSON": "1"}
    assert cli.ok("diff", "pylock.other.toml", env=env).json()["changes"]
    assert cli.ok("diff", "pylock.other.toml", "--markdown", env=env).stdout.startswith("**")


def test_a_lock_file_may_come_from_standard_input(
    project: Path, local_index: LocalIndex, cli: Command, venv_at: Path
) -> None:
    cli.ok("lock", "-i", local_index.url)
    text = (project / "pylock.toml").read_text()
    for command in (["tree"], ["why", "a"], ["export"]):
        assert cli.ok(*command, "-", stdin=text).stdout == cli.ok(*command).stdout
    assert "install the same" in cli.ok("diff", "-", stdin=text).stderr
    (project / "pylock.toml").unlink()
    assert "Installed 1 package" in cli.ok("sync", "-", stdin=text).stderr
    assert cli.ok("check-env", "-", stdin=text).code == 0
    assert "2 files" in cli.ok("download", "-", "-d", "out", "--all-files", stdin=text).stderr
    assert "<stdin>:1" in cli.refused("sync", "-", stdin="no lock")
    assert "can only be given once" in cli.refused("sync", "-", "-", stdin=text, code=2)
    assert "can only be given once" in cli.refused("diff", "-", "-", stdin=text, code=2)
