"""`validate` on pyproject.toml, settings files and scripts: every finding at once, each where it stands."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest

from lockset.api.validate import validate_text
from lockset.sources.validate.catalogue import PROJECT_RULES, REPORT_RULES
from lockset.sources.validate.kind import ValidatedKind, kind_by_name, kind_of_content
from lockset.sources.validate.report import validate_project, validate_script
from lockset.sources.validate.rule_pages import every_rule_page, rule_example, rule_text

if TYPE_CHECKING:
    from lockset.lockfile.validate.report import Report

HEAD = '[project]\nname = "app"\nversion = "1"\n'


def found(text: str) -> list[tuple[str, int, int]]:
    return [(issue.code, issue.line, issue.column) for issue in validate_project(text).issues]


def settings(body: str) -> Report:
    return validate_project("[tool.lockset]\n" + textwrap.dedent(body))


def sentences(report: Report) -> list[str]:
    return [f"{issue.line}:{issue.column} {issue.message}" for issue in report.issues]


@pytest.mark.parametrize("code", [code for code in PROJECT_RULES if code != "project-limit"])
def test_the_example_of_a_rule_breaks_that_rule_and_no_other(code: str) -> None:
    shown = rule_example(code)
    assert shown is not None
    report = validate_text(shown.text, name=shown.name)
    assert [(issue.code, issue.line) for issue in report.issues] == [(code, shown.line)]
    assert [issue.severity for issue in report.issues] == [PROJECT_RULES[code].severity]
    assert report.document is None
    assert report.lock is None


def test_all_rules_are_on_one_page() -> None:
    shown = every_rule_page()
    assert all(f"\n## {code}\n" in shown for code in (*PROJECT_RULES, *REPORT_RULES))


@pytest.mark.parametrize("code", sorted({**PROJECT_RULES, **REPORT_RULES}))
def test_every_rule_has_a_page_with_a_reason_and_a_fix(code: str) -> None:
    shown = rule_text(code)
    assert shown.startswith(f"# {code}\n")
    assert "## Why" in shown
    assert "## How to fix it" in shown


def test_all_faults_are_found_at_once() -> None:
    text = (
        HEAD
        + 'dependencies = ["a=1", "b>=1", 3]\nrequires-python = "3"\n'
        + '[dependency-groups]\ndev = ["c >", { include-group = "tset" }]\ntest = []\n'
        + '[tool.lockset]\npyton = "3"\nresolution = "high"\nplatforms = ["linux", "amiga", "beos"]\n'
    )
    assert found(text) == [
        ("requirement-syntax", 4, 17),
        ("project-type", 4, 32),
        ("project-requires-python", 5, 19),
        ("requirement-syntax", 7, 8),
        ("unknown-group", 7, 15),
        ("settings-unknown-key", 10, 1),
        ("settings-value", 11, 14),
        ("settings-value", 12, 23),
        ("settings-value", 12, 32),
    ]


def test_a_good_project_has_no_finding() -> None:
    text = (
        HEAD
        + 'requires-python = ">=3.10"\n'
        + 'dependencies = ["a>=1 ; sys_platform == \'linux\'", "b @ https://files.example.org/b.zip"]\n'
        + 'dynamic = ["description"]\n[project.optional-dependencies]\nx = ["app[y]"]\ny = []\n'
        + '[dependency-groups]\ntest = [{ include-group = "Lint" }]\nlint = ["ruff"]\n'
        + '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n[tool.other]\nx = 1\n'
        + '[tool.lockset]\ndefault-groups = ["test"]\nconflicts = [[{ extra = "x" }, { group = "test" }]]\n'
        + "exclude-newer = 2026-01-31\nexclude-newer-package = { a = false, b = 2026-01-31T10:00:00Z }\n"
        + 'no-build = true\nno-binary = ["a", ":all:"]\n'
        + '[tool.lockset.validate]\nignore = ["unknown-key", "group-type"]\n'
    )
    assert found(text) == []


@pytest.mark.parametrize("text", ["", "[tool.ruff]\nline-length = 100\n", "[tool.lockset]\n"])
def test_a_file_of_settings_alone_is_valid(text: str) -> None:
    assert found(text) == []


def test_each_include_that_closes_a_circle_is_a_finding() -> None:
    text = (
        '[dependency-groups]\na = [{include-group = "B"}]\nb = [{include-group = "a"}]\nc = [{include-group = "c"}]\n'
        'd = [{include-group = "a"}]\n'
    )
    report = validate_project(text)
    assert sentences(report) == [
        "3:6 Dependency groups include each other in a cycle: a -> b -> a",
        "4:6 Dependency groups include each other in a cycle: c -> c",
    ]


def test_a_long_chain_of_groups_is_a_finding_and_no_traceback() -> None:
    groups = "".join(f'g{n} = [{{include-group = "g{n + 1}"}}]\n' for n in range(3000))
    assert [code for code, _, _ in found(f"[dependency-groups]\n{groups}g3000 = []\n")] == ["project-limit"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("python = 3.10", "2:10 `tool.lockset.python` must be a string, not a float"),
        ("python = 2026-01-31", "2:10 `tool.lockset.python` must be a string, not a date or time"),
        ("python = '3'", "2:10 `tool.lockset.python` is not a valid version range: `3`"),
        ("no-build = 'a'", "2:12 `tool.lockset.no-build` must be a boolean or an array, not a string"),
        ("no-build = ['a b']", "2:13 `tool.lockset.no-build[0]` is not a valid name: `a b`"),
        ("environments = ['x ==']", "2:17 `tool.lockset.environments[0]` is not a valid environment marker: "),
        ("exclude-newer = 10:00:00", "2:17 `tool.lockset.exclude-newer` must be a string, a date, or a date"),
        ("exclude-newer-package = {a = true}", "`tool.lockset.exclude-newer-package.a` has no meaning with the value"),
        ("conflicts = [[{extra = 'a'}]]", "2:14 `tool.lockset.conflicts[0]` needs at least two different extras"),
        ("conflicts = [[{extra = 'a'}, {extra = 'A'}]]", "needs at least two different extras or groups"),
        ("conflicts = [[{extra = 'a'}, {}]]", "2:30 `tool.lockset.conflicts[0][1]` names neither an extra nor a group"),
        ("index = [{name = 'a'}]", "`tool.lockset.index[0]` needs a `url`"),
        ("index = [{url = 'a', explicit = true, packages = []}]", "`tool.lockset.index[0].packages` is empty, and "),
        ("index = [{url = 'a', explicit = true}]", "`tool.lockset.index[0]` is explicit and serves no packages"),
        ("index = [{url = 'a', name = 'n'}, {url = 'b', name = 'n'}]", "is the name of another index: `n`"),
        ("index = [{url = 'a', urls = 'b'}]", "2:22 `tool.lockset.index[0].urls` is not a known setting"),
        ("validate = {select = ['unkown-key']}", "2:23 There is no rule `unkown-key`"),
        ("ignore-tools = ['pip']", "2:17 `tool.lockset.ignore-tools[0]` cannot have the value `pip`"),
    ],
)  # fmt: skip
def test_a_fault_of_the_settings_is_named_with_its_key_and_place(body: str, expected: str) -> None:
    ((sentence),) = sentences(settings(body))
    assert expected in sentence


def test_faults_of_one_list_do_not_hide_one_another() -> None:
    report = settings("constraints = ['a<2', 'b=1', 3, 'c >']\nindex = [{url = 1}, {url = 'a', packages = ['x y']}]\n")
    assert [(issue.path, issue.line) for issue in report.issues] == [
        ("tool.lockset.constraints[1]", 2),
        ("tool.lockset.constraints[2]", 2),
        ("tool.lockset.constraints[3]", 2),
        ("tool.lockset.index[0].url", 3),
        ("tool.lockset.index[1].packages[0]", 3),
    ]


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ("pyton = '3'", "Did you mean `python`?"),
        ("default_groups = []", "Did you mean `default-groups`?"),
        ("extra-index-url = ''", "Write `index`"),
        ("resolution = 'highst'", "Did you mean `highest`?"),
    ],
)
def test_the_nearest_right_key_or_word_is_named(body: str, hint: str) -> None:
    assert [issue.hint for issue in settings(body).issues] == [hint]


def test_extras_that_only_the_build_backend_knows_are_not_looked_for() -> None:
    text = HEAD + 'dynamic = ["optional-dependencies"]\ndependencies = ["app[x]"]\n[tool.lockset]\nextras = ["x"]\n'
    assert found(text) == []
    assert [code for code, _, _ in found(text.replace('dynamic = ["optional-dependencies"]\n', ""))] == [
        "unknown-extra",
        "settings-name-unknown",
    ]


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (b'[project]\nname = "caf\xe9"\n', "2:12 The byte 0xe9 is not UTF-8"),
        (b"\xff\xfe[\x00", "1:1 The file is UTF-16, and TOML is UTF-8"),
        (b"\xef\xbb\xbf[project]\n", "1:1 The file starts with a byte order mark"),
        (b"[project\n", "1:9 "),
        (b"x = " + b"[" * 100_000 + b"]" * 100_000, "1:1 Tables or arrays are nested too deeply"),
        (b"x." * 5000 + b"y = 1\n", "1:1 Tables or arrays are nested too deeply"),
        (b"<<<<<<< a\n=======\n>>>>>>> b\n", "1:1 The file has an unresolved merge conflict"),
    ],
)
def test_invalid_toml_is_one_finding(data: bytes, part: str) -> None:
    (sentence,) = sentences(validate_project(data))
    assert sentence.startswith(part)


def test_a_merge_conflict_in_a_project_is_not_left_to_lock() -> None:
    (issue,) = validate_project("<<<<<<< a\n=======\n>>>>>>> b\n").issues
    assert issue.hint == "Keep one side, and remove the conflict markers"


SCRIPT = '#!/usr/bin/python\n# /// script\n# dependencies = ["a", "b=1"]\n# [tool.lockset]\n# pyton = "3"\n# ///\n'


@pytest.mark.parametrize("text", [SCRIPT, SCRIPT.replace("\n", "\r\n"), "\ufeff" + SCRIPT])
def test_findings_of_a_script_stand_at_their_lines_of_the_script(text: str) -> None:
    report = validate_script(text.encode())
    assert [(issue.code, issue.line, issue.column) for issue in report.issues] == [
        ("requirement-syntax", 3, 24),
        ("settings-unknown-key", 5, 3),
    ]
    assert [report.text[issue.span.start : issue.span.end] for issue in report.issues] == ['"b=1"', "pyton"]


def test_a_metadata_block_that_is_not_toml_is_marked_in_the_script() -> None:
    (issue,) = validate_script("import os\n# /// script\n# dependencies = [\n# ///\n").issues
    assert (issue.code, issue.line) == ("toml-syntax", 4)


def test_several_metadata_blocks_are_a_finding_at_the_second() -> None:
    block = "# /// script\n# dependencies = []\n# ///\n\n"
    (issue,) = validate_script(block * 2).issues
    assert (issue.code, issue.line) == ("script-metadata", 5)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("pylock.toml", ValidatedKind.LOCK), ("pylock.x.toml", ValidatedKind.LOCK), ("uv.lock", ValidatedKind.LOCK),
        ("pyproject.toml", ValidatedKind.PROJECT), ("tool.py", ValidatedKind.SCRIPT), ("a.json", ValidatedKind.REPORT),
        ("lockset.toml", None), ("script", None),
    ],
)  # fmt: skip
def test_the_name_of_a_file_decides_its_kind(name: str, kind: ValidatedKind | None) -> None:
    assert kind_by_name(name) is kind


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", ValidatedKind.LOCK),
        (b'lock-version = "1.0"\n[tool.lockset]\n', ValidatedKind.LOCK),
        (b'[[package]]\nname = "a"\n[tool]\n', ValidatedKind.LOCK),
        (b"[tool.lockset]\npython = '3'\n", ValidatedKind.PROJECT),
        (b"[project]\n", ValidatedKind.PROJECT),
        (b'\n {"files": []}', ValidatedKind.REPORT),
        (b'{"_meta": {}}', ValidatedKind.LOCK),
        (b"# /// script\n# dependencies = []\n# ///\n", ValidatedKind.SCRIPT),
    ],
)
def test_the_content_decides_where_the_name_does_not(data: bytes, kind: ValidatedKind) -> None:
    assert kind_of_content(data) is kind
