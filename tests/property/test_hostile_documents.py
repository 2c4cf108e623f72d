"""Whatever stands anywhere in a lock file of another tool, a page or a lock file: a value, or one clear refusal."""

from __future__ import annotations

import json
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import tomli_w
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lockset.errors import LocksetError
from lockset.index.pages.project_page import ProjectDetail
from lockset.index.pages.simple_json import parse_json_page
from lockset.lockfile.read import read_document
from lockset.lockfile.validate.report import validate_document
from support.fakes.fake_conversion import convert_text
from support.strategies.hostile_values import MANY, VALUES, changed, locations, with_value

if TYPE_CHECKING:
    from collections.abc import Callable

SHA = "ab" * 32
WHEEL = "hull-1.0-py3-none-any.whl"
URL = f"https://files.example.org/{WHEEL}"

UV: dict[str, Any] = {
    "version": 1,
    "revision": 3,
    "requires-python": ">=3.10",
    "resolution-markers": ["sys_platform == 'win32'", "sys_platform != 'win32'"],
    "conflicts": [[{"package": "app", "extra": "old"}, {"package": "app", "extra": "new"}]],
    "package": [
        {
            "name": "app",
            "version": "0.1",
            "source": {"virtual": "."},
            "dependencies": [{"name": "hull", "marker": "python_full_version < '3.13' or extra == 'extra-3-app-old'"}],
            "optional-dependencies": {"old": [{"name": "hull", "extra": ["x"]}], "new": []},
            "dev-dependencies": {"dev": [{"name": "hull"}]},
            "metadata": {"requires-dist": [{"name": "hull", "specifier": ">=1"}], "provides-extras": ["old", "new"]},
        },
        {
            "name": "hull",
            "version": "1.0",
            "source": {"registry": "https://index.example.org/simple"},
            "resolution-markers": ["sys_platform == 'win32'"],
            "wheels": [{"url": URL, "hash": f"sha256:{SHA}", "size": 5, "upload-time": "2026-01-01T00:00:00Z"}],
        },
    ],
}
POETRY: dict[str, Any] = {
    "package": [
        {
            "name": "hull",
            "version": "1.0",
            "optional": False,
            "python-versions": ">=3.8,<4",
            "groups": ["main"],
            "markers": "python_version < '3.13'",
            "files": [{"file": WHEEL, "hash": f"sha256:{SHA}"}],
            "dependencies": {"hull": {"version": "^1.0", "markers": "os_name == 'nt'", "optional": True}},
            "extras": {"x": ["hull (>=1)"]},
            "source": {"type": "legacy", "url": "https://index.example.org/simple", "reference": "main"},
        }
    ],
    "extras": {"x": ["hull"]},
    "metadata": {"lock-version": "2.1", "python-versions": ">=3.10", "content-hash": "x"},
}
PDM: dict[str, Any] = {
    "metadata": {
        "groups": ["default", "dev"],
        "strategy": ["inherit_metadata"],
        "lock_version": "4.5.0",
        "content_hash": "sha256:x",
        "targets": [{"requires_python": ">=3.10"}],
    },
    "package": [
        {
            "name": "hull",
            "version": "1.0",
            "extras": ["x"],
            "requires_python": ">=3.8",
            "summary": "",
            "groups": ["default"],
            "marker": "os_name == 'nt'",
            "dependencies": ["hull==1.0"],
            "files": [{"file": WHEEL, "hash": f"sha256:{SHA}"}],
        }
    ],
}
PIPFILE: dict[str, Any] = {
    "_meta": {
        "hash": {"sha256": "x"},
        "pipfile-spec": 6,
        "requires": {"python_version": "3.12", "python_full_version": "3.12.1"},
        "sources": [{"name": "main", "url": "https://index.example.org/simple", "verify_ssl": True}],
    },
    "default": {
        "hull": {"version": "==1.0", "hashes": [f"sha256:{SHA}"], "markers": "os_name == 'nt'", "index": "main"}
    },
    "develop": {"keel": {"version": "==1.0", "hashes": [f"sha256:{SHA}"], "extras": ["x"]}},
}
CONDA: dict[str, Any] = {
    "version": 1,
    "metadata": {
        "content_hash": {"linux-64": "x"},
        "channels": [],
        "platforms": ["linux-64"],
        "sources": ["pyproject.toml"],
    },
    "package": [
        {
            "name": name,
            "version": "3.12.1" if manager == "conda" else "1.0",
            "manager": manager,
            "platform": "linux-64",
            "dependencies": {"hull": ">=1"},
            "url": URL if manager == "pip" else "https://conda.example.org/python-3.12.1-h1_0.conda",
            "hash": {"sha256": SHA},
            "category": "main",
            "optional": False,
        }
        for name, manager in (("hull", "pip"), ("python", "conda"))
    ],
}
LOCKS: dict[str, tuple[Any, Callable[[Any], str]]] = {
    "uv.lock": (UV, tomli_w.dumps),
    "poetry.lock": (POETRY, tomli_w.dumps),
    "pdm.lock": (PDM, tomli_w.dumps),
    "Pipfile.lock": (PIPFILE, json.dumps),
    "conda-lock.yml": (CONDA, yaml.safe_dump),
}
NEUTRAL: dict[str, Any] = {
    "lock-version": "1.0",
    "created-by": "someone",
    "requires-python": ">=3.10",
    "environments": ["sys_platform == 'linux'"],
    "extras": ["x"],
    "packages": [
        {
            "name": "hull",
            "version": "1.0",
            "marker": "'x' in extras",
            "requires-python": ">=3.8",
            "dependencies": [{"name": "hull"}],
            "wheels": [{"name": WHEEL, "url": URL, "size": 5, "hashes": {"sha256": SHA}}],
        }
    ],
}


