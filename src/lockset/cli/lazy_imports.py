"""Import some modules on first use in the libraries that lockset calls, as Python 3.15 does for those that ask for it.

packaging, httpcore and h11 import modules of the standard library that most runs do not use: together they would take a
tenth of the time of a lock. packaging lists them in `__lazy_modules__` (PEP 810), which older Pythons ignore. Here the
import statements of these libraries, and of no other module, go through `_import`. It is for the program `lockset`
alone: an application that imports lockset, or one of the libraries, is not affected.
"""

from __future__ import annotations

import builtins
import sys

# What `importlib.machinery` exports: it imports more than is needed here.
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import PathFinder, SourceFileLoader

from lockset._named_tuple import NamedTuple
from lockset._pattern import lazy_pattern
from lockset.files.system import system_facts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType
    from typing import Any

__all__ = ["make_imports_lazy"]

# The modules whose imports are lazy: those of three libraries and of pathlib (a package since Python 3.13), and others.
_PACKAGES = ("packaging.", "httpcore.", "h11.", "pathlib.")
_IMPORTERS = frozenset({
    "argparse", "contextlib", "functools", "glob", "pathlib", "subprocess", "urllib.parse",
    "lockset.index.http.certificates",
})  # fmt: skip
_LAZY = frozenset({
    "anyio", "ast", "certifi", "contextlib", "copy", "dataclasses", "fnmatch", "gettext", "inspect", "ipaddress",
    "locale", "logging", "ntpath", "platform", "signal", "ssl", "struct", "subprocess", "sysconfig", "warnings",
})  # fmt: skip
# Modules that use their patterns only as objects; most runs use few of them.
_WITH_PATTERNS = (
    "packaging._tokenizer", "packaging.pylock", "packaging.specifiers", "packaging.tags", "packaging.utils",
    "packaging.version", "urllib.parse",
)  # fmt: skip


def make_imports_lazy() -> None:
    """Make the imports of `_LAZY` in modules that are not imported yet lazy. Without effect on PyPy."""
    if sys.implementation.name == "cpython":
        sys.meta_path.insert(0, _Finder())


class _Finder:
    """Finds what `PathFinder` finds, and changes how the modules of `_PACKAGES` and `_IMPORTERS` are executed."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The specification of one of these modules; None for others, and for those in an archive or an executable."""
        if name == "datetime" and sys.version_info < (3, 12):
            loader: Any = _FromC()
            return ModuleSpec(name, loader)
        if name not in _IMPORTERS and not name.startswith(_PACKAGES):
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or type(spec.loader) is not SourceFileLoader:
            return None
        spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


class _FromC:
    """Loads `datetime` as Python 3.12 does. Before, its classes in Python were created first, and then replaced."""

    @staticmethod
    def create_module(spec: ModuleSpec) -> None:
        """A plain module."""

    @staticmethod
    def exec_module(module: ModuleType) -> None:
        """Give the module the names of `_datetime`."""
        __import__("_datetime")
        names = vars(sys.modules["_datetime"])
        vars(module).update({name: value for name, value in names.items() if not name.startswith("__")})


class _Loader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        """Execute the module. Its import statements call `__import__` of its `__builtins__`, as `exec` documents."""
        vars(module)["__builtins__"] = {**vars(builtins), "__import__": _import}
        super().exec_module(module)


def _import(
    name: str,
    globals: Any = None,  # noqa: A002 - the signature of `__import__`
    locals: Any = None,  # noqa: A002
    fromlist: Any = (),
    level: int = 0,
) -> Any:
    """As `__import__`, but the modules of `_LAZY` are imported when one of their attributes is used."""
    importer = globals["__name__"] if globals else ""
    stand_in = _STAND_INS.get(f"{'.' * level}{name} of {importer}")
    if stand_in is None and not level:
        stand_in = _STAND_INS.get(name) or (_Lazy(name) if name in _LAZY and name not in sys.modules else None)
    return stand_in or __import__(name, globals, locals, fromlist, level)


def _attribute(module: str, name: str) -> Any:
    """The attribute `name` of `module`, which is imported (`import_module` would import `warnings`)."""
    __import__(module)
    return getattr(sys.modules[module], name)


