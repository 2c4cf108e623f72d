"""Look up each host once per run: thirty connections that begin at once would look it up thirty times.

Resolvers handle such a burst badly: each datagram that is dropped costs a wait of seconds.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from lockset._pattern import lazy_pattern

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Addresses"]

# The codec changes nothing in such a name: labels of at most 63 letters, digits and hyphens.
_ORDINARY = lazy_pattern(r"[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*")


class Addresses:
    """Numeric addresses by host and port; safe to use from several threads.

    `resolve` returns the addresses of host and port, best first; None uses the system's resolver.
    """

    def __init__(self, resolve: Callable[[str, int], list[str]] | None = None) -> None:
        self._resolve = resolve or _resolved
        self._lock = threading.Lock()
        self._lookups: dict[tuple[str, int], _Lookup] = {}

    def of(self, host: str, port: int) -> list[str]:
        """Return the addresses. One thread looks them up; others that call meanwhile wait for its result.

        Raises:
            OSError: The host is unknown. The next call looks it up again.
        """
        with self._lock:
            lookup = self._lookups.get((host, port))
            is_first = lookup is None
            if lookup is None:
                lookup = self._lookups[host, port] = _Lookup()
        if is_first:
            try:
                lookup.addresses = self._resolve(host, port)
            except BaseException as error:
                lookup.failure = error
                self.forget(host, port)
                raise
            finally:
                lookup.done.set()
        else:
            lookup.done.wait()
        if lookup.failure is not None:
            raise OSError(*lookup.failure.args) from lookup.failure
        return lookup.addresses

    def forget(self, host: str, port: int) -> None:
        """Look the host up again at the next call, since none of its addresses could be reached."""
        with self._lock:
            self._lookups.pop((host, port), None)


class _Lookup:
    """One lookup of a host, and its result."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.addresses: list[str] = []
        self.failure: BaseException | None = None


def _resolved(host: str, port: int) -> list[str]:
    import socket

    # A text would be encoded by the codec for international names, which takes two milliseconds to import.
    name = host.encode() if _ORDINARY.fullmatch(host) else host
    infos = socket.getaddrinfo(name, port, 0, socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in infos))
