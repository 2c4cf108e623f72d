"""convert(): convert a lock file of another tool, or pylock files, to one verified pylock.toml; nothing is written."""

from __future__ import annotations

import os
from os import PathLike
from typing import TYPE_CHECKING

from lockset.composition.conversions.conversion import Conversion, ConvertOptions, refuse_pylock_options
from lockset.composition.conversions.foreign import convert_foreign
from lockset.composition.conversions.foreign_input import is_pylock
from lockset.composition.indexes import resolve_indexes
from lockset.composition.run_context import context_of
from lockset.errors import LocksetError, UsageError
from lockset.option_values import check_argument

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lockset.composition.run_context import IndexOverrides, RunContext
    from lockset.index.options import IndexOptions

__all__ = ["Conversion", "ConvertOptions", "convert"]

_STDIN = "-"


def convert(
    paths: str | PathLike[str] | Iterable[str | PathLike[str]],
    options: ConvertOptions | None = None,
    *,
    indexes: IndexOptions | IndexOverrides | None = None,
    output: str | PathLike[str] = "pylock.toml",
    context: RunContext | None = None,
) -> Conversion:
    """Convert files to a lock file that installs the same; nothing is written: see `Conversion.write`.

    Args:
        paths: A requirements file with pins, a lock file of uv, Poetry, PDM, Pipenv or conda-lock, or pylock files,
            which are merged; `-` for `context.stdin`.
        options: Options of the conversion.
        indexes: The indexes: `IndexOptions` replace those of the input, `IndexOverrides` take precedence over them;
            None for those of the input, else PyPI.
        output: The path of the lock file, whose folder its paths are relative to; `-` for no file.
        context: Folder, cache, variables, listener and so on.

    Raises:
        UsageError: `inputs-mixed`, `inputs-several`, or `pylock-only` for options that only apply to pylock files.
        LocksetError: If the input is not valid, files are not available, or (with `strict`) something would be lost.
    """
    paths = check_argument("paths", paths, "str | PathLike | Iterable[str | PathLike]")
    options = check_argument("options", options, "ConvertOptions | None") or ConvertOptions()
    check_argument("indexes", indexes, "IndexOptions | IndexOverrides | None")
    check_argument("output", output, "str | PathLike")
    context = context_of(context)
    named = [os.fspath(path) for path in ([paths] if isinstance(paths, str | PathLike) else paths)]
    content = context.stdin() if named == [_STDIN] and context.stdin is not None else None
    if context.folder is not None:
        named = [name if name == _STDIN else os.path.join(context.folder, name) for name in named]
    path = None if output == _STDIN else context.here / output
    target = path or context.here / "pylock.toml"
    pylocks = [name for name in named if is_pylock(name, content, options.format)]
    if pylocks and len(pylocks) < len(named):
        raise UsageError(
            "inputs-mixed", "Pylock files can only be merged with pylock files", hint="Convert the others first"
        )
    if pylocks:
        from lockset.composition.conversions.pylock import convert_pylock  # most inputs are of other tools

        index_options = resolve_indexes(indexes, None, context)
        cache, listener = context.cache_folder, context.heard
        done = convert_pylock(
            named, options, output=target, indexes=index_options, content=content, cache=cache, listener=listener
        )
    elif len(named) == 1:
        refuse_pylock_options(options)
        done = convert_foreign(named[0], options, output=target, content=content, indexes=indexes, context=context)
    elif named:
        raise UsageError("inputs-several", "Only pylock files can be merged", hint="Convert the files one by one")
    else:
        raise LocksetError("source-missing", "There is no file to convert", hint="Name the file to convert")
    return done.for_file(path)
