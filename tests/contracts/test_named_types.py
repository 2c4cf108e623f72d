"""Every type that a signature of the public API names is documented."""

from __future__ import annotations

import inspect
import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import lockset

if TYPE_CHECKING:
    from types import ModuleType

HOOK = Path(__file__).parents[2] / "docs" / "hooks" / "named_types.py"
FUNCTIONS = [name for name in lockset.__all__ if inspect.isroutine(getattr(lockset, name))]


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    spec = spec_from_file_location("named_types", HOOK)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_type_that_is_named_has_a_section_and_a_docstring(hook: ModuleType) -> None:
    named = hook.named_types()
    page = hook.types_page()
    assert {"Gap", "Layout", "LockSource", "Resolution"} <= set(named), "attributes and parameters are looked at"
    assert [name for name in named if f"## {name}\n" not in page] == []
    assert [name for name, value in named.items() if not inspect.getdoc(value)] == []


@pytest.mark.parametrize("name", FUNCTIONS)
def test_arguments_of_a_public_function_are_documented_by_name(name: str) -> None:
    function = getattr(lockset, name)
    text = inspect.getdoc(function) or ""
    parameters = [each for each in inspect.signature(function).parameters if not re.search(rf"\b{each}\b", text)]
    # These have the same meaning everywhere.
    assert [
        each
        for each in parameters
        if each not in {"context", "options", "indexes", "python", "on_plan", "locks", "output", "path", "source"}
    ] == []


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_public_function_has_few_parameters_and_most_are_given_by_name(name: str) -> None:
    parameters = inspect.signature(getattr(lockset, name)).parameters.values()
    positional = [each for each in parameters if each.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    assert len(positional) <= 2
    assert len(parameters) <= 6
