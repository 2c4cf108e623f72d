"""What checks and tests are installed from: hashed exports of our own lock that agree with pyproject.toml."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import tomli
from packaging.dependency_groups import resolve_dependency_groups
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PYPROJECT = tomli.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PROJECT = [Requirement(text) for text in PYPROJECT["project"]["dependencies"]]
GROUPS = [Requirement(str(text)) for text in resolve_dependency_groups(PYPROJECT["dependency-groups"], "dev")]
PIN = re.compile(r"([\w.-]+)==([\w.!+-]+)(?: ; (.+?))? \\((?:\n    --hash=sha256:[0-9a-f]{64}(?: \\)?)+)\n")
CI = ROOT / ".ci"


def pins(name: str) -> dict[str, Version]:
    """The versions that a file pins where this test runs; every other line of it has to be a comment or a hash."""
    if not CI.is_dir():
        pytest.skip("not a checkout")
    text = (CI / name).read_text("utf-8")
    rest = PIN.sub("", text)
    assert all(line.lstrip().startswith("#") for line in rest.splitlines() if line.strip()), rest
    chosen: dict[str, Version] = {}
    for project, version, marker, _ in PIN.findall(text):
        requirement = Requirement(f"{project} ; {marker}" if marker else project)
        if requirement.marker is None or requirement.marker.evaluate():
            assert project not in chosen
            chosen[canonicalize_name(project)] = Version(version)
    return chosen


@pytest.mark.parametrize(
    ("name", "requirements"),
    [("requirements.txt", [*PROJECT, *GROUPS]), ("requirements-lowest.txt", PROJECT)],
    ids=["newest", "lowest"],
)
def test_what_pyproject_asks_for_is_pinned_with_hashes(name: str, requirements: list[Requirement]) -> None:
    pinned = pins(name)
    for requirement in requirements:
        if requirement.marker is None or requirement.marker.evaluate():
            version = pinned[canonicalize_name(requirement.name)]
            assert requirement.specifier.contains(version, prereleases=True), requirement


def test_the_lowest_pins_are_the_lower_bounds_of_pyproject() -> None:
    """Within the series that a bound names: `>=1.2` may start at 1.2.1 where there is no 1.2.0."""
    pinned = pins("requirements-lowest.txt")
    for requirement in PROJECT:
        if requirement.marker is not None and not requirement.marker.evaluate():
            continue
        [bound] = [Version(one.version) for one in requirement.specifier if one.operator == ">="]
        version = pinned[requirement.name]
        assert version.release[: len(bound.release)] == bound.release, requirement
