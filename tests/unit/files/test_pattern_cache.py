"""Patterns from the cache are those that Python compiles, and whatever the record holds, no other."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockset.files import pattern_cache
from lockset.files.pattern_cache import PatternCache, is_known, patterns_location
from lockset.files.record_store import get_value, put_value
from support.patterns import lazy_patterns

pytestmark = pytest.mark.skipif(sys.implementation.name != "cpython", reason="only CPython has such programs")

COMPILER: Any = import_module("sre_compile" if sys.version_info < (3, 11) else "re._compiler")

# Of libraries and the standard library, and every feature of patterns.
OTHERS: list[tuple[str | bytes, int]] = [
    ("", 0),
    (b"", 0),
    ("abc", 0),
    (b"abc", 0),
    ("abc", re.IGNORECASE.value),
    ("(?i:straße)|\u017f+K", re.IGNORECASE.value),
    (r"(?P<all>(?P<one>a+?)|(?P<two>b*))(?(two)c|d)(?P=all)?", 0),
    (r"(?s).(?=x)(?!y)(?<=z)(?<!w)\b\B\A\Z$^", re.MULTILINE.value),
    (r"(a(b(c)?)?)?\1\2", re.VERBOSE.value | re.DOTALL.value),
    (r"[\w\d\s-]+[^\W_]{2,3}[\u0430-\u044f\u0451\u0401\u4e00-\u9fa5\U0001f600-\U0001f64f]*", 0),
    (r"\w+é", re.ASCII.value),
    (rb"[\x80-\xff]+\d", re.IGNORECASE.value),
]
SOURCES = [(str(pattern.pattern), pattern.pattern, pattern.flags) for _, pattern in lazy_patterns()]


class Folder:
    """A folder with the record of one command, and its state after runs."""

    def __init__(self, path: Path) -> None:
        self.location = (str(path / "cache" / "patterns-v1" / "lock-00"), ("key",))
        (path / "cache").mkdir()

    def cache(self) -> PatternCache:
        return PatternCache(self.location, COMPILER)

    def record(self) -> Any:
        return get_value(self.location[0], (*self.location[1], COMPILER.MAGIC))

    def store(self, record: Any) -> None:
        put_value(self.location[0], (*self.location[1], COMPILER.MAGIC), record)

    def compiled_by_two_runs(self, source: str | bytes, flags: int) -> tuple[re.Pattern[Any], re.Pattern[Any]]:
        """What the run that compiles the pattern has, and what the next one has, which may not compile."""
        first = self.cache()
        compiled = first.compile(source, flags)
        first.save()
        second = self.cache()
        second._make = not_expected
        return compiled, second.compile(source, flags)


def not_expected(source: str | bytes, flags: int) -> Any:
    raise AssertionError((source, flags))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A record with every pattern of lockset and `OTHERS`."""
    folder = Folder(tmp_path_factory.mktemp("shared"))
    cache = folder.cache()
    for _, source, flags in SOURCES:
        cache.compile(source, flags & ~re.UNICODE.value if isinstance(source, str) else flags)
    for source, flags in OTHERS:
        cache.compile(source, flags)
    cache.save()
    return folder


def same(one: re.Pattern[Any], other: re.Pattern[Any]) -> bool:
    """Whether these patterns have the same text, flags, code (which `==` compares) and groups."""
    return (
        one == other
        and (one.pattern, one.flags, one.groups) == (other.pattern, other.flags, other.groups)
        and type(one.pattern) is type(other.pattern)
        and list(one.groupindex.items()) == list(other.groupindex.items())
    )


def results(pattern: re.Pattern[Any], text: str | bytes) -> list[Any]:
    empty = text[:0]
    matches = [pattern.match(text), pattern.fullmatch(text), pattern.search(text), *pattern.finditer(text)]
    return [
        [match and (match.span(), match.groups(), match.groupdict(), match.lastgroup) for match in matches],
        pattern.split(text),
        pattern.sub(empty, text),
    ]


def test_every_pattern_from_the_record_is_the_compiled_one(shared: Folder) -> None:
    cache = shared.cache()
    cache._make = not_expected
    for _, source, flags in SOURCES:
        wanted = flags & ~re.UNICODE.value if isinstance(source, str) else flags
        assert same(cache.compile(source, wanted), re.compile(source, wanted))
    for other, wanted in OTHERS:
        assert same(cache.compile(other, wanted), re.compile(other, wanted))
    assert len(shared.record()) > 150


