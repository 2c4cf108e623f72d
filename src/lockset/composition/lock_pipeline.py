"""lock(): a project to pylock.toml, with the repository of releases that is opened for it.

The requests of the first pages leave before what resolves is imported, so that both take place at the same time.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager, nullcontext
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from lockset._dataclass import replace
from lockset.composition.builds.parallel import BuilderOnUse, running_builds
from lockset.composition.connections import connected
from lockset.errors import BuildEnvironmentError, BuildFailedError, BuildNeededError, LocksetError
from lockset.metadata.retrieve import BuildFailures, Retriever
from lockset.progress import NullListener
from lockset.resolve.problem.build_problem import build_problem
from lockset.resolve.problem.choices import refuse_lost_groups, refuse_workspace_lock
from lockset.resolve.problem.direct_source import DirectSource, relative_path
from lockset.resolve.problem.options import LockOptions
from lockset.resolve.problem.roots import line_settings
from lockset.resolve.releases.prefetch import PrefetchingRepository
from lockset.sources.other_tools.facts import OtherTools, join_many_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from lockset.build.hooks import HookBuilder
    from lockset.build.policy import BuildPolicy
    from lockset.composition.builds.environments import SyncedEnvironmentMaker
    from lockset.composition.connections import Connection
    from lockset.composition.lock_assembly import Attest, LockResult
    from lockset.composition.lock_inputs import LockInputs
    from lockset.composition.run_context import RunContext
    from lockset.index.options import IndexOptions
    from lockset.index.pages.project_page import DistributionFile
    from lockset.lockfile.model import Pylock
    from lockset.metadata.ports import Builder
    from lockset.progress import ProgressListener
    from lockset.resolve.problem.build_problem import ResolutionProblem
    from lockset.resolve.problem.direct_source import SourceFacts, SourceReader
    from lockset.resolve.problem.file_policy import FileRules
    from lockset.resolve.problem.requirement import Dependency
    from lockset.resolve.releases.index_repository import IndexRepository
    from lockset.sources.project import DynamicFields, RootProject

__all__ = [
    "LockOptions",
    "lock_builder",
    "lock_environment",
    "lock_from_inputs",
    "lock_project",
    "lock_repository",
    "posed_problem",
    "problem_from_inputs",
    "repository_opener",
    "with_metadata",
]


def lock_project(
    project: RootProject,
    options: LockOptions,
    *,
    open_repository: Callable[[FileRules, ProgressListener], AbstractContextManager[IndexRepository]],
    now: datetime,
    old: Pylock | None = None,
    folder: Path | None = None,
    verify: bool = False,
    one_environment: bool = False,
    listener: ProgressListener | None = None,
    attest: Attest | None = None,
) -> LockResult:
    """Lock `project` for all environments that it and `options` support; nothing is written to disk.

    Args:
        project: The project to lock.
        options: The options of the lock.
        open_repository: Opens the repository of releases; closing it closes its connections (`repository_opener`).
        now: The current time, for ages in `exclude-newer` and for maintained Pythons.
        old: The existing lock file, whose pins are tried first.
        folder: The absolute folder of the lock file, which its paths are relative to (None for the project's folder).
        verify: Compare the dependencies of all wheels of each version.
        one_environment: Lock for a single environment, resolved with resolvelib.
        listener: Receives progress.
        attest: Records the publishers of the files; None to keep those that `old` records.

    Raises:
        LocksetError: `no-resolution`, and errors of the network and of the input.
    """
    refuse_lost_groups(project, options, old)
    refuse_workspace_lock(project, old, folder or project.base)
    heard = listener or NullListener()
    with posed_problem(
        project, options, open_repository=open_repository, now=now, old=old, folder=folder, listener=heard
    ) as (_, problem, opened):
        _begin_sources(problem, opened)
        if not one_environment:
            opened.hint_requirements(_first_requirements(problem), problem.request.universe)
        from lockset.composition.lock_assembly import resolve_and_assemble

        return resolve_and_assemble(
            *(project, options, problem, opened),
            old=old,
            verify=verify,
            one_environment=one_environment,
            listener=heard,
            attest=attest,
        )


def lock_from_inputs(
    inputs: LockInputs,
    *,
    old: Pylock | None = None,
    verify: bool = False,
    attest: Attest | None = None,
    fresh_until: Callable[[float], None] | None = None,
    connection: Connection | None = None,
) -> LockResult:
    """Lock `inputs` as `lock_project`: with the pins of `old`, or else of the existing lock file.

    `fresh_until` and `connection` as for `lock_repository`.

    Raises:
        LocksetError: As `lock_project`.
    """
    return lock_project(
        inputs.project,
        inputs.options,
        open_repository=lock_repository(inputs, fresh_until=fresh_until, connection=connection),
        now=inputs.context.moment,
        old=old or inputs.pins,
        folder=inputs.folder,
        verify=verify,
        listener=inputs.context.heard,
        attest=attest,
    )


def problem_from_inputs(
    inputs: LockInputs, *, old: Pylock | None = None, listener: ProgressListener | None = None
) -> AbstractContextManager[tuple[RootProject, ResolutionProblem, IndexRepository]]:
    """The `posed_problem` of `inputs`: with the pins of `old`, or else of the existing lock file.

    Raises:
        LocksetError: As `posed_problem`.
    """
    return posed_problem(
        inputs.project,
        inputs.options,
        open_repository=lock_repository(inputs),
        now=inputs.context.moment,
        old=old or inputs.pins,
        folder=inputs.folder,
        listener=listener or inputs.context.heard,
    )


def lock_environment(project: RootProject, options: LockOptions, maker: SyncedEnvironmentMaker) -> Pylock:
    """Lock `project` for a single environment, with the indexes, the cache and the builds of `maker`.

    Raises:
        LocksetError: As `lock_project`.
    """
    opener = repository_opener(maker.options, maker.cache, builder=maker.builder, policy=maker.policy)
    return lock_project(project, options, open_repository=opener, now=maker.now, one_environment=True).lock


def _first_requirements(problem: ResolutionProblem) -> list[Dependency]:
    """What the search needs pages for whatever it decides; nothing where sources may stand in for pages."""
    request = problem.request
    roots = () if problem.direct.concerned else request.roots
    return [root.dependency for root in roots if not root.region.is_disjoint(request.universe)]


def _begin_sources(problem: ResolutionProblem, opened: IndexRepository) -> None:
    """Start to read the sources that the project requires, if there are several; those of constraints may be unused."""
    direct, universe = problem.direct, problem.request.universe
    roots = [r for r in problem.request.roots if not r.region.is_disjoint(universe)] if direct.sources else []
    required = {root.dependency.specifier.source for root in roots}
    sources = [source for source, _ in direct.sources if source in required and source not in direct.own]
    if len(sources) > 1 and opened.sources is not None:
        opened.sources.begin((source, direct.commit_of(source)) for source in sources)


@contextmanager
def posed_problem(
    project: RootProject,
    options: LockOptions,
    *,
    open_repository: Callable[[FileRules, ProgressListener], AbstractContextManager[IndexRepository]],
    now: datetime,
    old: Pylock | None,
    folder: Path | None,
    listener: ProgressListener,
) -> Iterator[tuple[RootProject, ResolutionProblem, IndexRepository]]:
    """Yield the project with its dynamic metadata, its resolution problem, and an open repository.

    Raises:
        LocksetError: As `build_problem`, and `build-needed` if the project must be built and builds are off.
    """
    build = partial(build_problem, old=old, now=now, folder=folder)
    if project.unbuilt:
        project = with_metadata(project, options, build, open_repository, folder=folder, listener=listener)
    problem = build(project, options)
    with open_repository(problem.rules, listener) as opened:
        yield project, problem, opened


def with_metadata(
    project: RootProject,
    options: LockOptions,
    build: Callable[[RootProject, LockOptions], ResolutionProblem],
    open_repository: Callable[[FileRules, ProgressListener], AbstractContextManager[IndexRepository]],
    *,
    folder: Path | None,
    listener: ProgressListener,
) -> RootProject:
    """`project` with the metadata of its build. Its Pythons and extras are not known before.

    Raises:
        LocksetError: As `posed_problem`.
    """
    # Conflicts may name extras that only the build knows.
    known_part = replace(project, settings=replace(project.settings, conflicts=()))
    rules = build(known_part, replace(options, extras=None, all_extras=True)).rules
    with open_repository(rules, listener) as opened:
        return _whole(project, options, opened, folder, listener)


def _whole(
    project: RootProject,
    options: LockOptions,
    opened: IndexRepository,
    folder: Path | None,
    listener: ProgressListener,
) -> RootProject:
    """`project` with the metadata of its build."""
    known = len(project.warnings)
    for unbuilt in project.unbuilt:
        project = _built(project, unbuilt, opened, folder or project.base)
    if project.others != OtherTools():
        from lockset.sources.other_tools.apply import apply_other_tools

        project = apply_other_tools(project, no_sources=options.no_sources)
    for warning in project.warnings[known:]:
        listener.note(warning.message)
    return project


def _built(project: RootProject, unbuilt: DynamicFields, repository: IndexRepository, folder: Path) -> RootProject:
    """The project with the metadata of its build, read as for a folder that is required by path."""
    source = DirectSource(
        name=unbuilt.name,
        kind="directory",
        path=str(unbuilt.base),
        shown=relative_path(str(unbuilt.base), folder),
        location=unbuilt.location,
    )
    assert repository.sources is not None, "a repository for a project can read folders"
    try:
        metadata = repository.sources.read(source).metadata
    except BuildNeededError as error:
        raise _refused(unbuilt) from error
    except (BuildEnvironmentError, BuildFailedError) as error:
        # Its usual hint is for a package of an index, of which another release may have a wheel.
        keys = join_many_names(unbuilt.keys)
        raise error.replaced(
            hint=f"Install what the build requires, or write the {keys} of {unbuilt.name} in pyproject.toml"
        ) from error
    from lockset.sources.dynamic_fields import with_built  # few projects have such fields

    return with_built(
        project,
        unbuilt,
        requires_dist=metadata.requires_dist,
        extras=metadata.provides_extra,
        requires_python=metadata.requires_python,
    )


def _refused(unbuilt: DynamicFields) -> LocksetError:
    files = f"lock the files that setuptools reads them from: `lockset lock {' '.join(unbuilt.files)}`"
    other = files if unbuilt.files else "write them in pyproject.toml"
    return BuildNeededError(
        f"The {join_many_names(unbuilt.keys)} of {unbuilt.name} are dynamic and need a build, but builds are off",
        location=unbuilt.location,
        hint=f"Allow builds for {unbuilt.name}, or {other}",
    )


class _SourcesOnUse:
    """A source reader that is created (and its modules imported) for the first source: most projects have none."""

    def __init__(self, connection: Connection, builder: BuilderOnUse | None, rules: FileRules, **more: Any) -> None:
        self._connection = connection
        self._builder = builder
        self._may_build = rules.may_build
        self._more = more

    @cached_property
    def _sources(self) -> SourceReader:
        from lockset.composition.sources.source_reader import Sources

        return Sources(
            self._connection.files,
            store=self._connection.cache,
            builder=self._builder,
            may_build=self._may_build,
            environ=dict(os.environ),
            fingerprint=str if self._builder is None else self._builder.read_fingerprint,
            **self._more,
        )

    def read(self, source: DirectSource, *, commit: str | None = None) -> SourceFacts:
        return self._sources.read(source, commit=commit)

    def begin(self, sources: Iterable[tuple[DirectSource, str | None]]) -> None:
        self._sources.begin(sources)


def repository_opener(
    options: IndexOptions,
    cache: Path | None,
    *,
    builder: Callable[[ProgressListener], Builder] | None = None,
    policy: BuildPolicy | None = None,
    on_close: Callable[[float], None] | None = None,
    connection: Connection | None = None,
    known: Mapping[DirectSource, SourceFacts] | None = None,
) -> Callable[[FileRules, ProgressListener], AbstractContextManager[IndexRepository]]:
    """The `open_repository` argument of `lock_project`.

    Nothing is built if `builder` is None; `policy` says how it builds.
    `on_close` is called with the time at which the first page expires. An open `connection` with the same options,
    cache and listener is used and stays open. `known` are sources that were read before.
    """
    build_key, now = _independent if policy is None else policy.cache_key, time.time()

    @contextmanager
    def opened(rules: FileRules, listener: ProgressListener) -> Iterator[IndexRepository]:
        made = BuilderOnUse(lambda: builder(listener)) if builder is not None else None
        lasting = nullcontext(connection) if connection is not None else connected(options, cache, listener)
        with lasting as used, running_builds(made) as builds:

            def hash_file(file: DistributionFile) -> Mapping[str, str]:
                listener.note(f"The index has no strong hash of {file.filename}: downloading it to compute one")
                return {"sha256": used.files.sha256(file)}

            failures = None
            if made is not None:
                failures = BuildFailures(
                    used.cache, fingerprint=made.read_fingerprint, now=now, refresh=options.refresh
                )
            metadata = Retriever(
                used.files,
                store=used.cache,
                tasks=used.workers,
                builder=made,
                failures=failures,
                build_key=build_key,
                builds=builds,
            )
            of_sources = {"refresh": options.refresh, "known": known, "tasks": builds}
            yield PrefetchingRepository(
                index=used.index,
                metadata=metadata,
                rules=rules,
                listener=listener,
                hash_file=hash_file,
                sources=_SourcesOnUse(used, made, rules, build_key=build_key, now=now, **of_sources),
                on_search_end=used.workers.end_idle_copies,
            )
            if on_close is not None:
                on_close(used.index.fresh_until)

    return opened


def _independent(_name: str) -> str:
    """What builds depend on besides their sources without settings: nothing."""
    return ""


def lock_repository(
    inputs: LockInputs,
    *,
    fresh_until: Callable[[float], None] | None = None,
    connection: Connection | None = None,
) -> Callable[[FileRules, ProgressListener], AbstractContextManager[IndexRepository]]:
    """A function that opens the repository of releases for `inputs`; it builds those whose metadata only a build has.

    `fresh_until` is called at the end with the time at which the first page expires, in seconds since the epoch. An
    open `connection` for the inputs is used, else one is opened.
    """
    if inputs.memory is not None:
        from lockset.resolve.releases.memory_index import memory_repository  # for callers of the library alone

        return partial(memory_repository, inputs.memory)
    return repository_opener(
        inputs.indexes,
        inputs.context.cache_folder,
        builder=partial(lock_builder, inputs),
        policy=_policy(inputs),
        on_close=fresh_until,
        connection=connection,
        known=inputs.known,
    )


def lock_builder(inputs: LockInputs, listener: ProgressListener) -> HookBuilder:
    """Builds sources for their metadata, with the Python that runs lockset."""
    from lockset.build.policy import BuildPolicy
    from lockset.composition.builds.environments import builder  # most locks build nothing

    policy, settings, options = _policy(inputs) or BuildPolicy(), inputs.project.settings, inputs.options
    required = settings.require_build_hashes if options.require_build_hashes is None else options.require_build_hashes
    more: dict[str, Any] = {"present": _present_python(inputs.context)} if policy.not_isolated else {}
    # What locks build requirements cannot depend on them.
    if required and not options.build_requirements:
        from lockset.composition.builds.build_lock import build_locks_of

        more |= {"require_locked": True, "build_locks": build_locks_of([inputs.target])}
    return builder(
        inputs.indexes,
        inputs.context.cache_folder,
        python=sys.executable,
        now=inputs.context.moment,
        listener=listener,
        lock=lock_environment,
        constraints=(*inputs.build_constraints, *settings.build_constraints),
        policy=policy,
        **more,
    )


def _policy(inputs: LockInputs) -> BuildPolicy | None:
    """How sources are built, by the options, the settings, and the lines of requirements; None for the default."""
    settings, options = inputs.project.settings, inputs.options
    pairs = {**settings.config_settings, **options.config_settings}
    of_packages = (
        settings.config_settings_package,
        line_settings(inputs.project, options),
        options.config_settings_package,
    )
    not_isolated = frozenset((*settings.no_build_isolation, *options.no_build_isolation))
    if not (pairs or any(of_packages) or not_isolated):
        return None
    from lockset.build.policy import BuildPolicy, joined_settings

    return BuildPolicy(settings=pairs, package_settings=joined_settings(*of_packages), not_isolated=not_isolated)


def _present_python(context: RunContext) -> str:
    """The interpreter of the environment that a sync would use, else the one that runs lockset."""
    from lockset.sync.disk.inspect.interpreter import interpreter_of
    from lockset.sync.disk.request import active_environment, find_environment

    active = active_environment(context.process_variables)
    return interpreter_of(active or find_environment(context.here) or sys.executable)
