"""Where tests and what they share lie."""

from __future__ import annotations

import ast
import re

import pytest

import support.windows
from support.repository import ROOT

TESTS = ROOT / "tests"
MODULES = {path: path.read_text(encoding="utf-8") for path in sorted(TESTS.rglob("*.py"))}
_IMPORT = re.compile(r"^\s*(?:from|import)\s+(\w+)((?:\.\w+)*)", re.MULTILINE)
_FOLDERS = {path.name for path in TESTS.iterdir() if path.is_dir()}


def imports_of_tests(text: str) -> set[tuple[str, str]]:
    """Folder below `tests` and module below that, of each import in `text` and in the scripts that it contains."""
    return {(folder, module) for folder, module in _IMPORT.findall(text) if folder in _FOLDERS}


def test_no_test_module_imports_a_test_module() -> None:
    imported = {
        f"{path.relative_to(TESTS)} imports {folder}{module}"
        for path, text in MODULES.items()
        for folder, module in imports_of_tests(text)
        if module.rpartition(".")[2].startswith(("test_", "bench_"))
    }
    assert imported == set()


def test_modules_shared_between_folders_are_in_support() -> None:
    imported = {
        f"{path.relative_to(TESTS)} imports {folder}{module}"
        for path, text in MODULES.items()
        for folder, module in imports_of_tests(text)
        if folder not in {"support", path.relative_to(TESTS).parts[0]}
    }
    assert imported == set()


def test_support_contains_no_tests() -> None:
    assert [path for path in MODULES if "support" in path.parts and path.name.startswith("test_")] == []


def test_the_folders_of_unit_tests_are_folders_of_the_package() -> None:
    folders = {path.parent.relative_to(TESTS / "unit") for path in MODULES if path.is_relative_to(TESTS / "unit")}
    assert [str(folder) for folder in sorted(folders) if not (ROOT / "src/lockset" / folder).is_dir()] == []


@pytest.mark.parametrize("key", support.windows._CANNOT)
def test_every_test_skipped_under_windows_exists(key: str) -> None:
    file, _, test = key.partition("::")
    tree = ast.parse(MODULES[TESTS / file])
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert not test or test.partition("[")[0] in names


def test_no_test_names_a_folder_of_some_machine() -> None:
    of_a_machine = re.compile(r"(?<![\w.])/(?:work|root|home)/\w")
    assert [str(path.relative_to(TESTS)) for path, text in MODULES.items() if of_a_machine.search(text)] == []


def test_no_two_test_modules_have_one_name() -> None:
    """Test modules are imported by their names alone, so a second one of a name would be refused."""
    names = [path.name for path in TESTS.rglob("test_*.py")]
    assert sorted({name for name in names if names.count(name) > 1}) == []