@given(text=st.text(st.sampled_from("ab[]=<>!~ '\".,;:/@#-_0159zZ\n\\+(){}") | st.characters(), max_size=30))
def test_patterns_from_the_record_match_what_compiled_ones_match(shared: Folder, text: str) -> None:
    cache = shared.cache()
    cache._make = not_expected
    for _, source, flags in SOURCES:
        subject = text if isinstance(source, str) else text.encode("utf-8", "replace")
        wanted = flags & ~re.UNICODE.value if isinstance(source, str) else flags
        assert results(cache.compile(source, wanted), subject) == results(re.compile(source, wanted), subject)


@given(
    source=st.text(st.sampled_from("ab1.*+?|()[]{}^$\\dwsAbZ-,:=!<P>i"), max_size=12),
    flags=st.sampled_from([0, 2, 8, 16, 64, 256, 2 | 256]),
    text=st.text("ab1 -\n", max_size=12),
)
def test_any_valid_pattern_is_compiled_as_python_does(
    tmp_path_factory: pytest.TempPathFactory, source: str, flags: int, text: str
) -> None:
    folder = Folder(tmp_path_factory.mktemp("any"))
    try:
        expected = re.compile(source, flags)
    except (re.error, OverflowError, RecursionError) as error:
        with pytest.raises(type(error), match=re.escape(str(error))):
            folder.cache().compile(source, flags)
        return
    except (FutureWarning, DeprecationWarning):
        return
    for compiled in folder.compiled_by_two_runs(source, flags):
        assert same(compiled, expected)
        assert results(compiled, text) == results(expected, text)


@pytest.mark.parametrize("flags", [re.LOCALE, re.LOCALE | re.IGNORECASE])
def test_a_pattern_that_depends_on_the_locale_is_not_stored(folder: Folder, flags: re.RegexFlag) -> None:
    cache = folder.cache()
    for source in (rb"\w", rb"(?L)\w"):
        assert same(cache.compile(source, flags.value), re.compile(source, flags))
    cache.save()
    assert folder.record() is None


def test_a_pattern_is_shown_with_each_compilation_that_requests_it(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = []
    for _ in range(2):
        cache = folder.cache()
        cache.compile("a(b)", re.DEBUG.value)
        cache.save()
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1] != ""


def test_patterns_that_are_not_texts_are_left_to_python(folder: Folder) -> None:
    class Text(str):
        __slots__ = ()

    cache = folder.cache()
    assert cache.compile(Text("a")) == re.compile("a")
    assert cache.compile("a", re.IGNORECASE) == re.compile("a", re.IGNORECASE)
    parsed = (import_module("sre_parse") if sys.version_info < (3, 11) else import_module("re._parser")).parse("a+")
    assert cache.compile(parsed).match("aa")
    for compile_pattern in (cache.compile, COMPILER.compile):
        with pytest.raises(AttributeError, match="'list' object has no attribute 'state'"):
            compile_pattern(["a"])
    cache.save()
    assert folder.record() is None


def test_text_and_bytes_have_programs_of_their_own(folder: Folder) -> None:
    cache = folder.cache()
    for _ in range(2):
        assert cache.compile("é").match("é")
        assert cache.compile("é".encode()).match("é".encode())
        cache.save()
        cache = folder.cache()
    assert len(folder.record()) == 2


