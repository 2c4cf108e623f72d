"""Lock options for the environment of one interpreter, with its markers and tags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lockset._dataclass import fields
from lockset.markers import Environment
from lockset.markers.universe import MeasuredTags, TargetInterpreter
from lockset.sync.target import interpreter_tags

if TYPE_CHECKING:
    from lockset.sync.target import Interpreter

__all__ = ["options_for_interpreter"]


def options_for_interpreter(interpreter: Interpreter) -> dict[str, Any]:
    """Fields of `LockOptions` for a lock that only `interpreter` installs.

    Its tags are measured, not described: the version of its C library or of macOS, musl, a free-threaded build.
    """
    markers = interpreter.markers
    implementation, full = markers["implementation_name"], markers["python_full_version"]
    platform = _platform(interpreter)
    # This release and later ones of its minor version; a pre-release stands for its minor version.
    final = full.replace(".", "").isdecimal()
    python = full if final else ".".join(map(str, interpreter.version))
    names = [field.name for field in fields(Environment)]
    environment = Environment(
        **{n: markers[n] for n in names} | ({} if final else {"python_full_version": f"{python}.0"})
    )
    target = TargetInterpreter(
        platform=platform,
        python=python,
        implementation=implementation,
        environment=environment,
        measured=MeasuredTags(tags=interpreter_tags(interpreter)),
    )
    return {
        "python": python,
        "implementation": implementation if implementation in {"cpython", "pypy"} else None,
        "platforms": (platform,),
        "interpreter": target,
    }


def _platform(interpreter: Interpreter) -> str:
    """The platform tag with its version, such as `manylinux_2_36_x86_64` or `musllinux_1_2_x86_64`."""
    if interpreter.mac is not None:
        (major, minor), machine = interpreter.mac
        return f"macosx_{major}_{minor}_{machine}"
    levels = ("manylinux_", "musllinux_")
    return next((p for p in interpreter.platforms if p.startswith(levels)), interpreter.platforms[0])
