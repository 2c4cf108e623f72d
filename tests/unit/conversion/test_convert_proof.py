"""The proof finds what a wrong writer would do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from packaging.markers import Marker
from packaging.version import Version

from lockset.composition.conversions.conversion import ConvertOptions
from lockset.composition.conversions.foreign import convert_imported
from lockset.composition.conversions.foreign_input import read_input
from lockset.conversion.pipeline.complete import complete
from lockset.conversion.pipeline.verify import verify_conversion
from lockset.errors import LocksetError
from lockset.progress import NullListener
from support.fakes.fake_conversion import DraftIndex, FakeRemote, sha

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lockset.conversion.model.imported_lock import ImportedLock
    from lockset.lockfile.model import Package, Pylock

TEXT = (
    f"a==1 --hash=sha256:{sha('a')} --hash=sha256:{sha('aa')}\n"
    f"b==2 ; sys_platform == 'win32' --hash=sha256:{sha('b')} --hash=sha256:{sha('bb')}\n"
)


@pytest.fixture
def converted(tmp_path: Path) -> tuple[ImportedLock, Pylock]:
    path = tmp_path / "requirements.txt"
    path.write_text(TEXT)
    imported, _ = read_input(path, ConvertOptions(), environ={})
    index = DraftIndex(imported)
    lock = convert_imported(imported, index, FakeRemote()).lock
    return complete(imported, index, FakeRemote(), folder=tmp_path, listener=NullListener()), lock


def changed(lock: Pylock, change: Callable[[Package], Package | None]) -> Pylock:
    return replace(lock, packages=[new for package in lock.packages if (new := change(package)) is not None])


WRONG: dict[str, Callable[[Package], Package | None]] = {
    "an entry is missing": lambda p: None if p.name == "a" else p,
    "a version is another": lambda p: replace(p, version=Version("9")) if p.name == "a" else p,
    "a marker is missing": lambda p: replace(p, marker=None),
    "a marker is narrower": lambda p: replace(p, marker=Marker("python_version >= '3.12'")) if p.name == "a" else p,
    "a hash is another": lambda p: (
        replace(p, wheels=[replace(w, hashes={"sha256": sha("z")}) for w in p.wheels or ()]) if p.name == "a" else p
    ),
    "a file is missing": lambda p: replace(p, sdist=None) if p.name == "a" else p,
}


def test_the_written_lock_file_is_verified(converted: tuple[ImportedLock, Pylock]) -> None:
    imported, lock = converted
    proof = verify_conversion(imported, lock, ())
    assert (proof.hashes, proof.kept, proof.lost) == (4, 4, 0)
    assert all(row.environments for row in proof.rows)


@pytest.mark.parametrize("change", WRONG)
def test_verification_fails(converted: tuple[ImportedLock, Pylock], change: str) -> None:
    imported, lock = converted
    with pytest.raises(LocksetError) as caught:
        verify_conversion(imported, changed(lock, WRONG[change]), ())
    assert caught.value.diagnostic.code == "proof-failed"


def test_two_entries_of_one_name_that_apply_at_once_are_detected(converted: tuple[ImportedLock, Pylock]) -> None:
    imported, lock = converted
    twice = replace(lock, packages=[*lock.packages, replace(lock.packages[0], version=Version("3"))])
    with pytest.raises(LocksetError, match="Two entries of a would apply at once"):
        verify_conversion(imported, twice, ())