class _Lazy:
    """A module that is imported with its first attribute, except for the `known` ones."""

    def __init__(self, name: str, **known: Any) -> None:
        vars(self).update(known, __name__=name)

    def __getattr__(self, attribute: str) -> Any:
        return _attribute(vars(self)["__name__"], attribute)


def _late(module: str, name: str) -> Callable[..., Any]:
    """The function `name` of `module`, which is imported when it is called."""

    def call(*args: Any, **named: Any) -> Any:
        return _attribute(module, name)(*args, **named)

    return call


class _Logger:
    """The logger `name` of a library. Until something imports `logging`, no handler can receive its messages."""

    def __init__(self, name: str) -> None:
        self.name = name

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - as in the standard library
        """Whether a message of this level is recorded."""
        return "logging" in sys.modules and bool(self._logger().isEnabledFor(level))

    def _logger(self) -> Any:
        import logging

        logger = logging.getLogger(self.name)
        if not logger.handlers:
            # Without a handler, a warning would go to standard error.
            logger.addHandler(logging.NullHandler())
        return logger

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self._logger(), attribute)


def _dataclass(cls: type[Any] | None = None, /, **options: Any) -> Any:
    """As `dataclasses.dataclass`, by the decorator of lockset where it has the options: it is ten times as quick."""
    if cls is None:
        return lambda cls: _dataclass(cls, **options)
    from lockset._dataclass import dataclass

    if options.keys() <= {"init", "frozen", "slots", "kw_only", "eq", "order"}:
        return dataclass(**options)(cls)
    import dataclasses

    return dataclasses.dataclass(cls, **options)


def _literal(text: str) -> Any:
    """As `ast.literal_eval`, without a compiler for the strings of markers."""
    if text.isascii() and text.isprintable() and "\\" not in text and text[:1] in {"'", '"'}:
        inner, quote = text[1:-1], text[0]
        if len(text) > 1 and text[-1] == quote and quote not in inner:
            return inner
    import ast

    return ast.literal_eval(text)


def _platform() -> _Lazy:
    """What packaging calls of `platform`; on Linux by what that calls, without its twelve patterns.

    The script that asks interpreters has the same.
    """
    full = sys.version.split()[0]
    usual = full.count(".") == 2 and full.replace(".", "").replace("+", "").isalnum()
    facts = system_facts()
    if facts[0] != "Linux" or hasattr(sys, "getandroidapilevel") or not usual:
        return _Lazy("platform")
    system, _, release, version, machine = ("" if text == "unknown" else text for text in facts)
    known: dict[str, Any] = {
        "machine": machine,
        "release": release,
        "system": system,
        "version": version,
        "python_version": full,
        "python_version_tuple": tuple(full.split(".")),
        "python_implementation": "CPython",
    }
    return _Lazy("platform", **{name: lambda value=value: value for name, value in known.items()})


class _TypedDict(dict[str, object]):
    """As `typing.TypedDict`, but nothing of the annotations is kept: typing compiles each of them."""

    def __init_subclass__(cls, **options: Any) -> None:
        """Accept `total=False`."""


