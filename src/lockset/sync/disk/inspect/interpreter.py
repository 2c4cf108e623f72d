"""Query an interpreter for its facts, and cache the answer until something that decides it changes."""

# Paths are strings here: there are thousands of them a run.
from __future__ import annotations

import os
import sys
import zlib
from pathlib import Path

from lockset.errors import LocksetError
from lockset.files.record_store import content, get_value, put_value
from lockset.files.system import system_facts
from lockset.sync.target import Interpreter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from subprocess import Popen
    from typing import Any

__all__ = ["ask_interpreter", "configurations", "folder_interpreter", "interpreter_memory", "interpreter_of"]

_MARK = b"lockset-facts:"
_OLDEST = (3, 8)
# Increment with every change of `interpreter_script`.
_FORMAT = 5
# Timeout for an interpreter; one that takes longer is considered broken.
_SECONDS = 60
# Seconds between two checks whether it has ended while other processes hold its pipes.
_PAUSE = 0.1
# Limit for its output; an answer has a few thousand bytes.
_LONGEST_ANSWER = 1 << 20
# Limit for pyvenv.cfg; real ones have a few hundred bytes.
_LARGEST = 1 << 16
_SCRIPT = Path(__file__).with_name("interpreter_script.py")
# Executes the script by a loader: an interpreter of the version that lockset runs on finds it compiled.
_EXECUTE = (
    "import sys; from importlib.machinery import SourceFileLoader as Loader; "
    "Loader('facts', sys.argv[1]).exec_module(type(sys)('facts'))"
)


def interpreter_of(path: str) -> str:
    """The absolute path of the interpreter at `path`, or of the virtual environment in the folder `path`.

    Raises:
        LocksetError: `python-not-found`.
    """
    absolute = os.path.abspath(Path(path).expanduser())
    if os.path.isdir(absolute):
        inside = folder_interpreter(absolute)
        if inside is not None:
            return inside
    elif os.path.isfile(absolute):
        return absolute
    _refuse_without_base(absolute)
    raise LocksetError(
        "python-not-found",
        f"There is no Python interpreter at `{path}`",
        hint="Give the path of an interpreter or of a virtual environment, a version such as `3.12`, or a range such "
        "as `>=3.10,<3.14`",
    )


def folder_interpreter(folder: str) -> str | None:
    """The interpreter of the environment in `folder`, or None."""
    names = ("Scripts/python.exe", "python.exe") if os.name == "nt" else ("bin/python", "bin/python3")
    paths = (os.path.join(folder, *name.split("/")) for name in names)
    return next((path for path in paths if os.path.exists(path)), None)


def _refuse_without_base(path: str) -> None:
    """Refuse a virtual environment, or its interpreter, whose base Python was removed.

    Raises:
        LocksetError: `python-not-found`.
    """
    inside = path if os.path.islink(path) else os.path.join(path, "bin", "python")
    folder = os.path.dirname(os.path.dirname(inside))
    if not os.path.islink(inside) or not os.path.isfile(os.path.join(folder, "pyvenv.cfg")):
        return
    raise LocksetError(
        "python-not-found",
        f"The Python of the virtual environment was removed: there is no `{os.path.realpath(inside)}`",
        location=folder,
        hint="Remove the environment, and create it again with `lockset sync --create-venv`",
    )


def ask_interpreter(
    executable: str, *, memory: Path | None, meanwhile: Callable[[], object] | None = None
) -> Interpreter:
    """The facts of the interpreter at the absolute path `executable`.

    Args:
        executable: As returned by `interpreter_of`.
        memory: Folder for cached answers, or None.
        meanwhile: Called while an interpreter that has to be asked starts, which takes tens of milliseconds.

    Raises:
        LocksetError: `python-broken`: the interpreter does not run, or is older than Python 3.8.
    """
    key = _key(executable)
    location = str(memory / f"{zlib.crc32(os.fsencode(executable)):08x}") if memory is not None else None
    facts = get_value(location, key)
    cached = _from_facts(executable, facts) if _still_holds(facts) else None
    if cached is not None:
        return cached
    interpreter, facts = _ask(executable, meanwhile)
    if facts.get("running") != os.path.realpath(executable):
        # A shim selected an interpreter, and may select another one the next time.
        return interpreter._replace(watched=None)
    put_value(location, key, facts)
    return interpreter


