"""Foreign lock files, except requirements files and pylock files: text to a Draft."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.conversion.model.formats import Format
from lockset.conversion.readers.conda_lock import read_conda_lock
from lockset.conversion.readers.pdm.lock import read_pdm_lock
from lockset.conversion.readers.pipfile_lock import read_pipfile_lock
from lockset.conversion.readers.poetry.lock import read_poetry_lock
from lockset.conversion.readers.uv.lock import read_uv_lock

if TYPE_CHECKING:
    from lockset.conversion.model.imported_lock import ImportedLock
    from lockset.conversion.model.options import ReaderOptions
    from lockset.conversion.readers.pyproject import Pyproject

__all__ = ["read_foreign"]


def read_foreign(
    text: str, format_: Format, *, location: str, options: ReaderOptions, beside: Pyproject | None
) -> ImportedLock:
    """The Draft of a lock file of uv, Poetry, PDM, Pipenv or conda-lock.

    Raises:
        LocksetError: what is wrong with the file, in one paragraph.
    """
    if format_ is Format.UV:
        return read_uv_lock(text, location=location, options=options, beside=beside)
    if format_ is Format.POETRY:
        return read_poetry_lock(text, location=location, options=options, beside=beside)
    if format_ is Format.PDM:
        return read_pdm_lock(text, location=location, options=options, beside=beside)
    if format_ is Format.PIPFILE:
        return read_pipfile_lock(text, location=location, options=options)
    assert format_ is Format.CONDA, format_
    return read_conda_lock(text, location=location, options=options)
