"""Choose the reader for a lock file of another tool (requirements files and pylock files have their own path)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.conversion.model.formats import Format

if TYPE_CHECKING:
    from lockset.conversion.model.imported_lock import ImportedLock
    from lockset.conversion.model.options import ReaderOptions
    from lockset.conversion.readers.pyproject import Pyproject

__all__ = ["read_foreign"]


def read_foreign(
    text: str, format_: Format, *, location: str, options: ReaderOptions, pyproject: Pyproject | None
) -> ImportedLock:
    """Read a lock file of uv, Poetry, PDM, Pipenv or conda-lock. Only the reader of its format is imported.

    Raises:
        LocksetError: what is wrong with the file, in one paragraph.
    """
    if format_ is Format.UV:
        from lockset.conversion.readers.uv.lock import read_uv_lock

        return read_uv_lock(text, location=location, options=options, pyproject=pyproject)
    if format_ is Format.POETRY:
        from lockset.conversion.readers.poetry.lock import read_poetry_lock

        return read_poetry_lock(text, location=location, options=options, pyproject=pyproject)
    if format_ is Format.PDM:
        from lockset.conversion.readers.pdm.lock import read_pdm_lock

        return read_pdm_lock(text, location=location, options=options, pyproject=pyproject)
    if format_ is Format.PIPFILE:
        from lockset.conversion.readers.pipfile_lock import read_pipfile_lock

        return read_pipfile_lock(text, location=location, options=options)
    assert format_ is Format.CONDA, format_
    from lockset.conversion.readers.conda_lock import read_conda_lock

    return read_conda_lock(text, location=location, options=options)
