"""Writing and reading a lock file are inverse to each other, and the written bytes depend on the value alone."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lockset.lockfile.diff import compare_locks
from lockset.lockfile.model import Package, PackageWheel, Pylock
from lockset.lockfile.read import read_document
from lockset.lockfile.validate.report import validate_document
from lockset.lockfile.write import _any_file, _usual_file, write
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


TEXTS = st.sampled_from(
    ["six-1.0-py3-none-any.whl", "", 'a"b', "a'b", "a\\b", "a\tb", "a\nb", "\x7f", "\u00e9", None, 1]
)
MOMENTS = st.sampled_from([
    datetime(2024, 5, 6, 7, 8, 9, 12345, tzinfo=timezone.utc),
    datetime(2024, 5, 6, tzinfo=timezone.utc),
    datetime(2024, 5, 6, tzinfo=timezone(timedelta(hours=1))),
    datetime(2024, 5, 6),  # noqa: DTZ001 - a time without a zone
    None,
    "2024-05-06",
])  # fmt: skip
HASHES = st.dictionaries(st.sampled_from(["sha256", "md5"]), TEXTS, min_size=1)


WHEELS = st.builds(
    PackageWheel,
    name=TEXTS,
    upload_time=MOMENTS,
    url=TEXTS,
    path=st.sampled_from([None, "a.whl"]),
    size=st.sampled_from([0, 1, None, True, "x"]),
    hashes=HASHES,
)


@given(WHEELS)
def test_a_usual_file_is_written_as_any_other(wheel: PackageWheel) -> None:
    usual = _usual_file(wheel)
    assert not usual or usual == _any_file(wheel)


def test_the_files_of_an_index_are_usual() -> None:
    time = datetime(2024, 5, 6, tzinfo=timezone.utc)
    wheel = PackageWheel(
        name="a.whl", upload_time=time, url="https://x.example.org/a.whl", size=1, hashes={"sha256": "ab"}
    )
    assert _usual_file(wheel) == _any_file(wheel)
