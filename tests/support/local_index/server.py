"""The index as a server in a thread of the test process."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import struct
import threading
import time
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from support.local_index.mode import MODERN, Fault, Mode
from support.local_index.responses import Answer, answer
from support.local_index.world import World

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["LocalIndex", "Seen"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request that was answered; header names in lower case; status 0: the connection was reset."""

    method: str
    path: str
    headers: Mapping[str, str]
    status: int


class LocalIndex:
    """A package index on loopback; a context manager, or `start` and `stop`.

    `world`, `mode` and the faults may change at any time. `url` is the simple API's root.
    """

    def __init__(self, world: World | None = None, mode: Mode = MODERN, *, port: int = 0) -> None:
        self.world = world if world is not None else World()
        self.mode = mode
        self.seen: list[Seen] = []
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", port), _handler_of(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        return f"{self.origin}/simple/"

    def file_url(self, name: str, filename: str) -> str:
        return f"{self.origin}/files/{name}/{filename}"

    def set_mode(self, **switches: Any) -> None:
        """Change single switches of the mode."""
        self.mode = replace(self.mode, **switches)

    def fault(self, path: str, **what: Any) -> None:
        """Let something go wrong: see Fault."""
        with self._lock:
            self._faults.append(Fault(path=path, **what))

    def heal(self) -> None:
        """End every fault."""
        with self._lock:
            self._faults.clear()

    def forget(self) -> None:
        """Empty the log of requests."""
        with self._lock:
            self.seen.clear()

    def paths(self, *, method: str | None = None, part: str = "") -> list[str]:
        """The paths asked for, in order, that hold `part`."""
        with self._lock:
            return [s.path for s in self.seen if part in s.path and method in {None, s.method}]

    def start(self) -> Self:
        self._thread.start()
        return self

    def stop(self) -> None:
        """End the server and every open connection."""
        self._server.shutdown()
        self._server.end_connections()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def striking(self, method: str, path: str) -> Fault | None:
        """The first fault that strikes this request."""
        with self._lock:
            return next((fault for fault in self._faults if fault.strikes(method, path)), None)

    def note(self, seen: Seen) -> None:
        with self._lock:
            self.seen.append(seen)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(address, handler)

    def server_bind(self) -> None:
        # Without the look-up of the host's own name that HTTPServer makes.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no event."""

    def end_connections(self) -> None:
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def _handler_of(index: LocalIndex) -> type[BaseHTTPRequestHandler]:
    class Handler(_Handler):
        pass

    Handler.index = index
    return Handler


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    index: LocalIndex

    def do_GET(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def log_message(self, *_: Any) -> None:
        """The log is `LocalIndex.seen`."""

    def _serve(self) -> None:
        index = self.index
        headers = {name.lower(): value for name, value in self.headers.items()}
        fault = index.striking(self.command, self.path)
        time.sleep(index.mode.latency + (fault.delay if fault else 0))
        if fault is not None and fault.reset:
            index.note(Seen(method=self.command, path=self.path, headers=headers, status=0))
            self._reset()
            return
        result = answer(index.world, index.mode, index.origin, self.path, headers)
        if fault is not None:
            result = _spoilt(result, fault)
        index.note(Seen(method=self.command, path=self.path, headers=headers, status=result.status))
        self._send(result, fault)

    def _send(self, result: Answer, fault: Fault | None) -> None:
        self.send_response(result.status)
        if "Content-Length" not in result.headers and result.status != 304:
            self.send_header("Content-Length", str(len(result.body)))
        for name, value in result.headers.items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        if fault is None or (fault.cut_after is None and not fault.drip):
            self.wfile.write(result.body)
            return
        body = result.body[: fault.cut_after]
        size = fault.drip_size if fault.drip else len(body) or 1
        for start in range(0, len(body), size):
            self.wfile.write(body[start : start + size])
            self.wfile.flush()
            time.sleep(fault.drip)
        if fault.cut_after is not None:
            self.close_connection = True

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()


def _spoilt(result: Answer, fault: Fault) -> Answer:
    body = result.body if fault.body is None else fault.body
    if fault.corrupt and body:
        body = body[:-1] + bytes([body[-1] ^ 1])
    if fault.redirect is not None:
        return Answer(status=302, headers={"Location": fault.redirect} | dict(fault.headers))
    if fault.status is not None:
        return Answer(status=fault.status, headers=dict(fault.headers), body=fault.body or b"it went wrong\n")
    return Answer(status=result.status, headers=result.headers | dict(fault.headers), body=body)
