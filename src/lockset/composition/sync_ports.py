"""What a sync may need of the network and of builds, made with all that it imports when it is first needed."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from typing_extensions import Self

    from lockset.composition.mirrors import Mirror
    from lockset.composition.run_context import IndexOverrides, RunContext
    from lockset.composition.sync_pipeline import SyncRequest
    from lockset.index.options import IndexOptions
    from lockset.index.ports import Downloads
    from lockset.sync.ports import WheelBuilds

__all__ = ["SyncPorts"]


class SyncPorts:
    """Connections and builds of one sync; a context manager that closes them.

    Args:
        request: What is synced.
        indexes: Where builds find what they need, and which credentials there are.
        context: The surroundings.
        mirrors: Texts `FROM=TO`: what begins with FROM is fetched from TO.
        config_settings: What build backends are told.
    """

    def __init__(
        self,
        request: SyncRequest,
        indexes: IndexOptions | IndexOverrides | None,
        context: RunContext,
        *,
        mirrors: tuple[str, ...] = (),
        config_settings: Mapping[str, str | list[str]] | None = None,
    ) -> None:
        self._request = request
        self._indexes = indexes
        self._context = context
        self._settings = config_settings or {}
        self._stack = ExitStack()
        self._mirrors: tuple[Mirror, ...] = ()
        if mirrors:
            from lockset.composition.mirrors import read_mirror

            self._mirrors = tuple(map(read_mirror, mirrors))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    @cached_property
    def _options(self) -> IndexOptions:
        from pathlib import Path

        from lockset.composition.indexes import project_around, resolve_indexes

        project = project_around(Path(self._request.sources[0].folder), self._context)
        return resolve_indexes(self._indexes, project, self._context)

    def downloads(self) -> Downloads:
        """The port to the network."""
        from lockset.composition.connections import connected, link_locked_files
        from lockset.composition.mirrors import MirroredDownloads

        context = self._context
        connection = self._stack.enter_context(connected(self._options, context.cache_folder, context.heard))
        link_locked_files(connection, lambda: [source.read() for source in self._request.sources])
        return MirroredDownloads(connection.downloads, self._mirrors) if self._mirrors else connection.downloads

    def builds(self) -> WheelBuilds:
        """The port to builds."""
        from lockset.composition.build_environments import builder
        from lockset.composition.wheel_builds import HookWheelBuilds
        from lockset.sync.disk.inspect.interpreter import interpreter_of

        context, python = self._context, self._request.python
        assert python is not None
        made = builder(
            self._options,
            context.cache_folder,
            python=interpreter_of(python),
            now=context.moment,
            listener=context.heard,
        )
        return HookWheelBuilds(
            made,
            settings=self._settings,
            environ=context.process_variables,
            offline=self._options.offline,
            listener=context.heard,
        )
