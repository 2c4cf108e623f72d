"""Every real file is converted and proved, or refused with its true reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fakes.fake_conversion import DraftIndex, FakeRemote, sha
from foreign.corpus import FORMATS, files_of
from lockset.api.convert import ConvertWishes, convert_draft, read_draft
from lockset.errors import LocksetError

if TYPE_CHECKING:
    from pathlib import Path

FILES = [pytest.param(path, id=path.name) for format_ in FORMATS for path in files_of(format_)]

# Refusals that say what is true of some real file.
REASONS = {
    "not-pinned",
    "requirement-name",
    "source-missing",
    "pyproject-needed",
    "format-newer",
    "toml-syntax",
    "nothing-pinned",
    "pins-overlap",
    "no-files",
    "include-climbs",
}


class _AnyRemote(FakeRemote):
    """What is not hashed has some hash."""

    def fingerprint(self, location: str) -> tuple[str, int]:
        return sha(location), 1


@pytest.mark.skipif(not FILES, reason="there is no corpus beside the repository")
@pytest.mark.parametrize("path", FILES)
def test_real_files_are_converted_and_proved_or_refused(path: Path) -> None:
    output = path.parent / "pylock.toml"
    code = None
    try:
        draft, _ = read_draft(path, ConvertWishes(offline=True), output=output, environ={})
        done = convert_draft(draft, DraftIndex(draft), _AnyRemote(), output=output)
    except LocksetError as error:
        code = error.diagnostic.code
    if code is not None:
        assert code in REASONS
        return
    assert done.proof.rows
    assert done.proof.kept + done.proof.lost == done.proof.hashes
    assert done.proof.lost == 0, [loss.message for loss in done.losses]
    assert {(p.name, str(p.version)) for p in draft.packages} == {(p.name, str(p.version)) for p in done.lock.packages}
