"""No file of the repository names a public package registry, but the one constant."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Put together here, so that this file does not hold them.
HOSTS = tuple(".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("pypi", "python", "org")))


def tracked_files() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip("not a checkout")
    return [ROOT / name for name in done.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


def test_only_one_constant_names_a_public_registry() -> None:
    results = []
    for path in tracked_files():
        for number, line in enumerate(path.read_bytes().splitlines(), 1):
            if any(host.encode() in line.lower() for host in HOSTS):
                results.append((path.relative_to(ROOT).as_posix(), number, line.decode(errors="replace").strip()))
    outside = [entry for entry in results if not entry[0].startswith("src/lockset/")]
    assert outside == []
    assert len(results) == 1, results
    assert "DEFAULT_INDEX" in results[0][2]
