"""When the copy of this process makes requests: not what is done once per run, or learned from a page."""

from __future__ import annotations

import marshal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockset.composition import connections
from lockset.composition.connections import connect, connected
from lockset.index.http.process_copies import ProcessCopy, SharedWorkers
from lockset.index.options import IndexOptions, IndexSource, options_of_plain, plain_options
from lockset.progress import NullListener

if TYPE_CHECKING:
    from pathlib import Path

    from support.local_index import LocalIndex

A, B, SAME_HOST = "https://a.example.org/simple/", "https://b.example.org/simple/", "https://a.example.org/other/"


def is_shared(**facts: Any) -> bool:
    connection = connect(IndexOptions(**facts), cache=None, clock=lambda: 0.0, environ={}, copies=list)
    connection.close()
    return isinstance(connection.workers, SharedWorkers)


@pytest.mark.parametrize(
    "facts", [{}, {"indexes": (IndexSource(url=B),)}, {"find_links": ("file:///wheels",)}], ids=str
)
def test_requests_are_shared(facts: dict[str, Any]) -> None:
    assert is_shared(index_url=A, **facts)


@pytest.mark.parametrize(
    "facts",
    [
        {"offline": True},
        {"keyring": True},
        {"indexes": (IndexSource(url=SAME_HOST),)},
        {"find_links": ("https://c.example.org/wheels",)},
    ],
    ids=str,
)
def test_requests_are_not_shared(facts: dict[str, Any]) -> None:
    assert not is_shared(index_url=A, **facts)


def test_a_copy_that_the_connections_did_not_take_ends_with_them(monkeypatch: pytest.MonkeyPatch) -> None:
    ends: list[str] = []

    class Early:
        def end(self) -> None:
            ends.append("end")

    monkeypatch.setattr(connections, "_early", [Early()])
    with connected(IndexOptions(offline=True), None, NullListener()):
        assert ends == []
    assert ends == ["end"]


@pytest.mark.parametrize(("processors", "copies"), [(1, 0), (2, 2), (3, 3), (64, 3)])
def test_there_are_as_many_copies_as_processors_but_few_and_none_for_one(
    processors: int, copies: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ProcessCopy, "started", lambda *_, count, **__: [object()] * count)
    monkeypatch.setattr(connections, "processors", lambda: processors)
    assert len(connections._take_copies()) == copies


@given(st.booleans(), st.booleans(), st.sampled_from([None, 3.0]), st.lists(st.sampled_from([A, B]), max_size=2))
def test_a_copy_is_opened_with_the_same_options(
    explicit: bool,  # noqa: FBT001 (drawn by hypothesis)
    refresh: bool,  # noqa: FBT001
    max_age: float | None,
    urls: list[str],
) -> None:
    options = IndexOptions(
        indexes=tuple(IndexSource(url=url, name=f"n{at}", explicit=explicit) for at, url in enumerate(urls)),
        refresh=refresh,
        refresh_packages=frozenset({"sample"}),
        max_age=max_age,
        pins={"sample": "n0"} if urls else {},
        insecure_hosts=frozenset({"c.example.org"}),
    )
    assert options_of_plain(marshal.loads(marshal.dumps(plain_options(options)))) == options


_PREPARED = """
import sys
from pathlib import Path
from lockset.composition import connections

connections._prepare()
before = set(sys.modules)
options, cache = connections.options_of_plain({plain!r}), Path({cache!r})
opened = connections.connect(options, cache=cache, clock=lambda: 0.0, environ={{}})
assert opened.index.project("sample").versions
opened.close()
print(sorted(set(sys.modules) - before), "httpx" in before)
"""


def test_a_copy_imports_nothing_for_its_first_call(local_index: LocalIndex, tmp_path: Path) -> None:
    local_index.world.add("sample", "1.0")
    plain = plain_options(IndexOptions(index_url=local_index.url))
    code = _PREPARED.format(plain=plain, cache=str(tmp_path / "cache"))
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (run.stdout, run.stderr) == ("[] False\n", "")
