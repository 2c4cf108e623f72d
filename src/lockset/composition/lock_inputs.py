"""Read the inputs of a lock once: the project, the options with the files they name, and the existing lock file.

`lock`, `check` and `why_not` begin here.
"""

from __future__ import annotations

import os.path
import re
from functools import cached_property
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING

from lockset._dataclass import dataclass, field, replace
from lockset.composition.indexes import chosen_urls, project_around, resolve_indexes, unread_index_variable
from lockset.composition.run_context import IndexOverrides, context_of
from lockset.errors import LocksetError, UsageError
from lockset.index.options import IndexOptions
from lockset.lockfile.file_name import PLAIN_NAME
from lockset.option_values import check_argument
from lockset.resolve.problem.options import LockOptions
from lockset.resolve.problem.other_sources import unread_settings
from lockset.resolve.problem.roots import named
from lockset.sources.discover import (
    STDIN,
    LocalFiles,
    find_project,
    read_constraints,
    read_sources,
    with_lines_of,
)
from lockset.sources.other_tools.facts import OtherTools
from lockset.sources.pyproject import SETUP_PY

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from lockset.composition.run_context import RunContext
    from lockset.lockfile.merge_conflict import OldLock
    from lockset.lockfile.model import Pylock
    from lockset.progress import ProgressListener
    from lockset.resolve.problem.direct_source import DirectSource, SourceFacts
    from lockset.resolve.releases.memory_index import MemoryIndex
    from lockset.sources.project import RootProject
    from lockset.sources.requirements.requirement_line import RequirementLine