@given(st.data())
def test_a_damaged_record_is_as_none(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = Folder(tmp_path_factory.mktemp("damaged"))
    folder.compiled_by_two_runs("(?P<name>a+)b", 0)
    path = Path(folder.location[0])
    whole = path.read_bytes()
    position = data.draw(st.integers(0, len(whole) - 1))
    changed = data.draw(st.sampled_from(["byte", "end", "nothing left"]))
    damaged = {
        "byte": whole[:position] + bytes([whole[position] ^ data.draw(st.integers(1, 255))]) + whole[position + 1 :],
        "end": whole[:position],
        "nothing left": b"",
    }[changed]
    path.write_bytes(damaged)
    cache = folder.cache()
    assert cache._read() == {}
    assert same(cache.compile("(?P<name>a+)b", 0), re.compile("(?P<name>a+)b"))
    cache.save()
    assert folder.record().keys() == {KEY}


JUNK = st.recursive(
    st.none() | st.integers(-9, 2**70) | st.text(max_size=3) | st.binary(max_size=9) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=6,
)
KEY = (False, "(?P<name>a+)b", 0)


@given(record=JUNK | st.dictionaries(st.just(KEY) | st.text(max_size=2), JUNK, max_size=2))
def test_a_record_of_other_values_is_as_none(tmp_path_factory: pytest.TempPathFactory, record: Any) -> None:
    check_replaced(Folder(tmp_path_factory.mktemp("junk")), record)


@given(slot=st.integers(0, 4), junk=JUNK)
def test_a_program_with_a_wrong_part_is_compiled_anew(
    tmp_path_factory: pytest.TempPathFactory, slot: int, junk: Any
) -> None:
    folder = Folder(tmp_path_factory.mktemp("wrong"))
    folder.compiled_by_two_runs(KEY[1], 0)
    program = list(folder.record()[KEY])
    if (slot == 0 and isinstance(junk, int)) or (slot == 3 and type(junk) is dict):
        return  # flags and names of groups mean the same whatever they are
    program[slot] = junk
    check_replaced(folder, {KEY: tuple(program)})


@given(st.data())
def test_hostile_code_is_not_executed(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = Folder(tmp_path_factory.mktemp("hostile"))
    numbers = st.integers(0, 60) | st.integers(0, 2**32 - 1)
    code = b"".join(number.to_bytes(4, sys.byteorder) for number in data.draw(st.lists(numbers, max_size=12)))
    folder.store({KEY: (32, code, 1, {"name": 1}, (None, "name"))})
    try:
        folder.cache()._built("a", folder.record()[KEY])
    except (TypeError, ValueError, RuntimeError, OverflowError):
        check_replaced(folder, folder.record())


def check_replaced(folder: Folder, record: Any) -> None:
    """A run with this record compiles the pattern as Python does, and so does the next with what this one stored."""
    folder.store(record)
    for compiled in folder.compiled_by_two_runs(KEY[1], 0):
        assert same(compiled, re.compile(KEY[1]))
        assert compiled.match("aab").groupdict() == {"name": "aa"}  # type: ignore[union-attr]


def test_a_record_that_others_may_write_is_not_read(folder: Folder) -> None:
    folder.compiled_by_two_runs("a", 0)
    if os.name == "posix":
        os.chmod(folder.location[0], 0o666)
        assert folder.cache()._read() == {}


def test_a_record_has_the_patterns_of_all_runs_of_its_command(folder: Folder) -> None:
    for source in ("a", "b", "c"):
        folder.compiled_by_two_runs(source, 0)
    assert {source for _, source, _ in folder.record()} == {"a", "b", "c"}


def test_processes_at_the_same_time_store_the_patterns_of_both(folder: Folder) -> None:
    first, second = folder.cache(), folder.cache()
    first.compile("a")
    second.compile("b")
    second.save()
    first.save()
    assert {source for _, source, _ in folder.record()} == {"a", "b"}


def test_a_run_that_compiles_nothing_writes_nothing(folder: Folder) -> None:
    folder.compiled_by_two_runs("a", 0)
    path = Path(folder.location[0])
    os.utime(path, (1, 1))
    cache = folder.cache()
    cache.compile("a")
    cache.save()
    assert path.stat().st_mtime == 1


def test_a_record_keeps_to_its_limits_and_then_to_the_patterns_of_the_last_run(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pattern_cache, "_MOST", 3)
    for sources in ("ab", "cd", "cdefg", "cdefg"):
        cache = folder.cache()
        for source in sources:
            assert cache.compile(source).match(source)
        cache.save()
    assert {source for _, source, _ in folder.record()} == {"c", "d", "e"}
    monkeypatch.setattr(pattern_cache, "_LARGEST", 1)
    cache = folder.cache()
    assert cache.compile("long").match("long")
    cache.save()
    assert folder.record() == {}


def test_a_folder_that_does_not_exist_is_not_created(folder: Folder) -> None:
    top = Path(folder.location[0]).parents[1]
    top.rmdir()
    cache = folder.cache()
    cache.compile("a")
    cache.save()
    assert not top.exists()


def test_a_full_disk_leaves_the_record_as_it_was(folder: Folder) -> None:
    resource: Any = pytest.importorskip("resource", reason="a limit of POSIX systems stands for a full disk")

    folder.compiled_by_two_runs("a", 0)
    path = Path(folder.location[0])
    before = path.read_bytes()
    cache = folder.cache()
    cache.compile("b" * 1000)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, limits[1]))
    try:
        cache.save()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before
    assert [*path.parent.iterdir()] == [path]


