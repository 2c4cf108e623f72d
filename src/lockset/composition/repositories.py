"""Open repositories of releases, also for the inputs of a lock: connect the ports of the resolver to what acts."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, BinaryIO

from lockset.composition.connections import connected
from lockset.metadata.retrieve import BuildFailures, Retriever
from lockset.resolve.releases.prefetch import PrefetchingRepository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from lockset.build.policy import BuildPolicy
    from lockset.index.http.files import HttpFiles
    from lockset.index.options import IndexOptions
    from lockset.index.pages.project_page import DistributionFile
    from lockset.metadata.ports import Builder, BytesStore
    from lockset.progress import ProgressListener
    from lockset.resolve.problem.direct_source import DirectSource, SourceFacts, SourceReader
    from lockset.resolve.problem.file_policy import FileRules
    from lockset.resolve.releases.index_repository import IndexRepository

__all__ = ["connected", "repository_opener"]


class _BuilderOnUse:
    """A builder that is created (and its modules imported) for the first build: most runs build nothing."""

    def __init__(self, make: Callable[[], Builder]) -> None:
        self._make = make

    @cached_property
    def _builder(self) -> Builder:
        return self._make()

    @property
    def fingerprint(self) -> str:
        """A hash of what its builds depend on besides the source tree; "" if that is not known."""
        fingerprint: str = getattr(self._builder, "fingerprint", "")
        return fingerprint

    def metadata(self, source_tree: Path, *, what: str, package: str | None = None) -> bytes:
        return self._builder.metadata(source_tree, what=what, package=package)

    def wheel(self, source_tree: Path, out_dir: Path, *, what: str, package: str | None = None) -> Path:
        return self._builder.wheel(source_tree, out_dir, what=what, package=package)

    def archive_metadata(self, archive: BinaryIO, filename: str) -> bytes:
        return self._builder.archive_metadata(archive, filename)

    def archive_wheel(self, archive: BinaryIO, filename: str, out_dir: Path) -> Path:
        return self._builder.archive_wheel(archive, filename, out_dir)


class _SourcesOnUse:
    """A source reader that is created (and its modules imported) for the first source: most projects have none."""

    def __init__(
        self, files: HttpFiles, store: BytesStore, builder: Builder | None, may_build: Callable[[str], bool]
    ) -> None:
        self._files = files
        self._store = store
        self._builder = builder
        self._may_build = may_build

    @cached_property
    def _sources(self) -> SourceReader:
        from lockset.composition.source_reader import Sources

        environ = dict(os.environ)
        return Sources(
            self._files, store=self._store, builder=self._builder, may_build=self._may_build, environ=environ
        )

    def read(self, source: DirectSource, *, commit: str | None = None) -> SourceFacts:
        return self._sources.read(source, commit=commit)


def repository_opener(
    options: IndexOptions,
    cache: Path | None,
    *,
    builder: Callable[[ProgressListener], Builder] | None = None,
    policy: BuildPolicy | None = None,
    on_close: Callable[[float], None] | None = None,
) -> Callable[[FileRules, ProgressListener], AbstractContextManager[IndexRepository]]:
    """The `open_repository` argument of `lockset.composition.lock_pipeline.lock_project`.

    Nothing is built if `builder` is None; `policy` says how it builds.
    `on_close` is called with the time at which the first page expires.
    """

    @contextmanager
    def opened(rules: FileRules, listener: ProgressListener) -> Iterator[IndexRepository]:
        with connected(options, cache, listener) as connection:
            made = _BuilderOnUse(lambda: builder(listener)) if builder is not None else None

            def hash_file(file: DistributionFile) -> Mapping[str, str]:
                listener.note(f"The index has no strong hash of {file.filename}: downloading it to compute one")
                return {"sha256": connection.files.sha256(file)}

            failures = None
            if made is not None:
                failures = BuildFailures(
                    connection.cache,
                    fingerprint=lambda: made.fingerprint,
                    now=time.time(),
                    refresh=options.refresh,
                )
            metadata = Retriever(
                connection.files,
                store=connection.cache,
                tasks=connection.workers,
                builder=made,
                failures=failures,
                build_key=None if policy is None else policy.cache_key,
            )
            yield PrefetchingRepository(
                index=connection.index,
                metadata=metadata,
                rules=rules,
                listener=listener,
                hash_file=hash_file,
                sources=_SourcesOnUse(connection.files, connection.cache, made, rules.may_build),
            )
            if on_close is not None:
                on_close(connection.index.fresh_until)

    return opened
