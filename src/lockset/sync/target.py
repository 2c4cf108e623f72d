"""The target of a sync: facts about its interpreter, its compatibility tags, and its layout.

The layout says where each scheme of a wheel goes, and which paths there are reserved.
"""

from __future__ import annotations

import os
from functools import lru_cache

from lockset._named_tuple import NamedTuple
from lockset._pattern import lazy_pattern
from lockset.sync.wheel.scripts import ANY_PYTHON, PYTHON_BESIDE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from packaging.tags import Tag

    from lockset.markers.universe import TargetInterpreter as Description

__all__ = [
    "LOCK_FILE",
    "STATE_FOLDER",
    "STORE_FOLDER",
    "Interpreter",
    "Layout",
    "Target",
    "interpreter_tags",
    "is_within",
    "relative_to",
]

# Folder below the base that holds the staged files and the journal of a running sync; removed afterwards.
STATE_FOLDER = ".lockset"
# File below the base that is locked while a sync changes the target; removed afterwards.
LOCK_FILE = ".lockset.lock"
# Folder of the cache that holds the unpacked wheels.
STORE_FOLDER = "wheels-v1"
# Scripts that belong to the interpreter or to the environment itself.
_OWN_SCRIPTS = lazy_pattern(r"(?i)(?:python|pypy|graalpy)w?[\d.]*t?(?:\.exe)?|(?:de)?activate(?:[._].*)?|pydoc\.bat")
# How these begin, in letters of which no other letter is the upper case.
_OWN_STARTS = ("python", "pypy", "graalpy", "act", "deact", "pydoc")
_OWN_FILES = frozenset({"pyvenv.cfg", "lib64", STATE_FOLDER, LOCK_FILE})
_LAUNCHERS = {"amd64": "win-amd64", "arm64": "win-arm64", "x86": "win-ia32", "arm": "win-arm"}
_SHORT = {"cpython": "cp", "pypy": "pp", "ironpython": "ip", "jython": "jy"}


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

    def roots_of(self, name: str) -> Mapping[str, str]:
        """The folder for files of each scheme of the distribution `name`."""
        return {
            "purelib": self.purelib,
            "platlib": self.platlib,
            "scripts": self.scripts,
            "headers": f"{self.headers}{os.sep}{name}",
            "data": self.data,
        }

    def holds(self, path: str) -> bool:
        """Whether the absolute, normalized `path` lies in the target."""
        return any(is_within(path, root, separator=os.sep) for root in self.roots)

    def is_reserved(self, path: str) -> bool:
        """Whether `path` belongs to the interpreter, the environment or lockset, and is never written or removed."""
        folder, _, name = path.rpartition(os.sep)
        folder = os.path.normcase(folder)
        base, scripts, staged = _reserved(self)
        if folder == base and name.casefold() in _OWN_FILES:
            return True
        if folder == scripts:
            return name.lower().startswith(_OWN_STARTS) and _OWN_SCRIPTS.fullmatch(name) is not None
        return path.casefold().startswith(staged)


@lru_cache(maxsize=4)
def _reserved(layout: Layout) -> tuple[str, str, tuple[str, ...]]:
    """Base, scripts and private folders of `layout`, as compared: some file systems take `scripts` for `Scripts`."""
    staged = tuple(f"{root}{os.sep}{STATE_FOLDER}{os.sep}".casefold() for root in layout.roots)
    return os.path.normcase(layout.base), os.path.normcase(layout.scripts), staged


