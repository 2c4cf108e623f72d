"""Lazy imports of libraries: what they leave out, and that nothing else changes."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockset.cli.lazy_imports import _literal
from support.repository import ROOT

pytestmark = pytest.mark.skipif(sys.implementation.name != "cpython", reason="they are for CPython alone")

_LAZY = "from lockset.cli.lazy_imports import make_imports_lazy; make_imports_lazy()\n"


def run(code: str, *arguments: str) -> str:
    """What a fresh interpreter prints."""
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
    assert done.stderr == ""
    return done.stdout


def both(code: str, *arguments: str) -> tuple[str, str]:
    """What `code` prints with lazy imports, and without."""
    return run(f"{_LAZY}{code}", *arguments), run(code, *arguments)


def test_a_library_is_imported_without_what_most_runs_do_not_use() -> None:
    code = "import sys; sys.modules['h2'] = sys.modules['socksio'] = None  # as if these extras were not installed\n"
    code += "import packaging.pylock, packaging.requirements, httpcore, h11, argparse; print(*sys.modules)"
    lazy, whole = (set(printed.split()) for printed in both(code))
    rare = {"anyio", "certifi", "dataclasses", "gettext", "inspect", "ipaddress", "logging", "platform", "ssl"}
    assert whole >= rare
    assert not lazy & rare


def test_an_application_that_imports_lockset_imports_as_usual() -> None:
    code = "import sys, lockset; before = [*sys.meta_path]; lockset.validate_text(''); print(before == sys.meta_path)"
    assert run(code) == "True\n"


_READ = """
import copy, pickle, sys
from packaging.pylock import Pylock
import tomli
for path in sys.argv[1:]:
    data = tomli.load(open(path, "rb"))
    try:
        lock = Pylock.from_dict(data)
    except Exception as error:
        print(path, type(error), error)
    else:
        again = Pylock.from_dict(data)
        print(path, lock, lock == again, lock is again)
        print(lock.to_dict(), pickle.loads(pickle.dumps(lock)) == lock, copy.deepcopy(lock) == lock)
"""


def test_lock_files_are_read_alike() -> None:
    folder = ROOT / "spec-examples"
    paths = [str(path) for path in sorted(folder.glob("*/*.toml")) if path.name != "pylock.toml-syntax.toml"]
    paths = [path for path in paths if "lock-version-minor" not in path]  # it is warned about, as below
    lazy, whole = both(_READ, *paths)
    assert lazy == whole
    assert lazy.count("Pylock(") > len(paths) / 4


_VALUES = """
import dataclasses, h11, packaging.tags
from packaging.markers import Marker, default_environment
from packaging.pylock import PackageDirectory
from packaging.requirements import Requirement

one = PackageDirectory(path="a")
print(dataclasses.is_dataclass(one), dataclasses.replace(one, path="b"), hash(one) == hash(one))
print([field.name for field in dataclasses.fields(one)])
try:
    one.path = "c"
except dataclasses.FrozenInstanceError as error:
    print(error)
for event in h11.Data(data=b"1"), h11.EndOfMessage(), h11.Response(status_code=200, headers=[("A", "b")]):
    print(event, event == event, event == h11.Data(data=b"1"), type(event).__hash__)
print(len(list(packaging.tags.sys_tags())), default_environment())
print(Requirement("a[b]>=1; extra == 'c' and os_name != \\"d'e\\""), Marker("os_name == '\\\\x41'").evaluate())
try:
    Requirement("a >> 1")
except ValueError as error:
    print(error)
"""


def test_values_and_errors_of_the_libraries_are_the_same() -> None:
    lazy, whole = both(_VALUES)
    assert lazy == whole


_LOGGED = """
import packaging.pylock, sys
lock = {"lock-version": "1.5", "created-by": "a", "packages": []}
packaging.pylock.Pylock.from_dict(lock)
import logging
records = []
handler = logging.Handler()
handler.emit = lambda record: records.append(record.getMessage())
logging.getLogger("packaging.pylock").addHandler(handler)
packaging.pylock.Pylock.from_dict(lock)
print(records, packaging.pylock._logger.isEnabledFor(logging.ERROR), packaging.pylock._logger.isEnabledFor(1))
"""


def test_a_warning_of_a_library_reaches_who_listens_and_nobody_else() -> None:
    printed = run(f"{_LAZY}{_LOGGED}")  # and nothing to standard error
    assert "1.5" in printed
    assert printed.endswith("True False\n")


def test_an_option_of_dataclass_that_lockset_does_not_have_is_left_to_the_standard_library() -> None:
    code = (
        "from lockset.cli.lazy_imports import _dataclass\n"
        "@_dataclass(repr=False)\nclass A:\n    a: int = 1\n"
        "@_dataclass\nclass B:\n    b: int\n"
        "print('A(' in repr(A()), B(2), B(2) == B(b=2))"
    )
    assert run(code) == "False B(b=2) True\n"


@given(st.text(st.characters(codec="utf-8") | st.sampled_from("'\"\\\n"), max_size=8), st.sampled_from("'\""))
def test_a_string_is_read_as_the_compiler_reads_it(inner: str, quote: str) -> None:
    text = f"{quote}{inner}{quote}"
    try:
        expected = ast.literal_eval(text)
    except (SyntaxError, ValueError) as error:
        with pytest.raises(type(error)):
            _literal(text)
    else:
        assert _literal(text) == expected
