"""The local index itself: tests depend on it."""

from __future__ import annotations

import gzip
import http.client
import io
import json
import socket
import zipfile
from typing import TYPE_CHECKING

import pytest

from support.builders import make_sdist, make_wheel
from support.local_index import BARE, LocalIndex, World
from support.loopback import NetworkBlockedError

if TYPE_CHECKING:
    from collections.abc import Mapping


def ask(
    index: LocalIndex, path: str, *, method: str = "GET", headers: Mapping[str, str] | None = None
) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection(index.origin.removeprefix("http://"), timeout=5)
    try:
        connection.request(method, path, headers=dict(headers or {}))
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


JSON = {"Accept": "application/vnd.pypi.simple.v1+json"}


def test_a_modern_page_has_all_fields(local_index: LocalIndex) -> None:
    local_index.world.add("a", "1.0", requires=["b"], requires_python=">=3.9", sdist=True)
    response, body = ask(local_index, "/simple/a/", headers=JSON)
    page = json.loads(body)
    wheel, sdist = page["files"]
    assert response.getheader("ETag")
    assert page["versions"] == ["1.0"]
    assert wheel["core-metadata"]["sha256"]
    assert wheel["requires-python"] == ">=3.9"
    assert sdist["filename"] == "a-1.0.tar.gz"
    assert sdist["size"]
    again, nothing = ask(local_index, "/simple/a/", headers=JSON | {"If-None-Match": str(response.getheader("ETag"))})
    assert (again.status, nothing) == (304, b"")


def test_a_bare_page_is_html_and_does_not_name_metadata_that_is_there(local_index: LocalIndex) -> None:
    local_index.mode = BARE
    local_index.world.add("a", "1.0", requires=["b"], yanked="broken")
    response, body = ask(local_index, "/simple/a/", headers=JSON)
    assert response.getheader("Content-Type") == "text/html"
    assert response.getheader("ETag") is None
    assert b"metadata" not in body
    assert b'data-yanked="broken"' in body
    _, metadata = ask(local_index, "/files/a/a-1.0-py3-none-any.whl.metadata")
    assert b"Requires-Dist: b" in metadata


def test_ranges_give_the_requested_bytes(local_index: LocalIndex) -> None:
    local_index.world.add("a")
    path = "/files/a/a-1.0-py3-none-any.whl"
    _, whole = ask(local_index, path)
    part, body = ask(local_index, path, headers={"Range": "bytes=-10"})
    assert (part.status, body) == (206, whole[-10:])
    assert part.getheader("Content-Range") == f"bytes {len(whole) - 10}-{len(whole) - 1}/{len(whole)}"
    head, nothing = ask(local_index, path, method="HEAD")
    assert (head.getheader("Content-Length"), nothing) == (str(len(whole)), b"")


def test_a_fault_happens_the_given_number_of_times(local_index: LocalIndex) -> None:
    local_index.world.add("a")
    local_index.fault("/simple/*", status=503, times=2, headers={"Retry-After": "1"})
    local_index.fault("/files/*", cut_after=5)
    assert [ask(local_index, "/simple/a/")[0].status for _ in range(3)] == [503, 503, 200]
    with pytest.raises(http.client.IncompleteRead):
        ask(local_index, "/files/a/a-1.0-py3-none-any.whl")
    assert [seen.status for seen in local_index.seen] == [503, 503, 200, 200]


def test_credentials_are_required_everywhere(local_index: LocalIndex) -> None:
    local_index.world.add("a")
    local_index.set_mode(credentials=("user", "secret"))
    assert ask(local_index, "/simple/a/")[0].status == 401
    assert ask(local_index, "/simple/a/", headers={"Authorization": "Basic dXNlcjpzZWNyZXQ="})[0].status == 200


def test_pages_are_compressed_for_clients_that_accept_it(local_index: LocalIndex) -> None:
    local_index.world.add("a")
    _, body = ask(local_index, "/simple/a/", headers=JSON | {"Accept-Encoding": "gzip"})
    assert json.loads(gzip.decompress(body))["name"] == "a"


def test_a_world_is_read_from_toml() -> None:
    world = World.from_toml('[packages.a]\n"1.0" = { requires = ["b"], requires-python = ">=3.9", sdist = true }')
    assert [file.artifact.filename for file in world.projects["a"]] == ["a-1.0-py3-none-any.whl", "a-1.0.tar.gz"]
    assert b"Requires-Python: >=3.9" in world.projects["a"][0].artifact.metadata


def test_builders_make_the_same_bytes_each_time() -> None:
    assert make_wheel("a").content == make_wheel("a").content
    assert make_sdist("a").content == make_sdist("a").content


def test_a_built_wheel_has_its_parts() -> None:
    wheel = make_wheel(
        "My-Pkg", "2.0", entry_points={"console_scripts": {"run": "my_pkg:main"}}, extras={"x": ["b; os_name == 'nt'"]}
    )
    assert wheel.filename == "My_Pkg-2.0-py3-none-any.whl"
    with zipfile.ZipFile(io.BytesIO(wheel.content)) as archive:
        assert archive.read("My_Pkg-2.0.dist-info/entry_points.txt") == b"[console_scripts]\nrun = my_pkg:main\n"
        assert b"Requires-Dist: b; (os_name == 'nt') and extra == \"x\"" in archive.read(
            "My_Pkg-2.0.dist-info/METADATA"
        )


def test_no_test_reaches_beyond_loopback() -> None:
    with pytest.raises(NetworkBlockedError):
        socket.create_connection(("example.org", 80), timeout=1)
