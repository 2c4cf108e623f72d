"""Lock files that other tools wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import tomli
from packaging.pylock import Pylock

from lockset.lockfile.read import read_document
from lockset.lockfile.validate.report import validate_document
from lockset.lockfile.write import write
from support.corpus import pylock_files
from support.lock_schema import schema_findings

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.corpus

FILES = pylock_files()
# Rules that neither packaging nor the JSON Schema checks, and that files in use break.
STRICTER = {"package-version-source-tree"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_foreign_lock_is_valid_as_for_packaging_and_written_so_that_it_is_read_again(path: Path) -> None:
    data = path.read_bytes()
    report = validate_document(data, path=path.name.split("__")[-1])
    try:
        lock = Pylock.from_dict(tomli.loads(data.decode()))
    except ValueError:
        assert [issue.code for issue in report.errors] == ["toml-syntax"]
        return
    except Exception:  # noqa: BLE001 - its errors have no common base
        assert report.errors
        return
    assert {issue.code for issue in report.errors} <= STRICTER
    document = read_document(data)
    assert document.lock == lock
    assert schema_findings(document) == []
    text = write(lock)
    assert write(read_document(text).lock) == text
    assert len(read_document(text).lock.packages) == len(lock.packages)
