"""What `lockset lock` says: only what somebody wants to know, and nothing that is not so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.builders.sdist import source_files, write_source_tree

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command
    from support.local_index import LocalIndex


@pytest.fixture(autouse=True)
def index(local_index: LocalIndex, monkeypatch: pytest.MonkeyPatch) -> LocalIndex:
    monkeypatch.setenv("LOCKSET_DEFAULT_INDEX", local_index.url)
    return local_index


def write(folder: Path, *requires: str, python: str = ">=3.10") -> None:
    project = f'[project]\nname = "app"\nversion = "1"\nrequires-python = "{python}"\ndependencies = {list(requires)}\n'
    (folder / "pyproject.toml").write_text(project)


@pytest.mark.parametrize("cap", ["<4", "<4.0", "<5"])
def test_a_bound_that_leaves_no_known_python_out_is_not_reported(
    cap: str, cli: Command, index: LocalIndex, tmp_path: Path
) -> None:
    index.world.add("a", requires_python=f">=3.8,{cap}")
    write(tmp_path, "a")
    for _ in range(2):
        assert "supports Python below" not in cli.ok("lock").stderr


def test_a_bound_that_leaves_pythons_out_is_reported_where_it_is_new(
    cli: Command, index: LocalIndex, tmp_path: Path
) -> None:
    index.world.add("a", requires_python="<3.14")
    write(tmp_path, "a")
    assert "The lock only supports Python below 3.14: a 1.0 supports no newer one" in cli.ok("lock").stderr
    assert "supports Python below" not in cli.ok("lock", "--refresh").stderr
    index.world.add("b", requires_python="<3.13")
    write(tmp_path, "a", "b")
    assert "The lock only supports Python below 3.13: b 1.0 supports no newer one" in cli.ok("lock", "--refresh").stderr


def test_packages_without_version_are_shown_with_their_location(cli: Command, tmp_path: Path) -> None:
    for folder in ("lib", "other"):
        (tmp_path / folder).mkdir()
        write_source_tree(tmp_path / folder, source_files("lib", "1.0"))
        (tmp_path / folder / "pyproject.toml").write_text('[project]\nname = "lib"\nversion = "1.0"\n')
    write(tmp_path)
    cli.ok("lock")
    write(tmp_path, "lib @ file:lib")
    assert "  + lib (lib)\n" in cli.ok("lock").stderr
    write(tmp_path, "lib @ file:other")
    changed = cli.ok("lock").stderr
    assert "  ~ lib (other) (source)\n" in changed
    write(tmp_path)
    removed = cli.ok("lock").stderr
    assert "  - lib (other)\n" in removed
    assert "None" not in changed + removed


@pytest.mark.parametrize(
    ("left_out", "marker"),
    [
        ("!=3.11.*", "python_version != '3.11'"),
        ("!=3.11.*,!=3.13.*", "python_version != '3.11' and python_version != '3.13'"),
    ],
)
def test_pythons_in_the_middle_are_left_out_alone(
    left_out: str, marker: str, cli: Command, local_index: LocalIndex, tmp_path: Path
) -> None:
    local_index.world.add("hull", requires_python=f">=3.8,{left_out}")
    text = '[project]\nname = "app"\nrequires-python = ">=3.10"\ndependencies = ["hull"]\n'
    (tmp_path / "pyproject.toml").write_text(text)
    paragraph = cli.refused("lock", "-i", local_index.url)
    assert f"`hull ; {marker}`" in paragraph
    assert f'`requires-python = ">=3.10,{left_out}"`' in paragraph
    (tmp_path / "pyproject.toml").write_text(text.replace('"hull"', f'"hull ; {marker}"'))
    cli.ok("lock", "-i", local_index.url)
    (tmp_path / "pyproject.toml").write_text(text.replace(">=3.10", f">=3.10,{left_out}"))
    cli.ok("lock", "-i", local_index.url)
