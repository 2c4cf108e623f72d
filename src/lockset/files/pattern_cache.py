"""Compiled regular expressions in the cache: what one run compiles, the next runs of the same command only load.

`re.compile` parses a pattern and compiles it to a program, a list of numbers, from which `_sre.compile` makes the
pattern object. The last step takes microseconds, the first two up to 3 ms a pattern, and most commands need 30 to 100
patterns of their own, of libraries and of the standard library. The cache has the programs: a record for each command,
read with the first pattern, and written again when the command has compiled one that the record does not have.

It is for the program `lockset` alone: an application that imports lockset compiles its patterns as usual.
"""

from __future__ import annotations

import os
import sys
import zlib

# What `importlib.machinery` exports: that imports more than is needed here.
from _frozen_importlib_external import PathFinder, SourceFileLoader

from lockset._version import __version__
from lockset.files.cache_folder import cache_folder
from lockset.files.record_store import get_value, put_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from importlib.machinery import ModuleSpec
    from re import Pattern
    from types import ModuleType
    from typing import Any, TypeAlias

    # The path and the key of a record.
    Location: TypeAlias = tuple[str, tuple[Any, ...]]
    # Whether the pattern is bytes (else Python warns of comparisons), the pattern, and the flags that were passed.
    Key: TypeAlias = tuple[bool, str | bytes, int]
    # Flags, code as unsigned numbers of four bytes, number of groups, numbers of named groups, names of all groups.
    Program: TypeAlias = tuple[int, bytes, int, dict[str, int], tuple[str | None, ...]]

__all__ = ["PatternCache", "is_known", "patterns_location", "save_patterns", "use_pattern_cache"]

# Increment with every change of the records.
_FORMAT = 1
_FOLDER = "patterns-v1"
# Limit for the number of records of a command; a new one replaces an older one.
_RECORDS = 256
# Limits for the patterns of a record, and for the bytes of all their texts and programs.
_MOST, _LARGEST = 512, 1 << 20
# Options that name another cache, perhaps by another working folder, or none.
_ELSEWHERE = ("--cache-dir", "--no-cache", "--directory")
# Commands that show or remove the cache.
_WITHOUT = frozenset({"cache"})
# The module whose function `compile` makes patterns for `re`.
_COMPILER = "sre_compile" if sys.version_info < (3, 11) else "re._compiler"
# What `_sre.compile` accepts from Python 3.10 on.
_SIGNATURE = "($module, /, pattern, flags, code, groups, groupindex, indexgroup)"
# TEMPLATE, LOCALE and DEBUG of `re`: without effect or deprecated, dependent on the locale, and printing.
_NEVER = 1 | 4 | 128

_current: list[PatternCache] = []


def use_pattern_cache(arguments: Sequence[str], commands: Collection[str], environ: Mapping[str, str]) -> None:
    """Compile patterns with the help of the record of this command, if there is a cache.

    `re` is not imported for it, and the record is not read before the first pattern is compiled. Only CPython has such
    programs, and a version whose `re` works in another way compiles as usual.
    """
    location = patterns_location(arguments, commands, environ)
    if location is None or sys.implementation.name != "cpython":
        return
    compiler = sys.modules.get(_COMPILER)
    if compiler is None:
        sys.meta_path.insert(0, _Finder(location))
    else:
        _attach(location, compiler)


def _attach(location: Location, compiler: ModuleType) -> None:
    if is_known(compiler):
        cache = PatternCache(location, compiler)
        # `re.compile` calls it for each pattern that it does not have.
        vars(compiler)["compile"] = cache.compile
        _current[:] = [cache]