__all__ = [
    "LazyFetch",
    "LockInputs",
    "existing_lock",
    "memory_and_indexes",
    "needed_pages",
    "read_constraint_files",
    "read_lock_inputs",
    "source_arguments",
    "with_option_files",
    "with_other_tools",
    "with_upgrades",
    "workspace_of",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class LockInputs:
    """The inputs of a lock.

    Attributes:
        project: The requirements and settings of the sources.
        options: The caller's options, with the content of the files that they name.
        indexes: The indexes to use.
        context: The surroundings.
        target: The absolute path of the lock file; None for the standard output.
        old: The existing lock file; None if there is none, or it cannot be read.
        before: Its bytes; None if it is not a regular file.
        warnings: Warnings about the sources that were reported.
        hint: The hint about variables of other tools that was reported.
        build_constraints: Constraints on build requirements.
        fetched: Number of sources that were fetched over the network.
        memory: The index in memory that replaces `indexes`, if any.
        known: Direct sources that were read, to learn the names of their projects.
        unknown: Requirements whose projects are not known, which are left out; as sentences about the lock file.
    """

    project: RootProject
    options: LockOptions
    indexes: IndexOptions
    context: RunContext
    target: Path | None
    old: OldLock | None
    before: bytes | None
    warnings: tuple[str, ...]
    hint: str | None
    build_constraints: tuple[RequirementLine, ...]
    fetched: int
    memory: MemoryIndex | None = None
    known: Mapping[DirectSource, SourceFacts] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """The folder of the lock file, which its paths are relative to."""
        return self.target.parent if self.target is not None else self.context.here

    @property
    def is_named(self) -> bool:
        """Whether the names of all projects are known."""
        lines = (*self.project.dependencies, *self.options.requirements, *self.options.overrides)
        return all(isinstance(line, str) or line.is_named for line in lines) and all(
            u.name for u in self.project.unbuilt
        )

    @property
    def pins(self) -> Pylock | None:
        """The existing lock file as pins."""
        return None if self.old is None else self.old.pins


class LazyFetch:
    """A `SourceFetcher` that is created (and its modules imported) for the first URL: most projects have none."""

    def __init__(self, options: Callable[[], IndexOptions]) -> None:
        self._options = options
        self.count = 0

    @cached_property
    def _fetcher(self) -> Callable[[str], bytes]:
        from lockset.composition.connections import SourceFetcher

        return SourceFetcher(self._options)

    def __call__(self, url: str) -> bytes:
        """The content at `url`."""
        self.count += 1
        return self._fetcher(url)


def read_lock_inputs(
    sources: Sequence[str],
    options: LockOptions | None,
    indexes: IndexOptions | IndexOverrides | MemoryIndex | None,
    output: str | None,
    context: RunContext | None,
    *,
    merging: bool = True,
    connecting: bool = True,
    replaced: Callable[[Path], bytes | None] | None = None,
) -> LockInputs:
    """Read the sources, the files that options name, and the existing lock file; warnings go to the listener.

    Without `merging`, a lock file with an unresolved merge conflict is refused; without `connecting`, there is no hint
    about indexes. `replaced` returns other content for source files: see `read_sources`.

    The names of some projects may not be known: `lockset.composition.sources.names` adds them.

    Raises:
        LocksetError: With the file and the position of the problem.
    """
    check_argument("options", options, "LockOptions | None")
    check_argument("indexes", indexes, "IndexOptions | IndexOverrides | MemoryIndex | None")
    memory, indexes = memory_and_indexes(indexes)
    context = context_of(context)
    here, listener = context.here, context.heard
    target = _target(sources, output, here)
    fetch = LazyFetch(lambda: resolve_indexes(indexes, project_around(here, context), context))
    stated = _project(sources, context, fetch, replaced)
    project, tables = with_other_tools(stated, () if options is None else options.no_sources, here)
    old = existing_lock(target, listener, merging=merging)
    options = with_option_files(with_upgrades(options or LockOptions(), project), context, fetch, nameless=True)
    options = replace(options, index_urls=chosen_urls(indexes))
    unread = unread_settings(project, options) if project.others != OtherTools() else ()
    warnings = tuple(w.message for w in (*project.warnings, *unread))
    for message in warnings:
        listener.warning(message)
    if tables is not None:
        listener.note(tables)
    before = target.read_bytes() if target is not None and target.is_file() else None
    index_options = _with_new_pages(resolve_indexes(indexes, project, context), options)
    hint = unread_index_variable(index_options, context) if connecting else None
    if hint is not None:
        listener.hint(hint)
    return LockInputs(
        project=project,
        options=options,
        indexes=index_options,
        context=context,
        target=target,
        old=old,
        before=before,
        warnings=warnings,
        hint=hint,
        build_constraints=read_constraint_files(options.build_constraint_files, context, fetch),
        fetched=fetch.count,
        memory=memory,
    )


def _with_new_pages(indexes: IndexOptions, options: LockOptions) -> IndexOptions:
    """`indexes` that are asked for newer pages of what is upgraded, however lately they were."""
    if options.upgrade and indexes.max_age is None:
        return replace(indexes, max_age=0.0)
    return replace(indexes, refresh_packages=indexes.refresh_packages | options.upgrade_packages)


def needed_pages(inputs: LockInputs) -> list[str]:
    """The projects whose pages a first lock needs whatever else it decides; none where that takes a closer look.

    They are required everywhere, from an index, and neither replaced nor left out.
    """
    project, options, settings = inputs.project, inputs.options, inputs.project.settings
    lines = (
        *project.dependencies,
        *(line for more in (*project.extras.values(), *project.groups.values()) for line in more),
        *(*project.constraints, *settings.constraints),
    )
    changing = (settings.overrides, settings.excludes, options.overrides, options.excludes, options.constraints)
    is_plain = inputs.old is None and inputs.memory is None and not (any(changing) or project.unbuilt)
    if not is_plain or options.only_groups or any(line.requirement.url is not None for line in lines):
        return []
    return [line.name for line in project.dependencies if line.requirement.marker is None]


def memory_and_indexes(
    indexes: IndexOptions | IndexOverrides | MemoryIndex | None,
) -> tuple[MemoryIndex | None, IndexOptions | IndexOverrides | None]:
    """An index in memory, if `indexes` is one, and the options of indexes."""
    if indexes is None or isinstance(indexes, IndexOptions | IndexOverrides):
        return None, indexes
    return indexes, IndexOptions(index_url=indexes.url)


def _project(
    sources: Sequence[str], context: RunContext, fetch: LazyFetch, replaced: Callable[[Path], bytes | None] | None
) -> RootProject:
    return read_sources(
        sources,
        folder=context.here,
        environ=context.variables,
        stdin=_stdin_text(context) if STDIN in sources else None,
        use_settings=context.use_settings,
        config=context.config_path,
        fetch=fetch,
        replaced=replaced,
        nameless=True,
    )


def with_other_tools(project: RootProject, no_sources: Collection[str], here: Path) -> tuple[RootProject, str | None]:
    """The project with what tables of other tools say of it, and a sentence that names these tables."""
    if project.others == OtherTools():
        return project, None
    # Imported here: most projects have no such tables.
    from lockset.sources.other_tools.apply import applied_tables, apply_other_tools

    with with_lines_of(here):
        applied = apply_other_tools(project, no_sources=no_sources)
    return applied, applied_tables(project, applied)


def with_upgrades(options: LockOptions, project: RootProject) -> LockOptions:
    """The options with the packages of the groups to upgrade.

    Raises:
        LocksetError: `unknown-group`.
    """
    if not options.upgrade_groups:
        return options
    groups = named(options.upgrade_groups, project.groups, "dependency group")
    names = {line.name for group in groups for line in project.groups[group]}
    return replace(options, upgrade_packages=options.upgrade_packages | names)


def with_option_files(
    options: LockOptions, context: RunContext, fetch: LazyFetch, *, nameless: bool = False
) -> LockOptions:
    """The options with the content of the files that they name. `nameless`: see `read_sources`."""
    return replace(
        options,
        constraints=(*options.constraints, *read_constraint_files(options.constraint_files, context, fetch)),
        overrides=(*options.overrides, *_overrides(options.override_files, context, fetch, nameless=nameless)),
        requirements=(*options.requirements, *_editables(options.editables, context.here, nameless=nameless)),
    )


def _target(sources: Sequence[str], output: str | None, here: Path) -> Path | None:
    """The path of the lock file; None for `-`. It is next to the script, or next to the project's pyproject.toml."""
    if output == STDIN:
        return None
    if output is not None:
        return here / output
    if len(sources) == 1 and sources[0].endswith(".py") and Path(sources[0]).name != SETUP_PY:
        script = Path(sources[0])
        name = re.sub(r"[^A-Za-z0-9_-]", "-", script.stem)
        return here / script.parent / f"pylock.{name}.toml"
    if not sources:
        project = find_project(here)
        return (project.parent if project else here) / "pylock.toml"
    return here / "pylock.toml"


def existing_lock(target: Path | None, listener: ProgressListener, *, merging: bool) -> OldLock | None:
    """The existing lock file; None if there is none or it cannot be read, which is reported as a warning.

    With an unresolved merge conflict in it, the pins of both sides, where `merging`.
    """
    if target is None or not target.exists():
        return None
    from lockset.lockfile.merge_conflict import old_lock  # not needed for a first lock

    try:
        old = old_lock(target)
    except LocksetError as error:
        listener.warning(f"Ignoring the pins of {target.name}: {error.diagnostic.message}")
        return None
    if old.merged and not merging:
        hint = "Run `lockset lock` to resolve it: the pins of both sides are tried first"
        raise LocksetError(
            "merge-conflict", "The lock file has an unresolved merge conflict", location=str(target), hint=hint
        )
    if old.merged:
        listener.note(f"{target.name} has an unresolved merge conflict: the pins of both sides are tried first")
    return old


def _stdin_text(context: RunContext) -> str:
    if context.stdin is None:
        raise LocksetError("source-missing", "`-` stands for the standard input, but there is none")
    return context.stdin().decode("utf-8", "surrogateescape")


def read_constraint_files(files: Sequence[str], context: RunContext, fetch: LazyFetch) -> tuple[RequirementLine, ...]:
    """The constraints in the named files; none without files."""
    return read_constraints(files, folder=context.here, environ=context.variables, fetch=fetch) if files else ()


def _overrides(
    files: Sequence[str], context: RunContext, fetch: LazyFetch, *, nameless: bool
) -> tuple[RequirementLine, ...]:
    if not files:
        return ()
    read = read_sources(
        files, folder=context.here, environ=context.variables, use_settings=False, fetch=fetch, nameless=nameless
    )
    return read.dependencies


def _editables(paths: Sequence[str], here: Path, *, nameless: bool) -> tuple[RequirementLine, ...]:
    if not paths:
        return ()
    from lockset.sources.requirements.requirement_line import read_requirement

    return tuple(
        read_requirement(
            text,
            origin="--editable",
            folder=here,
            surroundings=LocalFiles(here),
            editable=True,
            nameless=nameless,
        )
        for text in paths
    )


def workspace_of(sources: Sequence[str], output: str | None, context: RunContext | None) -> Path | None:
    """The root of the workspace that the sources mean; None if they mean none.

    Without sources that is the workspace around the folder; a source may be the root itself.

    Raises:
        UsageError: `workspace-output` if the locks are to be written to the standard output.
    """
    context = context_of(context)
    folder = context.here
    if sources:
        # The pyproject.toml in the root stands for the workspace, as the folder does. That of a member is locked alone.
        named = Path(os.path.normpath(folder / sources[0]))
        folder = named.parent if named.name == "pyproject.toml" else named
        alone = len(sources) > 1 or sources[0] == STDIN or Path(output or PLAIN_NAME).name != PLAIN_NAME
        if alone or not (folder / "pyproject.toml").is_file():
            return None
    from lockset.sources.other_tools.files import workspace_root  # every project with a pyproject.toml needs it

    root = workspace_root(folder, own=context.use_settings and context.config is None)
    if sources and root != folder:
        return None
    if root is not None and output == STDIN:
        raise UsageError(
            "workspace-output",
            "A workspace has several lock files, which cannot all be written to the standard output",
            hint="Leave out `-o -`; `--dry-run` shows the changes; naming its pyproject.toml locks one project alone",
        )
    return root


def source_arguments(
    sources: str | PathLike[str] | Iterable[str | PathLike[str]], output: str | PathLike[str] | None
) -> tuple[list[str], str | None]:
    """Sources and output of `lock`, `check` and `why_not` as strings.

    Raises:
        UsageError: `option-value` if one has the wrong type.
    """
    sources = check_argument("sources", sources, "str | PathLike | Iterable[str | PathLike]")
    check_argument("output", output, "str | PathLike | None")
    named = [sources] if isinstance(sources, str | PathLike) else sources
    return [fspath(one) for one in named], None if output is None else fspath(output)
