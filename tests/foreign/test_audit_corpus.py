"""Every lock file and requirements file of public projects is audited, or refused in one paragraph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import lockset
from support.corpus import FORMATS, files_of, pylock_files
from support.repository import ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.corpus

ADVISORIES = lockset.AuditOptions(advisories=(ROOT / "tests" / "support" / "advisories",))
FILES = [*pylock_files(), *(path for format_ in FORMATS for path in files_of(format_))]


def audited(path: Path, folder: Path) -> lockset.AuditReport | None:
    """The report; None for a file that is refused."""
    try:
        return lockset.audit(path, ADVISORIES, context=lockset.RunContext(folder=folder, use_settings=False))
    except lockset.LocksetError:
        return None


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_real_file_is_audited_or_refused(path: Path, tmp_path: Path) -> None:
    report = audited(path, tmp_path)
    for finding in report.findings if report is not None else ():
        assert finding.chain
        assert finding.vulnerability.version in finding.chain[-1]
        assert finding.line >= 1


def test_most_real_files_can_be_audited(tmp_path: Path) -> None:
    refused = [path.name for path in FILES if audited(path, tmp_path) is None]
    # Broken files, conda packages, formats of long ago, and requirements that include files which are not there.
    assert len(refused) <= len(FILES) // 6
