"""Results of `lockset lock` and `lockset lock --check`, for people and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.cli.exit_codes import DONE, REFUSED
from lockset.cli.output.streams import count_text, plain, seconds_text
from lockset.errors import LocksetError

if TYPE_CHECKING:
    from pathlib import Path

    from lockset.api.check import LockCheck
    from lockset.cli.options.lock import LockCommand
    from lockset.cli.output.streams import Output
    from lockset.composition.lock_assembly import LockResult
    from lockset.lockfile.diff import LockDiff
    from lockset.lockfile.model import Pylock

__all__ = ["lock_json", "newer_text", "package_count", "show_check", "show_lock", "statistics_lines"]

# Versions that one line names; further ones are counted.
_SHOWN = 10


def show_check(result: LockCheck, command: LockCommand, out: Output) -> int:
    """Tell whether the lock is current; the exit code.

    Raises:
        LocksetError: `lock-missing`.
    """
    again, name = command.again, result.path.name
    if not result.exists:
        raise LocksetError("lock-missing", f"There is no valid {name} to check", hint=f"Create it: `{again}`")
    if command.json:
        shown = {"findings": list(result.findings), "notes": list(result.notes)}
        out.json({"lock": str(result.path), "current": result.is_current, **shown})
    for note in result.notes:
        out.line(f"note: {plain(note)}")
    for finding in result.findings:
        out.line(f"{out.style('stale', 'bold yellow')}: {plain(finding)}")
    if not result.is_current:
        out.line(f"{name} is out of date: run `{plain(again)}`")
        return REFUSED
    for sentence in result.uncompared:
        out.line(f"note: {sentence}: `{plain(again)}` builds it")
    out.line(f"{name} is up to date")
    return DONE


def show_lock(result: LockResult, command: LockCommand, seconds: float, out: Output) -> tuple[str, str]:
    """Tell what was locked, and in how many `seconds`.

    Returns:
        What the same command says the next time: where it writes the lock again, and where it finds it as it is.
    """
    old = result.inputs.old if result.inputs is not None else None
    for gap in result.gaps:
        out.warn(gap.text)
    changes = _changes(old.ours, result.lock) if old is not None else None
    if command.json:
        out.json(lock_json(result))
    count = package_count(result.lock)
    name = plain(_name(result.path))
    if changes is not None:
        from lockset.cli.output.lock_changes import change_lines

        for line in change_lines(changes, out):
            out.line(line)
    if old is not None and not old.merged and changes is not None and changes.is_empty:
        conclusion = f"{name} is current: {count}"
    elif command.dry_run:
        conclusion = f"Would lock {count} in {name}"
    else:
        conclusion = f"Locked {count} in {name}" if result.path is not None else f"Locked {count}"
    out.line(f"{out.style(conclusion, 'bold green')}{out.style(f', {seconds_text(seconds)}', 'dim')}")
    newer = newer_text(result, command, old.ours if old is not None else None)
    for line in filter(None, (_build_text(result, command), _held_back_text(result), newer)):
        out.line(line)
    if command.stats:
        for line in statistics_lines(result):
            out.line(line)
    return ("", "") if out.quiet else _next_time(result, count, newer)


def _build_text(result: LockResult, command: LockCommand) -> str:
    """How many build requirements are locked; empty if they were not to be locked."""
    if not command.options.build_requirements:
        return ""
    if (build := result.build_requirements) is None:
        return "Every package has a wheel: there are no build requirements to lock"
    groups = len(build.lock.dependency_groups or ())
    verb = "Would lock" if command.dry_run else "Locked"
    return f"{verb} {package_count(build.lock)} in {_name(build.path)}, to build {count_text(groups, 'package')}"


def package_count(lock: Pylock) -> str:
    """How many packages there are, and how many entries, if some have several."""
    entries = len(lock.packages)
    names = len({package.name for package in lock.packages})
    return count_text(names, "package") + (f" ({entries} entries)" if entries != names else "")


def newer_text(result: LockResult, command: LockCommand, old: Pylock | None) -> str:
    """How many versions were kept from the old lock although there are newer ones; empty if none was.

    Only releases that the search has read count, so it makes no request. Requirements may not allow the newer ones.
    """
    if old is None or command.options.upgrade:
        return ""
    kept = {(package.name, str(package.version)) for package in old.packages}
    newer = [name for name, (locked, _) in result.behind.items() if (name, locked) in kept]
    newer = [name for name in newer if name not in command.options.upgrade_packages]
    if not newer:
        return ""
    packages = "1 package has a newer version" if len(newer) == 1 else f"{len(newer)} packages have newer versions"
    return f"{packages}: `{plain(command.again)} -U` upgrades those that fit"


def _held_back_text(result: LockResult) -> str:
    """The versions that the cooldown holds back, with their upload dates; empty if there are none."""
    if not result.held_back:
        return ""
    versions = [
        f"{name} {version} ({f'uploaded {day}' if day is not None else 'without an upload time'})"
        for name, (version, day) in result.held_back.items()
    ]
    more = f" and {len(versions) - _SHOWN} more" if len(versions) > _SHOWN else ""
    return f"{len(versions)} held back by the cooldown: {plain(', '.join(versions[:_SHOWN]))}{more}"


def _changes(old: Pylock, new: Pylock) -> LockDiff:
    from lockset.lockfile.diff import compare_locks  # a first lock does without it

    return compare_locks(old, new)


def _name(path: Path | None) -> str:
    return path.name if path is not None else "standard output"


def statistics_lines(result: LockResult) -> list[str]:
    """The report of `--stats`."""
    s = result.resolution.statistics
    count = len(result.lock.packages)
    numbers = {"conflict": s.conflicts, "restart": s.restarts, "part": s.parts, "round": s.rounds}
    search = ", ".join(count_text(number, noun) for noun, number in numbers.items())
    entries = "1 entry" if count == 1 else f"{count} entries"
    lines = [f"{entries}, {count_text(result.splits, 'split')}, {search}"]
    if result.behind:
        lines.append(f"{len(result.behind)} of {len({p.name for p in result.lock.packages})} behind the newest:")
        lines += [f"  {name} {chosen}, newest {newest}" for name, (chosen, newest) in result.behind.items()]
    elif not result.held_back:
        lines.append("every package at its newest final version")
    lines += [f"skipped {plain(release)}: {plain(why)}" for release, why in result.skipped.items()]
    return lines


def _next_time(result: LockResult, count: str, newer: str) -> tuple[str, str]:
    hint = result.inputs.hint if result.inputs is not None else None
    lines = [f"warning: {plain(text)}" for text in result.warnings]
    lines += [f"hint: {plain(hint)}"] if hint is not None else []
    lines += [f"note: {plain(note)}" for note in result.notes]
    lines += [f"warning: {gap.text}" for gap in result.gaps]
    before = "".join(f"{line}\n" for line in lines)
    after = f"{newer}\n" if newer else ""
    name = plain(_name(result.path))
    return f"{before}Locked {count} in {name}, as before\n{after}", f"{before}{name} is current: {count}\n{after}"


def lock_json(result: LockResult) -> dict[str, object]:
    """The report of `--json`."""
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
        "held-back": {name: {"version": version, "uploaded": day} for name, (version, day) in result.held_back.items()},
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
