"""The rules find everything that packaging and the JSON Schema find: a lock file is broken at every key."""

from __future__ import annotations

import copy
from datetime import date, datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest
import tomli
import tomli_w
from hypothesis import given
from hypothesis import strategies as st
from packaging.pylock import Pylock, PylockValidationError

from lockset.lockfile.read import read_document
from lockset.lockfile.validate.report import validate_document
from support.lock_schema import schema_findings

if TYPE_CHECKING:
    from collections.abc import Iterator

DIGEST = "0123456789abcdef" * 4
WHEN = datetime(2025, 1, 25, 11, 30, 10, tzinfo=timezone.utc)


def file(name: str, digest: str = DIGEST) -> dict[str, Any]:
    url = f"https://files.example.org/{name}"
    return {"name": name, "upload-time": WHEN, "url": url, "path": name, "size": 9, "hashes": {"sha256": digest}}


# One lock file in which every key of the format occurs.
WHOLE: dict[str, Any] = {
    "lock-version": "1.0",
    "environments": ["sys_platform == 'linux'"],
    "requires-python": ">=3.9",
    "extras": ["docs"],
    "dependency-groups": ["dev"],
    "default-groups": ["main"],
    "created-by": "hand",
    "packages": [
        {"name": "alpha", "directory": {"path": "a", "editable": True, "subdirectory": "b"}},
        {
            "name": "beta",
            "version": "1.0",
            "marker": "'docs' in extras or 'main' in dependency_groups",
            "requires-python": ">=3.8",
            "dependencies": [{"name": "alpha"}],
            "index": "https://index.example.org/simple/",
            "sdist": file("beta-1.0.tar.gz"),
            "wheels": [file("beta-1.0-py3-none-any.whl", DIGEST[::-1])],
            "attestation-identities": [{"kind": "GitHub", "repository": "a/b", "workflow": "w.yml"}],
            "tool": {"hand": {"anything": 1}},
        },
        {
            "name": "gamma",
            "archive": {
                "url": "https://files.example.org/gamma.zip",
                "path": "gamma.zip",
                "size": 9,
                "upload-time": WHEN,
                "hashes": {"sha256": DIGEST},
                "subdirectory": "b",
            },
        },
        {
            "name": "omega",
            "vcs": {
                "type": "git",
                "url": "https://git.example.org/omega",
                "path": "omega",
                "requested-revision": "main",
                "commit-id": "a" * 40,
                "subdirectory": "b",
            },
        },
    ],
    "tool": {"hand": {"anything": 1}},
}

REPLACEMENTS: tuple[Any, ...] = (
    "", "1.0", "a b", "A_b", "-", "x\n", "9" * 5000, "(" * 400, "=", "other-2.0-py3-none-any.whl", "/", "http://[",
    1, 0, -1, True, 1.5, WHEN, WHEN.replace(tzinfo=None), date(2025, 1, 25),
    [], [1], ["x"], [[]], [{}], {}, {"x": "y"}, {"sha256": 1},
)  # fmt: skip


def locations(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in items:
        yield (*path, key)
        yield from locations(below, (*path, key))


PLACES = tuple(locations(WHOLE))
TABLES = (
    (),
    *(location for location in PLACES if isinstance(location[-1], int) or location[-1] in {"vcs", "sdist", "hashes"}),
)


def at(data: Any, path: tuple[str | int, ...]) -> Any:
    for key in path:
        data = data[key]
    return data


def broken(data: dict[str, Any], location: tuple[str | int, ...], replacement: Any) -> dict[str, Any] | None:
    """`data` with another value at `place`, or without it for None; None where `place` is gone already."""
    changed = copy.deepcopy(data)
    try:
        holder = at(changed, location[:-1])
        if replacement is None:
            del holder[location[-1]]
        else:
            holder[location[-1]] = replacement
    except (KeyError, IndexError, TypeError):
        return None
    return changed


def check_both(data: dict[str, Any]) -> None:
    """Whatever one of the two other witnesses refuses has an error."""
    text = tomli_w.dumps(data)
    parsed = tomli.loads(text)
    report = validate_document(text)
    assert not report.ok or _refusal(parsed) is None
    assert report.errors or not schema_findings(read_document(text))
    if report.ok:
        assert report.lock is not None


def _refusal(parsed: dict[str, Any]) -> str | None:
    try:
        Pylock.from_dict(parsed)
    except PylockValidationError as error:
        return str(error)
    return None


def test_the_whole_lock_breaks_no_rule() -> None:
    assert validate_document(tomli_w.dumps(WHOLE)).issues == ()
    check_both(WHOLE)


@pytest.mark.parametrize("location", PLACES, ids=lambda location: ".".join(map(str, location)))
def test_one_key_missing_or_of_another_value(location: tuple[str | int, ...]) -> None:
    for replacement in (None, *REPLACEMENTS):
        changed = broken(WHOLE, location, replacement)
        assert changed is not None
        check_both(changed)


@pytest.mark.parametrize("location", TABLES, ids=lambda location: ".".join(map(str, location)) or "top")
def test_one_key_too_many(location: tuple[str | int, ...]) -> None:
    for name in ("unknown", "marker", "vcs", "directory", "archive", "sdist", "wheels", "path", "tool"):
        for value in REPLACEMENTS[-8:]:
            changed = copy.deepcopy(WHOLE)
            holder = at(changed, location)
            if isinstance(holder, dict):
                holder.setdefault(name, value)
                check_both(changed)


changes = st.tuples(st.sampled_from(PLACES), st.none() | st.sampled_from(REPLACEMENTS) | st.text(max_size=4))


@given(st.lists(changes, min_size=2, max_size=4))
def test_several_keys_broken_at_once(several: list[tuple[tuple[str | int, ...], Any]]) -> None:
    data = WHOLE
    for location, replacement in several:
        data = broken(data, location, replacement) or data
    check_both(data)
