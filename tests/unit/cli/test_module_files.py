"""The finder of lockset's own modules: the same as from the standard one, whatever state their byte code has."""

from __future__ import annotations

import importlib.util
import os
import pkgutil
import py_compile
import subprocess
import sys
import traceback
import zipfile
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from typing import TYPE_CHECKING

import pytest

import lockset
from lockset.cli.module_files import _Finder
from support.repository import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

pytestmark = pytest.mark.skipif(sys.implementation.name != "cpython", reason="it is for CPython alone")

SHOWN = ("name", "origin", "cached", "has_location", "submodule_search_locations", "parent")


def test_every_module_is_found_as_by_the_standard_finder() -> None:
    names = [name for _, name, _ in pkgutil.walk_packages(lockset.__path__, "lockset.", onerror=print)]
    assert len(names) > 400
    for name in names:
        parent = importlib.import_module(name.rpartition(".")[0])
        ours, usual = (find(name, parent.__path__) for find in (_Finder.find_spec, PathFinder.find_spec))
        assert ours is not None
        assert usual is not None
        assert [getattr(ours, each) for each in SHOWN] == [getattr(usual, each) for each in SHOWN]
        assert isinstance(ours.loader, SourceFileLoader)


@pytest.mark.parametrize("name", ["lockset", "lockset.none", "packaging.version", "os"])
def test_other_modules_are_left_to_the_standard_finder(name: str) -> None:
    assert _Finder.find_spec(name, lockset.__path__ if "." in name else None) is None


def loaded(find: Callable[..., ModuleSpec | None], folder: Path) -> ModuleType:
    spec = find("lockset.sample", [str(folder)])
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def fresh(folder: Path) -> None:
    """Sources without byte code."""


def current(folder: Path) -> None:
    py_compile.compile(str(folder / "sample.py"), doraise=True)


def touched(folder: Path) -> None:
    current(folder)
    (folder / "sample.py").write_text("VALUE = 2\n")
    os.utime(folder / "sample.py", (1, 1))


def longer(folder: Path) -> None:
    current(folder)
    status = (folder / "sample.py").stat()
    (folder / "sample.py").write_text("VALUE = 22\n")
    os.utime(folder / "sample.py", ns=(status.st_atime_ns, status.st_mtime_ns))


def by_hash(folder: Path) -> None:
    mode = py_compile.PycInvalidationMode.CHECKED_HASH
    py_compile.compile(str(folder / "sample.py"), doraise=True, invalidation_mode=mode)
    (folder / "sample.py").write_text("VALUE = 3\n")


def by_unchecked_hash(folder: Path) -> None:
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(str(folder / "sample.py"), doraise=True, invalidation_mode=mode)
    (folder / "sample.py").write_text("VALUE = 4\n")


def of_another_python(folder: Path) -> None:
    current(folder)
    [code] = (folder / "__pycache__").iterdir()
    code.write_bytes(b"\0\0\0\0" + code.read_bytes()[4:])


def empty(folder: Path) -> None:
    current(folder)
    [code] = (folder / "__pycache__").iterdir()
    code.write_bytes(b"")


def truncated(folder: Path) -> None:
    current(folder)
    [code] = (folder / "__pycache__").iterdir()
    code.write_bytes(code.read_bytes()[:30])


def no_code(folder: Path) -> None:
    current(folder)
    [code] = (folder / "__pycache__").iterdir()
    code.write_bytes(code.read_bytes()[:16] + b"N")


def a_folder(folder: Path) -> None:
    (folder / "__pycache__" / f"sample.{sys.implementation.cache_tag}.pyc").mkdir(parents=True)


def not_python(folder: Path) -> None:
    (folder / "sample.py").write_text("VALUE = (\n")


@pytest.mark.parametrize(
    "state",
    [
        *(fresh, current, touched, longer, by_hash, by_unchecked_hash),
        *(of_another_python, empty, truncated, no_code, a_folder, not_python),
    ],
)
def test_byte_code_is_trusted_as_by_the_standard_loader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: Callable[[Path], None]
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    results = []
    for number, find in enumerate((_Finder.find_spec, PathFinder.find_spec)):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        (folder / "sample.py").write_text("VALUE = 1\n")
        state(folder)
        try:
            module = loaded(find, folder)
        except (ImportError, EOFError, SyntaxError, ValueError, TypeError) as error:
            results.append((type(error), str(error).replace(str(folder), "")))
        else:
            code = sorted(path.name for path in (folder / "__pycache__").iterdir())
            results.append((module.VALUE, str(module.__file__).replace(str(folder), ""), *code))
    assert results[0] == results[1]


def test_a_traceback_names_the_file_that_was_imported(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    (first / "sample.py").write_text("def fail():\n    raise KeyError\n")
    current(first)
    first.rename(second)  # byte code that was compiled elsewhere, as in a wheel
    module = loaded(_Finder.find_spec, second)
    try:
        module.fail()
    except KeyError as error:
        [_, frame] = traceback.extract_tb(error.__traceback__)
        assert (frame.filename, frame.line) == (str(second / "sample.py"), "raise KeyError")


_USED = """
import sys
from lockset.cli.module_files import find_own_modules
find_own_modules()
import lockset.cli.output.streams
from importlib.resources import files
print("module_files" in str(sys.meta_path[0]), (files("lockset.cli") / "main.py").is_file())
"""


@pytest.mark.parametrize(
    ("options", "variables", "used"),
    [
        ([], {}, True),
        (["-B"], {}, True),
        (["-O"], {}, False),
        ([], {"PYTHONPYCACHEPREFIX": "codes"}, False),
    ],
)
def test_it_is_used_where_byte_code_is_in_its_usual_folder(
    tmp_path: Path, options: list[str], variables: dict[str, str], *, used: bool
) -> None:
    if "PYTHONPYCACHEPREFIX" in variables:
        variables = {"PYTHONPYCACHEPREFIX": str(tmp_path)}
    command = [sys.executable, *options, "-c", _USED]
    done = subprocess.run(command, env=os.environ | variables, capture_output=True, encoding="utf-8", check=True)
    assert done.stdout == f"{used} True\n"


def test_lockset_runs_from_an_archive(tmp_path: Path) -> None:
    archive = tmp_path / "lockset.zip"
    source = ROOT / "src"
    with zipfile.ZipFile(archive, "w") as whole:
        for path in sorted(source.glob("lockset/**/*.*")):
            if path.suffix in {".py", ".toml"}:
                whole.write(path, path.relative_to(source))
    code = f"import sys; sys.path.insert(0, {str(archive)!r}); sys.argv = ['lockset', 'cache', 'dir']\n"
    code += "import lockset.cli.main as module; assert '.zip' in module.__file__; module.main()"
    environ = os.environ | {"LOCKSET_CACHE_DIR": str(tmp_path / "cache")}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.strip() == str(tmp_path / "cache")


def test_an_application_that_imports_lockset_keeps_its_finders() -> None:
    code = "import sys, lockset; before = [*sys.meta_path]; lockset.validate_text(''); print(before == sys.meta_path)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout.strip() == b"True"
