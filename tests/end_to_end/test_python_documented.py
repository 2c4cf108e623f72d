"""The examples of the Python API are run: those of its page, and those of the pages of commands."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import lockset

if TYPE_CHECKING:
    from support.local_index import LocalIndex

ADVISORIES = Path(__file__).parents[1] / "support" / "advisories"
PAGES = Path(__file__).parents[2] / "docs" / "pages" / "reference"
ADDRESS = "https://index.example.org/simple/"
UV_LOCK = 'version = 1\nrequires-python = ">=3.10"\n'


def examples() -> list[tuple[str, str]]:
    """Page with heading, and code, of every example that imports lockset."""
    results = []
    for page in sorted(PAGES.glob("*.md")):
        for part in re.split(r"(?m)^## ", page.read_text("utf-8"))[1:]:
            title = part.partition("\n")[0]
            codes = re.findall(r"(?ms)^```python\n(.*?)^```", part)
            results += [(f"{page.stem}: {title}", code) for code in codes if "import lockset\n" in code]
    return results


EXAMPLES = examples()


def test_every_page_with_a_python_section_has_an_example() -> None:
    pages = {name.partition(":")[0] for name, _ in EXAMPLES}
    # That of the markers, `tests/end_to_end/test_lock_documented.py` runs.
    assert pages >= {"python", "lock", "sync", "convert", "validate"}


@pytest.mark.parametrize(("name", "code"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_an_example_runs(
    name: str, code: str, local_index: LocalIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local_index.world.add("alpha", "1.0", requires=["beta"]).add("beta", "2.0")
    project = '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.10"\ndependencies = ["alpha"]\n'
    optional = '[project.optional-dependencies]\ncharts = ["beta"]\n[dependency-groups]\ntest = ["beta"]\n'
    (tmp_path / "pyproject.toml").write_text(project + optional)
    (tmp_path / "uv.lock").write_text(
        UV_LOCK + '[[package]]\nname = "app"\nversion = "1"\nsource = { virtual = "." }\n'
    )
    shutil.copytree(ADVISORIES, tmp_path / "advisories")
    monkeypatch.chdir(tmp_path)
    indexes = lockset.IndexOptions(index_url=local_index.url)
    lockset.lock(indexes=indexes).write()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", ".venv"], check=True)
    exec(compile(code.replace(ADDRESS, local_index.url), name, "exec"), {})
