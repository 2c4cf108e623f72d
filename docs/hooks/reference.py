"""Pages of the reference that are made from the code, so that they say what the code does."""  # noqa: INP001 - a hook, no package

from __future__ import annotations

import argparse
import inspect
from importlib import import_module
from typing import TYPE_CHECKING

from mkdocs.structure.files import File

from lockset.cli.main import COMMANDS, build_parser
from lockset.lockfile.rule_table import RULES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

__all__ = ["api_reference", "command_reference", "on_files", "rules_index"]

_INTRODUCTION = """\
# Commands

Made from the command line itself; `lockset COMMAND --help` says the same.

"""

_RULES = """\
# Rules of validate

`lockset validate` checks every one of these. An error makes a file invalid, a warning does not. Each rule links to the
part of the specification that it comes from.

"""
_API = """\
# Python API

Public are the names below. Everything else is internal and may change in any release, also where no underscore says so.
Importing `lockset` does no work: its names are imported when they are first used.

"""
PUBLIC = ("lockset", "lockset.lockfile", "lockset.markers", "lockset.errors")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages."""
    pages = {"commands": command_reference(), "rules": rules_index(), "api": api_reference()}
    for name, content in pages.items():
        files.append(File.generated(config, f"reference/{name}.md", content=content))
    return files


def rules_index() -> str:
    """The page of the rules of `lockset validate`."""
    rows = [
        f"| [`{rule.code}`]({rule.url}) | {rule.severity} | {_cell(rule.summary)} |"
        for rule in sorted(RULES.values(), key=lambda rule: rule.code)
    ]
    return "\n".join([_RULES, "| rule | level | what holds in a file that keeps it |", "|---|---|---|", *rows]) + "\n"


def api_reference() -> str:
    """The page of public names, each with the first sentence of its docstring."""
    parts = [_API]
    for module_name in PUBLIC:
        module = import_module(module_name)
        parts += [f"## {module_name}\n", "| name | what it is |", "|---|---|"]
        for name in sorted(getattr(module, "__all__", ())):
            if not name.startswith("__"):
                parts.append(f"| `{name}` | {_cell(_first_sentence(getattr(module, name)))} |")
        parts.append("")
    return "\n".join(parts)


def _first_sentence(value: object) -> str:
    if not (inspect.isroutine(value) or inspect.isclass(value) or inspect.ismodule(value)):
        return f"a constant of type `{type(value).__name__}`"
    paragraph = " ".join((inspect.getdoc(value) or "").partition("\n\n")[0].split())
    return paragraph.partition(". ")[0].rstrip(".")


def command_reference() -> str:
    """The page of commands and options, from the parsers."""
    parser = build_parser(None, every=True)
    commands = next(a for a in parser._actions if isinstance(a, argparse._SubParsersAction))  # noqa: SLF001 - argparse has no public way
    shared = {option for action in parser._actions for option in action.option_strings}  # noqa: SLF001
    parts = [_INTRODUCTION]
    for name in COMMANDS:
        parts += _command(name, commands.choices[name], shared)
    parts.append("## Options of every command\n")
    parts += _table([action for group in parser._action_groups for action in group._group_actions])  # noqa: SLF001
    return "\n".join(parts) + "\n"


def _command(name: str, parser: argparse.ArgumentParser, shared: set[str]) -> Iterator[str]:
    yield f"## lockset {name}\n"
    yield f"{parser.description}.\n"
    usage = " ".join(parser.format_usage().removeprefix("usage: ").split())
    yield f"```text\n{usage}\n```\n"
    for group in parser._action_groups:  # noqa: SLF001
        actions = [a for a in group._group_actions if not shared.intersection(a.option_strings)]  # noqa: SLF001
        if actions:
            title = (group.title or "options").capitalize()
            yield f"### {title} {{ #{name}-{title.lower().replace(' ', '-')} }}\n"
            yield from _table(actions)


def _table(actions: list[argparse.Action]) -> Iterator[str]:
    yield "| option | meaning |\n|---|---|"
    for action in actions:
        if action.help is not argparse.SUPPRESS and not isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            yield f"| {_spelled(action)} | {_cell(_help(action))} |"
    yield ""


def _spelled(action: argparse.Action) -> str:
    value = action.metavar or (action.dest if not action.choices else "{" + ",".join(map(str, action.choices)) + "}")
    shown = " ".join(value) if isinstance(value, tuple) else str(value)
    if not action.option_strings:
        return f"`{_cell(shown)}`"
    if action.nargs != 0:
        return ", ".join(f"`{option} {_cell(shown)}`" for option in action.option_strings)
    return ", ".join(f"`{option}`" for option in action.option_strings)


def _help(action: argparse.Action) -> str:
    return (action.help or "").replace("%(default)s", str(action.default)).replace("%%", "%")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
