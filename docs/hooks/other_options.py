"""Generate the page on options of other tools, from `src/lockset/cli/options/other_options.toml`."""  # noqa: INP001 - a hook, not a package

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING

from mkdocs.structure.files import File

from lockset.cli.main import build_parser
from lockset.cli.options.wrong_usage import option_answer, other_options

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

__all__ = ["on_files", "options_page"]

_INTRODUCTION = """\
# Options of other tools

Every option of the commands that lock and install in uv, pip, pip-tools and nab, and what takes its place. Typed by
habit, an option that lockset does not have is answered on the command line with the same words.

"""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the page."""
    files.append(File.generated(config, "reference/other-options.md", content=options_page()))
    return files


def options_page() -> str:
    """The page, with a table for each command of another tool."""
    parts = [_INTRODUCTION]
    actions = build_parser(None, every=True)._actions  # noqa: SLF001 - argparse has no public way
    commands = next(action for action in actions if isinstance(action, argparse._SubParsersAction))  # noqa: SLF001
    for name, tool in other_options()["tools"].items():
        command = tool["command"]
        parser = commands.choices[command]
        own = {option for action in parser._actions for option in action.option_strings}  # noqa: SLF001
        rows = [f"| `{option}` | {_answer(option, own)} |" for option in tool["options"]]
        parts.append(f"## {name}\n\nIts place takes `lockset {command}`.\n\n| option | in lockset |\n|---|---|")
        parts += [*rows, ""]
    return "\n".join(parts) + "\n"


def _answer(option: str, own: set[str]) -> str:
    if option in own:
        return "the same"
    answer = option_answer(option, own)
    assert answer is not None, option
    if answer == "FILE":
        return "pass the file without an option"
    return re.sub(r"\|", r"\\|", answer)
