"""The target of a sync: facts about its interpreter, its compatibility tags, and its layout."""

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

    def fits(self, filename: str) -> bool:
        """Whether a wheel with this file name is compatible with the target."""
        from packaging.utils import InvalidWheelFilename

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
