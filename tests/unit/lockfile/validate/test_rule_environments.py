# ruff: noqa: E501 - a table, one case a line
"""Rules that are proved with marker diagrams: what is found, where, with which example, and what is none."""

from __future__ import annotations

import time

import pytest

from lockset.lockfile.validate.report import validate_document

TOP = 'lock-version = "1.0"\ncreated-by = "hand"\n'
DIGEST = "a" * 64


def entry(marker: str | None = None, *, name: str = "sample", more: str = 'directory = {path = "."}') -> str:
    line = f'marker = "{marker}"\n' if marker is not None else ""
    return f'[[packages]]\nname = "{name}"\n{line}{more}\n'


def files(*tags: str, sdist: bool = False, version: str = "1.0") -> str:
    wheels = [
        f'{{name = "sample-{version}-{tag}.whl", path = "sample-{version}-{tag}.whl", '
        f'hashes = {{sha256 = "{location:064d}"}}}}'
        for location, tag in enumerate(tags)
    ]
    text = f'version = "{version}"\n'
    if sdist:
        text += f'sdist = {{path = "sample-{version}.tar.gz", hashes = {{sha256 = "{DIGEST}"}}}}\n'
    return text + "wheels = [\n" + ",\n".join(wheels) + "\n]"


def found(text: str) -> list[tuple[str, str]]:
    return [(issue.code, issue.path) for issue in validate_document(TOP + text).issues]


TWO_39 = 'requires-python = ">=3.9"\n'
LINUX, MACOS, WINDOWS = (f"sys_platform == '{name}'" for name in ("linux", "darwin", "win32"))
ENVIRONMENTS = f'environments = ["{LINUX}", "{WINDOWS}"]\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Entries of one name.
        (entry("python_version < '3.11'") + entry("python_version >= '3.10'"), [("duplicate-overlap", "packages[1]")]),
        (entry("python_version < '3.11'") + entry("python_version >= '3.11'"), []),
        (entry() + entry(LINUX), [("duplicate-overlap", "packages[1]")]),
        (TWO_39 + entry("python_version > '3.8'") + entry(), [("packages-narrow-to-one", "packages[1]")]),
        (entry(LINUX) + entry("os_name == 'nt'"), []),
        (entry(LINUX) + entry("platform_system == 'Linux'"), [("duplicate-overlap", "packages[1]")]),
        (TWO_39 + entry("python_version < '3.10'") + entry("python_full_version < '3.11' and python_version > '3.9'"), []),
        ('extras = ["a", "b"]\n' + entry("'a' in extras") + entry("'b' in extras"), [("duplicate-overlap", "packages[1]")]),
        ('extras = ["a", "b"]\n' + entry("'a' in extras") + entry("'b' in extras and 'a' not in extras"), []),
        # Environments.
        (ENVIRONMENTS + entry(), []),
        (f'environments = ["{LINUX}", "os_name == \'posix\'"]\n' + entry(), [("environment-overlap", "environments[1]")]),
        (TWO_39 + 'environments = ["python_version < \'3.9\'"]\n' + entry(), [("environment-unreachable", "environments[0]")]),
        (f'environments = ["{LINUX} and {WINDOWS}"]\n' + entry(), [("environment-unreachable", "environments[0]")]),
        (f'environments = ["{LINUX} and os_name == \'nt\'"]\n' + entry(), [("environment-unreachable", "environments[0]")]),
        # Holes.
        (TWO_39 + entry("python_version < '3.11'") + entry("python_version >= '3.12'"), [("environment-uncovered", "packages[0]")]),
        (TWO_39 + entry("python_version < '3.11'") + entry("python_version == '3.11'"), []),
        (ENVIRONMENTS.replace("]", f', "{MACOS}"]') + entry(name="base", more='dependencies = [{name = "sample", version = "1.0"}]\ndirectory = {path = "."}')
         + entry(LINUX, more=files("py3-none-any")) + entry(WINDOWS, more=files("py3-none-any", version="2.0")),
         [("environment-uncovered", "packages[1]")]),
        # Entries that nobody gets.
        (TWO_39 + entry("python_version < '3.9'"), [("package-unreachable", "packages[0].marker")]),
        (entry(f"{LINUX} and {WINDOWS}"), [("package-unreachable", "packages[0].marker")]),
        (ENVIRONMENTS + entry(MACOS), [("package-unreachable", "packages[0].marker")]),
        # Pythons of packages.
        (TWO_39 + entry(more='requires-python = ">=3.10"\ndirectory = {path = "."}'), [("requires-python-contradiction", "packages[0].requires-python")]),
        (TWO_39 + entry("python_version >= '3.10'", more='requires-python = ">=3.10"\ndirectory = {path = "."}'), []),
        (TWO_39 + entry(more='requires-python = ">=3.7,<4"\ndirectory = {path = "."}'), []),
        (entry(more='requires-python = ">=3.10"\ndirectory = {path = "."}'), []),
        (entry("python_version < '3.9'", more='requires-python = ">=3.10"\ndirectory = {path = "."}'), [("requires-python-contradiction", "packages[0].requires-python")]),
        # Files.
        (ENVIRONMENTS + entry(more=files("py3-none-win_amd64")), [("no-file-for-environment", "packages[0]")]),
        (ENVIRONMENTS + entry(WINDOWS, more=files("py3-none-win_amd64")), []),
        (ENVIRONMENTS + entry(more=files("py3-none-win_amd64", sdist=True)), []),
        (TWO_39 + entry(more=files("cp310-cp310-win_amd64", "cp311-cp311-win_amd64")), [("no-file-for-environment", "packages[0]")]),
        (TWO_39 + entry(more=files("cp39-abi3-win_amd64")), []),
        (TWO_39 + entry(more=files("cp39-abi3t-win_amd64")), [("no-file-for-environment", "packages[0]")]),
        (TWO_39 + entry(more=files("cp313-cp313t-win_amd64", "cp39-abi3-win_amd64")), []),
        (ENVIRONMENTS + entry(more=files("py3-none-any", "py3-none-macosx_11_0_arm64")), [("wheel-outside-environments", "packages[0].wheels[1]")]),
        (TWO_39 + entry(more=files("cp38-cp38-win_amd64", "cp39-abi3-win_amd64")), [("wheel-outside-requires-python", "packages[0].wheels[0]")]),
        (entry(more=files("cp38-cp38-win_amd64")), []),
    ],
)  # fmt: skip
def test_markers_give_the_expected_findings(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text) == expected


