"""PyPy as a target, where there is one (Debian's `pypy3`)."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import packaging
import pytest

from lockset.sync.disk.inspect.interpreter import ask_interpreter
from lockset.sync.target import interpreter_tags
from support.builders.locks import locked_file, make_lock
from support.builders.sdist import make_sdist
from support.builders.wheel import make_wheel

if TYPE_CHECKING:
    from support.command import Command

PYPY = shutil.which("pypy3")

pytestmark = pytest.mark.skipif(PYPY is None, reason="no pypy3 here")

_INSIDE = """
import json, sys
sys.path.append(sys.argv[1])
from packaging.markers import default_environment
from packaging.tags import sys_tags
print(json.dumps([default_environment(), list(map(str, sys_tags()))]))
"""


@pytest.fixture
def env(tmp_path: Path) -> Path:
    done = subprocess.run(
        [str(PYPY), "-m", "venv", "--without-pip", tmp_path / "env"], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("this pypy3 makes no virtual environments")
    return tmp_path / "env" / "bin" / "python"


def test_its_tags_and_markers_are_those_that_packaging_gives_inside(env: Path) -> None:
    message = ask_interpreter(str(env), memory=None)
    code = [str(env), "-c", _INSIDE, str(Path(packaging.__file__).parents[1])]
    done = subprocess.run(code, capture_output=True, check=False)
    if done.returncode:
        pytest.skip("the packaging of here needs a newer Python than this PyPy is")
    markers, tags = json.loads(done.stdout)
    assert dict(message.markers) == markers
    assert list(map(str, interpreter_tags(message))) == tags


def test_its_own_wheel_goes_first_and_what_has_none_is_built(cli: Command, env: Path, tmp_path: Path) -> None:
    message = ask_interpreter(str(env), memory=None)
    own, other = str(interpreter_tags(message)[0]), "cp39-cp39-manylinux_2_17_x86_64"
    wheels = [make_wheel("fast", "1.0", tags=tag, files={"fast.py": f"built = {tag!r}\n"}) for tag in (own, other)]
    sdist = make_sdist("slow", "1.0", files={"slow.py": "built = 'here'\n"})
    packages = []
    for name, artifacts in (("fast", wheels), ("slow", [sdist])):
        files = []
        for artifact in artifacts:
            artifact.write(tmp_path)
            file = {key: value for key, value in locked_file(artifact).items() if key != "url"}
            files.append(file | {"path": artifact.filename})
        results = {"wheels": files} if name == "fast" else {"sdist": files[0]}
        packages.append({"name": name, "version": "1.0", **results})
    (tmp_path / "pylock.toml").write_text(make_lock(packages))
    cli.ok("sync", "--python", "env")
    printed = subprocess.check_output([env, "-c", "import fast, slow; print(fast.built, slow.built)"], text=True)
    assert printed.split() == [own, "here"]
    cli.ok("check-env", "--python", "env")