def refusal(call: Callable[[], object]) -> str:
    """The message of the refusal in which the call ends; "" where it has an answer. No other error is one."""
    try:
        call()
    except LocksetError as error:
        return error.diagnostic.message
    return ""


def _toml(document: Any) -> str | None:
    """The document as TOML; None where it is none."""
    try:
        return tomli_w.dumps(document)
    except (TypeError, ValueError):
        return None


@pytest.mark.parametrize("name", LOCKS)
@given(data=st.data())
def test_a_value_that_nobody_expects_in_a_foreign_lock_is_read_or_refused(name: str, data: st.DataObject) -> None:
    document, dumps = LOCKS[name]
    try:
        text = dumps(data.draw(changed(document)))
    except (TypeError, ValueError):
        return  # what TOML cannot hold
    with tempfile.TemporaryDirectory() as folder:
        message = refusal(lambda: convert_text(Path(folder), name, text))
    assert "object" not in message


@pytest.mark.parametrize("name", LOCKS)
def test_versions_and_markers_of_many_digits_in_foreign_locks_are_refused(name: str, tmp_path: Path) -> None:
    document, dumps = LOCKS[name]
    refused = 0
    for location in locations(document):
        for value in (MANY, f"1.{MANY}", f"=={MANY}", f"python_version >= '{MANY}'"):
            text = dumps(with_value(document, location, value))
            refused += bool(refusal(partial(convert_text, tmp_path, name, text)))
    assert refused


@settings(max_examples=300)
@given(document=changed(NEUTRAL))
def test_what_validation_calls_valid_can_be_read(document: Any) -> None:
    text = _toml(document)
    if text is None:
        return
    message = refusal(lambda: read_document(text).lock)
    assert not (validate_document(text).ok and message)


@pytest.mark.parametrize(
    "line",
    [
        f"marker = \"python_version >= '{MANY}'\"",
        f"marker = \"'{MANY}' == implementation_version\"",
        "marker = \"python_version >= '" + "\\\\x39" * 5000 + "'\"",
        'marker = "' + "(" * 180 + "os_name == 'nt'" + ")" * 180 + '"',
        f'requires-python = ">=3.{MANY}"',
        f'version = "1.{MANY}"',
        f'wheels = [{{ name = "hull-1.0-{MANY}-py3-none-any.whl", path = "x", hashes = {{ sha256 = "{SHA}" }} }}]',
    ],
)
def test_validation_and_reading_have_the_same_limits(line: str) -> None:
    source = "" if line.startswith("wheels") else "[packages.directory]\npath = '.'\n"
    text = f'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "hull"\n{line}\n{source}'
    assert not validate_document(text).ok
    with pytest.raises(LocksetError) as caught:
        _ = read_document(text).lock
    assert caught.value.diagnostic.code == "lock-invalid"


def _file(name: str) -> dict[str, Any]:
    return {
        "core-metadata": {"sha256": SHA},
        "data-dist-info-metadata": {"sha256": SHA},
        "filename": name,
        "hashes": {"sha256": SHA},
        "requires-python": ">=3.8",
        "size": 100,
        "upload-time": "2026-01-01T00:00:00.000000Z",
        "url": f"https://files.example.org/{name}",
        "yanked": False,
    }


PAGE: dict[str, Any] = {
    "files": [_file(WHEEL), _file("hull-1.0.tar.gz"), _file("hull-2.0-py3-none-any.whl")],
    "meta": {"_last-serial": 1, "api-version": "1.1"},
    "name": "hull",
    "versions": ["1.0", "2.0"],
    "project-status": {"status": "active"},
}


def _read_page(data: bytes) -> None:
    """Read the page and everything in it."""
    table = parse_json_page(
        data,
        name="hull",
        page_url="https://index.example.org/simple/hull/",
        index_url="https://index.example.org/simple/",
    )
    page = ProjectDetail(table)
    for version in page.versions:
        assert page.requires_pythons(version)
        assert [(file.tags, file.build, file.upload_time) for file in page.files(version)]


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")], ids=["scanned", "parsed"])
def test_a_wrong_value_anywhere_in_a_page_is_refused_in_plain_words(value: Any, separators: tuple[str, str]) -> None:
    for location in locations(PAGE):
        text = json.dumps(with_value(PAGE, location, value), separators=separators)
        assert "object" not in refusal(partial(_read_page, text.encode()))