class _Finder:
    """Finds the module that compiles patterns, which then uses the record at `location`."""

    def __init__(self, location: Location) -> None:
        self._location = location

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The specification of that module; None for others, and for one in an archive."""
        if name != _COMPILER:
            return None
        sys.meta_path.remove(self)
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or type(spec.loader) is not SourceFileLoader:
            return None
        spec.loader = _Loader(spec.loader.name, spec.loader.path)
        spec.loader.location = self._location
        return spec


class _Loader(SourceFileLoader):
    location: Location

    def exec_module(self, module: ModuleType) -> None:
        """Execute the module, and replace its function before `re` compiles the first pattern."""
        super().exec_module(module)
        _attach(self.location, module)


def save_patterns() -> None:
    """Store the patterns that this run has compiled; errors of the disk are ignored, as is too little memory."""
    for cache in _current:
        try:
            cache.save()
        except MemoryError:
            return


def patterns_location(
    arguments: Sequence[str], commands: Collection[str], environ: Mapping[str, str]
) -> Location | None:
    """The path of the record of a command, and its key; None without a command or a cache.

    Which command it is is a guess, before the options are read: it decides what is loaded, not what is done.
    """
    command = next((each for each in arguments if each in commands), None)
    if command is None or command in _WITHOUT or any(each.startswith(_ELSEWHERE) for each in arguments):
        return None
    folder = cache_folder(environ)
    if folder is None or environ.get("LOCKSET_DIRECTORY"):
        return None
    key = (_FORMAT, __version__, sys.version, sys.byteorder, sys.maxsize, command)
    return f"{folder}/{_FOLDER}/{command}-{zlib.crc32(repr(key).encode()) % _RECORDS:02x}", key


def is_known(compiler: ModuleType) -> bool:
    """Whether the module makes patterns for `re` in a known way."""
    code = getattr(getattr(compiler, "compile", None), "__code__", None)
    if code is None or not {"_sre", "compile"} <= {*code.co_names}:
        return False
    sre = vars(compiler)["_sre"]
    signature = getattr(sre.compile, "__text_signature__", None) or ""
    return " ".join(signature.split()) == _SIGNATURE and sre.CODESIZE == 4  # bytes, as in `Program`


class PatternCache:
    """The programs of one record, read when the first pattern is compiled, and those that were used or made since.

    `compile` does what `compile` of the module `compiler` does. Threads that use it at the same time make equal values.
    """

    def __init__(self, location: Location, compiler: ModuleType) -> None:
        sre = vars(compiler)["_sre"]
        self._path = location[0]
        self._key = (*location[1], sre.MAGIC)
        self._build: Callable[..., Pattern[Any]] = sre.compile
        self._compile: Callable[..., Pattern[Any]] = compiler.compile
        self._make = _maker(compiler)
        self._record: dict[Key, Program] | None = None
        self._used: dict[Key, Program] = {}
        self._is_complete = True

    def _read(self) -> dict[Key, Program]:
        record = get_value(self._path, self._key)
        return record if type(record) is dict else {}

    def compile(self, p: Any, flags: Any = 0) -> Pattern[Any]:
        """Compile the pattern `p`, or build it from its program."""
        if type(flags) is not int or type(p) not in {str, bytes}:
            return self._compile(p, flags)  # a pattern that is parsed already
        if self._record is None:
            self._record = self._read()
        key = (type(p) is bytes, p, flags)
        program = self._record.get(key)
        if program is not None:
            try:
                compiled = self._built(p, program)
            except (TypeError, ValueError, RuntimeError, OverflowError):
                pass  # damaged
            else:
                self._used[key] = program
                return compiled
        made = self._make(p, flags)
        if not made[1] & _NEVER:
            from array import array

            _, final_flags, code, groups, names, all_names = made
            self._used[key] = (int(final_flags), array("I", code).tobytes(), groups, names, all_names)
            self._is_complete = False
        return self._build(*made)

    def _built(self, source: str | bytes, program: Program) -> Pattern[Any]:
        """The pattern of a program, which `_sre.compile` checks, apart from the number of names.

        Raises:
            TypeError, ValueError, RuntimeError, OverflowError: It is not a valid program.
        """
        flags, code, groups, names, all_names = program
        if flags & _NEVER or len(all_names) != groups + 1:
            raise ValueError(program)
        return self._build(source, flags, memoryview(code).cast("I").tolist(), groups, names, all_names)

    def save(self) -> None:
        """Add the patterns that this run has compiled to the record, which another process may have changed."""
        # No run should create a cache for the sake of milliseconds.
        if self._is_complete or not os.path.isdir(os.path.dirname(os.path.dirname(self._path))):
            return
        self._is_complete = True
        record, used = self._read(), self._used.copy()  # a copy, since other threads may still compile
        programs = {key: program for key, program in record.items() if _is_valid(key, program)} | used
        if _size(programs) > _LARGEST or len(programs) > _MOST:
            programs = _first(used)
        if programs != record:
            put_value(self._path, self._key, programs)


def _is_valid(key: object, program: object) -> bool:
    """Whether these have the types of `Key` and `Program`."""
    match key, program:
        case (bool(), str() | bytes(), int()), (int(), bytes(), int(), dict(), tuple()):
            return True
    return False


def _maker(compiler: ModuleType) -> Callable[[str | bytes, int], tuple[Any, ...]]:
    """The function `compile` of `compiler`, but it returns what it would call `_sre.compile` with."""
    from types import FunctionType, SimpleNamespace

    whole = compiler.compile
    names = {**vars(compiler), "_sre": SimpleNamespace(compile=lambda *program: program)}
    return FunctionType(whole.__code__, names, whole.__name__, whole.__defaults__)


def _size(programs: Mapping[Key, Program]) -> int:
    return sum(len(source) + len(program[1]) for (_, source, _), program in programs.items())


def _first(programs: Mapping[Key, Program]) -> dict[Key, Program]:
    """The first of `programs`, within the limits."""
    first: dict[Key, Program] = {}
    size = 0
    for key, program in programs.items():
        size += _size({key: program})
        if size > _LARGEST or len(first) == _MOST:
            break
        first[key] = program
    return first
