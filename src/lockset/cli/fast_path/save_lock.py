"""Store results of `lockset lock` for the next run, with the inputs that they depend on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lockset._pattern import lazy_pattern
from lockset.cli.fast_path.lock import save_lock_record
from lockset.cli.fast_path.secrets import may_hold_secrets
from lockset.sources.discover import STDIN
from lockset.sources.other_tools.files import OTHER_FILES

if TYPE_CHECKING:
    from pathlib import Path

    from lockset.cli.options.lock import LockCommand
    from lockset.composition.lock_assembly import LockResult
    from lockset.composition.lock_inputs import LockInputs
    from lockset.sources.project import RootProject

__all__ = ["save_lock"]

# Lines that include other files, and variables: a requirements file with them depends on more than its bytes.
_BRINGS_MORE = lazy_pattern(rb"(?m)^\s*(-r|-c|--requirement|--constraint|-e|--editable)|\$\{")
_DAY = 86_400.0


def save_lock(command: LockCommand, result: LockResult, *, outputs: tuple[str, str], since: float) -> None:
    """Store the result of this run, if it depends only on files, options and fresh pages.

    Args:
        command: The command, which is `repeatable`.
        result: Its result.
        outputs: The messages of the next run: if it writes the file, and if the file is unchanged.
        since: When the run began, in seconds since the epoch.
    """
    inputs, until = result.inputs, result.fresh_until
    if inputs is None or inputs.target is None or until <= since or _depends_on_more(command, result, inputs):
        return
    here = inputs.context.here
    sources = _sources(command, inputs.project, here)
    if sources is None or may_hold_secrets(command.arguments, [data for _, data in sources], os.environ):
        return
    looked = [str(above / "pyproject.toml") for above in (here, *here.parents)]
    looked += [str(inputs.project.base / name) for name in OTHER_FILES]
    before, after = inputs.before, result.text.encode()
    answers: list[tuple[bytes | None, bytes, str]] = [(after, after, outputs[1])]
    if before != after:
        answers.append((before, after, outputs[0]))
    save_lock_record(
        command.arguments,
        os.environ,
        since=since,
        # The set of maintained Pythons may change from day to day.
        until=min(until, (since // _DAY + 1) * _DAY),
        looked=looked,
        sources=sources,
        target=str(inputs.target),
        answers=answers,
    )


def _depends_on_more(command: LockCommand, result: LockResult, inputs: LockInputs) -> bool:
    """Whether the result depends on more than local files: the time, source trees, archives, files by URL."""
    project, settings = inputs.project, inputs.project.settings
    by_time = command.options.exclude_newer or settings.exclude_newer or settings.exclude_newer_package
    by_time = by_time or settings.cooldown or settings.cooldown_package
    by_time = by_time or command.options.cooldown or command.options.cooldown_package
    lines = [*project.dependencies, *project.constraints, *settings.overrides]
    lines += [line for several in (project.extras, project.groups) for each in several.values() for line in each]
    return bool(
        by_time
        or project.unbuilt
        or inputs.fetched
        or any(line.requirement.url is not None for line in lines)
        or any(package.is_direct for package in result.lock.packages)
    )


def _sources(command: LockCommand, project: RootProject, here: Path) -> list[tuple[str, bytes]] | None:
    """All files that were read, with their bytes; None if they are not known."""
    read = []
    for name in (*project.sources, *command.options.constraint_files):
        path = here / name
        if name == STDIN or not path.is_file():
            return None
        data = path.read_bytes()
        if path.suffix not in {".toml", ".py"} and _BRINGS_MORE.search(data):
            return None
        read.append((str(path), data))
    return read
