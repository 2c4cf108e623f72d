"""Findings point at the key or table they are about; for a missing key, at the table that lacks it."""

from __future__ import annotations

import pytest

from lockset.lockfile.validate.finding import path_text
from lockset.lockfile.validate.report import validate_document

TOP = 'lock-version = "1.0"\ncreated-by = "hand"\n'
HASHES = f'hashes = {{sha256 = "{"a" * 64}"}}'


@pytest.mark.parametrize(
    ("body", "code", "path", "location"),
    [
        ("[[packages]]\n", "package-name-required", "packages[0].name", (3, 1)),
        ('packages = [\n  {name = "a"},\n]\n', "package-source-required", "packages[0]", (4, 3)),
        ('[[packages]]\nname = "a"\n[packages.sdist]\n', "sdist-url-or-path", "packages[0].sdist", (5, 1)),
        ('[[packages]]\nname = "a"\n[packages.sdist]\n', "sdist-hashes-required", "packages[0].sdist.hashes", (5, 1)),
        ('[[packages]]\nname = "a"\nsdist = {}\n', "sdist-hashes-required", "packages[0].sdist.hashes", (5, 1)),
        (
            f'[[packages]]\nname = "a"\n[[packages.wheels]]\n{HASHES}\nurl = "https://files.example.org/a.txt"\n',
            "wheel-file-name",
            "packages[0].wheels[0].url",
            (7, 1),
        ),
        (
            f'[[packages]]\nname = "a"\n[[packages.wheels]]\n{HASHES}\nurl = "https://files.example.org/"\n',
            "wheel-name-required",
            "packages[0].wheels[0].name",
            (5, 1),
        ),
        (
            '[[packages]]\nname = "a"\n[packages.archive]\npath = "a"\nhashes."sha 256" = 1\n',
            "archive-hash-value-type",
            'packages[0].archive.hashes."sha 256"',
            (7, 8),
        ),
    ],
)
def test_a_finding_has_its_path_and_place(body: str, code: str, path: str, location: tuple[int, int]) -> None:
    results = {issue.code: issue for issue in validate_document(TOP + body).issues}
    assert code in results
    issue = results[code]
    assert (issue.path, (issue.line, issue.column)) == (path, location)


def test_the_span_is_the_key_itself() -> None:
    text = TOP + 'packages = []\nrequires-python = "3"\n'
    [issue] = validate_document(text).issues
    assert text[issue.span.start : issue.span.end] == "requires-python"


def test_paths_are_written_as_toml_keys() -> None:
    assert path_text(("a", 0, "b-c", 'x "y"', "")) == 'a[0].b-c."x \\"y\\"".""'
    assert path_text(()) == ""


@pytest.mark.parametrize(
    "url",
    ["ftp://example.org/{}", "https://.../{}", "https://exa mple.org/{}", "https://exa\\u0000mple.org/{}", "s3://b/{}"],
)
def test_an_address_that_nothing_fetches_is_not_valid(url: str) -> None:
    name = "sample-1.0-py3-none-any.whl"
    wheel = f'{{name = "{name}", url = "{url.format(name)}", hashes = {{sha256 = "{"0" * 64}"}}}}'
    text = (
        f'lock-version = "1.0"\ncreated-by = "t"\n[[packages]]\nname = "sample"\nversion = "1.0"\nwheels = [{wheel}]\n'
    )
    assert "wheel-url-valid" in [issue.code for issue in validate_document(text).issues]


def test_an_address_as_git_writes_it_is_shown_as_a_url() -> None:
    vcs = f'{{type = "git", url = "git@example.org:crew/x.git", commit-id = "{"a" * 40}"}}'
    text = f'lock-version = "1.0"\ncreated-by = "t"\n[[packages]]\nname = "sample"\nvcs = {vcs}\n'
    issue = next(issue for issue in validate_document(text).issues if issue.code == "vcs-url-valid")
    assert issue.hint == "Write `ssh://git@example.org/crew/x.git`"
