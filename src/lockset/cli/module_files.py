"""Import the modules of lockset without a search: look at the source, and read its byte code.

A command imports 60 to 170 of them. The standard finder lists folders, tries seven suffixes for each module and looks
each of its packages up again: 40 us for a module. Here a module is `NAME.py` or `NAME/__init__.py`, as in the wheel.
Everything that is not so simple is left to the standard finder and loader: modules in an archive or an executable, and
byte code that is missing, outdated, checked by a hash, optimized or in a folder of its own (PYTHONPYCACHEPREFIX).
It is for the program `lockset` alone, and for CPython.
"""

from __future__ import annotations

import sys

# What `importlib.machinery` and `importlib.util` export: `importlib` itself imports more than is needed here.
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import (  # type: ignore[attr-defined] # what the standard loader calls too
    MAGIC_NUMBER,
    SourceFileLoader,
    _compile_bytecode,
)
from io import open_code
from os import sep, stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import stat_result
    from types import CodeType, ModuleType

__all__ = ["find_own_modules"]

_PACKAGE = "lockset."
_BYTE_CODE = f".{sys.implementation.cache_tag}.pyc"
# The start of byte code that is valid for a source of a time and a size (PEP 552).
_BY_TIME = MAGIC_NUMBER + bytes(4)


def find_own_modules() -> None:
    """Let the finder of this module be asked first, unless the byte code of the standard finder is elsewhere."""
    if sys.implementation.name == "cpython" and not sys.flags.optimize and sys.pycache_prefix is None:
        sys.meta_path.insert(0, _Finder)


class _Finder:
    """Finds the submodules of lockset in the folders of their packages."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The specification of a module of lockset; None for others, and where it is no file."""
        del target
        if not name.startswith(_PACKAGE) or not path:
            return None
        folder, last = path[0], name.rpartition(".")[2]
        source, inside = f"{folder}{sep}{last}.py", None
        try:
            status = stat(source)
        except OSError:
            folder = inside = f"{folder}{sep}{last}"
            source, last = f"{folder}{sep}__init__.py", "__init__"
            try:
                status = stat(source)
            except OSError:
                return None
        spec = ModuleSpec(name, _Loader(name, source, status), origin=source, is_package=inside is not None)
        if inside is not None:
            spec.submodule_search_locations = [inside]
        spec.has_location = True
        spec.cached = f"{folder}{sep}__pycache__{sep}{last}{_BYTE_CODE}"
        return spec


class _Loader(SourceFileLoader):
    """Loads valid byte code from where the finder expects it, and leaves everything else to the standard loader."""

    def __init__(self, name: str, path: str, status: stat_result) -> None:
        super().__init__(name, path)
        self._status: stat_result | None = status

    def get_code(self, fullname: str) -> CodeType | None:
        """The code of the module; raises what the standard loader raises."""
        source = str(self.path)
        folder, _, file = source.rpartition(sep)
        status, self._status = self._status, None  # for the first use, which follows at once
        try:
            if status is None:
                status = stat(source)
            with open_code(f"{folder}{sep}__pycache__{sep}{file[:-3]}{_BYTE_CODE}") as stream:
                data = stream.read()
        except OSError:
            return super().get_code(fullname)
        size, time = status.st_size & 0xFFFFFFFF, int(status.st_mtime) & 0xFFFFFFFF
        if data[:16] != _BY_TIME + time.to_bytes(4, "little") + size.to_bytes(4, "little"):
            return super().get_code(fullname)
        try:
            code: CodeType = _compile_bytecode(memoryview(data)[16:], name=fullname, source_path=source)
        except (EOFError, ValueError, TypeError, ImportError):
            return super().get_code(fullname)  # damaged, as its message says
        return code
