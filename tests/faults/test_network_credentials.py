"""Credentials belong to one index: several indexes on one host each get their own, and none gets another's secret."""

from __future__ import annotations

import base64
import hashlib
import sys
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from lockset.composition.connections import Connection, connect
from lockset.errors import LocksetError
from lockset.index.credentials import Scope, Scopes, origin_of
from lockset.index.options import IndexOptions, IndexSource
from support.builders import make_wheel
from support.fakes.fake_index import BytesSink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.builders.archives import Artifact
    from support.command import Command
    from support.venvs import VenvMaker

HOST = "https://host.example.org"


class Feeds:
    """Several indexes on one host, each of which wants its own user and password, `NAME` and `secret-NAME`.

    `layout` says where a feed has its files: `next to` its pages, `below` them, or `apart` under a name that says
    nothing of the feed, as with Azure and Google.
    """

    def __init__(self) -> None:
        self.layout = "next to"
        self.root = ""
        self.closed = {"a", "b"}
        self.seen: list[tuple[str, str | None]] = []
        self.redirects: dict[str, str] = {}
        self.wheels: dict[str, Artifact] = {}
        self._owners: dict[str, str] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.authority = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def url(self, feed: str, user_info: str = "") -> str:
        return f"http://{user_info}{'@' if user_info else ''}{self.authority}{self.root}/{feed}/simple/"

    def file_path(self, feed: str, filename: str) -> str:
        folder = {"next to": f"{self.root}/{feed}/files", "below": f"{self.root}/{feed}/simple/files"}.get(self.layout)
        number = hashlib.sha256(f"{feed} {filename}".encode()).hexdigest()[:8]
        path = f"{folder or f'/store/{number}/download'}/{filename}"
        self._owners[path] = feed
        return path

    def add(self, feed: str, project: str, requires: tuple[str, ...] = ()) -> None:
        self.wheels[f"{feed} {project}"] = make_wheel(project, "1.0", requires_dist=requires)

    def answer(self, path: str) -> tuple[int, bytes, str]:
        """Status, body and the feed that owns the path."""
        for key, wheel in self.wheels.items():
            feed, _, project = key.partition(" ")
            file = self.file_path(feed, wheel.filename)
            if path == f"{self.root}/{feed}/simple/{project}/":
                sha256 = hashlib.sha256(wheel.content).hexdigest()
                return 200, f'<a href="{file}#sha256={sha256}">{wheel.filename}</a>'.encode(), feed
            if path == file:
                return 200, wheel.content, feed
        owner = self._owners.get(path.removesuffix(".metadata"), path.removeprefix(self.root).split("/")[1])
        return 404, b"not found", owner

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        feeds = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                status, body, feed = feeds.answer(self.path)
                kind, _, text = self.headers.get("authorization", "").partition(" ")
                user = base64.b64decode(text).decode() if kind else None
                feeds.seen.append((feed, user))
                headers = {}
                if feed in feeds.closed and user != f"{feed}:secret-{feed}":
                    status, body = 401, b"who are you"
                elif self.path in feeds.redirects:
                    status, body, headers = 302, b"", {"Location": feeds.redirects[self.path]}
                self.send_response(status)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body)))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_HEAD = do_GET  # noqa: N815 (the name that the server calls)

            def log_message(self, *_args: Any) -> None:
                """Nothing."""

        return Handler

    def check(self) -> None:
        """No feed heard of another's secret, and none was asked without its own."""
        assert {pair for pair in self.seen if pair[0] in self.closed} == {
            (feed, f"{feed}:secret-{feed}") for feed, _ in self.seen if feed in self.closed
        }
        assert all(user is None for feed, user in self.seen if feed not in self.closed)


@pytest.fixture
def feeds() -> Iterator[Feeds]:
    server = Feeds()
    server.add("a", "alpha")
    server.add("b", "beta")
    yield server
    server.close()


def connected(feeds: Feeds, *sources: IndexSource, environ: dict[str, str] | None = None, **more: Any) -> Connection:
    options = IndexOptions(indexes=sources, index_url=sources[-1].url, **more)
    return connect(options, cache=None, clock=lambda: 0.0, environ=environ or {})


VARIABLES = {
    "LOCKSET_INDEX_FEED_A_USERNAME": "a",
    "LOCKSET_INDEX_FEED_A_PASSWORD": "secret-a",
    "LOCKSET_INDEX_FEED_B_USERNAME": "b",
    "LOCKSET_INDEX_FEED_B_PASSWORD": "secret-b",
}


def in_urls(feeds: Feeds, _: Path) -> tuple[dict[str, str], dict[str, str]]:
    """URLs by feed, and variables."""
    return {feed: feeds.url(feed, f"{feed}:secret-{feed}") for feed in "ab"}, {}


def in_variables(feeds: Feeds, _: Path) -> tuple[dict[str, str], dict[str, str]]:
    return {feed: feeds.url(feed) for feed in "ab"}, VARIABLES


