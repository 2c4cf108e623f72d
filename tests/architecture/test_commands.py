"""A command is options, one call of the public api, and what it shows; argparse ends in `cli.options`."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import lockset

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(lockset.__file__).parent
COMMANDS = sorted(path for path in (ROOT / "cli" / "commands").glob("*.py") if path.stem != "__init__")
OPTIONS = sorted((ROOT / "cli" / "options").glob("*.py"))
# What a command may import: options, what shows results, and the public functions.
ALLOWED = ("lockset.api.", "lockset.cli.options.", "lockset.cli.output.", "lockset.cli.exit_codes")
# Function of a lower module -> why a command may call it.
EXCEPTIONS = {
    # The fast path answers a later run: it is about the command line, not about the library.
    ("lock", "lockset.cli.fast_path.save_lock", "save_lock"),
    # The table of rules is a value: codes with their pages.
    ("validate", "lockset.lockfile.validate.catalogue", "RULES"),
}


def imports(path: Path) -> Iterator[tuple[str, str]]:
    """Modules and names that run, not those for type checkers alone."""
    tree = ast.parse(path.read_text("utf-8"))
    skipped = {
        id(node)
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and ast.unparse(branch.test) == "TYPE_CHECKING"
        for node in ast.walk(branch)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and id(node) not in skipped:
            yield from ((str(node.module), alias.name) for alias in node.names)
        elif isinstance(node, ast.Import) and id(node) not in skipped:
            yield from ((alias.name, "") for alias in node.names)


def is_value(module: str, name: str) -> bool:
    """Whether the name is a class: a dataclass, an enumeration, an error."""
    return isinstance(getattr(import_module(module), name), type)


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.stem)
def test_a_command_imports_nothing_below_the_api_but_values(path: Path) -> None:
    lower = [
        f"{module}.{name}"
        for module, name in imports(path)
        if module.startswith("lockset.")
        and not module.startswith(ALLOWED)
        and (path.stem, module, name) not in EXCEPTIONS
        and not (module == "lockset._dataclass" or is_value(module, name))
    ]
    assert lower == []


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.stem)
def test_no_command_imports_another_one_or_argparse(path: Path) -> None:
    modules = {module for module, _ in imports(path)}
    assert not {module for module in modules if module.startswith("lockset.cli.commands")}
    assert "argparse" not in path.read_text("utf-8")


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.stem)
def test_what_a_command_calls_of_the_api_is_public(path: Path) -> None:
    """Functions that only the command line has are named: they are about its own settings and texts."""
    own = {
        "count_fixable",
        "is_lock_file",
        "rule_codes",
        "rule_page",
        "selection_for",
        "settings_for",
        "stale",
        "verify_files",
        "MOST_CHAINS",
        "LockMerge",
        "cache_location",
        "cache_size",
        "clean_cache",
        "merge_lock_versions",
        "prune_cache",
        "read_merge_version",
        "self_check",
        "setup_merge_driver",
        "text_with_markers",
        "verify_cache",
        "write_merge_version",
    }
    called = {name for module, name in imports(path) if module.startswith("lockset.api.")}
    assert called - own <= set(lockset.__all__)
    assert called or path.stem == "completion", "every command runs the library; a script of a shell has no use for it"


def test_the_namespace_of_argparse_ends_in_options() -> None:
    outside = [
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "cli").rglob("*.py"))
        if "Namespace" in path.read_text("utf-8") and path not in OPTIONS
    ]
    # The program hands the parsed line to the command's options, and nowhere else.
    assert outside == ["cli/program.py"]


def test_every_request_of_a_sync_is_made_in_one_place() -> None:
    makers = [
        path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py") if "SyncRequest(\n" in path.read_text("utf-8")
    ]
    # Environments for builds are synced from a lock that was never a file.
    assert sorted(makers) == ["composition/builds/environments.py", "composition/sync_inputs.py"]


@pytest.mark.parametrize("path", sorted((ROOT / "api").glob("[a-z]*.py")), ids=lambda path: path.stem)
def test_the_api_holds_public_functions_and_nothing_else_that_works(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    lines = sum(
        node.end_lineno - node.lineno + 1
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.end_lineno and node.name.startswith("_")
    )
    assert lines <= 40, "what works belongs in composition"
