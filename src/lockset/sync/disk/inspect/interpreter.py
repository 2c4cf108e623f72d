"""Asks an interpreter for its facts, once: the answer is remembered for as long as nothing that decides it changes."""

# Paths are strings here: there are thousands of them a run.
# ruff: noqa: PTH100, PTH110, PTH112, PTH113, PTH116, PTH118, PTH120
from __future__ import annotations

import os
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lockset.errors import LocksetError
from lockset.files.record_store import content, know, known
from lockset.files.system import system_facts
from lockset.sync.target import Interpreter

if TYPE_CHECKING:
    from collections.abc import Mapping
    from subprocess import Popen

__all__ = ["ask_interpreter", "configurations", "interpreter_of"]

_MARK = b"lockset-facts:"
# Changes with every change of the questions.
_FORMAT = 4
# Bounds how long an interpreter may think; beyond it, it is taken for broken.
_SECONDS = 60
# Seconds between two looks at whether it has ended while others hold its pipes.
_PAUSE = 0.1
# Bounds what it may say; an answer has some thousand bytes.
_LONGEST_ANSWER = 1 << 20
# Bounds the pyvenv.cfg that is read; real ones have some hundred bytes.
_LARGEST = 1 << 16
_SCRIPT = Path(__file__).with_name("interpreter_script.py")


def interpreter_of(path: str) -> str:
    """The interpreter that `path` means: itself, or that of the virtual environment folder `path`; absolute.

    Raises:
        LocksetError: `python-not-found`.
    """
    absolute = os.path.abspath(Path(path).expanduser())
    if os.path.isdir(absolute):
        names = ("Scripts/python.exe",) if os.name == "nt" else ("bin/python", "bin/python3")
        for name in names:
            if os.path.exists(os.path.join(absolute, name)):
                return os.path.join(absolute, *name.split("/"))
    elif os.path.isfile(absolute):
        return absolute
    raise LocksetError(
        "python-not-found",
        f"There is no Python interpreter at `{path}`",
        hint="Name an interpreter or the folder of a virtual environment",
    )


def ask_interpreter(executable: str, *, memory: Path | None) -> Interpreter:
    """The facts of the interpreter at the absolute path `executable`.

    Args:
        executable: As `interpreter_of` gives it.
        memory: Folder where answers are remembered, None for nowhere.

    Raises:
        LocksetError: `python-broken`: it does not run, or is older than Python 3.8.
    """
    key = _key(executable)
    location = str(memory / f"{zlib.crc32(os.fsencode(executable)):08x}") if memory is not None else None
    facts = known(location, key)
    remembered = _from_facts(executable, facts) if _still_holds(facts) else None
    if remembered is not None:
        return remembered
    facts = _ask(executable)
    if facts.get("running") != os.path.realpath(executable):
        # A shim chose an interpreter, and may choose another one the next time.
        facts = {**facts, "watched": None}
    else:
        know(location, key, facts)
    return Interpreter.from_facts(executable, facts)


def configurations(executable: str) -> tuple[str, str]:
    """Where an interpreter looks for its pyvenv.cfg: beside itself, and one folder up."""
    folder = os.path.dirname(executable)
    return os.path.join(folder, "pyvenv.cfg"), os.path.join(os.path.dirname(folder), "pyvenv.cfg")


def _from_facts(executable: str, facts: Mapping[str, Any] | None) -> Interpreter | None:
    """The interpreter with these facts; None where they are not what an interpreter answers."""
    try:
        return Interpreter.from_facts(executable, facts) if facts is not None else None
    except (KeyError, TypeError, ValueError, IndexError):
        return None


def _still_holds(facts: Mapping[str, Any] | None) -> bool:
    """Whether all that decided these facts is as it was."""
    try:
        return facts is not None and all(_stamp(path) == stamp for path, stamp in facts["watched"])
    except (KeyError, TypeError, ValueError):
        return False


def _key(executable: str) -> list[Any]:
    """What changes when the answer may change and is known before: the interpreter's file, its environment, the system.

    What else decides, the interpreter tells with its answer (`watched`).
    """
    configured = [_configuration(path) for path in configurations(executable)]
    return [_FORMAT, executable, _system(), os.path.realpath(executable), _stamp(executable), configured]


def _configuration(path: str) -> str | list[int] | None:
    """What pyvenv.cfg says: an environment that was made anew in the same way needs no new answer."""
    try:
        size = os.stat(path).st_size
        text = content(path, size) if size <= _LARGEST else b""
        return text.decode() if text else _stamp(path)
    except (OSError, UnicodeDecodeError):
        return _stamp(path)


def _system() -> list[str]:
    """What `platform` tells of the system, whose import costs more than all else here."""
    return list(system_facts())


def _stamp(path: str) -> list[int] | None:
    """As `stamp` of `interpreter_script` has it."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return [status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def _ask(executable: str) -> Mapping[str, Any]:
    # Isolated: neither the caller's PYTHON variables nor its user site count.
    code, out, err = _run([executable, "-I", "-B", str(_SCRIPT)])
    mark = out.rfind(_MARK)
    facts = _parse_answer(out[mark + len(_MARK) :]) if code == 0 and mark >= 0 else None
    if facts is None or _from_facts(executable, facts) is None:
        last_lines = err.decode("utf-8", "replace").strip().splitlines()[-3:]
        raise LocksetError(
            "python-broken",
            f"`{executable}` does not answer as Python 3.8 or newer does",
            context=tuple(last_lines),
            hint="Choose another interpreter with `--python`",
        )
    return facts


def _run(command: list[str]) -> tuple[int, bytes, bytes]:
    """Exit code and output of an interpreter, which may be anything: it is ended where it talks or thinks too long."""
    import subprocess

    try:
        with subprocess.Popen(  # noqa: S603 (the interpreter the user chose)
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
        ) as child:
            try:
                out, err = child.communicate(timeout=_SECONDS) if sys.platform == "win32" else _communicate(child)
                code = child.wait(_SECONDS)
            except BaseException:
                child.kill()
                raise
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LocksetError("python-broken", f"`{command[0]}` cannot be run", context=(str(error),)) from error
    return code, out, err


def _communicate(child: Popen[bytes]) -> tuple[bytes, bytes]:
    """What `child` says until it ends, as far as it is bounded; whoever else holds its pipes is not waited for."""
    import selectors
    import subprocess
    import time

    kept: dict[object, bytearray] = {child.stdout: bytearray(), child.stderr: bytearray()}
    end = time.monotonic() + _SECONDS
    with selectors.DefaultSelector() as selector:
        for stream in (child.stdout, child.stderr):
            assert stream is not None
            selector.register(stream, selectors.EVENT_READ)
        while selector.get_map():
            ended = child.poll() is not None
            ready = selector.select(_PAUSE)
            for key, _ in ready:
                data = os.read(key.fd, 1 << 16)
                kept[key.fileobj] += data
                if not data:
                    selector.unregister(key.fileobj)
            if max(map(len, kept.values())) > _LONGEST_ANSWER:
                child.kill()
                break
            if ended and not ready:
                break
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired(child.args, _SECONDS)
    return bytes(kept[child.stdout]), bytes(kept[child.stderr])


def _parse_answer(answer: bytes) -> Mapping[str, Any] | None:
    import json  # here, since answers are remembered

    try:
        facts = json.loads(answer)
    except (ValueError, RecursionError):
        return None
    return facts if isinstance(facts, dict) else None
