"""Shell completion, in real shells where they are installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from lockset.cli.fast_path.names import names_for_completion
from lockset.cli.main import COMMANDS

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command

LOCK = """\
lock-version = "1.0"
extras = ["charts", "fast"]
dependency-groups = ["test"]
default-groups = ["main"]
created-by = "x"

[[packages]]
name = "attrs"
version = "1"

[[packages.wheels]]
name = "attrs-1-py3-none-any.whl"

[[packages]]
name = "numpy"
wheels = [
    {name = "numpy-1-py3-none-any.whl"},
]

[[packages]]
name = "$(touch stolen)"

[[packages]]
name = "`touch stolen`"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pylock.toml").write_text(LOCK)
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "app"\n[project.optional-dependencies]\nwebextra = []\n[dependency-groups]\ndocs = []\n'
    )
    (tmp_path / "below").mkdir()
    return tmp_path / "below"


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A PATH with a `lockset` that is this one."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "lockset"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -m lockset "$@"\n')
    script.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def test_names_are_those_of_the_nearest_files(project: Path) -> None:
    def listed(kind: str) -> list[str]:
        return names_for_completion(kind, str(project)).split()

    assert listed("packages") == ["attrs", "numpy"]
    assert listed("extras") == ["charts", "fast", "webextra"]
    assert listed("groups") == ["docs", "main", "test"]
    assert "package-version-valid" in listed("rules")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[[packages]]\nname = 3\n", b"extras = ", b"[" * 100_000])
@pytest.mark.parametrize("kind", ["packages", "extras", "groups", "nonsense", ""])
def test_broken_files_are_silent(cli: Command, tmp_path: Path, content: bytes, kind: str) -> None:
    for name in ("pylock.toml", "pyproject.toml"):
        (tmp_path / name).write_bytes(content)
    assert names_for_completion(kind, str(tmp_path)) == ""
    if content == b"" and kind in {"packages", "nonsense"}:
        done = cli("completion", "--list", kind)
        assert (done.code, done.stdout, done.stderr) == (0, "", "")


def test_listing_names_loads_no_parser(project: Path) -> None:
    code = (
        "import sys; sys.argv = ['lockset', 'completion', '--list', 'packages'];"
        "import atexit; atexit.register(lambda: print('argparse' in sys.modules, file=sys.stderr));"
        "from lockset.cli.main import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("attrs\nnumpy\n", "False\n")


def completions_of_bash(line: str, script: Path, folder: Path, path: str) -> list[str]:
    words = line.split(" ")
    array = " ".join(f"'{word}'" for word in words)
    code = f"""
source '{script}'
COMP_WORDS=({array}); COMP_CWORD={len(words) - 1}; COMP_LINE='{line}'; COMP_POINT={len(line)}
spec=$(complete -p lockset); function=${{spec##*-F }}; function=${{function%% *}}
$function lockset '{words[-1]}' '{words[-2]}'
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-c", code], cwd=folder, env={**os.environ, "PATH": path},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.skipif(not shutil.which("bash") or sys.platform == "win32", reason="needs bash")
def test_bash_completes_commands_options_and_names(cli: Command, project: Path, path: str, tmp_path: Path) -> None:
    script = tmp_path / "lockset.bash"
    script.write_text(cli.ok("completion", "bash").stdout)
    (project / "requirements.in").write_text("")

    def completed(line: str) -> list[str]:
        return completions_of_bash(line, script, project, path)

    assert set(completed("lockset ")) >= set(COMMANDS)
    assert completed("lockset wh") == ["why", "why-not"]
    assert "--exclude-newer" in completed("lockset lock --exc")
    assert completed("lockset why n") == ["numpy"]
    assert set(completed("lockset sync --extra ")) == {"charts", "fast", "webextra"}
    assert "test" in completed("lockset sync --group t")
    assert completed("lockset lock -P a") == ["attrs"]
    assert completed("lockset validate --explain package-version-v") == ["package-version-valid"]
    assert completed("lockset lock req") == ["requirements.in"]
    assert completed("lockset cache pr") == ["prune"]
    assert not list(project.parent.rglob("stolen"))
    (project.parent / "pylock.toml").write_bytes(b"\xff[[")
    assert completed("lockset why n") == []


@pytest.mark.skipif(not shutil.which("zsh"), reason="needs zsh")
def test_zsh_completes_commands_and_names(cli: Command, project: Path, path: str, tmp_path: Path) -> None:
    pytest.importorskip("pty")
    functions = tmp_path / "functions"
    functions.mkdir()
    (functions / "_lockset").write_text(cli.ok("completion", "zsh").stdout)
    code = f"""
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "PS1='>'; cd '{project}'; fpath=('{functions}' \\$fpath)"
zpty -w z "autoload -Uz compinit; compinit -u -d '{tmp_path}/d'"
zpty -w z "bindkey '^I' complete-word; echo REA''DY"
zpty -r z line '*READY*'
sleep 1.5
zpty -n -w z $'lockset why nu\\t'
repeat 16; do sleep 0.5; while zpty -r -t z line; do print -rn -- "$line"; done; done
zpty -d z
"""
    done = subprocess.run(
        ["zsh", "-f", "-c", code], cwd=project, env={**os.environ, "PATH": path, "TERM": "dumb"},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", done.stdout)
    assert "mpy" in shown.rpartition("lockset why nu")[2], done.stdout + done.stderr
    check = subprocess.run(["zsh", "-n", functions / "_lockset"], capture_output=True, text=True, check=False)
    assert (check.returncode, check.stderr) == (0, "")


@pytest.mark.skipif(not shutil.which("fish"), reason="needs fish")
def test_fish_completes_commands_options_and_names(cli: Command, project: Path, path: str, tmp_path: Path) -> None:
    script = tmp_path / "lockset.fish"
    script.write_text(cli.ok("completion", "fish").stdout)

    def completed(line: str) -> list[str]:
        code = f"source '{script}'; complete -C '{line}'"
        done = subprocess.run(
            ["fish", "--no-config", "-c", code], cwd=project, env={**os.environ, "PATH": path},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.stderr == ""
        return [row.partition("\t")[0] for row in done.stdout.splitlines()]

    assert "why-not" in completed("lockset wh")
    assert "--exclude-newer" in completed("lockset lock --exc")
    assert completed("lockset why n") == ["numpy"]
    assert set(completed("lockset sync --extra ")) == {"charts", "fast", "webextra"}


@pytest.mark.skipif(not shutil.which("tcsh"), reason="needs tcsh")
def test_tcsh_loads_the_script(cli: Command, project: Path, path: str, tmp_path: Path) -> None:
    script = tmp_path / "lockset.tcsh"
    script.write_text(cli.ok("completion", "tcsh").stdout)
    done = subprocess.run(
        ["tcsh", "-f", "-c", f"source {script}; complete lockset"], cwd=project, env={**os.environ, "PATH": path},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "why-not" in done.stdout


def test_the_script_for_powershell_names_every_command(cli: Command) -> None:
    script = cli.ok("completion", "powershell").stdout
    assert "Register-ArgumentCompleter" in script
    assert all(f"'{command}'" in script or f'"{command}"' in script for command in COMMANDS)


def test_a_shell_that_is_not_known_is_refused(cli: Command) -> None:
    assert "not one of bash, zsh" in cli.refused("completion", "csh", code=2)
    assert "Missing argument SHELL" in cli.refused("completion", code=2)
