"""Import some modules on first use in the libraries that lockset calls, as Python 3.15 does for those that ask for it.

packaging, httpcore and h11 import modules of the standard library that most runs do not use: together they would take a
tenth of the time of a lock. packaging lists them in `__lazy_modules__` (PEP 810), which older Pythons ignore. Here the
import statements of these libraries, and of no other module, go through `_import`. It is for the program `lockset`
alone: an application that imports lockset, or one of the libraries, is not affected.
"""

from __future__ import annotations

import builtins
import sys
from functools import partial
from importlib import import_module
from importlib.machinery import PathFinder, SourceFileLoader

from lockset._pattern import lazy_pattern
from lockset.files.system import system_facts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

__all__ = ["make_imports_lazy"]

# The modules whose imports are lazy: those of the three libraries, and single ones.
_IMPORTERS = (
    "packaging.", "httpcore.", "h11.",
    "argparse", "subprocess", "urllib.parse", "lockset.index.http.certificates",
)  # fmt: skip
_LAZY = frozenset({
    "anyio", "ast", "certifi", "copy", "dataclasses", "gettext", "inspect", "ipaddress", "locale", "logging",
    "platform", "signal", "ssl", "struct", "subprocess", "sysconfig",
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
    """Finds what `PathFinder` finds, and changes how the modules of `_IMPORTERS` are executed."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The specification of one of these modules; None for others, and for those in an archive or an executable."""
        if not name.startswith(_IMPORTERS):
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or type(spec.loader) is not SourceFileLoader:
            return None
        spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


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
    stand_in = _STAND_INS.get(f"{name} of {importer}") or _STAND_INS.get(name)
    if level or not (stand_in or name in _LAZY):
        return __import__(name, globals, locals, fromlist, level)
    return stand_in or _Lazy(name)


class _Lazy:
    """A module that is imported with its first attribute, except for the `known` ones."""

    def __init__(self, name: str, **known: Any) -> None:
        vars(self).update(known, __name__=name)

    def __getattr__(self, attribute: str) -> Any:
        return getattr(import_module(vars(self)["__name__"]), attribute)


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
    return _Lazy("platform", **{name: partial(_same, value) for name, value in known.items()})


def _same(value: Any) -> Any:
    return value


_STAND_INS: dict[str, Any] = {
    "ast": _Lazy("ast", literal_eval=_literal),
    "dataclasses": _Lazy("dataclasses", dataclass=_dataclass),
    # The messages of argparse have no translations, and looking for them takes longer than to read a command line.
    "gettext": _Lazy("gettext", gettext=str, ngettext=lambda one, many, number: one if number == 1 else many),
    "platform of packaging.markers": _platform(),
    **{f"re of {name}": _Lazy("re", compile=lazy_pattern) for name in _WITH_PATTERNS},
    "ssl of httpcore._ssl": _Lazy("ssl", SSLContext=object),  # the annotation of a function
    "logging": _Lazy("logging", getLogger=_Logger, DEBUG=10),
}