class Interpreter(NamedTuple):
    """Facts about one Python interpreter, as it reported them.

    Attributes:
        executable: Absolute path as the user gave it, links not followed; scripts start with it.
        markers: Every environment marker variable (PEP 508).
        platforms: Platform tags, best first; empty where `mac` is set.
        mac: macOS version and processor, from which packaging derives the tags.
        paths: Scheme to folder, as sysconfig reports them.
        headers: Root of the headers scheme.
        prefix: `sys.prefix`.
        base_prefix: `sys.base_prefix`.
        managed: Text of the EXTERNALLY-MANAGED file that applies to it (PEP 668), or None.
        launcher: Kind of script launchers, as the library `installer` names them.
        described: Tags of a described interpreter, best first; empty for one of this machine.
        relocatable: Whether its environment may be moved: commands there find it by their own place.
        watched: Paths that decide these facts besides its own file and pyvenv.cfg; None if files alone do not decide.
    """

    executable: str
    version: tuple[int, int]
    implementation: str
    markers: Mapping[str, str]
    abis: tuple[str, ...]
    platforms: tuple[str, ...]
    mac: tuple[tuple[int, int], str] | None
    paths: Mapping[str, str]
    headers: str
    prefix: str
    base_prefix: str
    managed: str | None
    launcher: str
    described: tuple[str, ...] = ()
    relocatable: bool = False
    watched: tuple[str, ...] | None = ()

    @property
    def is_virtual(self) -> bool:
        """Whether it belongs to a virtual environment."""
        return self.prefix != self.base_prefix

    @classmethod
    def from_facts(cls, executable: str, facts: Mapping[str, Any]) -> Interpreter:
        """Read the output of `disk.inspect.interpreter_script`."""
        mac = facts["mac"]
        major, minor = facts["version"]
        watched = facts.get("watched")
        return cls(
            executable=executable,
            version=(major, minor),
            implementation=facts["implementation"],
            markers=facts["markers"],
            abis=tuple(facts["abis"]),
            platforms=tuple(facts["platforms"]),
            mac=((mac[0], mac[1]), mac[2]) if mac else None,
            paths=facts["paths"],
            headers=facts["headers"],
            prefix=facts["prefix"],
            base_prefix=facts["base_prefix"],
            managed=facts["managed"],
            launcher=facts["launcher"],
            relocatable=facts["relocatable"],
            watched=tuple(path for path, _ in watched) if watched is not None else None,
        )

    @classmethod
    def of_description(cls, description: Description) -> Interpreter:
        """An interpreter that is not on this machine, with the markers and tags of `description`."""
        markers = description.environment.as_dict()
        windows = markers["os_name"] == "nt"
        major, minor = markers["python_version"].split(".")
        return cls(
            executable="python.exe" if windows else ANY_PYTHON,
            version=(int(major), int(minor)),
            implementation=markers["implementation_name"],
            markers=markers,
            abis=("t",) if description.python.endswith("t") else (),
            platforms=(),
            mac=None,
            paths={},
            headers="",
            prefix="",
            base_prefix="",
            managed=None,
            launcher=_LAUNCHERS.get(markers["platform_machine"].lower(), "win-amd64") if windows else "posix",
            described=tuple(map(str, description.tags)),
        )


class Target(NamedTuple):
    """The environment or folder that a sync changes.

    Attributes:
        kind: `venv` (the lock file decides about everything in it), or `system`, `prefix` or `directory` (it decides
            about what lockset installed).
        shown: Its path in messages.
    """

    kind: str
    shown: str
    interpreter: Interpreter
    layout: Layout

    @property
    def environment(self) -> Mapping[str, str]:
        """The marker variables."""
        return self.interpreter.markers

    @property
    def tags(self) -> tuple[Tag, ...]:
        """Compatibility tags, best first."""
        return interpreter_tags(self.interpreter)

    @property
    def script_python(self) -> str:
        """The interpreter that the commands of the target name."""
        movable = self.kind == "venv" and self.interpreter.relocatable and self.interpreter.launcher == "posix"
        return PYTHON_BESIDE if movable else self.interpreter.executable

    def fits(self, filename: str) -> bool:
        """Whether a wheel with this file name is compatible with the target."""
        from packaging.utils import InvalidWheelFilename  # here, since only wheels that are built are checked

        from lockset.dependency_specifiers import read_wheel_name

        try:
            tags = read_wheel_name(filename)[3]
        except InvalidWheelFilename:
            return False
        return not tags.isdisjoint(self.tags)


def interpreter_tags(interpreter: Interpreter) -> tuple[Tag, ...]:
    """The compatibility tags that packaging would return inside `interpreter`, best first."""
    # Imported here: not needed when the selection is cached.
    from packaging.tags import Tag, compatible_tags, cpython_tags, generic_tags, mac_platforms

    if interpreter.described:
        return tuple(Tag(*text.split("-")) for text in interpreter.described)
    platforms = list(interpreter.platforms)
    if interpreter.mac is not None:
        platforms = list(mac_platforms(*interpreter.mac))
    version = interpreter.version
    nodot = f"{version[0]}{version[1]}"
    short = _SHORT.get(interpreter.implementation, interpreter.implementation)
    specific: Iterable[Tag]
    if short == "cp":
        specific = cpython_tags(version, interpreter.abis, platforms)
        compatible = compatible_tags(version, f"cp{nodot}", platforms)
    else:
        specific = generic_tags(f"{short}{nodot}", interpreter.abis, platforms)
        compatible = compatible_tags(version, "pp3" if short == "pp" else None, platforms)
    return (*specific, *compatible)


def is_within(path: str, root: str, *, separator: str = "/") -> bool:
    """Whether the absolute `path` lies below `root`, compared by component. The caller normalizes both."""
    if root.endswith(separator):
        return path.startswith(root) and path != root
    return path.startswith(root + separator)


def relative_to(path: str, root: str) -> str:
    """`path` as seen from `root`: as `os.path.relpath`, which takes ten times as long for what lies below."""
    inside = f"{root}{os.sep}"
    return path[len(inside) :] if path.startswith(inside) else os.path.relpath(path, root)
