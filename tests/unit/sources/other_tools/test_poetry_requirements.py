"""Requirements in Poetry's notation as dependency specifiers."""

from __future__ import annotations

import pytest
from packaging.requirements import Requirement

from lockset.sources.other_tools.poetry_requirements import poetry_specifiers


@pytest.mark.parametrize(
    ("value", "specifier"),
    [
        ("*", "name"),
        ("^1.2", "name<2,>=1.2"),
        ("~1.2", "name<1.3,>=1.2"),
        ("1.2", "name==1.2"),
        (">=1,<2", "name<2,>=1"),
        ({"version": "^0.3", "extras": ["a", "b"]}, "name[a,b]<0.4,>=0.3"),
        ({"version": "1.*", "python": ">=3.12"}, 'name==1.* ; python_version >= "3.12"'),
        ({"version": "1", "markers": "os_name == 'nt'"}, 'name==1 ; os_name == "nt"'),
        ({"version": "1", "platform": "linux"}, 'name==1 ; sys_platform == "linux"'),
        ({"path": "../a", "develop": True}, "name"),
    ],
)
def test_a_requirement_has_a_specifier(value: object, specifier: str) -> None:
    [text] = poetry_specifiers("name", value)
    assert text is not None
    assert Requirement(text) == Requirement(specifier)


@pytest.mark.parametrize("value", ["1.2 || 1.4", 7, {"version": 7}, {"extras": "a"}, "not a version", {"python": "x"}])
def test_what_has_no_specifier_is_none(value: object) -> None:
    assert list(poetry_specifiers("name", value)) == [None]


def test_several_constraints_are_several_specifiers() -> None:
    value = [{"version": "1", "python": "<3.12"}, {"version": "2", "python": ">=3.12"}]
    assert [Requirement(str(text)).specifier for text in poetry_specifiers("name", value)] == ["==1", "==2"]
