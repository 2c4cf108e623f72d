"""Targets that are no environment of this machine: described platforms, prefixes, system interpreters."""

from __future__ import annotations

import hashlib
import json
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lockset.markers import KNOWN_PYTHONS
from lockset.sync.disk.inspect.interpreter import ask_interpreter
from lockset.sync.disk.request import DescribedInterpreter, TargetSpec, resolve_target
from support.builders.locks import locked_file, make_lock
from support.builders.wheel import make_wheel
from support.venvs import interpreter, managed_python
from support.worlds.target_world import World, judge, tree

if TYPE_CHECKING:
    from support.builders.archives import Artifact
    from support.command import Command, Result
    from support.venvs import VenvMaker

OWN = f"{sys.version_info.major}.{sys.version_info.minor}"
linux = pytest.mark.skipif(sys.platform != "linux", reason="compares with what this machine installs for itself")


def lock_of(folder: Path, *wheels: Artifact) -> None:
    packages = []
    names = sorted({wheel.filename.split("-")[0] for wheel in wheels})
    for name in names:
        files: list[dict[str, Any]] = []
        for wheel in wheels:
            if wheel.filename.split("-")[0] == name:
                (folder / wheel.filename).write_bytes(wheel.content)
                locked: dict[str, Any] = locked_file(wheel)
                del locked["url"]
                files.append(locked | {"path": wheel.filename})
        packages.append({"name": name.replace("_", "-"), "version": "1.0", "wheels": files})
    (folder / "pylock.toml").write_text(make_lock(packages))


RICH = make_wheel(
    "rich_wheel",
    files={
        "rich_wheel/__init__.py": "x = 1\n",
        "rich_wheel-1.0.data/scripts/tool": "#!python\nprint('tool')\n",
        "rich_wheel-1.0.data/data/share/rich/x.txt": "x",
        "rich_wheel-1.0.data/headers/rich.h": "/* */",
        "rich_wheel-1.0.data/purelib/rich_more.py": "",
    },
    entry_points={"console_scripts": {"rich-run": "rich_wheel:main"}, "gui_scripts": {"rich-gui": "rich_wheel:main"}},
)


def without_interpreter(results: dict[str, bytes | str]) -> dict[str, bytes | str]:
    """Files whose commands name no interpreter, and RECORD without their rows."""
    kept = dict(results)
    commands = [path for path in kept if path.replace("\\", "/").split("/")[0] in {"bin", "Scripts"}]
    for path in commands:
        content = kept[path]
        if isinstance(content, bytes):
            program, mark, rest = content.rpartition(b"#!")
            kept[path] = program + mark + rest[rest.index(b"\n") :]
    for path, content in kept.items():
        if path.endswith("RECORD"):
            assert isinstance(content, bytes)
            rows = content.split(b"\n")
            kept[path] = b"\n".join(row for row in rows if not re.match(rb"[\0./]*(bin|Scripts)/", row))
    return kept


@pytest.mark.skipif(sys.platform == "darwin", reason="nobody has run macOS to see what its platform is called")
@pytest.mark.parametrize("option", ["--target", "--prefix"])
def test_a_described_target_is_byte_for_byte_a_native_one_but_for_the_interpreter_of_commands(
    cli: Command, tmp_path: Path, option: str
) -> None:
    lock_of(tmp_path, RICH)
    platform_name = "win_amd64" if sys.platform == "win32" else f"linux_{platform.machine()}"
    cli.ok("sync", "--python", sys.executable, option, "native")
    cli.ok("sync", "--platform", platform_name, "--python-version", OWN, option, "described")
    native, described = tree(tmp_path / "native"), tree(tmp_path / "described")
    assert without_interpreter(native) == without_interpreter(described)
    commands = [content for path, content in described.items() if "rich-run" in path]
    first_line = b"#!python.exe\n" if sys.platform == "win32" else b"#!/usr/bin/env python3\n"
    assert [isinstance(content, bytes) and first_line in content for content in commands] == [True]
    cli.ok("sync", "--platform", platform_name, "--python-version", OWN, option, "described", "--check")


# What every system makes of RICH for a system that is described: sha256 of names and bytes. Left out is what other
# versions of `installer` and zlib may change: the programs that start commands, and the hash of the archive.
EVERYWHERE = {
    ("windows", "target"): "6f2b950f49988f62ed3068fb081b88166d498d2830bd8295af4aea84593a4913",
    ("windows", "prefix"): "21c2116830daf829bb29abd3f8b7e29b950a6bb4f15b9c634bd3541a583d3ca9",
    ("linux", "target"): "74ba5a22c78546ea78fadf71f57c8d4363c0e007fb86839ad6042696dc942f34",
    ("linux", "prefix"): "9fa8988b80e135d9f344a3556280ba8bb20404a40837caf4e5d4044290f466be",
    ("macosx_14_0_arm64", "prefix"): "9fa8988b80e135d9f344a3556280ba8bb20404a40837caf4e5d4044290f466be",
}


