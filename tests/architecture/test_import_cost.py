"""What the quick commands may load, proved in a fresh interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from support.local_index import LocalIndex

# What packaging and argparse import, and use in rare cases.
UNUSED = frozenset({"ast", "dataclasses", "gettext", "inspect", "ipaddress", "locale", "logging", "subprocess"})
LATE = frozenset({"httpx", "jsonschema", "installer", "resolvelib", "rich"})
_RUN = """
import atexit, runpy, sys
atexit.register(lambda: print("\\n".join(sys.modules), file=sys.stderr))
sys.argv = ["lockset", *{arguments!r}]
runpy.run_module("lockset", run_name="__main__", alter_sys=True)
"""
# The same without what `runpy` imports.
_RUN_ALONE = """
import atexit, sys
atexit.register(lambda: print(*sys.modules, sep="\\n", file=sys.stderr))
sys.argv = ["lockset", *{arguments!r}]
from lockset.cli.main import main
main()
"""


def modules_after(code: str) -> set[str]:
    """Top names of all modules that an interpreter holds after `code`."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    return {line.partition(".")[0] for line in done.stderr.split()}


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_and_version_load_no_heavy_library(arguments: list[str]) -> None:
    assert not modules_after(_RUN.format(arguments=arguments)) & LATE


def test_importing_lockset_loads_nothing_but_itself_and_the_standard_library() -> None:
    code = "import sys; before = set(sys.modules); import lockset; print(*set(sys.modules) - before, file=sys.stderr)"
    assert modules_after(code) - sys.stdlib_module_names == {"lockset"}


# What a sync from a filled cache may need of the standard library; all else costs milliseconds in every run.
_NEEDED = "argparse binascii contextlib functools itertools marshal pathlib"
_SYNC = "lockset.cli.program lockset.cli.commands.sync lockset.sync.disk.apply.prepare lockset.sync.disk.store.cache"


def test_a_sync_from_the_cache_loads_little() -> None:
    def loaded(modules: str) -> set[str]:
        code = f"import sys, {', '.join(modules.split())}; print(*sys.modules, sep='\\n', file=sys.stderr)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
        return set(done.stderr.split())

    sync = loaded(_SYNC)
    extra = {name.partition(".")[0] for name in sync - loaded(_NEEDED)}
    # Neither packaging, typing, json, signal nor threading, which took a fifth of the time of a small sync.
    assert extra & sys.stdlib_module_names <= {"__future__", "gc", "zlib"}
    assert extra - sys.stdlib_module_names == {"lockset"}


def test_requests_are_made_by_httpcore_and_only_a_run_that_makes_some_loads_it(
    local_index: LocalIndex, tmp_path: Path
) -> None:
    local_index.world.add("sample", requires=["other"]).add("other")
    (tmp_path / "requirements.in").write_text("sample\n")

    def lock(*options: str) -> set[str]:
        arguments = ["lock", "requirements.in", "--default-index", local_index.url, "--cache-dir", "cache", *options]
        code = f"import os; os.chdir({str(tmp_path)!r})\n{_RUN.format(arguments=arguments)}"
        return modules_after(code)

    first = lock()
    # On Linux a copy of the process makes the requests, so that this one need not load what makes them.
    assert ("httpcore" in first) == (sys.platform != "linux")
    code = "from lockset.index.http import httpx_client; import sys; print(*sys.modules, file=sys.stderr)"
    assert not (first | modules_after(code)) & {"httpx", "asyncio"}, "httpx takes a third of the time of all imports"
    odd = local_index.url.replace("/simple", "//simple")
    read = f"from lockset.index.http import httpx_client; httpx_client._address({odd!r})"
    loaded = modules_after(f"{read}\nimport sys; print(*sys.modules, file=sys.stderr)")
    assert "httpx" in loaded
    assert not loaded & {"rich", "click"}, "httpx is imported without its command line"
    assert len(local_index.seen) > 0
    local_index.seen.clear()
    network = {"httpx", "httpcore", "h11", "ssl", "socket"}
    assert not lock() & network, "the lock is current"
    again = lock("--stats")  # searches
    assert not again & network, "everything is in the cache"
    rare = {"hashlib", "gzip", "bz2", "lzma", "zipfile", "tarfile", "shutil", "tempfile", "difflib", "html", "email"}
    assert not again & rare, "nothing is downloaded, unpacked or misspelled"
    # Python 3.10 parses the annotation of one option.
    assert again & UNUSED == ({"ast"} if sys.version_info < (3, 11) else set())
    assert local_index.seen == []


