"""Members of a workspace on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lockset.errors import LocksetError
from lockset.sources.other_tools.files import workspace_root
from lockset.sources.workspaces import members as module
from lockset.sources.workspaces.members import find_members

if TYPE_CHECKING:
    from pathlib import Path


def write(root: Path, members: str, exclude: str = "[]") -> None:
    (root / "pyproject.toml").write_text(f"[tool.uv.workspace]\nmembers = {members}\nexclude = {exclude}\n")


def project(root: Path, *folders: str) -> None:
    for folder in folders:
        (root / folder).mkdir(parents=True, exist_ok=True)
        (root / folder / "pyproject.toml").write_text('[project]\nname = "x"\n')


def folders(root: Path) -> list[str]:
    return [member.below for member in find_members(root, shown=root).members]


def test_members_are_sorted_and_each_is_one(tmp_path: Path) -> None:
    project(tmp_path, "b/two", "b/one", "a")
    write(tmp_path, '["b/*", "a", "./b/one/"]')
    assert folders(tmp_path) == ["a", "b/one", "b/two"]


def test_two_stars_match_any_depth_and_pass_over_folders_without_a_project(tmp_path: Path) -> None:
    project(tmp_path, "libs/one", "libs/deep/er/two", "libs/.hidden/three", "libs/node_modules/four")
    write(tmp_path, '["libs/**"]')
    assert folders(tmp_path) == ["libs/deep/er/two", "libs/one"]


def test_hidden_folders_and_those_without_files_are_not_members(tmp_path: Path) -> None:
    project(tmp_path, "libs/one", "libs/.two")
    (tmp_path / "libs" / "left" / "__pycache__").mkdir(parents=True)
    write(tmp_path, '["libs/*"]')
    assert folders(tmp_path) == ["libs/one"]


def test_two_stars_do_not_follow_links(tmp_path: Path) -> None:
    project(tmp_path, "libs/one")
    (tmp_path / "libs" / "one" / "loop").symlink_to(tmp_path / "libs", target_is_directory=True)
    write(tmp_path, '["libs/**"]')
    assert folders(tmp_path) == ["libs/one"]


def test_a_search_of_too_many_folders_ends_with_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_FOLDERS", 20)
    for number in range(30):
        (tmp_path / f"f{number}").mkdir()
    write(tmp_path, '["**"]')
    with pytest.raises(LocksetError) as caught:
        find_members(tmp_path, shown=tmp_path)
    assert caught.value.diagnostic.code == "workspace-members"
    assert "more than 20 folders" in caught.value.diagnostic.message


def test_too_many_members_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_MEMBERS", 2)
    project(tmp_path, "a", "b", "c")
    write(tmp_path, '["*"]')
    with pytest.raises(LocksetError) as caught:
        find_members(tmp_path, shown=tmp_path)
    assert caught.value.diagnostic.code == "workspace-members"


def test_the_root_is_that_whose_members_have_the_project(tmp_path: Path) -> None:
    project(tmp_path, "libs/one", "other")
    (tmp_path / "libs" / "one" / "src").mkdir()
    write(tmp_path, '["libs/*"]')
    assert workspace_root(tmp_path / "libs" / "one" / "src") == tmp_path
    assert workspace_root(tmp_path) == tmp_path
    assert workspace_root(tmp_path / "other") is None


def test_a_folder_that_is_excluded_is_a_project_of_its_own(tmp_path: Path) -> None:
    project(tmp_path, "libs/one")
    write(tmp_path, '["libs/*"]', '["libs/one"]')
    assert workspace_root(tmp_path / "libs" / "one") is None


def test_a_file_above_that_is_not_valid_has_no_members(tmp_path: Path) -> None:
    project(tmp_path, "libs/one")
    (tmp_path / "pyproject.toml").write_text("[tool.uv.workspace\n")
    assert workspace_root(tmp_path / "libs" / "one") is None
    assert workspace_root(tmp_path) is None or workspace_root(tmp_path) == tmp_path
