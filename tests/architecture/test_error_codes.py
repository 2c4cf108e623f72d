"""Every error code stands in one table, which the pages of the documentation are made from."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import tomli

import lockset
from lockset.errors import KnownError

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(lockset.__file__).parent
TABLE = tomli.loads((ROOT / "error_codes.toml").read_text("utf-8"))
ROWS = {code: row for rows in TABLE.values() for code, row in rows.items() if isinstance(row, dict)}


def raised() -> Iterator[tuple[str, ast.expr, str]]:
    """Where a `LocksetError` or a `UsageError` is made: the class, the expression of its code, and the line."""
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and node.args:
                name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                if name in {"LocksetError", "UsageError"}:
                    yield name, node.args[0], f"{path.relative_to(ROOT)}:{node.lineno}"


# Those that have a class of their own.
CLASSES = {each.code: each.__name__ for each in KnownError.__subclasses__()}


def test_a_code_is_written_out_where_it_is_raised() -> None:
    composed = [
        f"{line} {ast.unparse(code)}" for _, code, line in raised() if isinstance(code, ast.JoinedStr | ast.BinOp)
    ]
    assert composed == []


def test_every_code_that_is_raised_stands_in_the_table() -> None:
    codes = {
        c.value: line
        for _, code, line in raised()
        for c in ((code.body, code.orelse) if isinstance(code, ast.IfExp) else (code,))
        if isinstance(c, ast.Constant)
    }
    assert {code: line for code, line in codes.items() if code not in ROWS} == {}
    assert CLASSES.keys() <= ROWS.keys()


def test_an_error_with_a_class_of_its_own_is_raised_as_that() -> None:
    assert [line for _, code, line in raised() if isinstance(code, ast.Constant) and code.value in CLASSES] == []


def test_every_code_of_the_table_is_raised() -> None:
    texts = {
        node.value
        for path in ROOT.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert sorted(ROWS.keys() - texts) == []


def test_codes_are_kebab_case_and_say_what_happened_and_what_helps() -> None:
    for code, row in ROWS.items():
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code)
        assert set(row) <= {"summary", "fix", "exit"}
        assert row["summary"].endswith("."), code
        assert row["fix"].endswith("."), code


def test_no_code_is_in_two_families() -> None:
    codes = [code for rows in TABLE.values() for code, row in rows.items() if isinstance(row, dict)]
    assert sorted(set(codes)) == sorted(codes)


def test_no_decision_is_made_on_the_text_of_the_code_of_an_error() -> None:
    decided = []
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Compare):
                sides = [node.left, *node.comparators]
                if any(ast.unparse(side).endswith("diagnostic.code") for side in sides):
                    decided.append(f"{path.relative_to(ROOT)}:{node.lineno} {ast.unparse(node)}")
    assert decided == []
