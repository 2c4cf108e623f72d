"""Results of `lockset lock` and `lockset lock --check`, for people and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.cli.exit_codes import DONE, REFUSED
from lockset.cli.output.report import change_lines
from lockset.cli.output.streams import plain
from lockset.errors import LocksetError

if TYPE_CHECKING:
    from pathlib import Path

    from lockset.api.check import LockCheck
    from lockset.cli.options.lock_command import LockCommand
    from lockset.cli.output.streams import Output
    from lockset.composition.lock_assembly import LockResult
    from lockset.lockfile.diff import LockDiff
    from lockset.lockfile.model import Pylock

__all__ = ["show_check", "show_lock"]


def show_check(result: LockCheck, command: LockCommand, out: Output) -> int:
    """Tell whether the lock is current; the exit code.

    Raises:
        LocksetError: `lock-missing`.
    """
    again, name = command.again, result.path.name
    if not result.exists:
        raise LocksetError("lock-missing", f"There is no usable {name} to check", hint=f"Make it: `{again}`")
    if command.json:
        out.json({"lock": str(result.path), "current": result.is_current, "findings": list(result.findings)})
    for finding in result.findings:
        out.line(f"{out.style('stale', 'bold yellow')}: {finding}")
    if not result.is_current:
        out.line(f"{name} does not serve its sources: run `{plain(again)}`")
        return REFUSED
    for sentence in result.uncompared:
        out.line(f"note: {sentence}: `{plain(again)}` builds it")
    out.line(f"{name} serves its sources")
    return DONE


def show_lock(result: LockResult, command: LockCommand, out: Output) -> tuple[str, str]:
    """Tell what was locked.

    Returns:
        What the same command says the next time: where it writes the lock again, and where it finds it as it is.
    """
    old = result.inputs.old if result.inputs is not None else None
    for gap in result.gaps:
        out.warn(gap.text)
    changes = _changes(old.ours, result.lock) if old is not None else None
    if command.json:
        out.json(_json(result))
    entries = len(result.lock.packages)
    names = len({package.name for package in result.lock.packages})
    count = f"{names} package{'' if names == 1 else 's'}"
    forked = f" in {entries} entries" if entries != names else ""
    name = _name(result.path)
    if changes is not None:
        for line in change_lines(changes, out):
            out.line(line)
    if old is not None and not old.merged and changes is not None and changes.is_empty:
        conclusion = f"{name} is current: {count}{forked}"
    elif command.dry_run:
        conclusion = f"Would lock {count}{forked}"
    else:
        conclusion = f"Locked {count}{forked}"
    out.line(out.style(conclusion, "bold green"))
    if command.stats:
        for line in _statistics(result):
            out.line(line)
    return ("", "") if out.quiet else _next_time(result, count)


def _changes(old: Pylock, new: Pylock) -> LockDiff:
    from lockset.lockfile.diff import diff  # a first lock does without it

    return diff(old, new)


def _name(path: Path | None) -> str:
    return path.name if path is not None else "stdout"


def _statistics(result: LockResult) -> list[str]:
    s = result.resolution.statistics
    count = len(result.lock.packages)
    search = f"{s.conflicts} conflicts, {s.restarts} restarts, {s.parts} parts, {s.rounds} rounds"
    lines = [f"{count} entries, {result.splits} splits, {search}"]
    if result.behind:
        lines.append(f"{len(result.behind)} of {len({p.name for p in result.lock.packages})} behind the newest:")
        lines += [f"  {name} {chosen}, newest {newest}" for name, (chosen, newest) in result.behind.items()]
    else:
        lines.append("every project at its newest final version")
    lines += [f"stepped over {release}: {why}" for release, why in result.skipped.items()]
    return lines


def _next_time(result: LockResult, count: str) -> tuple[str, str]:
    hint = result.inputs.hint if result.inputs is not None else None
    lines = [f"warning: {plain(text)}" for text in result.warnings]
    lines += [f"hint: {plain(hint)}"] if hint is not None else []
    lines += [f"note: {plain(note)}" for note in result.notes]
    lines += [f"warning: {gap.text}" for gap in result.gaps]
    before = "".join(f"{line}\n" for line in lines)
    return f"{before}Locked {count}, as before\n", f"{before}{_name(result.path)} is current: {count}\n"


def _json(result: LockResult) -> dict[str, object]:
    statistics = result.resolution.statistics
    return {
        "lock": str(result.path) if result.path is not None else None,
        "packages": [
            {
                "name": p.name,
                "version": str(p.version) if p.version is not None else None,
                "marker": str(p.marker) if p.marker else None,
            }
            for p in result.lock.packages
        ],
        "gaps": [{"name": g.name, "version": g.version, "environment": g.environments} for g in result.gaps],
        "skipped": dict(result.skipped),
        "behind": {name: {"locked": chosen, "newest": newest} for name, (chosen, newest) in result.behind.items()},
        "statistics": {
            "entries": len(result.lock.packages),
            "splits": result.splits,
            "rounds": statistics.rounds,
            "conflicts": statistics.conflicts,
            "restarts": statistics.restarts,
            "parts": statistics.parts,
        },
    }
