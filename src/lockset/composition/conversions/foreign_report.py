"""Read a requirements file or a lock file of another tool to validate it, without the network."""

from __future__ import annotations

from lockset.conversion.model.formats import is_foreign
from lockset.errors import LocksetError
from lockset.lockfile.validate.report import Report

__all__ = ["report_of_foreign"]


class _AnySet(dict[str, str]):
    """Environment variables, all of which are set: a file is valid whatever the machine that reads it has set."""

    def __contains__(self, name: object) -> bool:
        return True

    def __getitem__(self, name: str) -> str:
        return "0"

    def get(self, name: str, default: object = None) -> str:
        del default
        return self[name]


def report_of_foreign(data: str | bytes, path: str) -> Report | None:
    """A report without findings if the file can be read; None if it is of another kind.

    Raises:
        LocksetError: It cannot be converted, as far as that shows without the network.
    """
    content = data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass")
    try:
        if not is_foreign(content, path):
            return None
    except LocksetError:
        return None  # the rules on lock files explain what is wrong
    # Imported here: it is slow to import, and most files are lock files.
    from lockset.composition.conversions.conversion import ConvertOptions
    from lockset.composition.conversions.foreign_input import read_input

    read_input(path, ConvertOptions(), content=content, environ=_AnySet())
    return Report(path=path, issues=(), document=None, text=content.decode("utf-8", "replace"))
