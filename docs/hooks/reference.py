"""Generate the reference pages of commands, rules and public names from the code."""  # noqa: INP001 - a hook, not a package

from __future__ import annotations

import argparse
import inspect
import re
from html import escape
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from mkdocs.structure.files import File

from lockset.cli.main import COMMANDS, build_parser
from lockset.cli.options.variables import variables
from lockset.cli.output.help.help_examples import PAGES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

__all__ = ["api_reference", "command_reference", "on_files", "on_page_markdown"]

_INTRODUCTION = """\
# Commands

Generated from `lockset COMMAND --help`. All options can also be set through [environment variables](variables.md),
and some in [`[tool.lockset]`](lock.md#options-variables-and-settings). Each option has an address of its own: click its
name.

"""
# The page with more about a command.
_MORE = {command: f"{page}.md" for command, page in PAGES.items()}

_API = """\
# Public names

The names below are public. Everything else is internal and may change in any release, with or without an underscore.
See [examples](python.md) of their use, and the [other types](api-types.md) of their attributes. Parameters after `*`
are keyword-only. Values are immutable.

"""
_OPTION_HEAD = "| option | variable | setting | what it does |"
# Characters of a signature on one line, and of a default that is shown.
_WIDTH, _SHORT = 100, 40
PUBLIC = ("lockset", "lockset.lockfile", "lockset.markers", "lockset.errors")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages."""
    pages = {"commands": command_reference(), "api": api_reference()}
    for name, content in pages.items():
        files.append(File.generated(config, f"reference/{name}.md", content=content))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Show a table of options with their variables and settings as definitions: it would be wider than a page."""
    del page, config, files
    return re.sub(rf"^{re.escape(_OPTION_HEAD)}\n\|[-|]+\n((?:\|.*\n)+)", _definitions, markdown, flags=re.MULTILINE)


def _definitions(table: re.Match[str]) -> str:
    lines = ['<dl class="options" markdown="1">']
    for row in table[1].splitlines():
        options, variable, setting, text = (cell.strip() for cell in re.split(r" \|(?= )", row.strip("|")))
        facts = [("Variable", variable), ("Setting", setting if options else "")]
        also = ". ".join(f"{name}: {value}" for name, value in facts if value)
        name = re.search(r"--?([\w-]+)", options) or re.search(r"([\w-]+)", setting)
        assert name is not None, row
        lines.append(f'<dt id="{name[1]}" markdown="span">{options or f"{setting} (setting)"}</dt>')
        span = f' <span class="variable">{also}</span>' if also else ""
        lines.append(f'<dd markdown="span">{text}{span}</dd>')
    return "\n".join([*lines, "</dl>", ""])


def api_reference() -> str:
    """The page of public names, with a section for each."""
    parts = [_API]
    for module_name in PUBLIC:
        module = import_module(module_name)
        names = [name for name in sorted(getattr(module, "__all__", ())) if not name.startswith("__")]
        parts += [f"## {module_name}\n", "| name | what it is |", "|---|---|"]
        parts += [
            f"| {_linked(name, module_name)} | {_cell(_first_sentence(getattr(module, name)))} |" for name in names
        ]
        parts.append("")
        for name in names:
            parts += _section(name, module_name, getattr(module, name))
    return "\n".join(parts)


def _linked(name: str, module_name: str) -> str:
    return f"[`{name}`](#{_anchor(name, module_name)})"


def _anchor(name: str, module_name: str) -> str:
    return f"{module_name}.{name}".replace(".", "-")


def _section(name: str, module_name: str, value: object) -> Iterator[str]:
    """The section of a name: its signature, docstring and methods."""
    yield f"### {module_name}.{name} {{ #{_anchor(name, module_name)} }}\n"
    if not (inspect.isroutine(value) or inspect.isclass(value)):
        yield f"{_first_sentence(value)}\n"
        return
    yield f"```python\n{_signature(name, value)}\n```\n"
    yield from _paragraphs(inspect.getdoc(value) or "")
    for method, member in sorted(vars(value).items()) if inspect.isclass(value) else ():
        if method.startswith("_") or not (isinstance(member, property) or inspect.isroutine(getattr(value, method))):
            continue
        if not inspect.getdoc(member):
            continue
        shown = method if isinstance(member, property) else _signature(method, getattr(value, method), lines=False)
        yield f"- `{shown}`: {_cell(_first_sentence(member))}"
    yield ""


