"""pyproject.toml as a source."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lockset.errors import Diagnostic, LocksetError
from lockset.sources.pyproject import read_pyproject, read_pyproject_name, read_pyproject_settings

if TYPE_CHECKING:
    from lockset.sources.project import RequirementLine, RootProject

BASE = Path("/project")


def project(text: str) -> RootProject:
    return read_pyproject(text, base=BASE)


def refusal(text: str) -> Diagnostic:
    with pytest.raises(LocksetError) as caught:
        project(text)
    return caught.value.diagnostic


def written(lines: tuple[RequirementLine, ...]) -> list[str]:
    return [str(line.requirement) for line in lines]


def test_all_standard_fields_are_read() -> None:
    read = project("""
[project]
name = "My.Demo"
requires-python = ">=3.10"
dependencies = ["requests>=2", "tomli ; python_version < '3.11'"]
[project.optional-dependencies]
Fast_Path = ["speedups"]
[dependency-groups]
Dev_Tools = ["pytest", { include-group = "lint" }]
lint = ["ruff"]
""")
    assert read.name == "my-demo"
    assert str(read.requires_python) == ">=3.10"
    assert written(read.dependencies) == ["requests>=2", 'tomli; python_version < "3.11"']
    assert {name: written(lines) for name, lines in read.extras.items()} == {"fast-path": ["speedups"]}
    assert {name: written(lines) for name, lines in read.groups.items()} == {
        "dev-tools": ["pytest", "ruff"],
        "lint": ["ruff"],
    }
    assert read.sources == ("pyproject.toml",)


def test_every_requirement_has_its_key_as_origin() -> None:
    read = project("""
[project]
name = "demo"
dependencies = ["a"]
optional-dependencies = { x = ["b"] }
[dependency-groups]
g = [{ include-group = "h" }]
h = ["c"]
""")
    assert read.dependencies[0].origin == "pyproject.toml [project.dependencies]"
    assert read.extras["x"][0].origin == "pyproject.toml [project.optional-dependencies.x]"
    assert read.groups["g"][0].origin == "pyproject.toml [dependency-groups.h]"


def test_own_extras_are_replaced_by_their_requirements_through_several_levels() -> None:
    read = project("""
[project]
name = "Demo_App"
dependencies = ["a"]
[project.optional-dependencies]
x = ["b ; python_version < '3.12'"]
y = ["c", "demo-app[x]"]
all = ["demo.app[x,y] ; sys_platform == 'win32'"]
""")
    assert written(read.extras["y"]) == ["c", 'b; python_version < "3.12"']
    assert written(read.extras["all"]) == [
        'b; sys_platform == "win32" and python_version < "3.12"',
        'c; sys_platform == "win32"',
    ]
    assert "through demo.app[x,y]" in read.extras["all"][0].origin


def test_cycles_of_own_extras_add_nothing() -> None:
    read = project("""
[project]
name = "demo"
optional-dependencies = { x = ["demo[y]", "b"], y = ["demo[x] ; os_name == 'nt'", "c"] }
""")
    assert written(read.extras["x"]) == ["c", "b"]
    assert written(read.extras["y"]) == ['b; os_name == "nt"', "c"]


def test_a_group_that_names_the_project_gets_its_dependencies_too() -> None:
    read = project("""