def test_a_first_sync_loads_neither_what_reads_indexes_nor_the_libraries_of_rare_cases(
    local_index: LocalIndex, tmp_path: Path
) -> None:
    local_index.world.add("sample")
    (tmp_path / "requirements.in").write_text("sample\n")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "env")], check=True)

    def run(*arguments: str) -> set[str]:
        code = f"import os; os.chdir({str(tmp_path)!r})\n{_RUN.format(arguments=arguments)}"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
        return set(done.stderr.split())

    (tmp_path / "alone").mkdir()  # in a folder without sources, which would be compared with the lock
    lock = "alone/pylock.toml"
    source = ("requirements.in", "--python", ">=3.10", "--default-index", local_index.url)
    run("lock", *source, "-o", lock, "--cache-dir", "lock")
    loaded = run("sync", lock, "--python", "env", "--cache-dir", "sync")
    assert "httpcore" in loaded, "it has downloaded"
    assert not loaded & {"anyio", "certifi", "encodings.idna", "ssl"}
    rare = ("httpx", "installer", "lockset.index.pages.project_page", "lockset.index.http.client", "lockset.sources.")
    assert not {name for name in loaded if name.startswith(rare)}


@pytest.mark.skipif(
    sys.implementation.name != "cpython" or sys.version_info >= (3, 12), reason="pathlib of Python 3.12 needs more"
)
def test_a_sync_from_the_cache_loads_neither_regular_expressions_nor_what_reads_addresses(
    local_index: LocalIndex, tmp_path: Path
) -> None:
    local_index.world.add("sample")
    (tmp_path / "alone").mkdir()
    lock = str(tmp_path / "alone" / "pylock.toml")
    (tmp_path / "requirements.in").write_text("sample\n")
    cache = ["--cache-dir", str(tmp_path / "cache")]

    def run(*arguments: str) -> set[str]:
        code = f"import os; os.chdir({str(tmp_path)!r})\n{_RUN_ALONE.format(arguments=[*arguments, *cache])}"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
        return set(done.stderr.split())

    run("lock", "requirements.in", "--python", ">=3.10", "--default-index", local_index.url, "-o", lock)
    loaded: set[str] = set()
    for _ in range(2):
        made = [sys.executable, "-m", "venv", "--clear", "--without-pip", str(tmp_path / "env")]
        subprocess.run(made, check=True)
        loaded = run("sync", lock, "--python", "env")
    assert "lockset.sync.disk.apply.prepare" in loaded, "it has installed something"
    loaded |= run("check-env", lock, "--python", "env")
    started = subprocess.run(
        [sys.executable, "-c", "import sys; print(*sys.modules)"], capture_output=True, encoding="utf-8", check=True
    )
    rare = {"re", "enum", "collections", "urllib.parse", "warnings", "importlib", "fnmatch", "ntpath"}
    rare |= {"typing", "json", "signal", "threading", "packaging", "platformdirs", "shutil", "tempfile"}
    assert not loaded & rare - set(started.stdout.split())


