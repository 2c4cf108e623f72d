"""What was selected before is the same as what would be selected now, or it is not used."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from lockset.composition.sync_pipeline import DescribedInterpreter, LockSource, SourcePolicy, SyncRequest
from lockset.errors import LocksetError
from lockset.sync.disk.request import TargetSpec, resolve_target
from lockset.sync.disk.selection_cache import cached_selection
from support.builders.locks import make_lock
from support.builders.sdist import make_sdist
from support.builders.wheel import make_wheel
from support.worlds.target_world import entry

LOCK = make_lock(
    [
        entry(make_wheel("plain"), dependencies=[{"name": "deep"}]),
        entry(make_wheel("deep"), sdist=make_sdist("deep", "1.0")),
        entry(make_wheel("more"), marker="'more' in extras"),
        entry(make_wheel("checks"), marker="'test' in dependency_groups"),
        {"name": "tree", "directory": {"path": "tree"}},
        {"name": "moved", "vcs": {"type": "git", "url": "https://example.org/x", "commit-id": "0" * 40}},
    ],
    extras=["more"],
    dependency_groups=["test"],
)
PROJECT = str(Path("/project").absolute())
REQUEST = SyncRequest(
    sources=(LockSource(folder=PROJECT, data=LOCK.encode(), path="pylock.toml"),),
    location=TargetSpec(python=sys.executable),
)
CHANGES: list[dict[str, Any]] = [
    {},
    {"extras": frozenset({"more"})},
    {"all_groups": True},
    {"groups": frozenset({"test"}), "default_groups": False},
    {"no_binary": frozenset({"deep"})},
    {"no_binary": frozenset({"deep"}), "extras": frozenset({"more"})},
    {"sources": (LockSource(folder=str(Path("/elsewhere").absolute()), data=LOCK.encode()),)},
    {"sources": (LockSource(folder=PROJECT, data=LOCK.replace("plain", "other").encode()),)},
    {"allowed": SourcePolicy(editable=False, weak_hash=True)},
]


def test_every_question_has_its_own_answer_and_keeps_it(tmp_path: Path) -> None:
    target = resolve_target(REQUEST.location, cache=None)
    answers = []
    for change in CHANGES:
        request = REQUEST._replace(**change)
        fresh = cached_selection(request, target, cache=None)
        assert list(cached_selection(request, target, cache=tmp_path)) == list(fresh)
        assert list(cached_selection(request, target, cache=tmp_path)) == list(fresh)
        answers.append(fresh)
    assert len({tuple(answer) for answer in answers}) == len(CHANGES) - 2  # two of them ask for what another does


def test_another_target_is_another_question(tmp_path: Path) -> None:
    lock = make_lock([entry(make_wheel("one", tags="cp312-cp312-win_amd64"), make_wheel("one"))])
    location = REQUEST.location._replace(directory="/out")
    request = REQUEST._replace(sources=(LockSource(folder="/", data=lock.encode()),))
    names = []
    for described in (
        None,
        DescribedInterpreter(platform="windows", python="3.12"),
        DescribedInterpreter(platform="linux", python="3.12"),
    ):
        requests = request._replace(location=location._replace(described=described))
        names.append(
            [
                one.filename
                for one in cached_selection(requests, resolve_target(requests.location, cache=None), cache=tmp_path)
            ]
        )
    assert names == [["one-1.0-py3-none-any.whl"], ["one-1.0-cp312-cp312-win_amd64.whl"], ["one-1.0-py3-none-any.whl"]]


def test_a_refusal_is_never_remembered(tmp_path: Path) -> None:
    target = resolve_target(REQUEST.location, cache=None)
    refused = REQUEST._replace(allowed=SourcePolicy(vcs=False))
    cached_selection(REQUEST, target, cache=tmp_path)
    for _ in range(2):
        with pytest.raises(LocksetError, match="--no-vcs"):
            cached_selection(refused, target, cache=tmp_path)


@pytest.mark.parametrize("harm", [b"", b"short", b"\0" * 500, None])
def test_a_memory_that_is_odd_is_none(tmp_path: Path, harm: bytes | None) -> None:
    target = resolve_target(REQUEST.location, cache=None)
    fresh = cached_selection(REQUEST, target, cache=tmp_path)
    for path in (tmp_path / "locks-v1").iterdir():
        path.write_bytes(path.read_bytes()[:-1] + b"x" if harm is None else harm)
    assert list(cached_selection(REQUEST, target, cache=tmp_path)) == list(fresh)


def test_a_tree_is_looked_at_every_time(tmp_path: Path) -> None:
    lock = make_lock([{"name": "tree", "directory": {"path": "tree"}}])
    request = REQUEST._replace(sources=(LockSource(folder=str(tmp_path), data=lock.encode()),))
    target = resolve_target(request.location, cache=None)
    (tmp_path / "tree").mkdir()
    (first,) = cached_selection(request, target, cache=tmp_path / "cache")
    (tmp_path / "tree/module.py").write_text("")
    (second,) = cached_selection(request, target, cache=tmp_path / "cache")
    assert first.tree != second.tree
