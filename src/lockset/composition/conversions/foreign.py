"""Convert a lock file of another tool: read, complete from an index and files, assemble, write, read again, verify."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset._dataclass import replace
from lockset.composition.connections import SourceFetcher
from lockset.composition.conversions.conversion import Conversion, ConvertOptions
from lockset.composition.conversions.foreign_input import absolute, read_input
from lockset.composition.conversions.live_remote import connected_remote
from lockset.composition.indexes import resolve_indexes, unread_index_variable
from lockset.conversion.model.imported_lock import refuse_losses
from lockset.conversion.pipeline.assemble_lock import assemble_imported
from lockset.conversion.pipeline.complete import complete
from lockset.conversion.pipeline.file_details import with_sizes
from lockset.conversion.pipeline.verify import missing_dependencies, verify_conversion
from lockset.errors import LocksetError
from lockset.index.options import IndexSource, same_index
from lockset.lockfile.read import read_document
from lockset.lockfile.validate.report import validate_document
from lockset.lockfile.write import refuse_secrets, write
from lockset.progress import NullListener

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from pathlib import Path

    from lockset.composition.run_context import IndexOverrides, RunContext
    from lockset.conversion.model.imported_lock import ImportedLock
    from lockset.conversion.model.ports import Remote
    from lockset.index.options import IndexOptions
    from lockset.index.ports import Index
    from lockset.progress import ProgressListener
    from lockset.sources.project import RootProject

__all__ = ["convert_foreign", "convert_imported", "static_naming", "with_own_indexes"]


def convert_foreign(
    path: str,
    options: ConvertOptions,
    *,
    output: Path,
    content: bytes | None,
    indexes: IndexOptions | IndexOverrides | None,
    context: RunContext,
) -> Conversion:
    """Convert the file at `path` (or its `content`) to a lock file that installs the same; nothing is written.

    Raises:
        LocksetError: If the input is not valid, files are not available, or (with `strict`) something would be lost.
    """
    fetch = SourceFetcher(lambda: resolve_indexes(indexes, None, context))
    imported, project = read_input(
        path,
        options,
        output=output,
        content=content,
        environ=context.variables,
        fetch=fetch,
        named=static_naming(indexes, context, folder=output.parent),
    )
    index_options = resolve_indexes(indexes, project, context)
    hint = unread_index_variable(index_options, context) if project is not None else None
    if hint is not None:
        context.heard.hint(hint)
    if options.own_indexes:
        index_options = with_own_indexes(index_options, imported)
    listener = context.heard
    with connected_remote(index_options, context.cache_folder, listener) as (index, remote):
        return convert_imported(
            imported, index, remote, output=output, strict=options.strict, sizes=options.sizes, listener=listener
        )


def convert_imported(
    imported: ImportedLock,
    index: Index,
    remote: Remote,
    *,
    output: str | os.PathLike[str] = "pylock.toml",
    strict: bool = False,
    sizes: bool = False,
    listener: ProgressListener | None = None,
    find_missing: bool = True,
) -> Conversion:
    """Complete, assemble, write, read again and verify the lock file of an `ImportedLock`.

    Without `find_missing`, metadata is not read to find dependencies that a requirements file does not pin.

    Raises:
        LocksetError: As `convert_foreign`.
    """
    folder = absolute(output).parent
    filled = complete(imported, index, remote, folder=folder, listener=listener or NullListener())
    lock, lost = assemble_imported(filled)
    if sizes:
        lock = with_sizes(lock, remote)
    missing = missing_dependencies(filled, index, remote) if find_missing else ()
    losses = (*filled.losses, *lost, *missing)
    refuse_secrets(lock, location=imported.location)
    text = write(lock)
    _validate(text, imported.location)
    again = read_document(text, path="pylock.toml").lock
    proof = verify_conversion(filled, again, losses)
    refuse_losses(losses, strict=strict, location=imported.location)
    return Conversion(format=imported.format, lock=again, text=text, losses=losses, proof=proof)


def static_naming(
    indexes: IndexOptions | IndexOverrides | None, context: RunContext, *, folder: Path
) -> Callable[[RootProject], RootProject]:
    """A function that adds the names that the sources state themselves; paths are relative to `folder`, absolute."""

    def named(project: RootProject) -> RootProject:
        from lockset.composition.conversions.static_names import with_static_names  # few files need it

        return with_static_names(project, resolve_indexes(indexes, project, context), context, folder=folder.absolute())

    return named


def with_own_indexes(options: IndexOptions, imported: ImportedLock) -> IndexOptions:
    """The options with the input's indexes: packages for which it names an index are looked up only there."""
    gaps = [package for package in imported.packages if not package.is_complete]
    named = {package.name: package.index for package in gaps if package.index is not None}
    urls = dict.fromkeys(url for url in named.values() if not same_index(url, options.index_url))
    by_url = {url: f"input-{number}" for number, url in enumerate(urls)}
    added = tuple(IndexSource(url=url, name=name, explicit=True) for url, name in by_url.items())
    pins = {name: by_url[url] for name, url in named.items() if url in by_url}
    return replace(options, indexes=(*options.indexes, *added), pins={**pins, **options.pins})


def _validate(text: str, location: str) -> None:
    errors = validate_document(text).errors
    if errors:
        raise LocksetError(
            "input-invalid",
            f"The input cannot be written as a valid lock file: {errors[0].message}",
            location=location,
            hint="Restore the file, or lock again with its tool; if it is as the tool wrote it, report it",
        )
