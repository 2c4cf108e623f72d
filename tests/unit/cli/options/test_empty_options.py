"""Options with an empty value, as of a variable of a script that nobody has set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from support.command import Command

OPTIONS = {
    "lock": ["--python", "--output", "--extra", "--group", "--platform", "--constraint", "--index", "--exclude-newer"],
    "sync": ["--python", "--target", "--prefix", "--extra", "--only-group", "--keep", "--cache-dir", "--mirror"],
    "check-env": ["--python", "--group", "--target"],
    "convert": ["--python", "--output", "--package", "--platform", "--pyproject"],
    "export": ["--python", "--output", "--extra", "--name"],
    "tree": ["--python", "--platform", "--extra"],
    "download": ["--dest", "--python-version"],
    "why-not": ["--python", "--platform"],
}


@pytest.mark.parametrize(("command", "option"), [(c, option) for c, options in OPTIONS.items() for option in options])
def test_an_option_with_an_empty_value_is_wrong_usage(cli: Command, command: str, option: str) -> None:
    more = {"convert": ["uv.lock"], "why-not": ["hull"]}.get(command, [])
    for arguments in ([option, ""], [f"{option}="]):
        done = cli(command, *more, *arguments)
        assert done.code == 2, str(done)
        assert f"error: {option} is empty\n  hint: Give it a value, or leave the option out" in done.stderr, str(done)


@pytest.mark.parametrize(
    "command", ["validate", "sync", "tree", "export", "lock", "convert", "diff", "audit", "report"]
)
def test_an_empty_argument_is_refused_and_is_not_the_working_folder(cli: Command, command: str) -> None:
    assert cli.refused(command, "", code=2).endswith("is empty\n  hint: Give it a value, or leave it out")
