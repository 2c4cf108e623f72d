"""The shebang lines of scripts, also for interpreters whose path is long or has spaces."""

from __future__ import annotations

__all__ = ["ANY_PYTHON", "PYTHON_BESIDE", "command_text", "is_placeholder", "rewrite_script", "shebang"]

# The interpreter of a described target: the first `python3` on the path when the script runs.
ANY_PYTHON = "/usr/bin/env python3"
# The interpreter of an environment that may be moved: the `python` in the folder of the script, links followed.
PYTHON_BESIDE = "python"
# Start of a wheel's script whose interpreter the installer fills in.
_PLACEHOLDER = b"#!python"
# The longest shebang that every kernel accepts.
_LONGEST = 127


def shebang(executable: str) -> bytes:
    """The first line or lines of a Python script that `executable` runs, with line end."""
    if executable == PYTHON_BESIDE:
        return _through_shell('"$(dirname -- "$(realpath -- "$0")")/python"')
    simple = f"#!{executable}\n".encode(errors="surrogateescape")
    if executable == ANY_PYTHON:
        return simple
    if len(simple) <= _LONGEST and not any(space in simple[:-1] for space in b" \t"):
        return simple
    import shlex  # here, since few paths have spaces

    return _through_shell(shlex.quote(executable))


def _through_shell(quoted: str) -> bytes:
    """The first lines of a script that a shell runs again by the interpreter `quoted`; for Python they are a string."""
    return f"#!/bin/sh\n'''exec' {quoted} \"$0\" \"$@\"\n' '''\n".encode(errors="surrogateescape")


def command_text(module: str, attribute: str) -> bytes:
    """The text of a command after its shebang, for systems that need no launcher.

    It calls `attribute` of `module` (entry points specification), and imports nothing else: a command that imports `re`
    starts a third more slowly.
    """
    first = attribute.partition(".")[0]
    lines = (
        "import sys",
        f"from {module} import {first}",
        'if __name__ == "__main__":',
        f"    sys.exit({attribute}())",
    )
    return "\n".join((*lines, "")).encode()


def is_placeholder(first_line: bytes) -> bool:
    """Whether a script that begins like this gets the target's interpreter."""
    return first_line.startswith(_PLACEHOLDER)


def rewrite_script(content: bytes, executable: str) -> bytes:
    """`content` of a script with a placeholder, with `executable` filled in."""
    return shebang(executable) + content.partition(b"\n")[2]
