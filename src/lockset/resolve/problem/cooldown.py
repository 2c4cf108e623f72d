"""The cooldown: files that are too new are held back, unless the existing lock has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from lockset.lockfile.model import Pylock
    from lockset.resolve.problem.options import LockOptions
    from lockset.sources.settings import Settings

__all__ = ["cooldown_rules"]


def cooldown_rules(settings: Settings, options: LockOptions, old: Pylock | None, now: datetime) -> dict[str, Any]:
    """The fields of `FileRules` for the cooldown; none without one.

    The options take precedence over the settings, and a single project over all. Files of the `old` lock are known by
    their hashes: what is locked already is not new, so that a lock does not go back when a cooldown is set.
    """
    whole = options.cooldown if options.cooldown is not None else settings.cooldown
    single = {**settings.cooldown_package, **options.cooldown_package}
    if not whole and not any(single.values()):
        return {}
    packages = old.packages if old is not None else ()
    files = [f for p in packages for f in (p.sdist, *(p.wheels or ())) if f is not None]
    return {
        "cooldown": now - whole if whole else None,
        "cooldown_of": {name: now - age if age else None for name, age in single.items()},
        "locked_hashes": frozenset(f"{algorithm}:{value}" for f in files for algorithm, value in f.hashes.items()),
    }
