"""What a pyproject.toml promises of its tree."""

from __future__ import annotations

import pytest

from lockset.errors import LocksetError
from lockset.metadata.pyproject import tree_metadata

STATIC = """
[project]
name = "A.b"
version = "1.0"
requires-python = ">=3.9"
dependencies = ["c>=1", "d ; sys_platform == 'win32'"]
[project.optional-dependencies]
X_y = ["e", "f ; python_version < '3.12'"]
"""


def test_static_metadata_are_read() -> None:
    result = tree_metadata(STATIC, what="a")
    assert result is not None
    assert (result.name, str(result.version), result.requires_python) == ("a-b", "1.0", ">=3.9")
    assert result.provides_extra == {"x-y"}
    assert result.requires_dist == (
        "c>=1",
        'd; sys_platform == "win32"',
        'e; extra == "x-y"',
        'f; python_version < "3.12" and extra == "x-y"',
    )


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "[build-system]\nrequires = []\n",
        "[tool.poetry]\nname = 'a'\n",
        "[project]\nname = 'a'\ndynamic = ['version']\n",
        *(
            f"[project]\nname = 'a'\nversion = '1'\ndynamic = ['{field}']\n"
            for field in ("version", "dependencies", "optional-dependencies", "requires-python")
        ),
    ],
)
def test_what_only_a_build_knows_is_not_guessed(text: str | None) -> None:
    assert tree_metadata(text, what="a") is None


def test_other_dynamic_fields_do_not_matter() -> None:
    assert tree_metadata("[project]\nname = 'a'\nversion = '1'\ndynamic = ['readme']\n", what="a") is not None


@pytest.mark.parametrize(
    "text",
    [
        "[project",
        "[project]\nname = 'a b'\nversion = '1'\n",
        "[project]\nname = 'a'\nversion = 'first'\n",
        "[project]\nname = 'a'\nversion = '1'\ndependencies = ['b >']\n",
        "[project]\nname = 'a'\nversion = '1'\ndependencies = [1]\n",
        "[project]\nname = 1\nversion = '1'\n",
        "[project]\nname = 'a'\nversion = '1'\noptional-dependencies = []\n",
        "a = " + "[" * 5000,
    ],
)
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(LocksetError) as caught:
        tree_metadata(text, what="a")
    assert caught.value.diagnostic.code == "metadata-invalid"
