"""Foreign lock files, except requirements files and pylock files: text to a Draft."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.conversion.conda_lock import read_conda_lock
from lockset.conversion.formats import Format
from lockset.conversion.pdm_lock import read_pdm_lock
from lockset.conversion.pipfile_lock import read_pipfile_lock
from lockset.conversion.poetry_lock import read_poetry_lock
from lockset.conversion.uv_lock import read_uv_lock

if TYPE_CHECKING:
    from lockset.conversion.beside import Beside
    from lockset.conversion.draft import Draft
    from lockset.conversion.options import ConvertOptions

__all__ = ["read_foreign"]


def read_foreign(text: str, format_: Format, *, place: str, options: ConvertOptions, beside: Beside | None) -> Draft:
    """The Draft of a lock file of uv, Poetry, PDM, Pipenv or conda-lock.

    Raises:
        LocksetError: what is wrong with the file, in one paragraph.
    """
    if format_ is Format.UV:
        return read_uv_lock(text, place=place, options=options, beside=beside)
    if format_ is Format.POETRY:
        return read_poetry_lock(text, place=place, options=options, beside=beside)
    if format_ is Format.PDM:
        return read_pdm_lock(text, place=place, options=options, beside=beside)
    if format_ is Format.PIPFILE:
        return read_pipfile_lock(text, place=place, options=options)
    assert format_ is Format.CONDA, format_
    return read_conda_lock(text, place=place, options=options)
