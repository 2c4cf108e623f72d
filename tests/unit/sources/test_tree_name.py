"""A tree's name is read from whatever file tells it, and nothing of the tree is run."""

from __future__ import annotations

import pytest

from lockset.sources.static_name import tree_name

CASES = {
    "project": ({"pyproject.toml": "[project]\nname = 'My.Name'"}, "my-name"),
    "poetry": ({"pyproject.toml": "[tool.poetry]\nname = 'a'"}, "a"),
    "flit": ({"pyproject.toml": "[tool.flit.metadata]\nmodule = 'a_b'"}, "a-b"),
    "setup.cfg": ({"pyproject.toml": "[build-system]", "setup.cfg": "[metadata]\nname = a_b\n"}, "a-b"),
    "setup.py": ({"setup.py": "from setuptools import setup\nsetup(name='a')\n"}, "a"),
    "setup.py by module": ({"setup.py": "import setuptools\nif 1:\n    setuptools.setup(name='a')\n"}, "a"),
    "setup.py by a constant": ({"setup.py": "NAME = 'a'\nsetup(name=NAME)\n"}, "a"),
    "PKG-INFO": ({"PKG-INFO": "Metadata-Version: 2.1\nName: a\n\nName: b\n", "setup.py": "setup(name='b')"}, "a"),
    "computed": ({"setup.py": "setup(name=compute())\n"}, None),
    "no name": ({"setup.cfg": "[metadata]\nname = -a-\n"}, None),
    "no Python": ({"setup.py": "setup(name='a'"}, None),
    "deep": ({"setup.py": "(" * 10_000}, None),
    "no TOML": ({"pyproject.toml": "[", "setup.cfg": "nothing"}, None),
    "nothing": ({}, None),
}


@pytest.mark.parametrize("case", CASES)
def test_the_name_is_read_and_nothing_is_run(case: str) -> None:
    texts, expected = CASES[case]
    assert tree_name(texts) == expected
