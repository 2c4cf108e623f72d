"""Which target a request means: an environment, a folder, a prefix, or one that is only described."""

from __future__ import annotations

import os
import zlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lockset import __version__
from lockset.errors import LocksetError
from lockset.files.record_store import know, known
from lockset.files.system import registered_pythons
from lockset.sync.disk.apply.guard import refuse_managed
from lockset.sync.disk.inspect.interpreter import ask_interpreter, interpreter_of
from lockset.sync.disk.inspect.targets import directory_target, environment_target, prefix_target
from lockset.sync.target import Interpreter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lockset.sync.target import Target

__all__ = ["Described", "Place", "find_python", "target_of"]

# Changes with every change of what is remembered of described interpreters.
_FORMAT = 2


class Described(NamedTuple):
    """An interpreter that need not be on this machine, in the words of `lockset.markers.described_target`."""

    platform: str
    python: str
    implementation: str = "cpython"


class Place(NamedTuple):
    """Where a sync goes.

    Attributes:
        python: Path of an interpreter or of a virtual environment's folder; None only with `described`.
        directory: Install into this folder instead of the interpreter's own environment.
        prefix: Or below this one, as below an installation's own.
        described: For this interpreter instead of one of this machine.
        managed: A Python whose packages another installer keeps is no reason to refuse.
    """

    python: str | None
    directory: str | None = None
    prefix: str | None = None
    described: Described | None = None
    managed: bool = False


def target_of(place: Place, *, cache: Path | None) -> Target:
    """The target that `place` means.

    Raises:
        LocksetError: `python-not-found`, `python-broken`, `externally-managed`, `platform-unknown`.
    """
    interpreter = _interpreter(place, cache)
    if place.directory is not None:
        return directory_target(interpreter, place.directory)
    if place.prefix is not None:
        return prefix_target(interpreter, place.prefix)
    target = environment_target(interpreter)
    if not place.managed:
        refuse_managed(target)
    return target


def _interpreter(place: Place, cache: Path | None) -> Interpreter:
    if place.described is not None:
        return _described(place.described, cache)
    assert place.python is not None
    return ask_interpreter(interpreter_of(place.python), memory=_memory(cache))


def _described(told: Described, cache: Path | None) -> Interpreter:
    """The described interpreter, remembered: what it takes to know its tags takes 20 ms to import."""
    key = (_FORMAT, __version__, *told)
    number = zlib.crc32(repr(key).encode(errors="surrogateescape"))
    memory = _memory(cache)
    place = str(memory / f"described-{number:08x}") if memory is not None else None
    with suppress(TypeError):
        fields = known(place, key)
        if fields is not None:
            return Interpreter._make(fields)
    from lockset.markers.universe import described_target

    found = Interpreter.of_description(described_target(told.platform, told.python, told.implementation))
    know(place, key, (*found[:3], dict(found.markers), *found[4:]))
    return found


def _memory(cache: Path | None) -> Path | None:
    return cache / "interpreters-v1" if cache is not None else None


def find_python(path: Sequence[str], *, version: str | None, cache: Path | None) -> str:
    """The first interpreter that is no virtual environment's, and of `version` ("3.12") if given.

    It is looked for in the folders `path`, then among those of the Windows registry (PEP 514).

    Raises:
        LocksetError: `python-not-found`.
    """
    for executable in _candidates(path, version):
        try:
            found = ask_interpreter(executable, memory=_memory(cache))
        except LocksetError:
            continue
        full = found.markers["python_full_version"]
        if not found.is_virtual and (version is None or f"{full}.".startswith(f"{version}.")):
            return executable
    raise LocksetError(
        "python-not-found",
        f"There is no Python {version} on the path" if version else "There is no Python on the path",
        hint="Name an interpreter by its path with `--python`",
    )


def _candidates(path: Sequence[str], version: str | None) -> Iterator[str]:
    minor = ".".join(version.split(".")[:2]) if version else ""
    suffix = ".exe" if os.name == "nt" else ""
    names = [f"python{minor}"] if "." in minor else []
    for folder in path:
        for name in (*names, "python3", "python"):
            executable = Path(folder, name + suffix)
            if folder and executable.is_file() and os.access(executable, os.X_OK):
                yield str(executable.absolute())
    for registered, place in registered_pythons():
        if (not registered or not minor or f"{registered}.".startswith(f"{minor}.")) and Path(place).is_file():
            yield place
