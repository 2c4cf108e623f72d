"""The recipes of the documentation for shells, run as they stand there; `test_images.py` builds the Dockerfiles."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lockset.sync.disk.inspect.interpreter import ask_interpreter
from support.builders.locks import locked_file, make_lock
from support.builders.wheel import make_wheel
from support.shell import add_commands
from support.venvs import managed_python
from support.worlds.target_world import judge

if TYPE_CHECKING:
    from support.builders.archives import Artifact

PAGES = Path(__file__).parents[2] / "docs/pages/how-to"
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the recipes are for Linux shells")
OWN = f"python{sys.version_info.major}.{sys.version_info.minor}"


def blocks(page: str, language: str) -> list[str]:
    """The code of a page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", (PAGES / page).read_text(), re.MULTILINE | re.DOTALL)


def block(page: str, word: str, language: str = "sh") -> str:
    """The only block of a page that has a word."""
    (result,) = [text for text in blocks(page, language) if word in text]
    return result


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of commands on the path, `lockset` and `python3` among them; the test's folder is the working one."""
    return add_commands(tmp_path / "commands", monkeypatch)


def run(code: str, folder: Path, **variables: str) -> str:
    environ = {**os.environ, **variables}
    done = subprocess.run(
        ["/bin/sh", "-eu", "-c", code], cwd=folder, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{code}\n{done.stdout}\n{done.stderr}"
    return done.stderr


def lock(folder: Path, *wheels: Artifact, **top: Any) -> None:
    folder.mkdir(exist_ok=True)
    packages = []
    for wheel in wheels:
        (folder / wheel.filename).write_bytes(wheel.content)
        locked: dict[str, Any] = locked_file(wheel)
        del locked["url"]
        name, version = wheel.filename.split("-")[:2]
        packages.append({"name": name, "version": version, "wheels": [locked | {"path": wheel.filename}]})
    (folder / "pylock.toml").write_text(make_lock(packages, **top))


def test_a_folder_for_a_function_service(shell: Path, tmp_path: Path) -> None:
    lock(tmp_path, make_wheel("native", tags="cp313-cp313-manylinux_2_28_x86_64"), make_wheel("pure"))
    run(block("targets.md", "build/package"), tmp_path)
    assert judge(tmp_path / "build/package") == {"native": "1.0", "pure": "1.0"}


def test_a_system_python_whose_base_packages_stay(shell: Path, tmp_path: Path) -> None:
    python = managed_python(tmp_path / "system")
    library = Path(ask_interpreter(str(python), memory=None).paths["purelib"])  # Debian's is not `site-packages`
    base = library / "base-1.0.dist-info"
    base.mkdir(parents=True)
    (base / "METADATA").write_text("Metadata-Version: 2.1\nName: base\nVersion: 1.0\n")
    (base / "RECORD").write_text("base-1.0.dist-info/METADATA,,\n")
    (shell / "python3").unlink()
    lock(tmp_path, make_wheel("pure"))
    run(block("targets.md", "--break-system-packages\n"), tmp_path, PATH=f"{python.parent}:{os.environ['PATH']}")
    assert (library / "pure/__init__.py").is_file()
    assert base.is_dir()


def test_several_projects_in_one_image(shell: Path, tmp_path: Path) -> None:
    lock(tmp_path / "shop", make_wheel("both"), make_wheel("shop"))
    lock(tmp_path / "admin", make_wheel("both"), make_wheel("admin"))
    run(block("targets.md", "for project"), tmp_path)
    for project in ("shop", "admin"):
        library = tmp_path / project / ".venv/lib" / OWN / "site-packages"
        assert judge(library) == {"both": "1.0", project: "1.0"}
    run(block("targets.md", "shared"), tmp_path)
    assert judge(tmp_path / "shared/lib" / OWN / "site-packages") == {"both": "1.0", "shop": "1.0", "admin": "1.0"}


def test_one_project_after_the_other(shell: Path, tmp_path: Path) -> None:
    lock(tmp_path / "shop", make_wheel("both"), make_wheel("shop"))
    lock(tmp_path / "admin", make_wheel("both"), make_wheel("admin"))
    run(block("targets.md", "layered"), tmp_path)
    assert judge(tmp_path / "layered/lib" / OWN / "site-packages") == {"both": "1.0", "shop": "1.0", "admin": "1.0"}


def test_a_machine_without_a_network(shell: Path, tmp_path: Path) -> None:
    lock(tmp_path, make_wheel("native", tags="cp312-cp312-manylinux_2_28_x86_64"), make_wheel("pure"))
    run(block("targets.md", "--dest").replace("--platform windows", ""), tmp_path)
    carried = tmp_path / "carried"
    lock(carried)
    (tmp_path / "wheelhouse").rename(carried / "wheelhouse")
    text = (tmp_path / "pylock.toml").read_text().replace('path = "', 'url = "https://files.example.org/')
    (carried / "pylock.toml").write_text(text)
    run(block("targets.md", "--find-links"), carried, LOCKSET_NO_CACHE="1")
    assert judge(carried / "app") == {"native": "1.0", "pure": "1.0"}


def test_a_prefix(shell: Path, tmp_path: Path) -> None:
    lock(tmp_path, make_wheel("pure"))
    run(block("targets.md", "--prefix"), tmp_path)
    assert judge(tmp_path / "opt/station/lib" / OWN / "site-packages") == {"pure": "1.0"}


def test_another_python_of_this_machine(shell: Path, tmp_path: Path) -> None:
    """One that only pyenv keeps: on the path, there are its shims, which refuse."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    kept = tmp_path / "pyenv/versions" / f"{version}.99" / "bin"
    kept.mkdir(parents=True)
    (kept / f"python{version}").symlink_to(getattr(sys, "_base_executable", sys.executable))
    shims = tmp_path / "shims"
    shims.mkdir()
    (shims / f"python{version}").write_text("#!/bin/sh\nexit 127\n")
    (shims / f"python{version}").chmod(0o755)
    for name in ("python3", "python"):
        (shell / name).unlink()
    lock(tmp_path, make_wheel("pure"))
    path = {"PATH": f"{shell}:{shims}", "PYENV_ROOT": str(tmp_path / "pyenv"), "VIRTUAL_ENV": ""}
    run(block("targets.md", "--python 3.12").replace("3.12", version), tmp_path, **path)
    assert judge(tmp_path / "build/python312") == {"pure": "1.0"}


def test_a_folder_of_modules(shell: Path, tmp_path: Path) -> None:
    lock(tmp_path, make_wheel("pure"))
    run(block("images.md", "--target"), tmp_path)
    assert judge(tmp_path / "build/python") == {"pure": "1.0"}


def test_the_sync_of_the_ci_recipe(shell: Path, tmp_path: Path) -> None:
    lock(tmp_path, make_wheel("pure"), dependency_groups=["test"])
    (line,) = [line for line in block("ci.md", "--group test").splitlines() if "sync" in line]
    run(f"python3 -m venv --without-pip .venv\nlockset validate pylock.toml\n{line}", tmp_path)
    assert judge(tmp_path / ".venv/lib" / OWN / "site-packages") == {"pure": "1.0"}
