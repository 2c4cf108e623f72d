"""Find an interpreter of a version, or of a range of versions, on this machine."""

from __future__ import annotations

import os

from lockset.errors import LocksetError
from lockset.files.system import registered_pythons
from lockset.sync.disk.inspect.interpreter import ask_interpreter, interpreter_memory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["find_python", "is_range", "python_matches"]

# The largest N of the commands python3.N that are tried for a range, and the smallest: older Pythons are not supported.
_NEWEST_MINOR = 40
_OLDEST_MINOR = 8
# Broken interpreters to name where none matches.
_MOST_BROKEN = 3


def find_python(path: Sequence[str], *, version: str | None, cache: Path | None) -> str:
    """The first interpreter outside a virtual environment, with `version` ("3.12" or ">=3.10") if given.

    Searched are the folders `path`, then the Windows registry (PEP 514). Interpreters that do not work are passed over,
    and named by the error where none matches.

    Raises:
        LocksetError: `python-not-found`.
    """
    if version is not None:
        python_matches(version, "3")  # refuses a range that is not valid before any interpreter starts
    broken: list[str] = []
    for executable in _candidates(path, version):
        try:
            interpreter = ask_interpreter(executable, memory=interpreter_memory(cache))
        except LocksetError as error:
            broken.append(error.diagnostic.message)
            continue
        full = interpreter.markers["python_full_version"]
        if not interpreter.is_virtual and (version is None or python_matches(version, full)):
            return executable
    matching = f" that matches `{version}`" if version and is_range(version) else f" {version}" if version else ""
    raise LocksetError(
        "python-not-found",
        f"There is no Python{matching} on PATH",
        context=tuple(broken[:_MOST_BROKEN]),
        hint="Give the path of an interpreter with `--python`",
    )


def is_range(version: str) -> bool:
    """Whether `version` is a range of versions such as `>=3.10`."""
    return version[:1] in {"<", ">", "=", "!", "~"}


def python_matches(requested: str, version: str) -> bool:
    """Whether a Python of `version` ("3.12.4") is `requested`: the start of a version ("3.12"), or a range (">=3.10").

    A range admits pre-releases only if it names one, as for packages.

    Raises:
        LocksetError: `python-not-found`: the range is not valid.
    """
    if not is_range(requested):
        return f"{version}.".startswith(f"{requested}.")
    from lockset.dependency_specifiers import read_specifiers

    try:
        specifiers = read_specifiers(requested)
        # A build from a checkout of CPython has a trailing plus sign.
        return specifiers.contains(version.rstrip("+"), prereleases=bool(specifiers.prereleases))
    except ValueError as error:
        raise LocksetError(
            "python-not-found",
            f"`{requested}` is not a valid range of Pythons",
            hint="Separate its parts by commas, such as `>=3.10,<3.14`",
        ) from error


def _candidates(path: Sequence[str], version: str | None) -> Iterator[str]:
    ranged = version is not None and is_range(version)
    minor = ".".join(version.split(".")[:2]) if version and not ranged else ""
    suffix = ".exe" if os.name == "nt" else ""
    names = [*([f"python{minor}"] if "." in minor else []), "python3", "python"]
    if ranged:
        names += [f"python3.{number}" for number in range(_NEWEST_MINOR, _OLDEST_MINOR - 1, -1)]
    for folder in path:
        for name in names:
            executable = os.path.join(folder, name + suffix)
            # Not `Path.is_file`, which raises in a folder that this user may not enter.
            if folder and os.path.isfile(executable) and os.access(executable, os.X_OK):
                yield os.path.join(os.getcwd(), executable)
    for registered, location in registered_pythons():
        if (not registered or not minor or f"{registered}.".startswith(f"{minor}.")) and os.path.isfile(location):
            yield location
