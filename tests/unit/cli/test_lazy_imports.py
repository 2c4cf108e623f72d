"""Lazy imports of libraries: what they leave out, and that nothing else changes."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from itertools import product
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockset.cli.lazy_imports import _LENGTHS, _NEGATIVE_NUMBERS, _literal, _match, _NegativeNumber
from support.repository import ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.implementation.name != "cpython", reason="they are for CPython alone")

_LAZY = "from lockset.cli.lazy_imports import make_imports_lazy; make_imports_lazy()\n"


def run(code: str, *arguments: str) -> str:
    """What a fresh interpreter prints."""
    command = [sys.executable, "-c", code, *arguments]
    # For filters of warnings, the interpreter imports modules of its own.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    done = subprocess.run(command, env=env, capture_output=True, encoding="utf-8", check=True)
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
    # Which of them the versions of Python import differs.
    assert whole >= {"anyio", "certifi", "dataclasses", "gettext", "logging", "ssl"}
    assert not lazy & rare


def test_an_application_that_imports_lockset_imports_as_usual() -> None:
    code = "import sys, lockset; before = [*sys.meta_path]; lockset.validate_text(''); print(before == sys.meta_path)"
    assert run(code) == "True\n"


_READ = """
import copy, pickle, sys
from packaging.pylock import Pylock
import tomli
for path in sys.argv[1:]:
    with open(path, "rb") as file:
        data = tomli.load(file)
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
import copy, dataclasses, h11, packaging.tags, pickle, warnings
warnings.simplefilter("ignore")
from packaging.markers import Marker, default_environment
from packaging.pylock import PackageDirectory
from packaging.requirements import Requirement
from packaging.version import Version

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
one = Version("1!2.0rc1.post2.dev3+a.1")
print(repr(one), sorted([one, Version("1"), Version("1.0.dev1")]))
print(one == Version(str(one)), hash(one) == hash(Version(str(one))))
print(pickle.loads(pickle.dumps(one)) == one, copy.deepcopy(one) == one, repr(Version("1.0")._version))
print(Requirement("a[b]>=1; extra == 'c' and os_name != \\"d'e\\""), Marker("os_name == '\\\\x41'").evaluate())
try:
    Requirement("a >> 1")
except ValueError as error:
    print(error)
"""


_DATES = """
import copy, pickle
from datetime import *
one = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=timezone(timedelta(hours=2), "a"))
print(repr(one), one.isoformat(), one.strftime("%c %Z"), one.utcoffset())
print(pickle.loads(pickle.dumps(one)), copy.copy(one))
print(datetime.strptime("2026-01-02 +0100", "%Y-%m-%d %z"), date.fromisoformat("2026-01-02"), MINYEAR, MAXYEAR)
print(time(1, 2, fold=1), timedelta(days=1) / 2, tzinfo.__module__, datetime.mro(), timezone.utc)
import email.utils, http.cookiejar, zoneinfo
print(email.utils.parsedate_to_datetime("Fri, 02 Jan 2026 03:04:05 +0000"), http.cookiejar.http2time("2026-01-02"))
print(zoneinfo.ZoneInfo.__name__)
"""


def test_dates_are_the_same() -> None:
    lazy, whole = both(_DATES)
    assert lazy == whole


_TYPES = """
from typing import Any, Literal, Optional, SupportsInt, TypeVar
print(Any | None, None | SupportsInt, Literal["a", 1], TypeVar("T"), Literal["a"] == Literal["a"])

class Whole(SupportsInt):
    def __int__(self):
        return 1

print(int(Whole()), isinstance(Whole(), SupportsInt) if isinstance(SupportsInt, type) else True, SupportsInt.__name__)
"""


def test_names_of_typing_can_be_used_as_usual() -> None:
    setup = "from lockset.cli.lazy_imports import _Annotation\n"
    code = "\n".join(line for line in _TYPES.splitlines() if not line.startswith("from typing"))
    names = ("Any", "Literal", "Optional", "SupportsInt", "TypeVar")
    ours = run(setup + "".join(f"{name} = _Annotation({name!r})\n" for name in names) + code)
    assert ours == run(_TYPES)


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


@pytest.mark.parametrize("pattern", [*_LENGTHS, "(-*A-*)", "(A?)(-*A-*)"])
def test_arguments_are_counted_as_by_the_regular_expression(pattern: str) -> None:
    texts = ("".join(letters) for length in range(8) for letters in product("AO-", repeat=length))
    for text in texts:
        ours, real = _match(pattern, text), re.match(pattern, text)
        assert (ours is None) == (real is None), text
        if real is not None:
            read = [(each.group(1), each.group(), each.groups(), each.end(), each.span(1)) for each in (ours, real)]
            assert read[0] == read[1]


@given(st.text("-.0123456789٣²ax\n", max_size=6))
def test_negative_numbers_are_recognized_as_by_the_regular_expression(text: str) -> None:
    for pattern in _NEGATIVE_NUMBERS:
        real, ours = re.match(pattern, text), _NegativeNumber(pattern).match(text)
        assert (ours and ours.span()) == (real and real.span())


_COMMAND_LINES = """
import argparse, sys
parser = argparse.ArgumentParser(prog="one", allow_abbrev=False)
parser.add_argument("--flag", action="store_true")
commands = parser.add_subparsers(dest="command")
two = commands.add_parser("two")
two.add_argument("files", nargs="*")
two.add_argument("-n", "--number", type=int, default=0)
two.add_argument("--some", nargs="+")
two.add_argument("--maybe", nargs="?", const="c")
three = commands.add_parser("three")
three.add_argument("old")
three.add_argument("new", nargs="?")
three.add_argument("rest", nargs=argparse.REMAINDER)
for line in (
    "", "two", "two a b", "two --number -1 a", "two -n-1", "two a --flag", "--flag two -- -a", "two --some a b",
    "two --some a b --maybe c", "two --maybe", "two -n", "two -n x", "two --unknown 1", "three", "three a",
    "three a b c -d", "three -1.5 -.5", "four", "-1", "--help", "two --help",
):
    try:
        print(sorted(vars(parser.parse_args(line.split())).items()))
    except SystemExit as end:
        print(line, end.code)
"""


def test_command_lines_are_read_alike() -> None:
    code = f"import sys; sys.stderr = sys.stdout\n{_COMMAND_LINES}"
    lazy, whole = both(code)
    assert lazy == whole


_LIBRARY = """
import contextlib, functools, os, sys, tempfile, warnings
from pathlib import Path, PurePosixPath, PureWindowsPath

warnings.simplefilter("ignore", DeprecationWarning)  # as_uri of pure paths, from Python 3.14 on
os.chdir(tempfile.mkdtemp())
for name in ("b.py", "a.py", "sub/c.py", "sub/d.txt"):
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).write_text(name)
print(sorted(map(str, Path().glob("*.py"))), sorted(map(str, Path().rglob("*.[pt]*"))))
print(Path("/a b/ü?").as_uri(), PureWindowsPath("C:/a b").as_uri(), PurePosixPath("sub/c.py").match("*.PY"))
print(PureWindowsPath("sub/C.PY").match("*.py"), PureWindowsPath("C:/a") == PureWindowsPath("c:/A"))
print(PureWindowsPath("C:a", "/b").parts, PureWindowsPath("//server/share/a").drive, hash(PurePosixPath("a")) != 0)
print(Path("b.py").suffix, PurePosixPath("/a").drive, PurePosixPath("/a").root)
try:
    Path("a").as_uri()
