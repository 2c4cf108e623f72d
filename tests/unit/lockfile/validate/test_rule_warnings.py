"""Findings that do not make a file invalid: each with the smallest text, its path and its line."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from lockset.errors import LocksetError
from lockset.lockfile.read import read_document
from lockset.lockfile.select import select_entries
from lockset.lockfile.validate.catalogue import RULES
from lockset.lockfile.validate.report import validate_document
from lockset.markers.environment import Environment

TOP = 'lock-version = "1.0"\ncreated-by = "hand"\n'
EMPTY = "packages = []\n"
A, B = "a" * 64, "b" * 64
LINUX = Environment.of_platform("manylinux_2_28_x86_64", "3.12").as_dict()
DIRECTORY = 'directory = {path = "."}\n'


def package(text: str, name: str = "sample") -> str:
    return f'[[packages]]\nname = "{name}"\n{text}'


def wheel(tail: str = "", *, url: str = "https://files.example.org", tag: str = "py3-none-any", digest: str = A) -> str:
    return f'{{url = "{url}/sample-1.0-{tag}.whl", hashes = {{sha256 = "{digest}"}}{tail}}}'


def wheels(*files: str) -> str:
    return package('version = "1.0"\nwheels = [\n' + "".join(f"{file},\n" for file in files) + "]\n")


MARKER = "packages[0].marker"
DEPENDENCY = "packages[0].dependencies[0]"
NT = "os_name == 'nt'"
CASES: list[tuple[str, str, str, int]] = [
    ("attestation-kind-unknown", package(DIRECTORY + 'attestation-identities = [{kind = "Forge", a = 1}]\n'),
     "packages[0].attestation-identities[0].kind", 6),
    ("attestation-keys", package(DIRECTORY + 'attestation-identities = [{kind = "Google"}]\n'),
     "packages[0].attestation-identities[0]", 6),
    ("attestation-keys", package(DIRECTORY + 'attestation-identities = [{kind = "Google", email = 1}]\n'),
     "packages[0].attestation-identities[0].email", 6),
    ("attestation-keys",
     package(DIRECTORY + 'attestation-identities = [{kind = "Google", email = "e", sub = []}]\n'),
     "packages[0].attestation-identities[0].sub", 6),
    ("environments-empty", "environments = []\n" + EMPTY, "environments", 3),
    ("environment-overlap", f'environments = [\n"{NT}",\n"os_name == \'nt\' and python_version > \'3\'",\n]\n' + EMPTY,
     "environments[1]", 5),
    ("environment-overlap", f'environments = [\n"{NT}",\n"{NT}",\n]\n' + EMPTY, "environments[1]", 5),
    ("name-duplicate", 'dependency-groups = ["Dev", "dev"]\n' + EMPTY, "dependency-groups[1]", 3),
    ("default-group-public", 'dependency-groups = ["dev"]\ndefault-groups = ["DEV"]\n' + EMPTY, "default-groups[0]", 4),
    ("default-group-unused", 'default-groups = ["main"]\n' + package(DIRECTORY), "default-groups[0]", 3),
    ("tool-entry-type", EMPTY + "[tool]\nhand = 1\n", "tool.hand", 5),
    ("unknown-key", 'create-by = "x"\n' + EMPTY, "create-by", 3),
    ("packages-unsorted", package(DIRECTORY) + package(DIRECTORY, "alpha"), "packages[1]", 6),
    ("packages-unsorted", 'extras = ["b", "a"]\n' + EMPTY, "extras", 3),
    ("packages-unsorted", wheels(wheel(digest=B), wheel(tag="py2-none-any")), "packages[0].wheels[0]", 7),
    ("duplicate-overlap", package("marker = \"os_name == 'nt'\"\n" + DIRECTORY) * 2, "packages[1]", 7),
    ("duplicate-file", wheels(wheel(), wheel(digest=B)), "packages[0].wheels[1]", 8),
    ("duplicate-file", wheels(wheel(tag="py2-none-any"), wheel()), "packages[0].wheels[1]", 8),
    ("package-version-recommended", package(f"wheels = [{wheel()}]\n"), "packages[0].version", 3),
    ("marker-undeclared-extra", package("marker = \"'x' in extras\"\n" + DIRECTORY), MARKER, 5),
    ("marker-undeclared-group", package("marker = \"'x' in dependency_groups\"\n" + DIRECTORY), MARKER, 5),
    ("marker-constant", package("marker = \"'a' == 'b'\"\n" + DIRECTORY), MARKER, 5),
    ("marker-version-value", package("marker = \"python_version in '3.8 3.9'\"\n" + DIRECTORY), MARKER, 5),
    ("marker-version-value", package("marker = \"python_version == 'new'\"\n" + DIRECTORY), MARKER, 5),
    ("marker-string-order", package("marker = \"os_name > 'nt'\"\n" + DIRECTORY), MARKER, 5),
    ("dependency-unresolved", package('dependencies = [{name = "b"}]\n' + DIRECTORY), DEPENDENCY, 5),
    ("dependency-ambiguous", package("dependencies = [{}]\n" + DIRECTORY), DEPENDENCY, 5),
    ("dependency-self", package('dependencies = [{name = "sample"}]\n' + DIRECTORY), DEPENDENCY, 5),
    ("vcs-type-unregistered",
     package('vcs = {type = "fossil", url = "https://x.example.org", commit-id = "1"}\n'), "packages[0].vcs.type", 5),
    ("url-insecure", wheels(wheel(url="http://files.example.org")), "packages[0].wheels[0].url", 7),
    ("url-credentials", wheels(wheel(url="https://me:secret@files.example.org")), "packages[0].wheels[0].url", 7),
    ("path-absolute", package('directory = {path = "/srv"}\n'), "packages[0].directory.path", 5),
    ("path-absolute", package('directory = {path = "C:/srv"}\n'), "packages[0].directory.path", 5),
    ("path-escapes", package('directory = {path = "a/../../b"}\n'), "packages[0].directory.path", 5),
    ("path-not-posix", package("directory = {path = 'a\\b'}\n"), "packages[0].directory.path", 5),
    (
        "path-and-url-differ",
        wheels(wheel(', path = "sample-1.0-py2-none-any.whl"')),
        "packages[0].wheels[0]",
        7,
    ),
    (
        "file-name-mismatch",
        wheels(wheel(', name = "sample-1.0-py2-none-any.whl"')),
        "packages[0].wheels[0].name",
        7,
    ),
    ("requires-python-empty", 'requires-python = ">=3.9,<3.9"\n' + EMPTY, "requires-python", 3),
    ("size-range", wheels(wheel(", size = 0")), "packages[0].wheels[0].size", 7),
    ("upload-time-naive", wheels(wheel(", upload-time = 2025-01-25T11:30:10")), "packages[0].wheels[0].upload-time", 7),
    ("hash-algorithm-case", wheels(wheel().replace("sha256", "SHA256")), "packages[0].wheels[0].hashes.SHA256", 7),
    ("hash-weak", wheels(wheel(digest="a" * 32).replace("sha256", "md5")), "packages[0].wheels[0].hashes", 7),
    ("sdist-legacy-format",
     package(f'version = "1.0"\nsdist = {{path = "sample-1.0.zip", hashes = {{sha256 = "{A}"}}}}\n'),
     "packages[0].sdist.path", 6),
]  # fmt: skip
NOT_HERE = {"lock-version-minor", "created-by-empty", "created-by-normalized", "upload-time-future"}
# In test_rule_environments.py.
WITH_DIAGRAMS = {
    "environment-unreachable", "environment-uncovered", "package-unreachable", "requires-python-contradiction",
    "no-file-for-environment", "wheel-outside-environments", "wheel-outside-requires-python",
}  # fmt: skip


@pytest.mark.parametrize(
    ("code", "text", "path", "line"), CASES, ids=lambda case: case if isinstance(case, str) else None
)
def test_a_warning_is_given_where_it_is_due(code: str, text: str, path: str, line: int) -> None:
    report = validate_document(TOP + text)
    assert [(issue.code, issue.path, issue.line) for issue in report.issues] == [(code, path, line)]
    assert report.ok
    assert report.lock is not None


def test_every_rule_of_the_table_has_a_test() -> None:
    warnings = {code for code, rule in RULES.items() if rule.severity == "warning"}
    assert warnings - {case[0] for case in CASES} == NOT_HERE | WITH_DIAGRAMS


@pytest.mark.parametrize(
    ("name", "creator", "warned"), [("default", "lockset", 0), ("default", "hand", 1), ("main", "lockset", 1)]
)
def test_the_group_that_lockset_adds_for_the_project_may_select_nothing(name: str, creator: str, warned: int) -> None:
    text = f'lock-version = "1.0"\ncreated-by = "{creator}"\ndefault-groups = ["{name}"]\n{package(DIRECTORY)}'
    assert [i.code for i in validate_document(text).issues] == ["default-group-unused"] * warned


def test_an_empty_creator_is_noticed() -> None:
    report = validate_document('lock-version = "1.0"\ncreated-by = ""\npackages = []\n')
    assert [issue.code for issue in report.issues] == ["created-by-empty"]


@pytest.mark.parametrize("name", ["My_Tool", "a.b", "a tool", "-x"])
def test_a_created_by_that_is_not_normalized_is_reported(name: str) -> None:
    [issue] = validate_document(f'lock-version = "1.0"\ncreated-by = "{name}"\npackages = []\n').issues
    assert (issue.code, issue.path, issue.line) == ("created-by-normalized", "created-by", 2)


def test_an_upload_in_the_future_is_noticed_where_the_present_is_known() -> None:
    text = TOP + wheels(wheel(", upload-time = 2025-01-25T11:30:10Z"))
    assert validate_document(text).issues == ()
    assert validate_document(text, now=datetime(2025, 1, 25, tzinfo=timezone.utc)).issues == ()
    [issue] = validate_document(text, now=datetime(2025, 1, 24, tzinfo=timezone.utc)).issues
    assert (issue.code, issue.path) == ("upload-time-future", "packages[0].wheels[0].upload-time")


def test_secrets_are_never_shown() -> None:
    for url in ("https://me:secret@", "https://secret@", "secret@", "https://secret:@files example.org"):
        report = validate_document(TOP + wheels(wheel(url=f"{url}files.example.org")))
        assert report.issues
        assert all("secret" not in issue.message + (issue.hint or "") for issue in report.issues)


@pytest.mark.parametrize(
    "url", ["https://${TOKEN}@h.example.org", "http://localhost:8080", "http://127.0.0.1", "http://[::1]"]
)
def test_placeholders_and_loopback_are_fine(url: str) -> None:
    assert validate_document(TOP + wheels(wheel(url=url))).issues == ()


def test_an_unknown_key_names_the_nearest_known_one() -> None:
    [issue] = validate_document(TOP + package('requires_python = ">=3"\n' + DIRECTORY)).issues
    assert issue.hint == "Did you mean `requires-python`?"
    [issue] = validate_document(TOP + package("zzz = 1\n" + DIRECTORY)).issues
    assert issue.hint == "Tools can add their own keys in `packages.tool`"


def test_all_findings_come_at_once_sorted_by_place() -> None:
    report = validate_document('packages = [{}, {name = "A", version = 1, wheels = "x"}]\nextras = 1\n')
    assert [(issue.line, issue.code) for issue in report.issues] == [
        (1, "created-by-required"),
        (1, "lock-version-required"),
        (1, "package-name-required"),
        (1, "package-source-required"),
        (1, "package-name-normalized"),
        (1, "package-version-type"),
        (1, "wheels-type"),
        (2, "extras-type"),
    ]


@pytest.mark.parametrize("marker", ["'3' in '3'", "'a' == 'b'", "'3' == '3' or os_name == 'posix'", "'a' < 'b'"])
def test_a_comparison_of_literals_is_warned_of_as_what_a_sync_refuses(marker: str) -> None:
    text = TOP + package(f'marker = "{marker}"\n' + DIRECTORY)
    hints = [issue.hint for issue in validate_document(text).issues if issue.code == "marker-constant"]
    assert hints == ["Remove it: `lockset sync` and pip refuse such a marker"]
    with pytest.raises(LocksetError, match="cannot be evaluated"):
        select_entries(read_document(text).lock, environment=LINUX, tags=())