def test_the_first_pages_are_requested_before_the_search_is_imported(local_index: LocalIndex, tmp_path: Path) -> None:
    local_index.world.add("sample", requires=["other"]).add("other").add("unneeded")
    source = "sample\nunneeded ; python_version < '3'\n"
    (tmp_path / "requirements.in").write_text(source)
    arguments = ["lock", "requirements.in", "--default-index", local_index.url, "--no-cache"]
    code = f"""
import os, sys
os.chdir({str(tmp_path)!r})
from lockset.index.http.client import HttpIndexes
whole = HttpIndexes.fetch
def fetch(self, names, on_arrival):
    names = list(names)
    print(*names, "lockset.resolve.solver.search" in sys.modules, file=sys.stderr)
    whole(self, names, on_arrival)
HttpIndexes.fetch = fetch
from lockset.cli.main import main
main({arguments!r})
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert done.stderr.splitlines()[:1] == ["sample False"]
    assert local_index.paths(part="unneeded") == []


_CHECKED = """
import sys, lockset.api.validate as api
{call}
print(*sys.modules, sep="\\n", file=sys.stderr)
"""


def test_a_lock_file_is_validated_without_the_readers_of_projects_and_without_a_schema() -> None:
    call = "api.validate_text('lock-version = \"1.0\"', name='pylock.toml')"
    done = subprocess.run(
        [sys.executable, "-c", _CHECKED.format(call=call)], capture_output=True, encoding="utf-8", check=True
    )
    loaded = set(done.stderr.split())
    assert not {name for name in loaded if name.startswith(("jsonschema", "lockset.sources"))}


# What validation needs of packaging: usual specifiers are read without it.
_QUICK_PACKAGING = {"packaging.version"}
_ORDINARY_LOCK = """
lock-version = "1.0"
environments = ["sys_platform == 'linux' and python_version >= '3.10'"]
requires-python = "==3.12.*"
extras = ["test"]
created-by = "lockset"
[[packages]]
name = "sample"
version = "1.0"
marker = "'test' in extras and (os_name == 'posix' or sys_platform == 'linux')"
requires-python = ">=3.9"
sdist = { url = "https://files.example.org/sample-1.0.tar.gz", hashes = { sha256 = "ONE" } }
wheels = [{ url = "https://files.example.org/sample-1.0-py3-none-any.whl", hashes = { sha256 = "OTHER" } }]
""".replace("ONE", "0" * 64).replace("OTHER", "1" * 64)


def test_a_lock_file_is_validated_by_few_modules(tmp_path: Path) -> None:
    lock = tmp_path / "pylock.toml"
    lock.write_text(_ORDINARY_LOCK)
    code = _RUN_ALONE.format(arguments=["validate", str(lock)])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    loaded = set(done.stderr.split())
    assert "lockset.lockfile.validate.rules.environments" in loaded, "all rules were applied"
    assert {name for name in loaded if name.startswith("packaging.")} == _QUICK_PACKAGING
    heavy = "dataclasses inspect ast json difflib logging subprocess platform hashlib lockset.sources lockset.index"
    heavy += " typing gettext locale ipaddress lockset.lockfile.validate.catalogue lockset.lockfile.positions"
    assert not set(heavy.split()) & loaded


def test_an_export_loads_neither_the_network_nor_what_reads_lock_files_of_other_tools(tmp_path: Path) -> None:
    lock = tmp_path / "pylock.toml"
    lock.write_text(_ORDINARY_LOCK)
    code = _RUN.format(arguments=["export", str(lock), "--all-extras", "-o", str(tmp_path / "requirements.txt")])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    loaded = set(done.stderr.split())
    assert "lockset.conversion.writers.requirements" in loaded
    heavy = "httpcore ssl socket hashlib json difflib lockset.composition.conversions.foreign lockset.index.http"
    heavy += " lockset.sync. lockset.resolve.lock lockset.resolve.releases lockset.conversion.writers.spdx"
    assert not {name for name in loaded if name.startswith(tuple(heavy.split()))}


@pytest.mark.parametrize("arguments", [["tree"], ["diff", "pylock.other.toml"], ["graph"]], ids=lambda each: each[0])
def test_a_command_that_shows_a_lock_file_loads_nothing_of_targets_and_indexes(
    tmp_path: Path, arguments: list[str]
) -> None:
    for name in ("pylock.toml", "pylock.other.toml"):
        (tmp_path / name).write_text(_ORDINARY_LOCK)
    command, *others = arguments
    files = [str(tmp_path / name) for name in ["pylock.toml", *others]]
    code = _RUN.format(arguments=[command, *files])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    heavy = ("httpcore", "ssl", "difflib", "lockset.index.http", "lockset.sync.disk", "lockset.resolve.solver")
    assert not {name for name in done.stderr.split() if name.startswith(heavy)}


def test_markers_and_file_names_are_read_without_what_they_rarely_need() -> None:
    code = (
        "import sys\nimport lockset.dependency_specifiers, lockset.markers, lockset.index.filenames\n"
        "lockset.markers.MarkerSet.parse(\"sys_platform == 'linux' and python_version < '3.12'\")\n"
        "print(*sys.modules, sep='\\n', file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    loaded = set(done.stderr.split())
    assert {name for name in loaded if name.startswith("packaging.")} == _QUICK_PACKAGING
    # From Python 3.14 on, the class and the deprecations of `packaging.version` need two of these.
    code = "import sys, packaging.version; print(*sys.modules, sep='\\n', file=sys.stderr)"
    assert not {"dataclasses", "inspect", "ast", "logging"} & (loaded - modules_after(code))


def test_settings_are_read_without_a_schema() -> None:
    call = "from lockset.sources.pyproject import read_pyproject_settings as r; r('[tool.lockset]\\nplatforms = []')"
    assert not modules_after(_CHECKED.format(call=call)) & LATE


def test_every_public_name_can_be_had() -> None:
    code = "import lockset; [getattr(lockset, name) for name in lockset.__all__]"
    subprocess.run([sys.executable, "-c", code], check=True)


_WORLD = """
[project]
requires-python = ">=3.10"
dependencies = ["a{asked}"]
[packages]
a = {{ "1" = {{}} }}
"""


@pytest.mark.parametrize(("requested", "heavy"), [(">=1", False), (">=2", True)], ids=["successful", "failing"])
def test_a_lock_loads_the_second_engine_only_where_it_fails(requested: str, *, heavy: bool) -> None:
    code = (
        "import contextlib, sys\n"
        f"sys.path.insert(0, {str(Path(__file__).parents[1])!r})\n"
        "from lockset.errors import LocksetError\nfrom support.worlds.small_world import SmallWorld\n"
        f"with contextlib.suppress(LocksetError): SmallWorld.read({_WORLD.format(asked=requested)!r}).lock()\n"
        "print(*sys.modules, sep='\\n', file=sys.stderr)"
    )
    assert ("resolvelib" in modules_after(code)) is heavy


def test_a_project_that_is_in_no_workspace_loads_nothing_of_workspaces(local_index: LocalIndex, tmp_path: Path) -> None:
    local_index.world.add("sample")
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "plain"\nversion = "1"\ndependencies = ["sample"]\n[tool.uv]\nmanaged = true\n'
    )
    (tmp_path / "src").mkdir()

    def modules(folder: Path, *arguments: str) -> set[str]:
        code = f"import os; os.chdir({str(folder)!r})\n{_RUN.format(arguments=[*arguments, '--cache-dir', 'cache'])}"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
        return {line for line in done.stderr.split() if ".workspaces" in line or "workspace_" in line}

    for folder in (tmp_path, tmp_path / "src"):
        assert modules(folder, "lock", "--default-index", local_index.url) == set()
        assert modules(folder, "lock", "--check") == set()
        assert modules(folder, "tree") == set()


def test_a_plain_project_is_locked_without_what_it_has_no_need_of(local_index: LocalIndex, tmp_path: Path) -> None:
    local_index.world.add("sample")
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "plain"\nversion = "1"\ndependencies = ["sample"]\n')
    arguments = ["lock", "--default-index", local_index.url]
    code = f"import os; os.chdir({str(tmp_path)!r})\n{_RUN.format(arguments=arguments)}"
    environ = {name: value for name, value in os.environ.items() if not name.startswith("LOCKSET_")}
    environ["LOCKSET_CACHE_DIR"] = str(tmp_path / "cache")
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, encoding="utf-8", check=True)
    needless = {"sources.other_tools.tables", "markers.render", "cli.output.progress_line", "cli.options.variables"}
    assert not {f"lockset.{name}" for name in needless} & set(done.stderr.split())


def test_conflicts_of_a_lock_file_are_read_without_markers() -> None:
    code = "import sys, lockset.lockfile.conflicts; print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert not {name for name in done.stderr.split() if name.startswith("lockset.markers")}


@pytest.mark.skipif(sys.platform not in {"linux", "darwin"}, reason="elsewhere platformdirs is needed")
def test_the_usual_folder_of_the_cache_is_known_without_platformdirs(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOCKSET_CACHE_DIR", "LOCKSET_NO_CACHE", "XDG_CACHE_HOME", "ANDROID_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/a")
    code = "import argparse, sys; from lockset.cli.options.common import cache_dir; cache_dir(argparse.Namespace())"
    assert "platformdirs" not in modules_after(f"{code}\nprint(*sys.modules, file=sys.stderr)")
