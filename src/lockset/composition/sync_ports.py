"""What a sync needs besides its request: connections, builds, and checks of attestations."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from functools import cached_property

from lockset.composition.sync_inputs import normal_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from types import TracebackType

    from typing_extensions import Self

    from lockset.composition.attestations.sync_attestations import FilesWithProvenance
    from lockset.composition.run_context import IndexOverrides, RunContext
    from lockset.composition.sync_inputs import SyncOptions
    from lockset.composition.sync_pipeline import SyncRequest
    from lockset.index.mirrors import Mirror
    from lockset.index.options import IndexOptions
    from lockset.index.ports import Downloads
    from lockset.sources.project import RootProject
    from lockset.sync.desired import DesiredDistribution
    from lockset.sync.ports import WheelBuilds

__all__ = ["SyncPorts"]


class SyncPorts:
    """Connections and builds of one sync, as a context manager that closes them.

    Args:
        request: The request of the sync.
        indexes: Indexes of build requirements, and credentials.
        context: The surroundings.
        options: Mirrors, and how sources are built.
    """

    def __init__(
        self,
        request: SyncRequest,
        indexes: IndexOptions | IndexOverrides | None,
        context: RunContext,
        options: SyncOptions,
    ) -> None:
        self._request = request
        self._indexes = indexes
        self._context = context
        self._options = options
        self._stack = ExitStack()
        self._mirrors: tuple[Mirror, ...] = ()
        if options.mirrors:
            from lockset.index.mirrors import read_mirror

            self._mirrors = tuple(map(read_mirror, options.mirrors))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def attest(self, desired: Sequence[DesiredDistribution], placed: Collection[str]) -> int:
        """Check the attestations that the options and the project's policy require; see `sync_pipeline.sync`."""
        from lockset.composition.attestations.trust_policy import trust_policy

        options = self._options
        policy = trust_policy(self._request.sources[0].folder, self._context)
        every, packages = options.require_attestations, options.require_attestations_package
        if policy is None and not (every or packages):
            return 0
        from lockset.attestations.policy import TrustPolicy
        from lockset.composition.attestations.sync_attestations import refuse_unlocked, required_attestations

        names = normal_names(packages)
        refuse_unlocked(names, [source.read() for source in self._request.sources] if names else [])
        policy = (policy or TrustPolicy()).with_required(every=every, names=names)
        return required_attestations(desired, policy, self.provenance, placed=placed)

    def provenance(self) -> FilesWithProvenance:
        """The provenance of locked files."""
        from lockset.composition.attestations.provenances import verifier_of
        from lockset.composition.attestations.sync_attestations import FilesWithProvenance
        from lockset.composition.connections import connected
        from lockset.composition.indexes import chosen_urls

        context, root = self._context, self._options.trusted_root
        return FilesWithProvenance(
            [source.read() for source in self._request.sources],
            folders=self._request.find_links,
            options=self._index_options,
            given=bool(chosen_urls(self._indexes)),
            connect=lambda indexes: self._stack.enter_context(connected(indexes, context.cache_folder, context.heard)),
            verifier=verifier_of(None if root is None else os.fspath(root), context.here),
        )

    @cached_property
    def _project(self) -> RootProject | None:
        from pathlib import Path

        from lockset.composition.indexes import project_around

        return project_around(Path(self._request.sources[0].folder), self._context)

    @cached_property
    def _index_options(self) -> IndexOptions:
        from lockset.composition.indexes import resolve_indexes, with_indexes_of

        own = resolve_indexes(self._indexes, self._project, self._context)
        named = [source.indexes() for source in self._request.sources if source.indexes is not None]
        return with_indexes_of(named, own) if named else own

    def downloads(self) -> Downloads:
        """The port to the network."""
        from lockset.index.http.transport import HttpDownloads, Transport
        from lockset.index.mirrors import MirroredDownloads

        transport = Transport(self._index_options, clock=time.time, listener=self._context.heard)
        self._stack.callback(transport.close)
        if transport.has_shared_hosts:
            from lockset.composition.connections import link_locked_files

            link_locked_files(transport, [source.read() for source in self._request.sources])
        downloads = HttpDownloads(transport)
        return MirroredDownloads(downloads, self._mirrors) if self._mirrors else downloads

    def not_isolated(self) -> frozenset[str]:
        """Names of packages, or `:all:`, that are built in the target's environment."""
        from lockset.composition.builds.sync_policy import not_isolated

        return not_isolated(self._options, self._project)

    def builds(self) -> WheelBuilds:
        """The port to builds."""
        from lockset.composition.builds.build_lock import build_locks_of
        from lockset.composition.builds.environments import SyncedEnvironmentMaker
        from lockset.composition.builds.sync_policy import build_policy, requires_locked_builds
        from lockset.composition.lock_pipeline import lock_environment
        from lockset.sync.disk.inspect.interpreter import interpreter_of

        context, python, project = self._context, self._request.location.python, self._project
        assert python is not None
        maker = SyncedEnvironmentMaker(
            options=self._index_options,
            cache=context.cache_folder,
            python=interpreter_of(python),
            now=context.moment,
            listener=context.heard,
            lock=lock_environment,
            constraints=() if project is None else project.settings.build_constraints,
            policy=build_policy(self._options, self._request, project),
            build_locks=build_locks_of(source.path for source in self._request.sources),
            require_locked=requires_locked_builds(self._options, project),
            folders=self._request.find_links,
        )
        return maker.wheel_builds(context.heard, environ=context.process_variables)