class _Annotation:
    """A name of `typing` in annotations, which are not evaluated. Any other use of it is that of the name itself."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getitem__(self, items: Any) -> Any:
        return _attribute("typing", self._name)[items]

    def __or__(self, other: Any) -> Any:
        return _attribute("typing", self._name) | other

    def __ror__(self, other: Any) -> Any:
        return other | _attribute("typing", self._name)

    def __call__(self, *args: Any, **named: Any) -> Any:
        return _attribute("typing", self._name)(*args, **named)

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[Any, ...]:
        del bases
        return (_attribute("typing", self._name),)

    def __getattr__(self, attribute: str) -> Any:
        return getattr(_attribute("typing", self._name), attribute)


def _named_tuple(name: str, fields: Sequence[str]) -> Callable[..., Any]:
    """As `collections.namedtuple`, for a class that is only called: it is created then."""

    def make(*values: Any) -> Any:
        return _attribute("collections", "namedtuple")(name, fields)(*values)

    return make


# By a pattern of argparse for the arguments of one option or argument: the length of what it matches at the start of a
# text of A (an argument), O (an option) and - (`--`), or None if it does not match.
_LENGTHS: dict[str, Callable[[str], int | None]] = {
    "()": lambda _: 0,  # an option without a value
    "(A)": lambda text: 1 if text.startswith("A") else None,
    "(-*[A-]*)": lambda text: len(text) - len(text.lstrip("A-")),
    "(-*A[-AO]*)": lambda text: len(text) - len(text.lstrip("AO-")) if text.lstrip("-").startswith("A") else None,
}


class _Match:
    """What argparse reads of a match of such a pattern, and otherwise the match itself."""

    def __init__(self, pattern: str, text: str, length: int) -> None:
        self._whole = pattern, text
        self._length = length
        self._text = text[:length]

    def group(self, number: int = 0) -> str:
        """The text of the only group, which is that of the pattern."""
        return self._text if number in {0, 1} else str(self._again().group(number))

    def groups(self) -> tuple[str, ...]:
        """The text of the only group."""
        return (self._text,)

    def end(self) -> int:
        """Where it ends."""
        return self._length

    def _again(self) -> Any:
        return _attribute("re", "match")(*self._whole)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._again(), name)


def _match(pattern: str, text: str) -> Any:
    """As `re.match`, without `re` for the usual patterns of argparse."""
    length_of = _LENGTHS.get(pattern)
    if length_of is None:
        return _attribute("re", "match")(pattern, text)
    length = length_of(text)
    return None if length is None else _Match(pattern, text, length)


class _NegativeNumber:
    """The pattern by which argparse recognizes negative numbers among options. `re` is not imported for `--option`."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern

    def match(self, text: str) -> Any:
        """The match at the start of `text`; None if there is none."""
        second = text[1:2]
        if text.startswith("-") and (second == "." or second.isdecimal()):
            return _attribute("re", "match")(self._pattern, text)
        return None


# Of Python 3.10 to 3.13, and of 3.14.
_NEGATIVE_NUMBERS = frozenset({r"^-\d+$|^-\d*\.\d+$", r"-\.?\d"})


def _argparse_pattern(source: str, flags: int = 0) -> Any:
    """As `re.compile`, without `re` until a pattern is used."""
    return _NegativeNumber(source) if source in _NEGATIVE_NUMBERS else lazy_pattern(source, flags)


_STAND_INS: dict[str, Any] = {
    # For the tags of the running interpreter alone.
    ". of packaging.tags": _Lazy(
        "packaging", _manylinux=_Lazy("packaging._manylinux"), _musllinux=_Lazy("packaging._musllinux")
    ),
    "ast": _Lazy("ast", literal_eval=_literal),
    # `functools` creates a class for `cache_info`, and `contextlib` needs one class, written in C.
    "collections of functools": _Lazy("collections", namedtuple=_named_tuple),
    "collections of contextlib": _Lazy("collections", deque=_late("_collections", "deque")),
    "dataclasses": _Lazy("dataclasses", dataclass=_dataclass),
    # The messages of argparse have no translations, and looking for them takes longer than to read a command line.
    "gettext": _Lazy("gettext", gettext=str, ngettext=lambda one, many, number: one if number == 1 else many),
    **{f"re of {name}": _Lazy("re", compile=lazy_pattern) for name in _WITH_PATTERNS},
    "logging": _Lazy("logging", getLogger=_Logger, DEBUG=10),
    "platform of packaging.markers": _platform(),
    "re of argparse": _Lazy("re", ASCII=256, compile=_argparse_pattern, match=_match),
    "re of glob": _Lazy("re", compile=lazy_pattern),  # pathlib imports it from Python 3.13 on
    "re of pathlib": _Lazy("re"),
    "ssl of httpcore._ssl": _Lazy("ssl", SSLContext=object),  # the annotation of a function
    "typing of packaging.markers": _Lazy("typing", TypedDict=_TypedDict),
    "typing of packaging._parser": _Lazy("typing", NamedTuple=NamedTuple),
    # Which needs one class of it; importing `typing` takes 2 ms, and its classes are compiled.
    "typing of packaging.version": _Lazy(
        "typing",
        NamedTuple=NamedTuple,
        TYPE_CHECKING=False,
        **{name: _Annotation(name) for name in ("Any", "Literal", "SupportsInt")},
    ),
    # From Python 3.13 on, this decorator imports `inspect`. lockset uses nothing that is deprecated.
    "warnings of packaging.version": _Lazy("warnings", deprecated=lambda *_, **__: lambda function: function),
    "urllib.parse of pathlib": _Lazy("urllib.parse", quote_from_bytes=_late("urllib.parse", "quote_from_bytes")),
}
