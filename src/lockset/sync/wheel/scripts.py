"""The first lines of scripts: how they find the target's interpreter, also below paths with spaces."""

from __future__ import annotations

__all__ = ["ANY_PYTHON", "is_placeholder", "rewrite_script", "shebang"]

# Stands for the interpreter of a target that is only described: whichever is found first when the script runs.
ANY_PYTHON = "/usr/bin/env python3"
# What a script of a wheel starts with when its interpreter is to be filled in.
_PLACEHOLDER = b"#!python"
# Bounds the line that every kernel reads whole.
_LONGEST = 127


def shebang(executable: str) -> bytes:
    """The first line or lines of a Python script that `executable` shall run, with line end."""
    simple = f"#!{executable}\n".encode(errors="surrogateescape")
    if executable == ANY_PYTHON:
        return simple
    if len(simple) <= _LONGEST and not any(space in simple[:-1] for space in b" \t"):
        return simple
    import shlex  # here, since few paths have spaces

    # To the shell this is a command that runs the script again; to Python it is a string.
    quoted = shlex.quote(executable)
    return f"#!/bin/sh\n'''exec' {quoted} \"$0\" \"$@\"\n' '''\n".encode(errors="surrogateescape")


def is_placeholder(first_line: bytes) -> bool:
    """Whether a script that begins so is to be given the target's interpreter."""
    return first_line.startswith(_PLACEHOLDER)


def rewrite_script(content: bytes, executable: str) -> bytes:
    """`content` of a script with a placeholder, made to run by `executable`."""
    return shebang(executable) + content.partition(b"\n")[2]
