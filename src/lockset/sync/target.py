"""The target of a sync: an interpreter's facts, its compatibility tags, and where files go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from lockset.dependency_specifiers import read_wheel_name
from lockset.sync.wheel.scripts import ANY_PYTHON

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from packaging.tags import Tag

    from lockset.markers.universe import TargetInterpreter as Description
    from lockset.sync.layout import Layout

__all__ = ["Interpreter", "Target", "interpreter_tags"]

_LAUNCHERS = {"amd64": "win-amd64", "arm64": "win-arm64", "x86": "win-ia32", "arm": "win-arm"}
_SHORT = {"cpython": "cp", "pypy": "pp", "ironpython": "ip", "jython": "jy"}


class Interpreter(NamedTuple):
    """What one interpreter told of itself.

    Attributes:
        executable: Its path as the user gave it, absolute, links not followed: what scripts name.
        markers: Every PEP 508 marker variable.
        platforms: Platform tags, best first; empty where `mac` tells.
        mac: macOS version and processor, for the tags packaging derives from them.
        paths: Scheme to folder, as sysconfig names them for this interpreter.
        headers: Root of the headers scheme.
        prefix: Where it is installed; of a virtual environment, that.
        base_prefix: Where the interpreter behind it is installed.
        managed: Text of an EXTERNALLY-MANAGED file that holds for it, or None.
        launcher: Kind of script launchers, in the words of `installer`.
        described: Tags of an interpreter that is only described, best first; empty for one that was asked.
        watched: Paths that decide all this besides its own file and pyvenv.cfg; None where more than files decides.
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
    watched: tuple[str, ...] | None = ()

    @property
    def is_virtual(self) -> bool:
        """Whether it belongs to a virtual environment."""
        return self.prefix != self.base_prefix

    @classmethod
    def from_facts(cls, executable: str, facts: Mapping[str, Any]) -> Interpreter:
        """From what the interpreter's own answer holds (see `disk.interpreter_script`)."""
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
            watched=tuple(path for path, _ in watched) if watched is not None else None,
        )

    @classmethod
    def of_description(cls, description: Description) -> Interpreter:
        """One that is not on this machine: `description` tells its markers and tags."""
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
    """What is synced.

    Attributes:
        kind: `venv` (all in it is under the lock's rule), or `system`, `prefix` or `directory` (what lockset put there
            is).
        shown: Its path, as messages call it.
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

    def fits(self, filename: str) -> bool:
        """Whether the wheel with this file name can be used here."""
        from packaging.utils import InvalidWheelFilename

        try:
            tags = read_wheel_name(filename)[3]
        except InvalidWheelFilename:
            return False
        return not tags.isdisjoint(self.tags)


def interpreter_tags(interpreter: Interpreter) -> tuple[Tag, ...]:
    """The compatibility tags that packaging would give inside `interpreter`, best first."""
    # Imported here: a target whose lock was selected before needs no tags.
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
