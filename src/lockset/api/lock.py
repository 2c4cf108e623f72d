"""lock() as a library: sources in, a proved lock out; nothing of the process's surroundings counts unless given."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lockset.composition.indexes import indexes_of
from lockset.composition.lock_pipeline import LockResult
from lockset.composition.lock_pipeline import lock_project as lock_question
from lockset.composition.remote_sources import SourceFetcher
from lockset.composition.repositories import repository_opener
from lockset.index.options import IndexOptions
from lockset.lockfile.merge_conflict import old_lock
from lockset.option_values import check_argument
from lockset.progress import NullListener
from lockset.resolve.problem.options import LockOptions
from lockset.resolve.problem.other_sources import unread_settings
from lockset.sources.discover import read_sources

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lockset.metadata.ports import Builder
    from lockset.progress import ProgressListener
    from lockset.sources.project import RootProject, Settings

__all__ = ["lock"]

_PATH = "str | PathLike | None"
_ARGUMENTS = {
    "folder": "str | PathLike", "choices": "LockOptions | None", "indexes": "IndexOptions | None",
    "output": _PATH, "cache": _PATH, "now": "datetime | None",
}  # fmt: skip


def lock(
    sources: str | PathLike[str] | Iterable[str | PathLike[str]] = (),
    *,
    folder: str | PathLike[str] = ".",
    choices: LockOptions | None = None,
    indexes: IndexOptions | None = None,
    output: str | PathLike[str] | None = None,
    cache: str | PathLike[str] | None = None,
    builds: bool = True,
    verify_metadata: bool = False,
    environ: Mapping[str, str] | None = None,
    now: datetime | None = None,
    listener: ProgressListener | None = None,
) -> LockResult:
    """One lock for every environment that the sources ask for. Nothing is written: see `LockResult.write`.

    Args:
        sources: pyproject.toml, requirements files, scripts, relative to `folder`; none: the nearest pyproject.toml.
        folder: What relative paths are relative to.
        choices: What to choose beside what the sources say.
        indexes: Where packages come from; None: as the sources say, else the public index.
        output: Where the lock will lie (default: pylock.toml in `folder`): pins of a lock that lies there are kept,
            and paths in the new one are relative to its folder.
        cache: Folder that remembers pages and metadata across calls; None: nothing is remembered.
        builds: Whether sources that only a build knows may be built.
        verify_metadata: Compare what all wheels of a version ask for.
        environ: Values for `${NAME}` in requirements files; none where not given.
        now: For ages in `exclude-newer`, and for which Pythons are still maintained; None: this moment.
        listener: Hears of progress.

    Raises:
        LocksetError: `no-resolution`, and all that can be wrong with the input, the network and the packages.
    """
    sources = check_argument("sources", sources, "str | PathLike | Iterable[str | PathLike]")
    _check(folder=folder, choices=choices, indexes=indexes, output=output, cache=cache, now=now)
    base = Path(folder).absolute()
    names = [sources] if isinstance(sources, str | PathLike) else list(sources)
    fetch = SourceFetcher(lambda: indexes or IndexOptions())
    project = read_sources(list(map(str, names)), folder=base, environ=environ or {}, fetch=fetch)
    target = base / (output or "pylock.toml")
    moment = now or datetime.now(timezone.utc)  # noqa: TID251 - the clock's door
    options = indexes if indexes is not None else indexes_of(project)
    location = Path(cache).absolute() if cache is not None else None

    builder = partial(_builder, options, location, project.settings, moment) if builds else None
    chosen = replace(
        choices or LockOptions(), index_urls=(options.index_url, *(index.url for index in options.indexes))
    )
    warnings = _warnings(project, chosen, listener or NullListener())
    result = lock_question(
        project,
        chosen,
        open_repository=repository_opener(options, location, builder=builder),
        now=moment,
        old=old_lock(target).pins if target.exists() else None,
        folder=target.parent,
        verify=verify_metadata,
        listener=listener,
    )
    return replace(result, notes=(*warnings, *result.notes))


def _builder(
    options: IndexOptions, location: Path | None, settings: Settings, now: datetime, heard: ProgressListener
) -> Builder:
    from lockset.composition.build_environments import builder

    own: dict[str, Any] = {"constraints": settings.build_constraints, "settings": settings.config_settings}
    return builder(options, location, python=sys.executable, now=now, listener=heard, **own)


def _warnings(project: RootProject, choices: LockOptions, listener: ProgressListener) -> tuple[str, ...]:
    messages = tuple(w.message for w in (*project.warnings, *unread_settings(project, choices)))
    for message in messages:
        listener.note(message)
    return messages


def _check(**given: Any) -> None:
    for name, value in given.items():
        check_argument(name, value, _ARGUMENTS[name])
