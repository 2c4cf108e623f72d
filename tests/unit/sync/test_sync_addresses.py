"""Locked addresses that lead nowhere are refused before anything is planned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.builders.locks import make_lock

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command


def _refused(cli: Command, folder: Path, package: dict[str, object]) -> str:
    (folder / "pylock.toml").write_text(make_lock([{"name": "sample", **package}]))
    done = cli("sync", "--target", "out", "--dry-run")
    assert done.code == 1, str(done)
    assert "Would " not in done.stderr
    assert "`sample" in done.stderr
    return done.stderr


@pytest.mark.parametrize(
    "url",
    [
        "https:///{}",
        "https:{}",
        "https://.../{}",
        "https://user@/{}",
        "https://exa mple.org/{}",
        "https://exa\x00mple.org/{}",
        "https://example.org:99999/{}",
        "https://[::1/{}",
        "data:{}",
        "ftp://example.org/{}",
        "git+https://example.org/{}",
    ],
)
def test_a_file_at_an_address_that_nothing_fetches_is_refused_with_its_package(
    cli: Command, tmp_path: Path, url: str
) -> None:
    name = "sample-1.0-py3-none-any.whl"
    wheel = {"name": name, "url": url.format(name), "hashes": {"sha256": "0" * 64}}
    _refused(cli, tmp_path, {"version": "1.0", "wheels": [wheel]})


@pytest.mark.parametrize(
    "url", ["data:x", "javascript:x", "ext::sh -c true", "--upload-pack=x", "https:///x", "s3://b/x"]
)
def test_a_repository_at_an_address_that_nothing_fetches_is_refused_with_its_package(
    cli: Command, tmp_path: Path, url: str
) -> None:
    _refused(cli, tmp_path, {"vcs": {"type": "git", "url": url, "commit-id": "a" * 40}})
