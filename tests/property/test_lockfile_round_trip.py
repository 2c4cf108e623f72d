"""Writing and reading a lock file are inverse to each other, and the written bytes depend on the value alone."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lockset.lockfile.diff import compare_locks
from lockset.lockfile.model import Package, Pylock
from lockset.lockfile.read import read_document
from lockset.lockfile.validate.report import validate_document
from lockset.lockfile.write import write
from support.strategies.lock_values import locks


def unordered(lock: Pylock) -> Any:
    """`lock` without the order of what has none."""

    def package(one: Package) -> str:
        fields = {key: getattr(one, key) for key in one.__dataclass_fields__}
        for key in ("wheels", "dependencies", "attestation_identities"):
            fields[key] = None if fields[key] is None else sorted(map(canonical, fields[key]))
        return canonical(fields)

    names = (lock.extras, lock.dependency_groups, lock.default_groups)
    return (
        lock.lock_version,
        lock.environments,
        lock.requires_python,
        [None if some is None else sorted(some) for some in names],
        lock.created_by,
        sorted(package(one) for one in lock.packages),
        canonical(lock.tool),
    )


def canonical(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{key!r}:{canonical(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if hasattr(value, "__dataclass_fields__"):
        return canonical({key: getattr(value, key) for key in value.__dataclass_fields__})
    if hasattr(value, "utcoffset") and value.utcoffset() is not None:
        return f"at {value.timestamp()}"
    return repr(value)


@given(locks())
def test_reading_what_was_written_gives_the_same_lock(lock: Pylock) -> None:
    again = read_document(write(lock)).lock
    assert unordered(again) == unordered(lock)
    assert compare_locks(lock, again).is_empty


@given(locks())
def test_writing_what_was_read_gives_the_same_bytes_and_value(lock: Pylock) -> None:
    text = write(lock)
    again = read_document(text).lock
    assert write(again) == text
    assert read_document(write(again)).lock == again


@given(locks(), st.randoms(use_true_random=False))
def test_the_bytes_do_not_depend_on_any_order(lock: Pylock, random: Any) -> None:
    packages = list(lock.packages)
    random.shuffle(packages)
    fields = {key: getattr(lock, key) for key in lock.__dataclass_fields__} | {"packages": packages}
    assert write(Pylock(**fields)) == write(lock)


@given(locks())
def test_written_locks_are_in_order(lock: Pylock) -> None:
    codes = {issue.code for issue in validate_document(write(lock)).issues}
    assert not codes & {"packages-unsorted", "unknown-key", "toml-syntax"}


@given(locks(), locks())
def test_a_diff_is_empty_only_between_equal_locks_and_turns_around(old: Pylock, new: Pylock) -> None:
    there, back = compare_locks(old, new), compare_locks(new, old)
    assert there.is_empty == back.is_empty
    assert len(there.of_kind("added")) - len(there.of_kind("removed")) == len(new.packages) - len(old.packages)
    assert len(there.of_kind("added")) == len(back.of_kind("removed"))
