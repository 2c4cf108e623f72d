"""The lock file of a resolution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.worlds.small_world import SmallWorld, entries

if TYPE_CHECKING:
    from lockset.lockfile.model import Pylock

WORLD = """
[project]
requires-python = ">=3.10,<3.13"
dependencies = ["zeta", "alpha[x]>=1 ; sys_platform == 'win32'", "forked"]

[packages]
zeta."1.0" = { requires = ["forked", "mid"] }
alpha."1.0" = { extras = { x = ["mid"] }, requires = ["forked>=1"] }
mid."2.0" = { requires = ["zeta"], sdist = true }
forked."1.0" = { requires-python = ">=3.8" }
forked."2.0" = { requires-python = ">=3.12" }
"""


def made(text: str, **changes: Any) -> Pylock:
    world = SmallWorld.read(text)
    return SmallWorld({**world.data, **changes}).lock().lock


def needs(pylock: Pylock) -> dict[str, list[str]]:
    return {
        f"{p.name} {p.version}": [" ".join(map(str, d.values())) for d in p.dependencies or ()] for p in pylock.packages
    }


def test_entries_are_in_canonical_order() -> None:
    assert entries(made(WORLD)) == [
        'alpha 1.0 ; sys_platform == "win32"',
        'forked 1.0 ; python_version < "3.12"',
        'forked 2.0 ; python_version >= "3.12"',
        "mid 2.0",
        "zeta 1.0",
    ]


def test_dependencies_have_a_version_only_where_several_entries_exist() -> None:
    both = ["forked 1.0", "forked 2.0"]
    assert needs(made(WORLD)) == {
        "alpha 1.0": [*both, "mid"],
        "forked 1.0": [],
        "forked 2.0": [],
        "mid 2.0": ["zeta"],
        "zeta 1.0": [*both, "mid"],
    }


def test_a_dependency_leads_only_to_the_entries_that_answer_it() -> None:
    result = made(
        """
[project]
requires-python = ">=3.10"
dependencies = ["p ; sys_platform == 'win32'", "q ; sys_platform != 'win32'"]

[packages]
p."1" = { requires = ["s<2"] }
q."1" = { requires = ["s>=2"] }
s."1" = {}
s."2" = {}
"""
    )
    assert needs(result) == {"p 1": ["s 1"], "q 1": ["s 2"], "s 1": [], "s 2": []}


def test_the_lock_records_its_options_and_requirements() -> None:
    result = made(WORLD)
    assert str(result.requires_python) == "<3.13,>=3.10"
    assert (result.extras, result.dependency_groups, result.default_groups) == ([], [], None)
    assert result.environments is None
    assert result.tool == {
        "lockset": {"roots": ["alpha[x]>=1 ; sys_platform == 'win32'", "forked", "zeta"]},
    }


def test_extras_and_groups_are_recorded_with_their_roots() -> None:
    result = made(
        """
[project]
requires-python = ">=3.10"
dependencies = ["a"]
[project.optional-dependencies]
z = ["b"]
x = ["b>=1 ; sys_platform == 'win32'"]

[dependency-groups]
test = ["a"]

[packages]
a."1" = {}
b."1" = {}
"""
    )
    assert (result.extras, result.dependency_groups, result.default_groups) == (["x", "z"], ["test"], ["default"])
    assert result.tool is not None
    assert result.tool["lockset"]["roots"] == [
        "a",
        "a ; 'test' in dependency_groups",
        "b ; 'z' in extras",
        "b>=1 ; sys_platform == 'win32' and 'x' in extras",
    ]


def test_wheels_that_no_environment_of_the_lock_can_use_are_left_out() -> None:
    result = made(
        """
[project]
requires-python = ">=3.11,<3.13"
dependencies = ["a", "w ; sys_platform == 'win32'"]

[packages.a."1"]
sdist = true
wheels = [
  "cp310-cp310-win_amd64",
  "cp311-cp311-win_amd64",
  "cp312-cp312-manylinux_2_17_x86_64",
  "cp313-cp313-win_amd64",
  "cp27-cp27m-manylinux1_x86_64",
  "pp311-pypy311_pp73-win_amd64",
  "cp38-abi3-macosx_10_9_universal2",
]
[packages.w]
"1" = { wheels = ["py3-none-any", "py3-none-manylinux_2_17_x86_64", "py3-none-win_arm64"] }
"""
    )
    wheels = {str(p.name): [w.name for w in p.wheels or ()] for p in result.packages}
    assert wheels["a"] == [
        "a-1-cp311-cp311-win_amd64.whl",
        "a-1-cp312-cp312-manylinux_2_17_x86_64.whl",
        "a-1-cp38-abi3-macosx_10_9_universal2.whl",
        "a-1-pp311-pypy311_pp73-win_amd64.whl",
    ]
    assert wheels["w"] == ["w-1-py3-none-any.whl", "w-1-py3-none-win_arm64.whl"]
    assert [p.sdist is not None for p in result.packages] == [True, False]


def test_sdists_are_left_out_on_demand() -> None:
    result = made(WORLD, choices={"no-sdist": True})
    assert all(p.sdist is None for p in result.packages)
    assert any(p.sdist is not None for p in made(WORLD).packages)
