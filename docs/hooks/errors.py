"""Generate a page for each error code, and their index, from `src/lockset/error_codes.toml`."""  # noqa: INP001 - a hook, not a package

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

import tomli
from mkdocs.structure.files import File

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

__all__ = ["error_index", "error_page", "on_files"]

_INTRODUCTION = """\
# Error codes

Every error has a code. `lockset` prints it with `--verbose`, and `LocksetError.diagnostic.code` has it. The meaning of
a code never changes; the text of a message may change in any release. The command exits with 1, or with 2 if the
command line is not valid.

"""


def catalogue() -> dict[str, dict[str, dict[str, str]]]:
    """The codes by family; each family also has a `title`."""
    return tomli.loads(files("lockset").joinpath("error_codes.toml").read_text("utf-8"))


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages."""
    families = catalogue()
    files.append(File.generated(config, "errors/index.md", content=error_index(families)))
    for family, rows in families.items():
        for code, row in rows.items():
            if isinstance(row, dict):
                content = error_page(code, row, family)
                files.append(File.generated(config, f"errors/{code}.md", content=content))
    return files


def error_index(families: dict[str, dict[str, dict[str, str]]]) -> str:
    """The page that lists all codes."""
    parts = [_INTRODUCTION]
    for rows in families.values():
        parts.append(f"## {rows['title']}\n\n| code | what happened |\n|---|---|")
        parts += [
            f"| [`{code}`]({code}.md) | {row['summary']} |" for code, row in rows.items() if isinstance(row, dict)
        ]
        parts.append("")
    return "\n".join(parts) + "\n"


def error_page(code: str, row: dict[str, str], family: str) -> str:
    """The page of one code."""
    status = row.get("exit", "2" if family == "usage" else "1")
    return (
        f"# {code}\n\n{row['summary']}\n\n## What to do\n\n{row['fix']}\n\n"
        f"The command exits with {status}. [All error codes](index.md)\n"
    )
