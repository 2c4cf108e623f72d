"""Pipes between this process and its copies, and messages of plain values over them."""

from __future__ import annotations

import marshal
import os
import struct
from typing import TYPE_CHECKING, Any

from lockset.files.copies import large_pipe

if TYPE_CHECKING:
    from io import FileIO

__all__ = ["Pipes", "open_pipes", "read_message", "write_message"]

# Bytes of a message, which follow.
_LENGTH = struct.Struct("<Q")
# A shorter message is sent in one piece.
_SHORT = 64 * 1024


class Pipes:
    """The pipes between this process and one copy: ends of this process, and ends of the copy.

    Attributes:
        requests: Where this process writes.
        replies: Where it reads.
        their_requests: Where the copy reads.
        their_replies: Where it writes.
    """

    def __init__(self) -> None:
        self.their_requests, self.requests = os.pipe()
        try:
            self.replies, self.their_replies = os.pipe()
        except OSError:
            os.close(self.their_requests)
            os.close(self.requests)
            raise
        large_pipe(self.replies)
        self._left = True

    def close_ours(self) -> None:
        """Close the ends of this process."""
        os.close(self.requests)
        os.close(self.replies)

    def close_theirs(self) -> None:
        """Close the ends of the copy, unless that was done before."""
        if self._left:
            self._left = False
            os.close(self.their_requests)
            os.close(self.their_replies)


def open_pipes(count: int) -> list[Pipes]:
    """The pipes of `count` copies. If one cannot be opened, the others are closed, and the `OSError` is raised."""
    pipes: list[Pipes] = []
    try:
        while len(pipes) < count:
            pipes.append(Pipes())
    except OSError:
        for each in pipes:
            each.close_ours()
            each.close_theirs()
        raise
    return pipes


def write_message(pipe: int, data: bytes) -> None:
    """Write a message; OSError if the other process has ended."""
    length = _LENGTH.pack(len(data))
    for part in [length + data] if len(data) < _SHORT else [length, data]:
        left = memoryview(part)
        while left:
            left = left[os.write(pipe, left) :]


def read_message(pipe: FileIO) -> Any:
    """The next message; None at the end of the pipe."""
    length = _exactly(pipe, _LENGTH.size)
    data = None if length is None else _exactly(pipe, *_LENGTH.unpack(length))
    return None if data is None else marshal.loads(data)  # noqa: S302 (from the copy of this process, or for it)


def _exactly(pipe: FileIO, count: int) -> bytearray | None:
    data = bytearray(count)
    left = memoryview(data)
    while left:
        read = pipe.readinto(left)
        if not read:
            return None
        left = left[read:]
    return data
