"""What a hint about a URL of a release proposes can be typed as it stands, and helps."""

from __future__ import annotations

import pytest
from packaging.requirements import Requirement

from lockset.resolve.problem.direct_source import host_of


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Files.Example.org/x.whl", "files.example.org"),
        ("https://user:secret@files.example.org:8443/x.whl", "files.example.org:8443"),
        ("https://[::1]:80/x.whl", "[::1]:80"),
        ("git+ssh://git@files.example.org/x", "files.example.org"),
        ("file:///x.whl", ""),
        ("https:///x.whl", ""),
        ("https://", ""),
        ("https://[::1/x.whl", ""),
        ("https://h;rm${IFS}-rf/x.whl", ""),
        ("https://`id`/x.whl", ""),
        ("https://$(id)/x.whl", ""),
        ("https://-h/x.whl", ""),
        ("https://h.example.org:80;id/x.whl", ""),
        ("https://h\x1b[31m/x.whl", ""),
        ("https://user@/x.whl", ""),
    ],
)
def test_a_host_is_a_plain_name_or_none(url: str, host: str) -> None:
    assert host_of(url) == host
    assert Requirement(f"hull @ {url}").url if host else True