def _signature(name: str, value: object, *, lines: bool = True) -> str:
    try:
        signature = inspect.signature(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return name
    parameters = [p.replace(annotation=_plain(p.annotation)) for p in signature.parameters.values() if p.name != "self"]
    shown = [*map(_parameter, parameters)]
    kinds = [p.kind for p in parameters]
    if inspect.Parameter.KEYWORD_ONLY in kinds and inspect.Parameter.VAR_POSITIONAL not in kinds:
        shown.insert(kinds.index(inspect.Parameter.KEYWORD_ONLY), "*")
    returned = "" if inspect.isclass(value) else f" -> {_plain(signature.return_annotation)}"
    one_line = f"{name}({', '.join(shown)}){returned}"
    if len(one_line) <= _WIDTH or not parameters or not lines:
        return one_line
    each = "".join(f"    {text},\n" for text in shown)
    return f"{name}(\n{each}){returned}"


def _parameter(parameter: inspect.Parameter) -> str:
    """The text of a parameter; defaults without a short `repr` are shown as three dots."""
    stars: dict[object, str] = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    star = stars.get(parameter.kind, "")
    text = f"{star}{parameter.name}"
    if parameter.annotation is not inspect.Parameter.empty:
        text += f": {parameter.annotation}"
    if parameter.default is inspect.Parameter.empty:
        return text
    shown = repr(parameter.default)
    return f"{text} = {shown if len(shown) < _SHORT and '<' not in shown else '...'}"


def _plain(annotation: object) -> object:
    if annotation is inspect.Parameter.empty or isinstance(annotation, str):
        return annotation
    return getattr(annotation, "__forward_arg__", None) or getattr(annotation, "__name__", str(annotation))


def _paragraphs(text: str) -> Iterator[str]:
    """A docstring as Markdown: sections in bold, their entries as lists."""
    entries = False
    for line in text.splitlines():
        if re.fullmatch(r"(Args|Raises|Returns|Attributes|Yields):", line):
            entries = True
            yield f"\n**{line[:-1]}**\n"
        elif entries and line.startswith("    ") and not line.startswith("     "):
            name, colon, words = line.strip().partition(": ")
            yield f"- `{name}`: {words}" if colon else f"- {line.strip()}"
        elif entries and line.strip():
            yield f"  {line.strip()}"
        else:
            entries = entries and not line.strip()
            yield line
    yield ""


def _first_sentence(value: object) -> str:
    if not (inspect.isroutine(value) or inspect.isclass(value) or isinstance(value, ModuleType | property)):
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
    everywhere = [action for group in parser._action_groups for action in group._group_actions]  # noqa: SLF001
    parts += _table(everywhere, "")
    return "\n".join(parts) + "\n"


def _command(name: str, parser: argparse.ArgumentParser, shared: set[str]) -> Iterator[str]:
    yield f"## lockset {name}\n"
    yield f"{parser.description}. [More]({_MORE[name]})\n"
    usage = " ".join(parser.format_usage().removeprefix("usage: ").split())
    yield f"```text\n{usage}\n```\n"
    for group in parser._action_groups:  # noqa: SLF001
        actions = [a for a in group._group_actions if not shared.intersection(a.option_strings)]  # noqa: SLF001
        if actions:
            title = (group.title or "options").capitalize()
            yield f"### {title} {{ #{name}-{title.lower().replace(' ', '-')} }}\n"
            yield from _table(actions, name)


def _table(actions: list[argparse.Action], command: str) -> Iterator[str]:
    """A definition for each option, with an anchor such as `lock--exclude-newer`."""
    yield '<dl class="options">'
    for action in actions:
        if action.help is argparse.SUPPRESS or isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            continue
        # Of a variable for this command and one for all commands, only the latter is shown.
        names = variables(command, action)
        own = f"LOCKSET_{command.upper().replace('-', '_')}_"
        shared = [name for name in names if not name.startswith(own)] or names
        listed = ", ".join(f"<code>{name}</code>" for name in shared if not name.startswith("LOCKSET__"))
        anchor = option_anchor(command, action)
        yield f'<dt id="{anchor}"><a href="#{anchor}">{_spelled(action)}</a></dt>'
        variable = f' <span class="variable">Variable: {listed}</span>' if listed else ""
        yield f"<dd>{_with_code(_help(action))}{variable}</dd>"
    yield "</dl>\n"


def option_anchor(command: str, action: argparse.Action) -> str:
    """The anchor of an option: the command and its longest name, such as `lock--exclude-newer`."""
    name = max(action.option_strings, key=len) if action.option_strings else f"-{action.dest}"
    return f"{command or 'every'}{name}"


def _with_code(text: str) -> str:
    if text.partition(" ")[0].isalpha():  # not the name of a file
        text = text[:1].upper() + text[1:]
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))


def _spelled(action: argparse.Action) -> str:
    value = action.metavar or (action.dest if not action.choices else "{" + ",".join(map(str, action.choices)) + "}")
    shown = " ".join(value) if isinstance(value, tuple) else str(value)
    if not action.option_strings:
        return f"<code>{escape(shown)}</code>"
    # A long list may be broken behind its commas.
    suffix = f" {escape(shown).replace(',', ',<wbr>')}" if action.nargs != 0 else ""
    return ", ".join(f"<code>{option}{suffix}</code>" for option in action.option_strings)


def _help(action: argparse.Action) -> str:
    return (action.help or "").replace("%(default)s", str(action.default)).replace("%%", "%")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
