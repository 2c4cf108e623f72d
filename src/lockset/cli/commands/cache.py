"""`lockset cache`: show the cache folder, remove entries, and check them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.api.cache import cache_location, cache_size, clean_cache, prune_cache, verify_cache
from lockset.cli.exit_codes import DONE, REFUSED
from lockset.cli.options.cache import add_cache_arguments as add_arguments
from lockset.cli.options.cache import read_cache_command as read
from lockset.cli.output.cache_report import removal_json, show_damages, show_removal, show_size, size_json, verify_json
from lockset.errors import LocksetError

if TYPE_CHECKING:
    from lockset.cli.options.cache import CacheCommand
    from lockset.cli.output.streams import Output

__all__ = ["add_arguments", "read", "run"]


def run(command: CacheCommand, out: Output) -> int:
    """Run the action on the cache."""
    context = command.context
    folder = cache_location(context=context)
    if folder is None:
        raise LocksetError("no-cache", "There is no cache folder", hint="Name one with `--cache-dir`")
    if command.action == "dir":
        out.data(str(folder))
        return DONE
    if command.action == "size":
        entries = cache_size(context=context)
        if command.json:
            out.json(size_json(folder, entries))
        else:
            show_size(folder, entries, out)
        return DONE
    if command.action == "verify":
        count, damages, removal = verify_cache(fix=command.fix, context=context)
        if command.json:
            out.json(verify_json(folder, count, damages, removal))
        else:
            show_damages(count, damages, removal, out, fix=command.fix)
        return REFUSED if len(damages) > len(removal.entries) else DONE
    if command.action == "prune":
        removal = prune_cache(command.older_than, dry_run=command.dry_run, context=context)
    else:
        removal = clean_cache(command.packages, dry_run=command.dry_run, context=context)
    if command.json:
        out.json(removal_json(folder, removal, dry_run=command.dry_run))
    else:
        show_removal(removal, out, dry_run=command.dry_run)
    return REFUSED if removal.failed else DONE
