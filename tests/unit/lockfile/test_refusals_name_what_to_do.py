"""A refusal names the package, and the tool that makes a lock file of what was given."""

from __future__ import annotations

import pytest

from lockset.errors import LocksetError
from lockset.lockfile.read import read_document
from lockset.lockfile.validate.report import validate_document
from lockset.sync.disk.selection import desired_distributions

TOP = 'lock-version = "1.0"\ncreated-by = "hand"\n'
OTHERS = {
    "uv.lock": "version = 1\n[[package]]\nname = 'hull'\n",
    "poetry.lock": "[[package]]\nname = 'hull'\n[metadata]\ncontent-hash = 'x'\n",
    "pdm.lock": "[[package]]\nname = 'hull'\n[metadata]\ncontent_hash = 'x'\n",
}


def entry(url: str, kind: str = "wheels") -> str:
    hashes = f'hashes = {{sha256 = "{"a1" * 32}"}}'
    if kind == "vcs":
        return TOP + f'[[packages]]\nname = "hull"\nvcs = {{type = "git", url = "{url}", commit-id = "{"a1" * 20}"}}\n'
    name = {"wheels": 'name = "hull-1.0-py3-none-any.whl", ', "sdist": 'name = "hull-1.0.tar.gz", '}.get(kind, "")
    table = f'{{{name}url = "{url}", {hashes}}}'
    return (
        TOP + f'[[packages]]\nname = "hull"\nversion = "1.0"\n{kind} = {f"[{table}]" if kind == "wheels" else table}\n'
    )


@pytest.mark.parametrize("name", OTHERS)
def test_a_lock_file_of_another_tool_is_refused_with_the_way_to_convert_it(name: str) -> None:
    with pytest.raises(LocksetError) as caught:
        _ = read_document(OTHERS[name], path=name).lock
    assert f"`lockset convert {name}" in (caught.value.diagnostic.hint or "")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[packages]]\nname = 'hull'\n", "package `hull`"),
        ("[[packages]]\nversion = '1'\n", "package number 1"),
        ("[[packages]]\nname = 'hull'\nversion = 1\n", "`version` of package `hull`"),
    ],
)
def test_what_is_wrong_with_an_entry_names_its_package(text: str, says: str) -> None:
    with pytest.raises(LocksetError) as caught:
        _ = read_document(TOP + text).lock
    assert says in str(caught.value)
    assert "packages[" not in str(caught.value)


NOTHING_FETCHES = (
    "data:text/plain,x", "javascript:alert(1)", "s3://bucket/hull-1.0-py3-none-any.whl", "mailto:a@example.org",
    "git+https://example.org/hull-1.0-py3-none-any.whl", "ssh://example.org/hull-1.0-py3-none-any.whl",
)  # fmt: skip


@pytest.mark.parametrize("kind", ["wheels", "sdist", "archive"])
@pytest.mark.parametrize("url", NOTHING_FETCHES)
def test_an_address_that_nothing_fetches_is_not_valid(url: str, kind: str) -> None:
    codes = {issue.code for issue in validate_document(entry(url, kind)).errors}
    assert f"{'wheel' if kind == 'wheels' else kind}-url-valid" in codes


def test_an_address_that_no_repository_has_is_not_valid() -> None:
    assert "vcs-url-valid" in {issue.code for issue in validate_document(entry("s3://bucket/hull", "vcs")).errors}
    for url in ("https://example.org/hull", "ssh://git@example.org/hull", "file:///srv/hull"):
        assert validate_document(entry(url, "vcs")).errors == ()


@pytest.mark.parametrize("url", [url for url in NOTHING_FETCHES if "@" not in url])
def test_a_plan_refuses_an_address_that_nothing_fetches_and_names_package_and_place(url: str) -> None:
    from lockset.lockfile.select import select_entries
    from lockset.markers import described_target

    target = described_target("linux", "3.12")
    lock = read_document(entry(url)).lock
    items = select_entries(lock, environment=target.environment, tags=target.tags).items
    with pytest.raises(LocksetError) as caught:
        desired_distributions(items, folder="/")
    assert "`hull 1.0`" in str(caught.value)
    assert url.partition("?")[0] in str(caught.value)
