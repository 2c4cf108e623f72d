"""The projects of a workspace as one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from lockset.errors import LocksetError
from lockset.sources.project import RootProject
from lockset.sources.pyproject import read_pyproject
from lockset.sources.settings import ConflictItem
from lockset.sources.workspaces.joint import JointMember, conflict_sides, joint_project, joint_pythons
from lockset.sources.workspaces.virtual_root import virtual_root

CORE = """
[project]
name = "core"
dependencies = ["hull"]
[project.optional-dependencies]
old = ["mast<2"]
new = ["mast>=2"]
"""
API = """
[project]
name = "api"
dependencies = ["core[new] @ file:../core"]
[dependency-groups]
test = ["keel"]
"""
OLD = ConflictItem(kind="extra", name="old", package="core")
NEW = ConflictItem(kind="extra", name="new", package="core")


def member(text: str, name: str) -> JointMember:
    project = read_pyproject(text, base=Path("/space") / name, location=f"{name}/pyproject.toml")
    return JointMember(name=name, project=project, extras=tuple(project.extras), groups=tuple(project.groups))


ROOT = JointMember(name="", project=RootProject(base=Path("/space"), sources=("pyproject.toml",)), extras=(), groups=())
MEMBERS = (member(CORE, "core"), member(API, "api"))


def test_everything_is_required_together_where_nothing_conflicts() -> None:
    joint = joint_project((ROOT, *MEMBERS), (), root=ROOT.project)
    assert sorted(line.name for line in joint.dependencies) == ["core", "hull", "keel", "mast", "mast"]
    assert (dict(joint.extras), dict(joint.groups)) == ({}, {})


def test_paths_are_those_of_the_members() -> None:
    joint = joint_project((ROOT, *MEMBERS), (), root=ROOT.project)
    assert [line.requirement.url for line in joint.dependencies if line.name == "core"] == ["file:///space/core"]


def test_what_a_conflict_names_and_what_includes_it_is_an_extra_or_group_of_its_own() -> None:
    joint = joint_project((ROOT, *MEMBERS), ((OLD, NEW),), root=ROOT.project)
    assert sorted(joint.extras) == ["core:new", "core:old"]
    assert sorted(joint.groups) == ["api"]
    assert sorted(line.name for line in joint.dependencies) == ["hull", "keel"]


def test_sides_reach_through_requirements() -> None:
    sides = conflict_sides(MEMBERS, ((OLD, NEW),))
    assert sides["group", "api"] == frozenset({("extra", "core:new")})


def test_a_virtual_root_leaves_out_members_that_conflict() -> None:
    other = member('[project]\nname = "web"\ndependencies = ["core[old] @ file:../core"]', "web")
    pairs = [(one, True) for one in (*MEMBERS, other)]
    root = virtual_root(ROOT.project, pairs, ((OLD, NEW),), table="tool.uv.workspace")
    assert root.left_out == ("api", "web")
    assert [line.name for line in root.project.dependencies] == ["core"]


def test_a_virtual_root_leaves_out_an_extra_that_conflicts_with_what_is_always_there() -> None:
    root = virtual_root(ROOT.project, [(one, True) for one in MEMBERS], ((OLD, NEW),), table="tool.uv.workspace")
    assert root.left_out == ("the extra old",)
    assert sorted(root.project.extras) == ["new"]


def with_pythons(name: str, text: str) -> JointMember:
    project = RootProject(base=Path("/"), name=name, requires_python=SpecifierSet(text), sources=(name,))
    return JointMember(name=name, project=project, extras=(), groups=())


BOUNDS = st.tuples(st.integers(8, 14), st.integers(10, 16))


@given(st.lists(BOUNDS, min_size=1, max_size=4))
def test_the_joint_range_is_what_all_ranges_have_in_common(bounds: list[tuple[int, int]]) -> None:
    members = [with_pythons(f"m{n}", f">=3.{low},<3.{high}") for n, (low, high) in enumerate(bounds)]
    common = [f"3.{minor}" for minor in range(5, 20) if all(low <= minor < high for low, high in bounds)]
    if not common:
        with pytest.raises(LocksetError) as caught:
            joint_pythons(members)
        assert caught.value.diagnostic.code == "workspace-pythons"
        return
    joint = joint_pythons(members)
    assert joint is not None
    assert [f"3.{minor}" for minor in range(5, 20) if joint.contains(f"3.{minor}")] == common
    assert len(joint) == 2, "no bound that another one implies"
