"""Keeps what a run with nothing left to do depended on, so that the next one like it ends at once."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from lockset.files.record_store import cache_folder, key_of, save_record, stamp
from lockset.lockfile.file_name import PLAIN_NAME
from lockset.sync.desired import may_hold_secret
from lockset.sync.disk.inspect.interpreter import configurations
from lockset.sync.installed import EASY_INSTALL
from lockset.sync.layout import LOCK_FILE, STATE_FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from lockset.cli.options.sync import SyncCommand
    from lockset.composition.sync_pipeline import SyncResult

__all__ = ["save_sync"]

_SECRET_NAME = re.compile("PASS|TOKEN|SECRET|USERNAME|AUTH")


def save_sync(command: SyncCommand, result: SyncResult, *, message: str, verbose: bool) -> None:
    """Remember `result` of `command`, where files alone show the next time that nothing is to do.

    `message` is what the next such command says.
    """
    cache = cache_folder(os.environ)  # noqa: TID251 - the door for environment variables
    if cache is None or verbose or not command.repeatable or _decided_by_more(result):
        return
    locks = [(source.path or "", source.data or b"") for source in command.locks]
    if _tell_secrets(command.arguments, locks, os.environ):  # noqa: TID251
        return
    files = result.file_stamps()
    base = result.target.layout.base
    # What is left over is for the next run to remove.
    leftovers = any(os.path.lexists(f"{base}{os.sep}{name}") for name in (LOCK_FILE, STATE_FOLDER))
    if files is None or leftovers:
        return
    save_record(
        cache,
        key_of(command.arguments, os.environ),  # noqa: TID251
        looked=[(path, stamp(path)) for path in (*_looked(result, command.context.here), *result.sources)],
        locks=locks,
        libraries=result.target.layout.libraries,
        files=files,
        output=message,
    )


def _decided_by_more(result: SyncResult) -> bool:
    """Whether more than the files that are looked at decides what such a command does, or it always says more."""
    trees = any(step.desired is not None and step.desired.tree is not None for step in result.plan.steps)
    linked = result.target.kind in {"directory", "prefix"} and result.target.layout.base != result.target.shown
    chosen = result.target.interpreter.watched is None  # by a shim
    return bool(trees or linked or chosen or result.overlaps or result.outdated)


def _tell_secrets(arguments: Sequence[str], locks: Iterable[tuple[str, bytes]], environ: Mapping[str, str]) -> bool:
    """Whether what would be kept could hold a password or a token."""
    texts = [*arguments, *(value for name, value in environ.items() if name.startswith("LOCKSET_"))]
    named = any(name.startswith("LOCKSET_") and _SECRET_NAME.search(name) for name in environ)
    return (
        named
        or any(map(may_hold_secret, texts))
        or any(may_hold_secret(data.decode("utf-8", "replace")) for _, data in locks)
    )


def _looked(result: SyncResult, here: Path) -> list[str]:
    """What decides, besides lock files and installed files: what stands there, and what does not."""
    target = result.target
    looked = [f"{target.layout.base}{os.sep}{name}" for name in (LOCK_FILE, STATE_FOLDER)]
    executable = target.interpreter.executable
    looked += [executable, *configurations(executable), *(target.interpreter.watched or ())]
    looked += [f"{library}{os.sep}{EASY_INSTALL}" for library in target.layout.libraries]
    for above in (here, *here.parents):
        looked += [str(above / PLAIN_NAME), str(above / ".venv" / "pyvenv.cfg")]
    return looked
