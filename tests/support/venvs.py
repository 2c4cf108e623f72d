"""Virtual environments by copying a template, and the interpreters to make them with."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

__all__ = ["Venv", "VenvMaker", "interpreter", "managed_python"]

_PYENV = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
_LIST = """
import json
from importlib.metadata import distributions
def normalized(name):
    return name.lower().replace("_", "-").replace(".", "-")
print(json.dumps(sorted((normalized(found.metadata["Name"]), found.version) for found in distributions())))
"""


@cache
def interpreter(version: str) -> Path | None:
    """A Python of that minor version ("3.9") on this machine, or None."""
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        base = Path(getattr(sys, "_base_executable", sys.executable))
        return Path(sys.base_prefix, "bin", f"python{version}") if _is_in_venv(base) else base
    if os.name == "nt":
        return None
    try:
        candidates = sorted(_PYENV.glob(f"{version}.*/bin/python"))
    except PermissionError:  # the home folder of another user
        candidates = []
    on_path = shutil.which(f"python{version}")
    if on_path is not None and "shims" not in Path(on_path).parts:
        candidates.insert(0, Path(on_path))
    return next((path for path in candidates if not _is_in_venv(path) and _works(path)), None)


def _is_in_venv(python: Path) -> bool:
    return (python.parent.parent / "pyvenv.cfg").exists()


def _works(python: Path) -> bool:
    return subprocess.run([python, "-I", "-c", "import venv"], capture_output=True, check=False).returncode == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Venv:
    """A virtual environment without pip."""

    path: Path
    version: str

    @property
    def python(self) -> Path:
        return self.path / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    @property
    def bin(self) -> Path:
        return self.python.parent

    @property
    def site_packages(self) -> Path:
        return self.path / ("Lib" if os.name == "nt" else f"lib/python{self.version}") / "site-packages"

    def run(self, code: str) -> str:
        """What `code` prints in this environment."""
        done = subprocess.run([self.python, "-I", "-c", code], capture_output=True, encoding="utf-8", check=True)
        return done.stdout

    def installed(self) -> dict[str, str]:
        """Normalized name to version, as `importlib.metadata` of this environment sees it."""
        pairs = json.loads(self.run(_LIST))
        results = dict(pairs)
        assert len(results) == len(pairs), f"a name is installed twice: {pairs}"
        return results

    def tree(self) -> dict[str, bytes | str]:
        """Every file and link of the environment with its content, to compare before and after; no bytecode."""
        results: dict[str, bytes | str] = {}
        for path in sorted(self.path.rglob("*")):
            if path.is_symlink():
                results[str(path.relative_to(self.path))] = str(path.readlink())
            elif path.is_file() and "__pycache__" not in path.parts:
                results[str(path.relative_to(self.path))] = path.read_bytes()
        return results


@dataclass(frozen=True, slots=True)
class VenvMaker:
    """Makes environments in `directory`; the first of each interpreter is made by `venv`, others are copies."""

    templates: Path
    directory: Path = field(default_factory=Path)

    def below(self, directory: Path) -> VenvMaker:
        return VenvMaker(self.templates, directory)

    def __call__(self, name: str = "env", *, python: str | None = None) -> Venv:
        """A fresh environment; the test is skipped where that Python is not on this machine."""
        version = python or f"{sys.version_info.major}.{sys.version_info.minor}"
        base = interpreter(version)
        if base is None:
            pytest.skip(f"no Python {version} here")
        template = self.templates / version
        if not template.exists():
            subprocess.run([base, "-I", "-m", "venv", "--without-pip", template], check=True)
        path = self.directory / name
        shutil.copytree(template, path, symlinks=True)
        return Venv(path=path, version=version)


def managed_python(folder: Path) -> Path:
    """A copy of this interpreter's launcher with a prefix of its own that another installer keeps."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    library = folder / "lib" / version
    library.mkdir(parents=True)
    (folder / "bin").mkdir()
    base = Path(sysconfig.get_paths()["stdlib"])
    for entry in base.iterdir():
        if entry.name not in {"site-packages", "EXTERNALLY-MANAGED"}:
            (library / entry.name).symlink_to(entry)
    (library / "site-packages").mkdir()
    (library / "EXTERNALLY-MANAGED").write_text("[externally-managed]\nError=Ask the system's own installer.\n")
    python = folder / "bin/python3"
    python.write_bytes(Path(os.path.realpath(sys.executable)).read_bytes())
    python.chmod(0o755)
    done = subprocess.run(
        [python, "-I", "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True, check=False
    )
    if done.stdout.strip() != str(folder):
        pytest.skip("this interpreter does not run from a copy")
    return python
