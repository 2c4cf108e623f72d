"""The reference pages tell every option of their commands and no other, and their examples of JSON are true."""

from __future__ import annotations

import argparse
import json
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml

from lockset.cli.main import COMMANDS, build_parser
from lockset.cli.options.variables import variables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.command import Command
    from support.local_index import LocalIndex

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "pages"
SCHEMAS = ROOT / "schemas"
# Told on a page of their own, or as those of `lockset lock`.
OF_ALL = {"-h", "--help", "--quiet", "--verbose", "--color", "--no-progress", "--directory", "--config", "--no-config"}
OF_INDEXES = {
    "--index", "--default-index", "--extra-index-url", "--find-links", "--no-index", "--index-strategy", "--cert",
    "--torch-backend", "--torch-index", "--system-certs",
    "--client-cert", "--proxy", "--keyring-provider", "--timeout", "--retries", "--allow-insecure-host", "--cache-dir",
    "--no-cache", "--refresh", "--refresh-package", "--offline",
}  # fmt: skip
PAGE_OF = {
    "sync": "sync", "install": "sync", "check-env": "sync", "download": "sync",
    "tree": "look", "why": "look", "diff": "look", "outdated": "look",
    "report": "report", "graph": "report",
    **{name: name for name in ("cache", "merge-driver", "completion", "self-check")},
    "convert": "convert", "export": "convert", "validate": "validate", "audit": "audit",
}  # fmt: skip


def options(command: str) -> Iterator[argparse.Action]:
    result = next(a for a in build_parser(command)._actions if isinstance(a, argparse._SubParsersAction))
    # `--output-format json` is another name of `--json`, and stands on the page of options of other tools.
    every = [action for action in result.choices[command]._actions if action.option_strings]
    yield from (action for action in every if action.option_strings != ["--output-format"])


def page(name: str) -> str:
    return (PAGES / "reference" / f"{name}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", PAGE_OF)
def test_every_option_is_documented(command: str) -> None:
    text = page(PAGE_OF[command])
    named = {word for span in re.findall(r"`([^`\n]*)`", text) for word in re.split(r"[ =]", span)}
    message = OF_ALL | (OF_INDEXES if PAGE_OF[command] != "sync" else set())
    missing = [a.option_strings for a in options(command) if not {*a.option_strings} & (named | message)]
    assert missing == []


@pytest.mark.parametrize("name", sorted({*PAGE_OF.values()}))
def test_every_documented_option_exists(name: str) -> None:
    there = {o for command in PAGE_OF if PAGE_OF[command] == name for a in options(command) for o in a.option_strings}
    there |= {"--user", "--check", "--hash"}  # what there is not, and what others have
    rows = [line for line in page(name).splitlines() if line.startswith("| `-")]
    named = {o for line in rows for o in re.findall(r"`(--?[a-z][a-z-]*)", line.rpartition(" | ")[0])}
    assert named <= there
    assert rows


def test_variables_that_are_named_are_read() -> None:
    known = {name for command in COMMANDS for action in options(command) for name in variables(command, action)}
    named = {
        n for path in PAGES.rglob("*.md") for n in re.findall(r"LOCKSET_[A-Z_]+", path.read_text(encoding="utf-8"))
    }
    assert {
        n for n in named if not re.fullmatch(r"LOCKSET_INDEX_[A-Z]+_(USERNAME|PASSWORD)|LOCKSET_TEST_[A-Z]+", n)
    } <= known


def test_examples_of_json_are_as_their_schemas_say() -> None:
    output = json.loads((SCHEMAS / "command-output.schema.json").read_text())
    sync = json.loads((SCHEMAS / "sync-report.schema.json").read_text())
    validated = json.loads((SCHEMAS / "validate-output.schema.json").read_text())
    text = page("output")
    sections = re.findall(r"^## lockset ([a-z-]+)[^\n]*\n+```json\n(.*?)```", text, re.DOTALL | re.MULTILINE)
    assert {name for name, _ in sections} >= {"lock", "tree", "why", "why-not", "diff", "sync", "validate"}
    for name, example in sections:
        schema = {"sync": sync, "validate": validated}.get(name) or {**output, "$ref": f"#/$defs/{name}"}
        jsonschema.validate(json.loads(example), schema)


def test_every_page_is_in_the_navigation() -> None:
    settings = yaml.load((ROOT / "docs" / "mkdocs.yml").read_text(), Loader=yaml.BaseLoader)
    listed = set(re.findall(r"[\w/-]+\.md", json.dumps(settings["nav"])))
    there = {str(path.relative_to(PAGES)) for path in PAGES.rglob("*.md") if path.parent.name != "rules"}
    assert there <= listed


