"""OSV's service on loopback: `POST /v1/querybatch` in pages, and `GET /v1/vulns/ID`."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from packaging.version import Version

from lockset.advisories.advisory import read_advisory

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["FakeOsv"]


class FakeOsv:
    """Serves `advisories`, objects of the OSV schema by id; a context manager.

    Attributes:
        queries: The queries that were made, as pairs of name and version.
        answers: Bytes to answer with instead, by path.
        page: Number of ids in one page.
    """

    def __init__(self, advisories: Mapping[str, Any]) -> None:
        self.advisories = dict(advisories)
        self.queries: list[tuple[str, str]] = []
        self.answers: dict[str, bytes] = {}
        self.page = 1
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def batch(self, body: bytes) -> dict[str, Any]:
        return {"results": [self._result(query) for query in json.loads(body)["queries"]]}

    def _result(self, query: dict[str, Any]) -> dict[str, Any]:
        assert query["package"]["ecosystem"] == "PyPI"
        name, version = query["package"]["name"], query["version"]
        self.queries.append((name, version))
        ids = []
        for own, data in self.advisories.items():
            entries = read_advisory(data).affected.get(name, ())
            if any(entry.contains(Version(version)) for entry in entries):
                ids.append({"id": own, "modified": data["modified"]})
        start = int(query.get("page_token", "0"))
        result: dict[str, Any] = {"vulns": ids[start : start + self.page]} if ids else {}
        if start + self.page < len(ids):
            result["next_page_token"] = str(start + self.page)
        return result


def _handler(osv: FakeOsv) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self._answer(lambda: osv.batch(body))

        def do_GET(self) -> None:
            self._answer(lambda: osv.advisories[self.path.rpartition("/")[2]])

        def _answer(self, make: Any) -> None:
            given = osv.answers.get(self.path)
            data = json.dumps(make()).encode() if given is None else given
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler
