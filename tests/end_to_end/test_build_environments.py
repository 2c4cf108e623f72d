"""The environment of a build is decided by resolvelib, for the interpreter that builds."""

from __future__ import annotations

import sys
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

from lockset._dataclass import replace
from lockset.composition import lock_assembly
from lockset.composition.builds.environments import SyncedEnvironmentMaker
from lockset.composition.lock_pipeline import lock_environment
from lockset.errors import LocksetError
from lockset.index.options import IndexOptions
from lockset.progress import NullListener

if TYPE_CHECKING:
    from pathlib import Path

    from lockset.lockfile.model import Pylock
    from lockset.resolve.problem.options import LockOptions
    from lockset.sources.project import RootProject
    from support.local_index import LocalIndex


@pytest.fixture
def maker(local_index: LocalIndex, tmp_path: Path) -> SyncedEnvironmentMaker:
    local_index.world.add("hull", "1.0").add("hull", "2.0", requires=["keel ; python_version >= '3'"])
    local_index.world.add("keel", "1.0").add("keel", "2.0").add("keel", "3.0", requires_python=">=4")
    return SyncedEnvironmentMaker(
        options=IndexOptions(index_url=local_index.url),
        cache=tmp_path / "cache",
        python=sys.executable,
        now=datetime(2026, 1, 1, tzinfo=timezone.utc),
        listener=NullListener(),
        lock=lock_environment,
    )


def installed(python: Path) -> set[str]:
    folders = [*python.parents[1].glob("lib/python*/site-packages"), *python.parents[1].glob("Lib/site-packages")]
    return {path.name.removesuffix(".dist-info") for folder in folders for path in folder.glob("*.dist-info")}


def test_what_a_build_requires_is_decided_by_resolvelib(
    maker: SyncedEnvironmentMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_asked(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(lock_assembly, "resolution_of", not_asked)
    with maker.make(["hull"], what="ship") as made:
        assert installed(made.python) == {"hull-2.0", "keel-2.0"}
        made.install(["keel<2"])
        assert installed(made.python) == {"hull-2.0", "keel-1.0"}


def test_impossible_build_requirements_are_shown_as_written(maker: SyncedEnvironmentMaker) -> None:
    message = "to build ship could not be created: No version of hull"
    with pytest.raises(LocksetError, match=message), maker.make(["hull>=3"], what="ship"):
        pass


def test_requirements_that_builds_share_are_locked_once(maker: SyncedEnvironmentMaker) -> None:
    locked: list[tuple[str, ...]] = []

    def lock(project: RootProject, options: LockOptions, nested: SyncedEnvironmentMaker) -> Pylock:
        locked.append(tuple(str(line.requirement) for line in project.dependencies))
        return lock_environment(project, options, nested)

    maker = replace(maker, lock=lock)
    for _ in range(2):
        with maker.make(["hull"], what="ship") as made:
            made.install(["hull"])
            made.install([])
            assert installed(made.python) == {"hull-2.0", "keel-2.0"}
    with maker.make(["keel"], what="boat"):
        pass
    assert locked == [("hull",), ("keel",)]
