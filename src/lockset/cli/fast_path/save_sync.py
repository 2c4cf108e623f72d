"""Store what a sync with nothing left to do depends on, so that the next one ends at once."""

from __future__ import annotations

import os

from lockset.cli.fast_path.command_key import key_of, stamp
from lockset.cli.fast_path.secrets import may_hold_secrets
from lockset.cli.fast_path.sync import save_sync_record
from lockset.composition.attestations.trust_policy import policy_files
from lockset.files.cache_folder import cache_folder
from lockset.lockfile.file_name import PLAIN_NAME
from lockset.sync.disk.inspect.interpreter import configurations
from lockset.sync.installed import EASY_INSTALL
from lockset.sync.target import LOCK_FILE, STATE_FOLDER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lockset.cli.options.sync import SyncCommand
    from lockset.composition.sync_pipeline import SyncResult

__all__ = ["save_sync"]


def save_sync(command: SyncCommand, result: SyncResult, *, message: str) -> None:
    """Store `result` of `command`, which is `repeatable`, if files alone can show that there is nothing to do.

    `message` is the message of the next such command.
    """
    cache = cache_folder(os.environ)
    if cache is None or _depends_on_more(result):
        return
    locks = [(source.path or "", source.data or b"") for source in command.locks]
    if may_hold_secrets(command.arguments, [data for _, data in locks], os.environ):
        return
    files = result.file_stamps()
    base = result.target.layout.base
    # The next run has to remove leftovers.
    leftovers = any(os.path.lexists(f"{base}{os.sep}{name}") for name in (LOCK_FILE, STATE_FOLDER))
    if files is None or leftovers:
        return
    save_sync_record(
        cache,
        key_of(command.arguments, os.environ),
        looked=[(path, stamp(path)) for path in (*_looked(result, command), *result.sources)],
        locks=locks,
        libraries=result.target.layout.libraries,
        files=files,
        output=message,
    )


def _depends_on_more(result: SyncResult) -> bool:
    """Whether the command depends on more than the recorded files, or always prints more."""
    trees = any(step.desired is not None and step.desired.tree is not None for step in result.plan.steps)
    linked = result.target.kind in {"directory", "prefix"} and result.target.layout.base != result.target.shown
    chosen = result.target.interpreter.watched is None  # by a shim
    return bool(trees or linked or chosen or result.overlaps or result.outdated or result.attested)


def _looked(result: SyncResult, command: SyncCommand) -> list[str]:
    """Paths whose presence or content affects the result, besides lock files and installed files."""
    target, here = result.target, command.context.here
    looked = [f"{target.layout.base}{os.sep}{name}" for name in (LOCK_FILE, STATE_FOLDER)]
    executable = target.interpreter.executable
    looked += [executable, *configurations(executable), *(target.interpreter.watched or ())]
    looked += [f"{library}{os.sep}{EASY_INSTALL}" for library in target.layout.libraries]
    looked += [path for source in command.locks for path in policy_files(source.folder, command.context)]
    for above in (here, *here.parents):
        looked += [str(above / PLAIN_NAME), str(above / ".venv" / "pyvenv.cfg")]
    return looked
