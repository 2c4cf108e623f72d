"""HTTP is spoken by httpx alone: nothing else of lockset opens sockets or reads the bytes of an answer."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import lockset

ROOT = Path(lockset.__file__).parent
HTTP = "index/http"
MODULES = frozenset({
    "aiohttp", "asyncio", "h11", "h2", "http", "httpcore", "httpx", "requests", "socket",
    "socketserver", "socksio", "ssl", "urllib.request", "urllib3",
})  # fmt: skip
# What builds the client, below and around it.
ALLOWED = {
    f"{HTTP}/httpx_client.py": {"httpx", "httpcore", "socksio"},
    f"{HTTP}/pool.py": {"httpcore", "ssl"},
    f"{HTTP}/certificates.py": {"ssl"},
    f"{HTTP}/addresses.py": {"socket"},
    f"{HTTP}/auth.py": {"urllib.request"},  # the proxies of the environment and the system
}
# A helper for file URLs, which opens nothing.
HARMLESS = {("urllib.request", "url2pathname")}
# The framing of HTTP/1: the end of a head, a status line, the coding of bodies.
FRAMING = re.compile(r"\r\n\r\n|HTTP/1\.[0-9x].|HTTP/%|transfer-encoding|\bchunked\b", re.IGNORECASE)


def network_modules(source: str) -> set[str]:
    """The modules of `MODULES` that `source` imports, also for type checkers, also below a function."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None and not node.level:
            names |= {
                f"{node.module}.{alias.name}" for alias in node.names if (node.module, alias.name) not in HARMLESS
            }
    return {module for module in MODULES for name in names if f"{name}.".startswith(f"{module}.")}


def framing(source: str) -> set[str]:
    """Texts of `source`, docstrings apart, that hold pieces of the framing of HTTP."""
    tree = ast.parse(source)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    texts = {
        node.value.decode("latin-1") if isinstance(node.value, bytes) else node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)) and id(node) not in docstrings
    }
    return {text for text in texts if FRAMING.search(text)}


def sources() -> dict[str, str]:
    return {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in sorted(ROOT.rglob("*.py"))}


def test_only_what_builds_the_client_imports_modules_of_the_network() -> None:
    used = {name: modules for name, text in sources().items() if (modules := network_modules(text))}
    assert used == ALLOWED


def test_nothing_reads_or_writes_the_framing_of_http() -> None:
    assert {name: texts for name, text in sources().items() if (texts := framing(text))} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import socket",
        "import http.client",
        "from http.client import HTTPConnection",
        "from http import client",
        "import urllib.request as r",
        "from urllib import request",
        "from urllib.request import url2pathname, urlopen",
        "def f():\n    from ssl import SSLContext",
    ],
)
def test_such_imports_are_seen(source: str) -> None:
    assert network_modules(source)


@pytest.mark.parametrize(
    "source",
    [
        "head.partition(b'\\r\\n\\r\\n')",
        "line.startswith('HTTP/1.1 ')",
        "f'GET {path} HTTP/1.1\\r\\n'",
        "headers.get('Transfer-Encoding')",
    ],
)
def test_such_texts_are_seen(source: str) -> None:
    assert framing(source)


@pytest.mark.parametrize("source", ["from urllib.request import url2pathname", "from urllib.parse import urlsplit"])
def test_imports_for_urls_are_not_network_imports(source: str) -> None:
    assert not network_modules(source)