@pytest.mark.parametrize(("described", "kind"), EVERYWHERE)
def test_a_described_target_has_the_same_bytes_wherever_it_is_made(tmp_path: Path, described: str, kind: str) -> None:
    out = tmp_path / "out"
    world = World(folder=tmp_path / "world", python=None)
    python = DescribedInterpreter(platform=described, python="3.11")
    directory, prefix = (str(out), None) if kind == "target" else (None, str(out))
    location = TargetSpec(python=None, directory=directory, prefix=prefix, described=python)
    world.sync(RICH, location=location)
    digest = hashlib.sha256()
    results = {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    for name, content in sorted(results.items()):
        if name.endswith("RECORD"):
            rows = [row for row in content.splitlines() if b"provenance_url" not in row and b"rich-" not in row]
            content = b"\n".join(rows)  # noqa: PLW2901 - what counts of it
        if not name.endswith("provenance_url.json"):
            digest.update(name.encode() + b"\0" + content[max(content.rfind(b"#!"), 0) :] + b"\0")
    assert digest.hexdigest() == EVERYWHERE[described, kind]


@pytest.mark.parametrize(
    ("platform", "python", "chosen"),
    [
        ("manylinux_2_28_x86_64", "3.12", "cp312-cp312-manylinux_2_17_x86_64"),
        ("manylinux_2_12_x86_64", "3.12", "py3-none-any"),
        ("linux_aarch64", "3.12", "cp312-cp312-manylinux_2_28_aarch64"),
        ("musllinux_1_2_x86_64", "3.12", "cp312-cp312-musllinux_1_1_x86_64"),
        ("macosx_14_0_arm64", "3.12", "cp312-cp312-macosx_11_0_arm64"),
        ("macosx_10_9_x86_64", "3.12", "cp312-cp312-macosx_10_9_x86_64"),
        ("windows", "3.12", "cp312-cp312-win_amd64"),
        ("win_amd64", "3.13", "cp39-abi3-win_amd64"),
        ("linux_x86_64", "3.11", "py3-none-any"),
    ],
)
def test_each_platform_gets_its_own_wheel(
    cli: Command, tmp_path: Path, platform: str, python: str, chosen: str
) -> None:
    tags = [
        "cp312-cp312-manylinux_2_17_x86_64",
        "cp312-cp312-manylinux_2_28_aarch64",
        "cp312-cp312-musllinux_1_1_x86_64",
        "cp312-cp312-macosx_11_0_arm64",
        "cp312-cp312-macosx_10_9_x86_64",
        "cp312-cp312-win_amd64",
        "cp39-abi3-win_amd64",
        "py3-none-any",
    ]
    lock_of(tmp_path, *(make_wheel("many", tags=one, files={"many.py": one}) for one in tags))
    cli.ok("sync", "--platform", platform, "--python-version", python, "--target", "out")
    assert (tmp_path / "out/many.py").read_text() == chosen
    assert judge(tmp_path / "out") == {"many": "1.0"}


def test_windows_commands_are_launchers_wherever_they_are_made(cli: Command, tmp_path: Path) -> None:
    lock_of(tmp_path, RICH)
    cli.ok("sync", "--platform", "win_amd64", "--python-version", "3.12", "--prefix", "out")
    assert (tmp_path / "out/Lib/site-packages/rich_wheel/__init__.py").is_file()
    launcher = (tmp_path / "out/Scripts/rich-run.exe").read_bytes()
    assert launcher.startswith(b"MZ")
    assert b"#!python.exe" in launcher
    assert judge(tmp_path / "out/Lib/site-packages") == {"rich_wheel": "1.0"}


def test_a_described_target_takes_wheels_only_and_needs_a_folder(cli: Command, tmp_path: Path) -> None:
    locked = {"url": "https://example.org/x-1.0.tar.gz", "hashes": {"sha256": "0" * 64}}
    (tmp_path / "pylock.toml").write_text(make_lock([{"name": "x", "version": "1.0", "sdist": locked}]))
    assert "cannot be built for it here" in cli.refused("sync", "--platform", "windows", "--target", "out")
    assert "require --target or --prefix" in cli.refused("sync", "--platform", "windows", code=2)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("version", KNOWN_PYTHONS)
def test_a_prefix_is_laid_out_as_the_interpreter_itself_would(tmp_path: Path, version: str) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"no Python {version} here")
    target = resolve_target(TargetSpec(python=str(python), prefix=str(tmp_path)), cache=None)
    code = (
        "import json, sys, sysconfig; base = sys.argv[1]; "
        "scheme = 'nt' if sys.platform == 'win32' else 'posix_prefix'; "
        "print(json.dumps(sysconfig.get_paths(scheme, vars=dict.fromkeys("
        "('base', 'platbase', 'installed_base', 'installed_platbase'), base))))"
    )
    paths = json.loads(subprocess.check_output([python, "-I", "-c", code, str(tmp_path.resolve())]))
    layout = target.layout
    assert (layout.purelib, layout.platlib) == (paths["purelib"], paths["platlib"])
    assert (layout.scripts, layout.headers, layout.data) == (paths["scripts"], paths["include"], paths["data"])


