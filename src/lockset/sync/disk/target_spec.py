"""Resolve the target of a request: an environment, a folder, a prefix, or a described interpreter."""

from __future__ import annotations

import os
import zlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lockset._version import __version__
from lockset.errors import LocksetError
from lockset.files.record_store import get_value, put_value
from lockset.files.system import registered_pythons
from lockset.sync.disk.apply.guard import refuse_managed
from lockset.sync.disk.inspect.interpreter import ask_interpreter, interpreter_of
from lockset.sync.disk.inspect.targets import directory_target, environment_target, prefix_target
from lockset.sync.target import Interpreter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lockset.sync.target import Target

__all__ = ["DescribedInterpreter", "TargetSpec", "find_python", "resolve_target"]

# Increment with every change of the stored fields of described interpreters.
_FORMAT = 2


class DescribedInterpreter(NamedTuple):
    """An interpreter that need not be on this machine: the arguments of `lockset.markers.described_target`."""

    platform: str
    python: str
    implementation: str = "cpython"


class TargetSpec(NamedTuple):
    """Where a sync installs to.

    Attributes:
        python: Path of an interpreter or of a virtual environment's folder; None only with `described`.
        directory: Install into this folder instead of the interpreter's environment.
        prefix: Install below this folder, laid out as an installation.
        described: Install for this interpreter instead of one of this machine.
        managed: Allow an externally managed Python (PEP 668).
    """

    python: str | None
    directory: str | None = None
    prefix: str | None = None
    described: DescribedInterpreter | None = None
    managed: bool = False


def resolve_target(spec: TargetSpec, *, cache: Path | None, meanwhile: Callable[[], object] | None = None) -> Target:
    """The target for `spec`; `meanwhile` as for `ask_interpreter`.

    Raises:
        LocksetError: `python-not-found`, `python-broken`, `externally-managed`, `unknown-platform`.
    """
    interpreter = _interpreter(spec, cache, meanwhile)
    if spec.directory is not None:
        return directory_target(interpreter, spec.directory)
    if spec.prefix is not None:
        return prefix_target(interpreter, spec.prefix)
    target = environment_target(interpreter)
    if not spec.managed:
        refuse_managed(target)
    return target


def _interpreter(spec: TargetSpec, cache: Path | None, meanwhile: Callable[[], object] | None) -> Interpreter:
    if spec.described is not None:
        return _described(spec.described, cache)
    assert spec.python is not None
    return ask_interpreter(interpreter_of(spec.python), memory=_memory(cache), meanwhile=meanwhile)


def _described(described: DescribedInterpreter, cache: Path | None) -> Interpreter:
    """The described interpreter, from the cache if possible: importing what computes its tags takes 20 ms."""
    key = (_FORMAT, __version__, *described)
    number = zlib.crc32(repr(key).encode(errors="surrogateescape"))
    memory = _memory(cache)
    location = str(memory / f"described-{number:08x}") if memory is not None else None
    with suppress(TypeError):
        fields = get_value(location, key)
        if fields is not None:
            return Interpreter._make(fields)
    from lockset.markers.universe import described_target

    interpreter = Interpreter.of_description(
        described_target(described.platform, described.python, described.implementation)
    )
    put_value(location, key, (*interpreter[:3], dict(interpreter.markers), *interpreter[4:]))
    return interpreter


def _memory(cache: Path | None) -> Path | None:
    return cache / "interpreters-v1" if cache is not None else None


def find_python(path: Sequence[str], *, version: str | None, cache: Path | None) -> str:
    """The first interpreter outside a virtual environment, with `version` ("3.12") if given.

    Searched are the folders `path`, then the Windows registry (PEP 514).

    Raises:
        LocksetError: `python-not-found`.
    """
    for executable in _candidates(path, version):
        try:
            interpreter = ask_interpreter(executable, memory=_memory(cache))
        except LocksetError:
            continue
        full = interpreter.markers["python_full_version"]
        if not interpreter.is_virtual and (version is None or f"{full}.".startswith(f"{version}.")):
            return executable
    raise LocksetError(
        "python-not-found",
        f"There is no Python {version} on PATH" if version else "There is no Python on PATH",
        hint="Give the path of an interpreter with `--python`",
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