def interpreter_memory(cache: Path | None) -> Path | None:
    """The folder of the cache for the answers of interpreters."""
    return cache / "interpreters-v1" if cache is not None else None


def configurations(executable: str) -> tuple[str, str]:
    """The paths where an interpreter looks for pyvenv.cfg: in its own folder, and one folder up (PEP 405)."""
    folder = os.path.dirname(executable)
    return os.path.join(folder, "pyvenv.cfg"), os.path.join(os.path.dirname(folder), "pyvenv.cfg")


def _from_facts(executable: str, facts: Mapping[str, Any] | None) -> Interpreter | None:
    """The interpreter with these facts; None if they are malformed, or those of a Python that is too old."""
    try:
        interpreter = Interpreter.from_facts(executable, facts) if facts is not None else None
    except (KeyError, TypeError, ValueError, IndexError):
        return None
    return interpreter if interpreter is not None and interpreter.version >= _OLDEST else None


def _still_holds(facts: Mapping[str, Any] | None) -> bool:
    """Whether nothing that decided these facts has changed."""
    try:
        return facts is not None and all(_stamp(path) == stamp for path, stamp in facts["watched"])
    except (KeyError, TypeError, ValueError):
        return False


def _key(executable: str) -> list[Any]:
    """The part of the answer's inputs that is known in advance: the interpreter's file, its environment, the system.

    The interpreter reports the other inputs with its answer (`watched`).
    """
    configured = [_configuration(path) for path in configurations(executable)]
    return [_FORMAT, executable, _system(), os.path.realpath(executable), _stamp(executable), configured]


def _configuration(path: str) -> str | list[int] | None:
    """Content of pyvenv.cfg: an environment that was recreated in the same way needs no new answer."""
    try:
        size = os.stat(path).st_size
        text = content(path, size) if size <= _LARGEST else b""
        return text.decode() if text else _stamp(path)
    except (OSError, UnicodeDecodeError):
        return _stamp(path)


def _system() -> list[str]:
    """The system facts of `platform`, whose import would take longer than everything else here."""
    return list(system_facts())


def _stamp(path: str) -> list[int] | None:
    """The same stamp as in `interpreter_script`."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return [status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def _ask(executable: str, meanwhile: Callable[[], object] | None) -> tuple[Interpreter, Mapping[str, Any]]:
    # Isolated mode ignores PYTHON* variables and the user site.
    code, out, err = _run([executable, "-I", "-B", "-c", _EXECUTE, str(_SCRIPT)], meanwhile)
    mark = out.rfind(_MARK)
    facts = _parse_answer(out[mark + len(_MARK) :]) if code == 0 and mark >= 0 else None
    interpreter = _from_facts(executable, facts)
    if facts is None or interpreter is None:
        last_lines = err.decode("utf-8", "replace").strip().splitlines()[-3:]
        raise LocksetError(
            "python-broken",
            f"`{executable}` is not a working Python 3.8 or newer",
            context=tuple(last_lines),
            hint="Choose another interpreter with `--python`",
        )
    return interpreter, facts


def _run(command: list[str], meanwhile: Callable[[], object] | None) -> tuple[int, bytes, bytes]:
    """Exit code and output of an untrusted interpreter, which is killed when it takes or writes too much."""
    import subprocess

    try:
        with subprocess.Popen(  # the interpreter the user chose
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
        ) as child:
            try:
                if meanwhile is not None:
                    meanwhile()
                out, err = child.communicate(timeout=_SECONDS) if sys.platform == "win32" else _communicate(child)
                code = child.wait(_SECONDS)
            except BaseException:
                child.kill()
                raise
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LocksetError("python-broken", f"`{command[0]}` cannot be run", context=(str(error),)) from error
    return code, out, err


def _communicate(child: Popen[bytes]) -> tuple[bytes, bytes]:
    """The output of `child` until it ends, up to the limit; other processes that hold its pipes are not waited for."""
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
    import json  # here, since answers are cached

    try:
        facts = json.loads(answer)
    except (ValueError, RecursionError):
        return None
    return facts if isinstance(facts, dict) else None
