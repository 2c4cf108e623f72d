"""Locks whose project is not there: what nothing else explains is taken as asked for, and it is told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from lockset.errors import LocksetError
from support.fakes.fake_conversion import convert_text, sha

if TYPE_CHECKING:
    from pathlib import Path

    from lockset.composition.conversions.conversion import Conversion


def package(
    name: str,
    version: str = "1",
    *lines: str,
    needs: str = "",
    extras: str = "",
    optional: bool = False,
    tags: str = "py3-none-any",
) -> str:
    return "\n".join(
        [
            "[[package]]",
            f'name = "{name}"',
            f'version = "{version}"',
            f"optional = {str(optional).lower()}",
            *lines,
            f'files = [{{file = "{name}-{version}-{tags}.whl", hash = "sha256:{sha(name + version)}"}}]',
            f"[package.dependencies]\n{needs}" if needs else "",
            f"[package.extras]\n{extras}" if extras else "",
            "",
        ]
    )


def poetry(*packages: str, extras: str = "") -> str:
    return "\n".join([*packages, extras, '[metadata]\nlock-version = "2.0"\npython-versions = ">=3.10"\n'])


def pdm(*packages: str, groups: str = '"default"') -> str:
    plain = [re.sub(r"^optional = .*\n", "", text, flags=re.MULTILINE) for text in packages]
    return f'[metadata]\ngroups = [{groups}]\nstrategy = []\nlock_version = "4.5.0"\n' + "\n".join(plain)


def markers(done: Conversion) -> dict[str, str | None]:
    return {f"{p.name} {p.version}": str(p.marker) if p.marker else None for p in done.lock.packages}


def kinds(done: Conversion) -> set[str]:
    return {loss.kind for loss in done.losses if not loss.note}


def test_packages_that_nothing_requires_become_the_roots(tmp_path: Path) -> None:
    text = poetry(
        package("a", needs='c = {version = "*", markers = "sys_platform == \'win32\'"}\nold = "*"\n'),
        package("b", needs='b2 = "*"'),
        package("b2", needs='b = "*"'),
        package("c"),
        package("old"),
    )
    done = convert_text(tmp_path, "poetry.lock", text)
    assert markers(done) == {"a 1": None, "b 1": None, "b2 1": None, "c 1": 'sys_platform == "win32"', "old 1": None}
    assert kinds(done) == {"roots-assumed", "markers-assumed", "groups-unknown"}
    with pytest.raises(LocksetError) as caught:
        convert_text(tmp_path, "poetry.lock", text, strict=True)
    assert caught.value.diagnostic.code == "lossy"


def test_a_package_required_only_outside_the_lock_becomes_a_root(tmp_path: Path) -> None:
    text = poetry(package("a", needs='c = {version = "*", python = "<3.8"}'), package("c"))
    assert markers(convert_text(tmp_path, "poetry.lock", text)) == {"a 1": None, "c 1": None}


def test_categories_and_extras_are_kept(tmp_path: Path) -> None:
    text = poetry(
        package("a", "1", 'category = "main"'),
        package("t", "1", 'category = "dev"', needs='c = "*"'),
        package("c", "1", 'category = "main"'),
        package(
            "o",
            "1",
            'category = "main"',
            optional=True,
            needs='p = {version = "*", optional = true}',
            extras='s = ["p"]',
        ),
        package("p", "1", 'category = "main"', optional=True),
        extras='[extras]\nx = ["o"]\n',
    )
    done = convert_text(tmp_path, "poetry.lock", text)
    result = markers(done)
    assert result["c 1"] == '"default" in dependency_groups or "dev" in dependency_groups'
    assert result["t 1"] == '"dev" in dependency_groups'
    assert result["o 1"] == result["p 1"] == '"x" in extras'
    assert {"groups-joined", "default-groups-unknown", "extras-assumed"} <= kinds(done)


def test_extras_are_inferred_for_packages_that_nothing_else_requires(tmp_path: Path) -> None:
    fast = (
        "f = {version = \"*\", optional = true, markers = \"sys_platform != 'win32' and extra == 'fast'\"}\n"
        'g = {version = "*", optional = true, markers = "extra == \'slow\'"}\n'
    )
    text = poetry(package("a", needs=fast, extras='fast = ["f"]\nslow = ["g"]'), package("f"))
    done = convert_text(tmp_path, "poetry.lock", text)
    assert markers(done) == {"a 1": None, "f 1": 'sys_platform != "win32"'}
    assert any("a[fast]" in loss.message for loss in done.losses)


def test_a_package_with_files_for_one_system_is_locked_for_it_only(tmp_path: Path) -> None:
    text = poetry(package("a"), package("w", tags="cp311-cp311-win_amd64"))
    assert markers(convert_text(tmp_path, "poetry.lock", text)) == {"a 1": None, "w 1": 'sys_platform == "win32"'}


def test_versions_are_distinguished_by_their_pythons_or_refused(tmp_path: Path) -> None:
    pythons = [package("n", "1", 'python-versions = ">=3.8"'), package("n", "2", 'python-versions = ">=3.12"')]
    done = convert_text(tmp_path, "poetry.lock", poetry(*pythons))
    assert markers(done) == {"n 1": 'python_version < "3.12"', "n 2": 'python_version >= "3.12"'}
    assert "newest-taken" in {loss.kind for loss in done.losses}
    with pytest.raises(LocksetError) as caught:
        convert_text(tmp_path, "poetry.lock", poetry(package("n", "1"), package("n", "2")))
    assert caught.value.diagnostic.code == "pyproject-needed"
    assert "n" in caught.value.diagnostic.message


def test_a_version_whose_requirements_cannot_be_satisfied_is_not_used(tmp_path: Path) -> None:
    text = poetry(
        package("n", "1", 'python-versions = ">=3.8"'),
        package("n", "2", 'python-versions = ">=3.12"'),
        package("p", "1", 'python-versions = ">=3.8"', needs='n = "*"'),
        package("p", "2", 'python-versions = ">=3.10"', needs='n = ">=2"'),
    )
    done = convert_text(tmp_path, "poetry.lock", text)
    assert markers(done)["p 1"] == markers(done)["n 1"] == 'python_version < "3.12"'


def test_a_pyproject_without_requirements_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]\nline-length = 100\n")
    assert "roots-assumed" in kinds(convert_text(tmp_path, "poetry.lock", poetry(package("a"))))


def test_pdm_locks_name_the_requested_extras(tmp_path: Path) -> None:
    text = pdm(
        package("a"),
        package("a", "1", 'extras = ["fast"]', 'dependencies = ["a==1", "f; python_version < \'3.12\'"]'),
        package("f"),
        groups='"default", "dev"',
    )
    done = convert_text(tmp_path, "pdm.lock", text)
    assert markers(done) == {"a 1": None, "f 1": 'python_version < "3.12"'}
    assert kinds(done) == {"roots-assumed", "markers-assumed", "groups-unknown"}
    assert "groups-unknown" not in kinds(convert_text(tmp_path, "pdm.lock", pdm(package("a"))))