def test_a_command_has_a_record_where_its_cache_is(tmp_path: Path) -> None:
    environ = {"LOCKSET_CACHE_DIR": str(tmp_path)}

    def path(*arguments: str, **more: str) -> str | None:
        location = patterns_location(arguments, ("lock", "sync", "cache"), {**environ, **more})
        return location and location[0]

    lock = path("--color", "never", "lock", "-U")
    assert lock is not None
    assert Path(lock).parent == tmp_path / "patterns-v1"
    assert path("lock") == lock
    assert path("sync") not in {lock, None}
    without = ["--version", "", "unknown", "cache clean", "lock --no-cache", "lock --cache-dir=x", "--directory x lock"]
    assert [path(*arguments.split()) for arguments in without] == [None] * len(without)
    assert path("lock", LOCKSET_NO_CACHE="1") is None
    assert path("lock", LOCKSET_DIRECTORY="x") is None, "a relative folder of the cache is another one there"


@pytest.mark.parametrize(
    ("name", "value"),
    [("version", "3.99.0 (main)"), ("byteorder", "middle"), ("maxsize", 2**31 - 1)],
)
def test_another_python_has_other_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    environ = {"LOCKSET_CACHE_DIR": str(tmp_path)}
    (own,) = {patterns_location(["lock"], ["lock"], environ)}
    monkeypatch.setattr(sys, name, value)
    (other,) = {patterns_location(["lock"], ["lock"], environ)}
    assert own is not None
    assert other is not None
    assert own[1] != other[1]


@pytest.mark.parametrize("odd", ["signature", "code size", "no function"])
def test_a_python_that_works_in_another_way_is_not_known(odd: str) -> None:
    values = {**vars(COMPILER)}
    assert is_known(SimpleNamespace(**values))  # type: ignore[arg-type]
    changes: dict[str, dict[str, Any]] = {
        "signature": {"_sre": SimpleNamespace(compile=SimpleNamespace(__text_signature__="(pattern)"), CODESIZE=4)},
        "code size": {"_sre": SimpleNamespace(compile=COMPILER._sre.compile, CODESIZE=2)},
        "no function": {"compile": len},
    }
    assert not is_known(SimpleNamespace(**{**values, **changes[odd]}))  # type: ignore[arg-type]


_WARNINGS = """
import sys
from lockset.files.pattern_cache import save_patterns, use_pattern_cache
use_pattern_cache(["lock"], ["lock"], {"LOCKSET_CACHE_DIR": sys.argv[1]})
import re
for source in ("same", b"same"):
    assert re.compile(source).match(source)
save_patterns()
"""


def test_no_warning_of_a_comparison_of_text_and_bytes(tmp_path: Path) -> None:
    command = [sys.executable, "-bb", "-W", "error", "-c", _WARNINGS, str(tmp_path)]
    for _ in range(2):
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
        assert (done.returncode, done.stderr) == (0, "")
    assert len([*tmp_path.rglob("lock-*")]) == 1


def test_re_is_not_imported_and_no_record_read_before_a_pattern_is_compiled(tmp_path: Path) -> None:
    code = """
import sys
opened, finders = [], [*sys.meta_path]
sys.addaudithook(lambda event, values: opened.append(str(values[0])) if event == "open" else None)
from lockset.files.pattern_cache import save_patterns, use_pattern_cache
use_pattern_cache(["lock"], ["lock"], {"LOCKSET_CACHE_DIR": sys.argv[1]})
print("re" in sys.modules, any("patterns-v1" in path for path in opened))
import re
print(re.compile("a|b").match("b")[0], any("patterns-v1" in path for path in opened), finders == sys.meta_path)
save_patterns()
"""
    command = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path += {sys.path!r}\n{code}", str(tmp_path)]
    for has_record in (False, True):
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
        assert done.stdout == f"False False\nb {has_record} True\n"


def test_an_application_that_imports_lockset_compiles_as_usual() -> None:
    name = COMPILER.__name__
    code = (
        f"import sys, lockset, {name} as c; before = c.compile; lockset.validate_text(''); print(before is c.compile)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout == "True\n"