@pytest.fixture
def shown_project(tmp_path: Path, local_index: LocalIndex, cli: Command) -> Path:
    """What the page on looking at locks shows: flask before and after an upgrade, in a git repository."""
    world = local_index.world
    world.add("flask", "3.0.3", requires=["click", "jinja2", "six"])
    world.add("flask", "3.1.3", requires=["click", "jinja2", "markupsafe"])
    world.add("click", "8.5.1", requires=["colorama ; sys_platform == 'win32'"]).add("colorama", "0.4.6")
    world.add("jinja2", "3.1.6", requires=["markupsafe"]).add("markupsafe", "3.0.4").add("six", "1.17.0")
    lock = ("lock", "requirements.in", "-i", local_index.url, "--python", ">=3.10")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run([*git, "init", "-q"], cwd=tmp_path, check=True)
    for requests in ("flask<3.1", "flask>=3"):
        (tmp_path / "requirements.in").write_text(f"{requests}\n")
        cli.ok(*lock, "-U")
        subprocess.run([*git, "add", "pylock.toml"], cwd=tmp_path, check=True)
        subprocess.run([*git, "commit", "-q", "-m", requests], cwd=tmp_path, check=True)
    return tmp_path


def test_the_examples_on_looking_at_locks_are_true(shown_project: Path, cli: Command) -> None:
    blocks = re.findall(r"```console\n\$ lockset ([^\n]*)\n(.*?)```", page("look"), re.DOTALL)
    assert len(blocks) == 4
    for line, output in blocks[:3]:  # `outdated` needs an index, and has tests of its own
        result = cli.ok(*line.split(), cwd=shown_project)
        assert output in {result.stdout, result.stderr + result.stdout}


def test_the_examples_of_findings_are_true(tmp_path: Path, cli: Command) -> None:
    (line, output), (other_line, other_output) = re.findall(
        r"```console\n\$ lockset ([^\n]*)\n(.*?)```", page("validate"), re.DOTALL
    )
    lock = 'lock-version = "1.0"\ncreated-by = "hand"\n\n\n[[packages]]\nname = "a"\nversion = "1.x"\n'
    wheel = f'{{url = "https://example.org/a-1-py3-none-any.whl", hashes = {{sha256 = "{"a" * 64}"}}}}'
    (tmp_path / "pylock.toml").write_text(f"{lock}wheels = [{wheel}]\n")
    result = cli(*line.split(), "--select", "package-version-valid")
    assert (result.code, result.stdout + result.stderr) == (1, output)
    project = '[project]\nname = "app"\nversion = "1"\ndependencies = ["a=1"]\n\n[tool.lockset]\npyton = ">=3.10"\n'
    (tmp_path / "pyproject.toml").write_text(project)
    result = cli(*other_line.split())
    assert (result.code, result.stdout + result.stderr) == (1, other_output)


def test_the_limits_are_those_of_the_code() -> None:
    from lockset.advisories import version_ranges
    from lockset.build.unpack import MAX_TOTAL
    from lockset.composition.audits import advisory_files, osv_service
    from lockset.conversion.readers import yaml_text
    from lockset.files import read_file
    from lockset.index.http.client import PAGE_LIMIT
    from lockset.lockfile.dependency_graph import MOST_CHAINS
    from lockset.lockfile.read import MAX_BYTES, MAX_WHEEL_TAGS
    from lockset.markers.parse import MAX_NODES
    from lockset.metadata.wheel import METADATA_LIMIT
    from lockset.resolve.explain import minimal_conflict as conflict
    from lockset.resolve.solver import search
    from lockset.sync.disk.apply import installer
    from lockset.sync.disk.store.archives import MOST_BYTES
    from lockset.sync.wheel import zip_reader as archive

    mib, gib = 1 << 20, 1 << 30
    messages = [
        f"{MAX_BYTES // mib} MiB",
        f"{read_file.MAX_BYTES // mib} MiB",
        f"{PAGE_LIMIT // mib} MiB",
        f"{METADATA_LIMIT // mib} MiB",
        f"{MOST_BYTES // gib} GiB",
        f"{archive._MOST_MEMBERS:,}",
        f"{archive._MOST_INFLATION} times its size, but at least {archive._INFLATION_FLOOR // gib} GiB",
        f"{MAX_TOTAL // gib} GiB",
        f"{MAX_WHEEL_TAGS:,}",
        f"{MAX_NODES:,} nodes of its diagram",
        f"{MOST_CHAINS} for each entry",
        f"{search._MOST_ROUNDS:,}",
        f"{conflict._DECISIONS:,}",
        f"{advisory_files._LARGEST // mib} MiB, {yaml_text._MOST_NESTED} levels of YAML, no YAML aliases",
        (
            f"{advisory_files.MOST_BYTES // gib} GiB, {advisory_files._MOST_EXPANDED // gib} GiB expanded,"
            f" {advisory_files._MOST_FILES:,} files"
        ),
        f"{version_ranges._MOST_VERSIONS:,} and {version_ranges._MOST_EVENTS:,}",
        str(osv_service._MOST_PAGES),
        f"{installer._SECONDS / 60:g} minutes",
    ]
    rows = [line.split(" | ")[1] for line in page("limits").splitlines() if line.startswith("| ") and " | " in line]
    assert rows[1:] == messages
