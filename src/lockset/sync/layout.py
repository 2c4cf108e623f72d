"""Where each scheme of a wheel goes in a target, and which paths there are reserved."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from typing import NamedTuple

from lockset.sync.wheel.safe_path import is_within

__all__ = ["LOCK_FILE", "STATE_FOLDER", "STORE_FOLDER", "Layout"]

# Folder below the base that holds the staged files and the journal of a running sync; removed afterwards.
STATE_FOLDER = ".lockset"
# File below the base that is locked while a sync changes the target; removed afterwards.
LOCK_FILE = ".lockset.lock"
# Folder of the cache that holds the unpacked wheels.
STORE_FOLDER = "wheels-v1"
# Scripts that belong to the interpreter or to the environment itself.
_OWN_SCRIPTS = re.compile(
    r"(?:python|pypy|graalpy)w?[\d.]*t?(?:\.exe)?|(?:de)?activate(?:[._].*)?|pydoc\.bat", re.IGNORECASE
)
_OWN_FILES = frozenset({"pyvenv.cfg", "lib64", STATE_FOLDER, LOCK_FILE})


class Layout(NamedTuple):
    """Roots of the schemes: absolute, with links resolved. Create it with one of the class methods.

    Attributes:
        base: The folder that contains the target, with its lock and its journal.
        headers: Root of the headers; each distribution has a folder of its own below it.
        roots: Every distinct root, deepest first.
        libraries: The folders that hold modules and dist-info folders.
    """

    base: str
    purelib: str
    platlib: str
    scripts: str
    headers: str
    data: str
    roots: tuple[str, ...]
    libraries: tuple[str, ...]

    @classmethod
    def of_schemes(cls, base: str, *, purelib: str, platlib: str, scripts: str, headers: str, data: str) -> Layout:
        """The layout of a target below `base` with these roots."""
        distinct = {base, purelib, platlib, scripts, headers, data}
        return cls(
            base=base,
            purelib=purelib,
            platlib=platlib,
            scripts=scripts,
            headers=headers,
            data=data,
            roots=tuple(sorted(distinct, key=lambda root: (-len(root), root))),
            libraries=(purelib,) if purelib == platlib else (purelib, platlib),
        )

    @classmethod
    def of_directory(cls, directory: str) -> Layout:
        """Layout of `--target`: everything below one folder, modules at its top."""
        return cls.of_schemes(
            directory,
            purelib=directory,
            platlib=directory,
            scripts=f"{directory}{os.sep}bin",
            headers=f"{directory}{os.sep}include",
            data=directory,
        )

    @classmethod
    def of_prefix(cls, prefix: str, *, implementation: str, version: str, windows: bool) -> Layout:
        """Layout of `--prefix`: the folders of an installation, below `prefix`.

        `version` is as in folder names, for example 3.12 or 3.13t.
        """
        if windows:
            library, scripts, headers = f"{prefix}{os.sep}Lib{os.sep}site-packages", "Scripts", "Include"
        else:
            name = "pypy" if implementation == "pypy" else "python"
            library = f"{prefix}{os.sep}lib{os.sep}{name}{version}{os.sep}site-packages"
            scripts, headers = "bin", f"include{os.sep}{name}{version}"
        return cls.of_schemes(
            prefix,
            purelib=library,
            platlib=library,
            scripts=f"{prefix}{os.sep}{scripts}",
            headers=f"{prefix}{os.sep}{headers}",
            data=prefix,
        )

    def root(self, scheme: str, name: str) -> str:
        """The folder for files of `scheme` of the distribution `name`."""
        if scheme == "headers":
            return f"{self.headers}{os.sep}{name}"
        roots = {"purelib": self.purelib, "platlib": self.platlib, "scripts": self.scripts, "data": self.data}
        return roots[scheme]

    def holds(self, path: str) -> bool:
        """Whether the absolute, normalised `path` lies in the target."""
        return any(is_within(path, root, separator=os.sep) for root in self.roots)

    def is_reserved(self, path: str) -> bool:
        """Whether `path` belongs to the interpreter, the environment or lockset, and is never written or removed."""
        folder, _, name = path.rpartition(os.sep)
        folder = os.path.normcase(folder)
        base, scripts, staged = _reserved(self)
        if folder == base and name.casefold() in _OWN_FILES:
            return True
        if folder == scripts:
            return _OWN_SCRIPTS.fullmatch(name) is not None
        return path.casefold().startswith(staged)


@lru_cache(maxsize=4)
def _reserved(layout: Layout) -> tuple[str, str, tuple[str, ...]]:
    """Base, scripts and private folders of `layout`, as compared: some file systems take `scripts` for `Scripts`."""
    staged = tuple(f"{root}{os.sep}{STATE_FOLDER}{os.sep}".casefold() for root in layout.roots)
    return os.path.normcase(layout.base), os.path.normcase(layout.scripts), staged