except ValueError as error:
    print(error)

@functools.lru_cache(maxsize=2)
def twice(number):
    return 2 * number

print(twice(1), twice(1), twice.cache_info(), functools.partial(int, base=2)("11"), twice.cache_parameters())

@functools.singledispatch
def kind(value):
    return "other"

@kind.register
def _(value: int):
    return "integer"

print(kind(1), kind("a"), functools.reduce(lambda a, b: a + b, [1, 2]))
with contextlib.ExitStack() as stack:
    stack.callback(print, "left")
    stack.enter_context(contextlib.suppress(KeyError))
    raise KeyError
"""


def test_the_standard_library_works_the_same() -> None:
    lazy, whole = both(_LIBRARY)
    assert lazy == whole
    assert lazy.endswith("left\n")


def test_paths_need_neither_regular_expressions_nor_addresses() -> None:
    code = "import sys, argparse, contextlib, functools, pathlib; print(*sys.modules)"
    lazy, whole = (set(printed.split()) for printed in both(code))
    assert {"re", "urllib.parse", "collections"} <= whole or sys.version_info >= (3, 12)
    if sys.version_info < (3, 12):  # of whose later versions pathlib uses some of them at once
        assert not lazy & {"re", "enum", "fnmatch", "ntpath", "urllib.parse", "collections", "warnings"}
    if sys.version_info >= (3, 13):
        assert not lazy & {"re", "enum", "fnmatch", "urllib.parse", "warnings"}


_NAMED_ALIKE = """
import sys
sys.path.insert(0, sys.argv[1])
import pathlib2, globus, contextlib_more
print(pathlib2.kind, globus.kind, contextlib_more.kind)
"""


def test_modules_whose_names_begin_alike_are_imported_as_usual(tmp_path: Path) -> None:
    for name in ("pathlib2", "globus", "contextlib_more"):
        (tmp_path / f"{name}.py").write_text("import ipaddress\nkind = type(ipaddress).__name__\n")
    lazy, whole = both(_NAMED_ALIKE, str(tmp_path))
    assert lazy == whole == "module module module\n"
