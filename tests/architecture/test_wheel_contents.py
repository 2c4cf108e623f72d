"""The wheel of lockset holds what it needs at run time."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the wheel is built from."""
    tree = tmp_path_factory.mktemp("tree")
    for name in ("src", "schemas"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree / name)
    return tree


@pytest.fixture(scope="module")
def wheel(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as a user of the checkout builds it."""
    pytest.importorskip("hatchling", reason="the build backend is not installed")
    out = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", out], cwd=tree, check=True)
    return next(out.glob("*.whl"))


def test_the_wheel_holds_every_schema_as_it_is(wheel: Path, tree: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {
            name.removeprefix("lockset/schemas/"): archive.read(name)
            for name in archive.namelist()
            if name.startswith("lockset/schemas/")
        }
    kept = {path.name: path.read_bytes() for path in (tree / "schemas").iterdir()}
    assert packed == kept
    assert any(name.endswith(".json") for name in packed)


def test_the_wheel_holds_every_module_and_the_mark_of_types(wheel: Path, tree: Path) -> None:
    source = tree / "src"
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    modules = {path.relative_to(source).as_posix() for path in source.rglob("*.py")}
    assert modules | {"lockset/py.typed"} <= packed