def test_a_wheel_for_free_threaded_builds_does_not_fit_the_default_build_of_a_python() -> None:
    wheels = files("cp313-cp313-win_amd64", "cp314-cp314t-win_amd64")
    [issue] = validate_document(TOP + 'requires-python = ">=3.13"\n' + entry(more=wheels)).issues
    assert issue.message == (
        "No wheel of `sample` for default builds (neither free-threaded nor debug) fits Python 3.14, and there is no"
        " sdist"
    )


def test_all_wheels_outside_requires_python_are_one_finding_with_the_command_that_removes_them() -> None:
    old = files("cp37-cp37m-win_amd64", "cp38-cp38-win_amd64", "cp39-cp39-win_amd64")
    names = ["alpha", "bravo", "delta", "hotel", "sierra"]
    entries = [entry(more=old).replace("sample", name) for name in names]
    [issue] = [
        issue for issue in validate_document(TOP + TWO_39 + "".join(entries)).issues if issue.code != "duplicate-file"
    ]
    assert (issue.code, issue.path) == ("wheel-outside-requires-python", "packages[0].wheels[0]")
    assert issue.message == (
        "10 wheels of `alpha`, `bravo`, `delta` and 2 more packages (`alpha-1.0-cp37-cp37m-win_amd64.whl` is the "
        "first) are for Pythons that `requires-python` excludes"
    )
    assert issue.hint is not None
    assert "`lockset convert FILE --python '>=3.9'` removes them" in issue.hint


@pytest.mark.parametrize("tag", [".py3-none-any", "10-none-win32", "py3-none-any.", "cp3x-abi3-win_amd64", "py-and-x"])
def test_invalid_tags_are_reported_by_the_rule_on_file_names(tag: str) -> None:
    report = validate_document(TOP + TWO_39 + entry(more=files(tag, "cp310-cp310-win_amd64")))
    assert {issue.code for issue in report.errors} <= {"wheel-file-name"}


def test_an_overlap_names_an_environment_in_which_both_apply() -> None:
    text = 'extras = ["docs"]\n' + entry("'docs' in extras") + entry("sys_platform == 'win32'")
    [issue] = validate_document(TOP + text).issues
    assert issue.severity == "warning"
    assert issue.message == (
        "`sample` has two entries that apply together (the other is packages[0]), "
        "for example in Python 3.13.0 on Windows AMD64 with the extra docs"
    )


def test_where_both_always_apply_the_file_is_not_valid() -> None:
    report = validate_document(TOP + TWO_39 + entry("python_version >= '3.9'") + entry("python_version >= '3.8'"))
    assert [issue.code for issue in report.errors] == ["packages-narrow-to-one"]
    assert report.lock is None


def test_entries_that_can_never_be_selected_do_not_overlap() -> None:
    text = entry("'a' in extras") + entry("'b' in extras")
    assert {code for code, _ in found(text)} == {"marker-undeclared-extra"}


def test_work_is_bounded_for_markers_that_are_made_to_be_hard() -> None:
    hard = " or ".join(f"('a{n:02}' in extras and 'b{n:02}' in extras)" for n in range(40))
    extras = ", ".join(f'"{letter}{n:02}"' for letter in "ab" for n in range(40))
    text = (
        f"extras = [{extras}]\n"
        + entry(hard) * 20
        + "".join(entry(f"platform_release != '{n}' and 'a{n % 40:02}' in extras") for n in range(100))
    )
    began = time.process_time()
    validate_document(TOP + text)
    assert time.process_time() - began < 60
