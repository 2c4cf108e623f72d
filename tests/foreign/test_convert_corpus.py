"""Every real file is converted and proved, or refused with its true reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from foreign.outcomes import outcome_of
from support.corpus import FORMATS, files_of

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.corpus

FILES = [pytest.param(path, id=path.name) for format_ in FORMATS for path in files_of(format_)]

# Refusals that say what is true of some real file.
REASONS = {
    "not-pinned",
    "requirement-name",
    "source-missing",
    "format-newer",
    "toml-syntax",
    "nothing-pinned",
    "pins-overlap",
}


@pytest.mark.parametrize("path", FILES)
def test_real_files_are_converted_and_proved_or_refused(path: Path) -> None:
    result = outcome_of(path)
    if result.refusal is not None:
        assert result.refusal.diagnostic.code in REASONS
        return
    assert result.draft is not None
    assert result.done is not None
    proof, packages = result.done.proof, result.done.lock.packages
    assert proof.rows
    assert (proof.kept, proof.lost) == (proof.hashes, 0)
    assert {(p.name, str(p.version)) for p in result.draft.packages} == {(p.name, str(p.version)) for p in packages}
