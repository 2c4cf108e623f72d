"""Which certificates are trusted, and what is said where a server's is not: a real TLS server on loopback."""

from __future__ import annotations

import os
import ssl
import sys
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import certifi
import pytest

from lockset.index.http.certificates import system_context
from support.command import Command
from support.posix import make_pipe, run_on_a_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

TLS = Path(__file__).parents[1] / "support" / "tls"
CA = TLS / "ca.pem"
DIGEST = "a" * 64
PAGE = f'<a href="hull-1.0-py3-none-any.whl#sha256={DIGEST}">hull-1.0-py3-none-any.whl</a>'.encode()
METADATA = b"Metadata-Version: 2.1\nName: hull\nVersion: 1.0\n"


class Handler(BaseHTTPRequestHandler):
    """A page with one wheel, and its metadata."""

    def do_GET(self) -> None:
        body = METADATA if self.path.endswith(".metadata") else PAGE
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def index() -> Iterator[str]:
    """The URL of an index whose certificate only the test's own authority signed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "server.pem")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://localhost:{server.server_port}/simple"
    server.shutdown()
    server.server_close()


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command line where the environment names no certificates."""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "requirements.in").write_text("hull\n")
    return Command(cwd=tmp_path)


def lock(cli: Command, index: str, *options: object, env: dict[str, str] | None = None) -> tuple[int, str]:
    result = cli("lock", "requirements.in", "--default-index", index, "--no-cache", "-o", "-", *options, env=env)
    return result.code, result.stdout + result.stderr


def test_a_private_authority_is_trusted_once_it_is_named(cli: Command, index: str) -> None:
    for code, text in (
        lock(cli, index, "--cert", CA),
        lock(cli, index, env={"SSL_CERT_FILE": os.fspath(CA)}),
    ):
        assert code == 0, text
        assert DIGEST in text


def test_an_unknown_authority_is_refused_with_the_ways_out(cli: Command, index: str) -> None:
    code, text = lock(cli, index)
    assert code == 1
    assert "certificate cannot be verified" in text
    assert "--cert or SSL_CERT_FILE" in text
    assert "pip config list" in text


def test_a_variable_that_only_other_tools_read_is_named(cli: Command, index: str) -> None:
    code, text = lock(cli, index, env={"REQUESTS_CA_BUNDLE": os.fspath(CA)})
    assert code == 1
    assert "REQUESTS_CA_BUNDLE" in text


def empty() -> ssl.SSLContext:
    """What an OpenSSL whose default paths hold nothing starts with."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def authorities(context: ssl.SSLContext) -> set[str]:
    return {ssl.DER_cert_to_PEM_cert(one) for one in context.get_ca_certs(binary_form=True)}


def test_the_default_paths_come_first(tmp_path: Path) -> None:
    (tmp_path / "0a1b2c3d.0").write_bytes(CA.read_bytes())
    default = empty()
    assert system_context(default, os.fspath(tmp_path), [os.fspath(CA)]) is default
    filled = ssl.create_default_context(cafile=os.fspath(CA))
    assert system_context(filled, None, []) is filled


def test_a_bundle_of_the_system_serves_an_openssl_that_is_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    bundles = [os.fspath(tmp_path / "none.pem"), os.fspath(CA)]
    for folder in (None, os.fspath(tmp_path / "empty"), os.fspath(tmp_path / "none")):
        assert authorities(system_context(empty(), folder, bundles)) == {CA.read_text()}


def test_certifi_serves_a_system_without_certificates() -> None:
    usual = ssl.create_default_context(cafile=certifi.where())
    assert authorities(system_context(empty(), None, [])) == authorities(usual)


@pytest.mark.skipif(sys.platform == "win32", reason="pipes and devices are POSIX's")
@pytest.mark.parametrize("kind", ["pipe", "device"])
@pytest.mark.parametrize("given", ["--cert", "--client-cert", "SSL_CERT_FILE"])
def test_a_certificate_file_without_an_end_is_refused_at_once(cli: Command, index: str, kind: str, given: str) -> None:
    path = cli.cwd / "pipe.pem" if kind == "pipe" else Path("/dev/zero")
    if kind == "pipe":
        make_pipe(path)
    is_variable = not given.startswith("-")
    code, text = lock(
        replace(cli, timeout=120.0),
        index,
        *(() if is_variable else (given, path)),
        env={given: os.fspath(path)} if is_variable else {},
    )
    assert code == 1
    assert "it is not a regular file" in text


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.skipif(sys.platform != "linux", reason="a terminal of its own")
def test_no_prompt_asks_for_the_password_of_a_client_key(cli: Command, index: str) -> None:
    serialization = pytest.importorskip("cryptography.hazmat.primitives.serialization")
    pem = (TLS / "server.pem").read_bytes()
    key = serialization.load_pem_private_key(pem, password=None).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    (cli.cwd / "client.pem").write_bytes(
        pem.partition(b"-----END CERTIFICATE-----\n")[0] + b"-----END CERTIFICATE-----\n" + key
    )
    command = [sys.executable, "-m", "lockset", "lock", "requirements.in", "--default-index", index, "--no-cache"]
    options = ["-o", "-", "--cert", os.fspath(CA), "--client-cert", "client.pem"]
    assert run_on_a_terminal([*command, *options], cwd=cli.cwd, seconds=20.0) == 1
