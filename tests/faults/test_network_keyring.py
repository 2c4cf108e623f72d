"""The keyring is asked once, only after a server asked, and only where the user said so."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from lockset.composition.connections import connect
from lockset.errors import LocksetError
from lockset.index.http.auth import Authenticator
from lockset.index.options import IndexOptions

if TYPE_CHECKING:
    from pathlib import Path

    from support.local_index import LocalIndex


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `keyring` command that knows one password; the file to which it writes what it was asked."""
    log = tmp_path / "asked"
    command = tmp_path / "keyring"
    command.write_text(
        f"#!{sys.executable}\nimport sys\nopen({str(log)!r}, 'a').write(' '.join(sys.argv[1:]) + '\\n')\n"
        "print('secret') if sys.argv[3] == 'user' else sys.exit(1)\n"
    )
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return log


def ask(index: LocalIndex, *, keyring: bool) -> None:
    url = index.url.replace("://", "://user@")
    opened = connect(IndexOptions(index_url=url, keyring=keyring), cache=None, clock=lambda: 0.0, environ={})
    try:
        opened.index.hint(["a", "b", "c"])
        for name in ("a", "b", "c"):
            opened.index.project(name)
    finally:
        opened.close()


@pytest.fixture(autouse=True)
def guarded(local_index: LocalIndex) -> None:
    local_index.world.add("a").add("b").add("c")
    local_index.set_mode(credentials=("user", "secret"))


def test_the_keyring_is_queried_once_for_the_user_in_the_url(local_index: LocalIndex, asked: Path) -> None:
    ask(local_index, keyring=True)
    assert asked.read_text() == f"get {local_index.url} user\n"


def test_the_keyring_is_not_queried_without_the_option(local_index: LocalIndex, asked: Path) -> None:
    with pytest.raises(LocksetError) as caught:
        ask(local_index, keyring=False)
    assert caught.value.diagnostic.code == "index-refused"
    assert not asked.exists()


def test_without_the_command_there_is_no_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    authenticator = Authenticator(environ={}, keyring=True)
    assert not authenticator.after_refusal(authenticator.scopes.of("https://x.example.org/simple/"), None)
