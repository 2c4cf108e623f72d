"""Pages are requested before the problem is posed only where the lock needs them whatever else it decides."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from lockset.composition.lock_inputs import needed_pages, read_lock_inputs
from lockset.composition.run_context import RunContext
from lockset.resolve.problem.options import LockOptions
from lockset.resolve.releases.memory_index import MemoryIndex

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = """
[project]
name = "sample"
version = "1"
dependencies = ["a", "B_b>=2", "c; python_version < '3'", "d[x]"]
"""
NEEDED = ["a", "b-b", "d"]
OLD_LOCK = 'lock-version = "1.0"\ncreated-by = "x"\npackages = []\n'


def pages(
    folder: Path, more: str = "", *, options: LockOptions | None = None, memory: MemoryIndex | None = None
) -> list[str]:
    (folder / "pyproject.toml").write_text(PROJECT + more, encoding="utf-8")
    return needed_pages(read_lock_inputs((), options, memory, None, RunContext(folder=folder)))


def test_the_pages_of_requirements_without_marker_are_needed(tmp_path: Path) -> None:
    assert pages(tmp_path) == NEEDED


@pytest.mark.parametrize(
    "more",
    [
        '[tool.lockset]\noverrides = ["a==1"]',
        '[tool.lockset]\nexcludes = ["a"]',
        '[tool.lockset]\nconstraints = ["a @ https://example.org/a-1.tar.gz"]',
        '[dependency-groups]\ntest = ["a @ https://example.org/a-1.tar.gz"]',
        '[project.optional-dependencies]\nx = ["a @ https://example.org/a-1.tar.gz"]',
    ],
)
def test_none_is_needed_for_sure_where_the_project_may_replace_one(tmp_path: Path, more: str) -> None:
    assert pages(tmp_path, more) == []


@pytest.mark.parametrize(
    "options",
    [
        LockOptions(overrides=("a==1",)),
        LockOptions(excludes=("a",)),
        LockOptions(only_groups=True),
        LockOptions(constraints=("a @ https://example.org/a-1.tar.gz",)),
    ],
    ids=["overrides", "excludes", "only-groups", "constraints"],
)
def test_none_is_needed_for_sure_where_an_option_may_replace_one(tmp_path: Path, options: LockOptions) -> None:
    assert pages(tmp_path, options=options) == []


def test_none_is_needed_for_sure_where_the_project_is_dynamic(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "sample"\ndynamic = ["dependencies", "version"]\n', encoding="utf-8"
    )
    assert needed_pages(read_lock_inputs((), None, None, None, RunContext(folder=tmp_path))) == []


def test_none_is_needed_for_sure_where_the_extras_are_dynamic(tmp_path: Path) -> None:
    backend = '[build-system]\nrequires = []\nbuild-backend = "x"\n'
    assert pages(tmp_path, f'dynamic = ["optional-dependencies"]\n{backend}') == []


def test_none_is_needed_for_sure_where_there_is_a_lock(tmp_path: Path) -> None:
    (tmp_path / "pylock.toml").write_text(OLD_LOCK, encoding="utf-8")
    assert pages(tmp_path) == []


def test_none_is_needed_of_an_index_in_memory(tmp_path: Path) -> None:
    assert pages(tmp_path, memory=MemoryIndex({})) == []


_WATCHED = """
import sys
import lockset
from lockset.index.http.client import HttpIndexes

def hint(self, names):
    resolving = [module for module in sys.modules if module.startswith("lockset.resolve.") and
                 module.rpartition(".")[2] in {"build_problem", "index_repository", "prefetch", "search"}]
    print(names, resolving)
    raise SystemExit(0)

HttpIndexes.hint = hint
lockset.lock("requirements.in", context=lockset.RunContext(offline=True))
"""


def test_the_first_request_does_not_wait_for_what_resolves(tmp_path: Path) -> None:
    (tmp_path / "requirements.in").write_text("a\nb\n", encoding="utf-8")
    run = subprocess.run([sys.executable, "-c", _WATCHED], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (run.stdout, run.stderr) == ("['a', 'b'] []\n", "")