def test_a_described_pypy_has_its_own_tags_and_folders() -> None:
    location = TargetSpec(
        python=None,
        prefix="/opt/x",
        described=DescribedInterpreter(platform="linux", python="3.10", implementation="pypy"),
    )
    target = resolve_target(location, cache=None)
    assert Path(target.layout.purelib) == Path("/opt/x/lib/pypy3.10/site-packages").absolute()
    assert target.environment["platform_python_implementation"] == "PyPy"
    assert any(tag.interpreter == "pp310" for tag in target.tags)
    assert all(not tag.interpreter.startswith("cp") for tag in target.tags)


@linux
def test_a_kept_system_python_is_changed_only_on_request_and_keeps_what_was_there(
    cli: Command, tmp_path: Path, make_venv: VenvMaker
) -> None:
    python = managed_python(tmp_path / "system")
    library = Path(ask_interpreter(str(python), memory=None).paths["purelib"])  # Debian's is not `site-packages`
    (library / "base_tool-3.0.dist-info").mkdir(parents=True)
    (library / "base_tool-3.0.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: base-tool\nVersion: 3.0\n")
    (library / "base_tool-3.0.dist-info/RECORD").write_text("base_tool-3.0.dist-info/METADATA,,\n")
    lock_of(tmp_path, make_wheel("one"), make_wheel("two"))
    path = {"PATH": str(python.parent)}
    message = cli.refused("sync", "--system", env=path)
    assert "--break-system-packages" in message
    assert "Ask the system's own installer" in message
    cli.ok("sync", "--system", "--break-system-packages", env=path)
    assert (library / "two/__init__.py").is_file()
    lock_of(tmp_path, make_wheel("one"))
    result = cli.ok("sync", "--system", "--break-system-packages", "--json", env=path)
    assert {step["name"]: step["action"] for step in result.json()["steps"]} == {
        "base-tool": "keep", "one": "keep", "two": "remove",
    }  # fmt: skip
    assert (library / "base_tool-3.0.dist-info/METADATA").is_file()


@linux
def test_an_active_environment_of_conda_is_the_target_and_keeps_what_was_there(cli: Command, tmp_path: Path) -> None:
    python = managed_python(tmp_path / "conda/envs/lab")
    Path(ask_interpreter(str(python), memory=None).paths["stdlib"], "EXTERNALLY-MANAGED").unlink()
    library = Path(ask_interpreter(str(python), memory=None).paths["purelib"])
    (library / "base_tool-3.0.dist-info").mkdir(parents=True)
    (library / "base_tool-3.0.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: base-tool\nVersion: 3.0\n")
    (library / "base_tool-3.0.dist-info/RECORD").write_text("base_tool-3.0.dist-info/METADATA,,\n")
    active = {"CONDA_PREFIX": str(tmp_path / "conda/envs/lab"), "CONDA_DEFAULT_ENV": "lab"}
    for wheels in ((make_wheel("one"), make_wheel("two")), (make_wheel("two"),)):
        lock_of(tmp_path, *wheels)
        cli.ok("sync", env=active)
        cli.ok("sync", "--check", env=active)
    assert (library / "two/__init__.py").is_file()
    assert not (library / "one").exists()
    assert (library / "base_tool-3.0.dist-info/METADATA").is_file()
    assert "There is no virtual environment" in cli.refused("sync", env={**active, "CONDA_DEFAULT_ENV": "base"})


def test_a_version_names_an_interpreter_on_the_path(cli: Command, tmp_path: Path) -> None:
    python = interpreter(OWN)
    assert python is not None
    lock_of(tmp_path, make_wheel("one"))
    result = cli.ok("sync", "--python", OWN, "--target", "out", "--json", env={"PATH": str(python.parent)})
    assert Path(result.json()["target"]["python"]).parent == python.parent
    assert "no Python 2.6" in cli.refused(
        "sync", "--python", "2.6", "--target", "out", env={"PATH": str(python.parent)}
    )


def test_options_have_variables(cli: Command, tmp_path: Path) -> None:
    lock_of(tmp_path, make_wheel("one"))
    variables = {"LOCKSET_TARGET": "out", "LOCKSET_PLATFORM": "windows", "LOCKSET_PYTHON_VERSION": "3.12"}
    cli.ok("sync", env=variables)
    assert judge(tmp_path / "out") == {"one": "1.0"}
    assert "LOCKSET_INEXACT" in cli.refused("sync", env={**variables, "LOCKSET_INEXACT": "perhaps"}, code=2)
    bad: Result = cli("sync", env={**variables, "LOCKSET_LINK_MODE": "wish"})
    assert bad.code == 2
