"""Texts depend on the set alone, not on what the process met before or on the seed of its hashes."""

from __future__ import annotations

import subprocess
import sys

import pytest

_PROGRAM = """
import sys
from lockset.markers import MarkerSet, Universe
markers = [
    "(python_version < '3.11' and sys_platform == 'win32') or (os_name == 'nt' and 'a' in extras)",
    "('win' in sys_platform or sys_platform == 'linux') and (platform_release >= '20' or python_version >= '3.12')",
    "(platform_machine == 'arm64' or platform_machine == 'x86_64') and ('b' in extras or 'dev' in dependency_groups)",
    "python_full_version != '3.10.1' and (platform_python_implementation == 'PyPy' or sys_platform != 'darwin')",
]
inside = Universe.of(requires_python=">=3.9").region
order = range(len(markers)) if sys.argv[1] == "forwards" else reversed(range(len(markers)))
texts = {}
for number in order:
    one = MarkerSet.parse(markers[number])
    texts[number] = one.text(), (~one).text(), one.text(inside), str(one.given(inside)), list(map(str, one.atoms()))
print(sorted(texts.items()))
"""


@pytest.fixture(scope="module")
def written() -> list[str]:
    runs = [("forwards", "1"), ("backwards", "2")]
    return [
        subprocess.run(
            [sys.executable, "-c", _PROGRAM, order],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for order, seed in runs
    ]


def test_texts_are_the_same_in_every_process(written: list[str]) -> None:
    assert written[0] == written[1]
    assert written[0].count("win32") > 1