[project]
name = "demo"
dependencies = ["a"]
optional-dependencies = { x = ["b"] }
[dependency-groups]
test = ["demo[x]", "pytest"]
""")
    assert written(read.groups["test"]) == ["a", "b", "pytest"]


def test_an_unknown_own_extra_is_a_warning_that_names_the_nearest() -> None:
    read = project('[project]\nname = "demo"\noptional-dependencies = { socks = ["b"], all = ["demo[sock]"] }\n')
    (warning,) = read.warnings
    assert warning.code == "unknown-extra"
    assert "`sock`" in warning.message
    assert warning.hint == "Did you mean `socks`?"


def test_own_extras_that_multiply_without_end_are_refused() -> None:
    levels = "\n".join(
        f"""e{n} = ["demo[e{n - 1}] ; python_version < '3.{n}'", "demo[e{n - 1}] ; os_name == 'o{n}'"]"""
        for n in range(1, 40)
    )
    message = refusal(f'[project]\nname = "demo"\n[project.optional-dependencies]\ne0 = ["a"]\n{levels}\n')
    assert message.code == "extra-references"


@pytest.mark.parametrize(
    ("text", "code", "part"),
    [
        ("[project]\nname = 1", "wrong-type", "`project.name` must be a string, not an integer"),
        ("[project]\ndependencies = []", "invalid-value", "`project.name` is missing"),
        ("[project]\nname = '-a'", "invalid-value", "is not a valid project name"),
        ("project = 1", "wrong-type", "`project` must be a table"),
        ("[project]\nname='a'\ndependencies = 'b'", "wrong-type", "`project.dependencies` must be an array"),
        ("[project]\nname='a'\ndependencies = ['b', 1]", "wrong-type", "`project.dependencies[1]`"),
        ("[project]\nname='a'\noptional-dependencies = ['b']", "wrong-type", "`project.optional-dependencies`"),
        ("[project]\nname='a'\nrequires-python = '3.10'", "invalid-value", "`project.requires-python`"),
        ("[project]\nname='a'\ndependencies = ['b=1']", "requirement-syntax", "`b=1` is not a requirement"),
        (
            "[project]\nname='a'\noptional-dependencies = { a_b = [], 'A.B' = [] }",
            "invalid-value",
            "have the same name, `a-b`",
        ),
        ("[dependency-groups]\na = ['b',", "toml-syntax", "not valid TOML"),
        ("[project", "toml-syntax", "not valid TOML"),
        ("a = " + "[" * 5000, "toml-syntax", "nested"),
        ("a = " + "1" * 5000, "toml-syntax", "cannot be read"),
        ("[project]\nname='a'\ndependencies = ['b ; " + "(" * 5000 + "']", "requirement-syntax", "nested too deeply"),
        ("[tool.lockset]\nenvironments = ['" + "(" * 5000 + "']", "invalid-value", "`tool.lockset.environments[0]`"),
        ("", "no-project", "neither [project] nor [dependency-groups]"),
        ("[tool.lockset]\npython = '>=x'", "invalid-value", "`tool.lockset.python`"),
        ("[project]\nname='a'\ndynamic=['dependencies']\ndependencies=['b']", "invalid-value", "also listed"),
    ],
)
def test_errors_name_the_key(text: str, code: str, part: str) -> None:
    message = refusal(text)
    assert message.code == code
    assert part in message.message
    assert message.location is not None
    assert message.location.startswith("pyproject.toml")


def test_a_syntax_error_has_line_and_column() -> None:
    assert refusal("[project]\nname = \n").location == "pyproject.toml:2:8"


def test_a_bad_requirement_has_its_number_and_a_hint() -> None:
    message = refusal("[project]\nname='a'\ndependencies = ['b', 'c=1']")
    assert message.location == "pyproject.toml: project.dependencies[1]"
    assert message.hint == "Write `==` for an exact version"


def test_credentials_in_urls_are_not_shown() -> None:
    message = refusal("[project]\nname='a'\ndependencies = ['b @ https://user:secret@e.example.org/x.zip#sha256=1 2']")
    assert "secret" not in repr(message)


def test_errors_for_poetry_projects_say_what_is_read() -> None:
    message = refusal("[tool.poetry]\nname = 'demo'\n")
    assert message.hint is not None
    assert "tool.poetry" in message.hint


def test_dynamic_dependencies_name_the_files_that_setuptools_reads() -> None:
    read = project("""
[project]
name = "demo"
dynamic = ["version", "dependencies", "optional-dependencies"]
[tool.setuptools.dynamic]
dependencies = { file = ["requirements.in"] }
optional-dependencies.test = { file = "test.in" }
""")
    (unbuilt,) = read.unbuilt
    assert unbuilt.keys == ("dependencies", "optional-dependencies")
    assert unbuilt.files == ("requirements.in", "test.in")


def test_dynamic_dependencies_of_other_backends_are_left_to_the_build() -> None:
    (unbuilt,) = project("[project]\nname = 'd'\ndynamic = ['dependencies']\n[tool.setuptools]\ndynamic = 3\n").unbuilt
    assert unbuilt.files == ()


def test_requirements_that_poetry_adds_are_left_to_the_build() -> None:
    poetry = "[project]\nname = 'd'\nversion = '1'\n[tool.poetry.dependencies]\npython = '*'\n"
    assert project(poetry).unbuilt == ()
    (unbuilt,) = project(poetry + "a = '^1'\n").unbuilt
    assert unbuilt.keys == ("dependencies",)


def test_a_file_with_only_groups_is_a_source() -> None:
    read = project("[dependency-groups]\ndev = ['pytest']\n[tool.lockset]\nconstraints = ['pytest<9']\n")
    assert read.name is None
    assert written(read.groups["dev"]) == ["pytest"]
    assert written(read.constraints) == ["pytest<9"]


def test_hashes_are_removed_from_direct_urls() -> None:
    digest = "a" * 64
    read = project(f"[project]\nname='a'\ndependencies = ['b @ https://e.example.org/b.zip#sha256={digest}']")
    assert read.dependencies[0].requirement.url == "https://e.example.org/b.zip"
    assert [str(each) for each in read.dependencies[0].hashes] == [f"sha256:{digest}"]


def test_name_and_settings_can_be_read_alone() -> None:
    text = "[project]\nname = 'A_b'\ndynamic = ['dependencies']\n[tool.lockset]\nno-index = true\n"
    assert read_pyproject_name(text) == "a-b"
    assert read_pyproject_settings(text).no_index is True
    assert read_pyproject_name("[tool.x]\n") is None


@pytest.mark.parametrize(("name", "warned"), [("locksett", 1), ("lock-set", 1), ("Lockset", 1), ("lockfile", 0)])
def test_a_misspelled_table_is_a_warning(name: str, warned: int) -> None:
    text = f'[project]\nname = "a"\n[tool.{name}]\npython = "3.12"\n'
    assert len(read_pyproject(text, base=Path("/w")).warnings) == warned
    assert not read_pyproject(f"{text}[tool.lockset]\n", base=Path("/w")).warnings