def in_both(feeds: Feeds, _: Path) -> tuple[dict[str, str], dict[str, str]]:
    url = {"a": feeds.url("a", "a:secret-a"), "b": feeds.url("b", "b")}
    return url, {"LOCKSET_INDEX_FEED_B_PASSWORD": "secret-b"}


def in_url_and_netrc(feeds: Feeds, folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    (folder / "netrc").write_text("machine 127.0.0.1 login b password secret-b\n")
    (folder / "netrc").chmod(0o600)
    return {"a": feeds.url("a", "a:secret-a"), "b": feeds.url("b")}, {"NETRC": str(folder / "netrc")}


def in_netrc_for_the_user_of_the_url(feeds: Feeds, folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    _, variables = in_url_and_netrc(feeds, folder)
    return {"a": feeds.url("a", "a:secret-a"), "b": feeds.url("b", "b")}, variables


GIVEN = [in_urls, in_variables, in_both, in_url_and_netrc, in_netrc_for_the_user_of_the_url]


@pytest.mark.parametrize("given", GIVEN)
def test_lock_and_sync_give_each_feed_its_own_credentials(
    cli: Command,
    make_venv: VenvMaker,
    feeds: Feeds,
    tmp_path: Path,
    given: Callable[[Feeds, Path], tuple[dict[str, str], dict[str, str]]],
) -> None:
    feeds.layout = "apart"
    urls, variables = given(feeds, tmp_path)
    (tmp_path / "requirements.in").write_text("alpha\nbeta\n")
    named = [text for feed in "ab" for text in ("--index", f"feed-{feed}={urls[feed]}")]
    options = (*named, "--default-index", urls["b"], "--no-cache")
    cli.ok("lock", "requirements.in", "--python", ">=3.10", *options, env=variables)
    feeds.check()
    assert "secret" not in (tmp_path / "pylock.toml").read_text()
    feeds.seen.clear()
    cli.ok("sync", "--python", make_venv().python, *options, env=variables)
    feeds.check()
    assert {feed for feed, _ in feeds.seen} == {"a", "b"}


def test_sync_knows_feeds_from_the_settings_next_to_the_lock(
    cli: Command, make_venv: VenvMaker, feeds: Feeds, tmp_path: Path
) -> None:
    feeds.layout = "apart"
    settings = "".join(f'[[tool.lockset.index]]\nname = "feed-{f}"\nurl = "{feeds.url(f)}"\n' for f in "ab")
    project = '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.10"\ndependencies = ["alpha", "beta"]\n'
    (tmp_path / "pyproject.toml").write_text(project + settings)
    cli.ok("lock", "--no-cache", "--default-index", feeds.url("b"), env=VARIABLES)
    cli.ok("sync", "--no-cache", "--python", make_venv().python, env=VARIABLES)
    feeds.check()
    assert {feed for feed, _ in feeds.seen} == {"a", "b"}


@pytest.mark.parametrize("order", ["ab", "ba"])
@pytest.mark.parametrize("layout", ["next to", "below", "apart"])
@pytest.mark.parametrize("root", ["", "/deep/er"])
def test_pages_files_and_sizes_are_requested_with_the_credentials_of_their_feed(
    feeds: Feeds, layout: str, order: str, root: str
) -> None:
    feeds.layout, feeds.root = layout, root
    sources = [IndexSource(url=feeds.url(feed, f"{feed}:secret-{feed}")) for feed in order]
    with closing(connected(feeds, *sources)) as connection:
        for project in ("alpha", "beta"):
            page = connection.index.project(project)
            (file,) = page.files(page.versions[0])
            assert connection.files.sizes([file])
            assert connection.files.metadata_file(file) is None
            assert connection.files.open(file) is not None
            connection.downloads.fetch(file.url, BytesSink())
    feeds.check()


def test_an_open_feed_on_the_same_host_hears_no_secret(feeds: Feeds) -> None:
    feeds.closed = {"a"}
    sources = [IndexSource(url=feeds.url("a", "a:secret-a")), IndexSource(url=feeds.url("b"))]
    with closing(connected(feeds, *sources)) as connection:
        page = connection.index.project("beta")
        connection.downloads.fetch(page.files(page.versions[0])[0].url, BytesSink())
    feeds.check()
    assert ("b", None) in feeds.seen


def test_a_redirect_from_one_feed_to_another_changes_the_credentials(feeds: Feeds) -> None:
    feeds.redirects["/a/simple/beta/"] = "/b/simple/beta/"
    sources = [IndexSource(url=feeds.url(feed, f"{feed}:secret-{feed}")) for feed in "ab"]
    with closing(connected(feeds, *sources)) as connection:
        feeds.add("a", "beta")
        assert connection.index.project("beta").versions
    feeds.check()


def test_credentials_of_one_url_are_not_sent_to_a_feed_that_it_redirects_to(feeds: Feeds) -> None:
    feeds.redirects["/a/simple/alpha/"] = "/b/simple/beta/"
    with closing(connected(feeds, IndexSource(url=feeds.url("b", "b:secret-b")), connections=4)) as connection:
        url = f"{feeds.url('a', 'a:secret-a')}alpha/"
        connection.downloads.fetch(url, BytesSink())
    feeds.check()


def test_a_file_apart_from_the_only_feed_of_its_host_has_its_credentials(feeds: Feeds) -> None:
    feeds.layout = "apart"
    with closing(connected(feeds, IndexSource(url=feeds.url("a", "a:secret-a")))) as connection:
        path = feeds.file_path("a", feeds.wheels["a alpha"].filename)
        connection.downloads.fetch(f"http://{feeds.authority}{path}", BytesSink())
    feeds.check()


def test_a_file_of_which_nothing_says_the_feed_is_requested_without_a_secret(feeds: Feeds) -> None:
    feeds.layout = "apart"
    sources = [IndexSource(url=feeds.url(feed, f"{feed}:secret-{feed}")) for feed in "ab"]
    with closing(connected(feeds, *sources)) as connection:
        path = feeds.file_path("a", feeds.wheels["a alpha"].filename)
        with pytest.raises(LocksetError) as caught:
            connection.downloads.fetch(f"http://{feeds.authority}{path}", BytesSink())
    assert caught.value.diagnostic.code == "index-refused"
    assert [user for _, user in feeds.seen] == [None]


def test_the_keyring_is_queried_for_each_feed(feeds: Feeds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = tmp_path / "keyring"
    command.write_text(
        f"#!{sys.executable}\nimport sys\nfeed = sys.argv[2].split('/')[3]\n"
        "print('secret-' + feed) if feed == sys.argv[3] else sys.exit(1)\n"
    )
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    sources = [IndexSource(url=feeds.url(feed, feed)) for feed in "ab"]
    with closing(connected(feeds, *sources, keyring=True)) as connection:
        assert connection.index.project("alpha").versions
        assert connection.index.project("beta").versions
    assert ("a", "a:secret-a") in feeds.seen
    assert ("b", "b:secret-b") in feeds.seen
    secrets = {pair for pair in feeds.seen if pair[1] is not None and "secret" in pair[1]}
    assert secrets == {("a", "a:secret-a"), ("b", "b:secret-b")}


def folder_of(url: str, *indexes: str, **before: Scope) -> str:
    return Scopes([f"{HOST}{index}" for index in indexes]).of(f"{HOST}{url}", **before).folder


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("/feed/simple/hull/", "/feed/simple/"),
        ("/feed/files/hull.whl", "/feed/simple/"),
        ("/feed/sub/simple/hull/", "/feed/sub/simple/"),
        ("/feed/sub/hull.whl", "/feed/sub/simple/"),
        ("/feed/submarine/hull.whl", "/feed/simple/"),
        ("/feed2/simple/hull/", "/feed2/simple/"),
        ("/feed2", "/feed2/simple/"),
        ("/feed23/hull.whl", ""),
        ("/Feed/hull.whl", ""),
        ("/feed/../feed2/hull.whl", "/feed2/simple/"),
        ("/feed/%2e%2e/feed2/hull.whl", "/feed2/simple/"),
        ("/feed/.././../x/hull.whl", ""),
        ("//feed//simple/hull/", "/feed/simple/"),
        ("/f%65ed/hull.whl", "/feed/simple/"),
        ("/feed?x=/feed2/simple/", "/feed/simple/"),
    ],
)
def test_the_longest_index_url_has_a_url(url: str, expected: str) -> None:
    indexes = ["/feed/simple/", "/feed2/simple", "/feed/sub/simple/"]
    assert folder_of(url, *indexes) == expected
    assert folder_of(url, *reversed(indexes)) == expected


def test_an_index_at_the_root_does_not_take_what_pages_of_others_link_to() -> None:
    scopes = Scopes([f"{HOST}/simple/", f"{HOST}/b/simple/"])
    scopes.link(f"{HOST}/b/simple/", [f"{HOST}/store/1/hull.whl", "https://other.example.org/store/1/hull.whl"])
    assert scopes.of(f"{HOST}/store/1/hull.whl").folder == "/b/simple/"
    assert scopes.of(f"{HOST}/store/1/hull.whl.metadata").folder == "/b/simple/"
    assert scopes.of(f"{HOST}/packages/hull.whl").folder == "/simple/"
    assert scopes.of("https://other.example.org/store/1/hull.whl") == Scope(origin_of("https://other.example.org"))


def test_a_link_does_not_take_a_url_from_the_index_it_lies_under() -> None:
    scopes = Scopes([f"{HOST}/a/simple/", f"{HOST}/b/simple/"])
    scopes.link(f"{HOST}/b/simple/", [f"{HOST}/a/files/hull.whl"])
    assert scopes.of(f"{HOST}/a/files/hull.whl").folder == "/a/simple/"


def test_other_ports_and_schemes_are_other_places() -> None:
    scopes = Scopes([f"{HOST}/a/simple/"])
    for url in (f"{HOST}:8443/a/simple/x/", "http://host.example.org/a/simple/x/", "https://example.org/a/simple/x/"):
        assert scopes.of(url).folder == ""
    assert scopes.of("https://HOST.example.org:443/a/simple/x/").folder == "/a/simple/"
