"""An index in memory: the library locks with it, without a file or a server."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

import lockset
from lockset import MemoryIndex, MemoryRelease

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)


def locked(requirements: str, index: MemoryIndex, **options: Any) -> list[str]:
    context = lockset.RunContext(stdin=requirements.encode, now=NOW)
    chosen = lockset.LockOptions(**({"python": ">=3.10"} | options))
    lock = lockset.lock("-", indexes=index, output="-", options=chosen, context=context).lock
    return [f"{p.name} {p.version}" + (f" ; {p.marker}" if p.marker is not None else "") for p in lock.packages]


def test_releases_are_named_by_their_requirements() -> None:
    index = MemoryIndex({"Flask": {"3.0": ["click>=8"], "2.0": []}, "click": {"8.1": [], "7.0": []}})
    assert locked("flask", index) == ["click 8.1", "flask 3.0"]
    assert locked("flask\nclick<8", index) == ["click 7.0", "flask 2.0"]


def test_extras_pythons_and_markers_are_those_of_an_index() -> None:
    index = MemoryIndex(
        {
            "a": {
                "2": MemoryRelease(requires_python=">=3.12"),
                "1": MemoryRelease(
                    requires=("b ; sys_platform == 'win32'",), extras={"x": ["c", "d ; python_version < '3.11'"]}
                ),
            },
            "b": {"1": []},
            "c": {"1": []},
            "d": {"1": []},
        }
    )
    assert locked("a[x]<2", index) == [
        "a 1",
        'b 1 ; sys_platform == "win32"',
        "c 1",
        'd 1 ; python_version < "3.11"',
    ]
    assert [entry for entry in locked("a", index) if entry.startswith("a ")] == [
        'a 1 ; python_version < "3.12"',
        'a 2 ; python_version >= "3.12"',
    ]


def test_files_dates_and_yanked_releases_count_as_on_an_index() -> None:
    late = datetime(2025, 12, 31, tzinfo=timezone.utc)
    early = datetime(2024, 1, 1, tzinfo=timezone.utc)
    releases = {"3": MemoryRelease(yanked=True), "2": MemoryRelease(uploaded=late), "1": MemoryRelease(uploaded=early)}
    assert locked("a", MemoryIndex({"a": releases})) == ["a 2"]
    limit = datetime(2025, 6, 1, tzinfo=timezone.utc)
    assert locked("a", MemoryIndex({"a": releases}), exclude_newer=limit) == ["a 1"]
    wheel = MemoryIndex({"a": {"1": MemoryRelease(files=("a-1-cp312-cp312-win_amd64.whl",))}})
    context = lockset.RunContext(stdin=lambda: b"a", now=NOW)
    result = lockset.lock("-", indexes=wheel, output="-", context=context)
    assert result.gaps
    [package] = result.lock.packages
    assert package.index == "https://index.example.org/simple/"


def test_the_reason_why_a_version_is_not_locked_is_found_in_memory() -> None:
    index = MemoryIndex({"a": {"2": ["b<2"], "1": ["b"]}, "b": {"2": [], "1": []}})
    context = lockset.RunContext(stdin=lambda: b"a\nb>=2", now=NOW)
    answer = lockset.why_not("a==2", "-", indexes=index, output="-", context=context)
    assert answer.reason == "it is incompatible with the other requirements"


def test_a_missing_project_is_named() -> None:
    with pytest.raises(lockset.LocksetError) as caught:
        locked("nothing", MemoryIndex({}))
    assert "No index has a project named nothing" in caught.value.diagnostic.message


def test_a_source_by_url_is_refused() -> None:
    with pytest.raises(lockset.LocksetError) as caught:
        locked("a @ https://files.example.org/a-1-py3-none-any.whl", MemoryIndex({"a": {"1": []}}))
    assert caught.value.diagnostic.code == "source-not-supported"
    assert "index in memory" in caught.value.diagnostic.message


@pytest.mark.parametrize(
    ("projects", "words"),
    [
        ({"a": {"x.y": []}}, "`x.y` is not a valid version of a"),
        ({"a": {"1": "b"}}, "The requirements of a 1 must be a list"),
        ({"a": {"1": ["b=1"]}}, "`b=1` of a 1 is not a requirement"),
        ({"a": {"1": [1]}}, "`MemoryRelease.requires` is (1,), but must be a tuple or list"),
        ({"a": {1: []}}, "`1` is not a valid version of a"),
    ],
)
def test_values_that_are_not_valid_are_refused_when_the_index_is_made(projects: Any, words: str) -> None:
    with pytest.raises(lockset.UsageError) as caught:
        MemoryIndex(projects)
    assert words in caught.value.diagnostic.message
