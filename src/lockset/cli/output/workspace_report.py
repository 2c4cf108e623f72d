"""Results of `lockset lock` and `lockset lock --check` for a workspace: one part for each lock file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.cli.exit_codes import DONE, REFUSED
from lockset.cli.output.lock_changes import change_lines, version_or_source
from lockset.cli.output.lock_report import lock_json, newer_text, package_count, statistics_lines
from lockset.cli.output.streams import count_text, plain, seconds_text
from lockset.lockfile.diff import compare_locks
from lockset.sources.other_tools.facts import join_many_names

if TYPE_CHECKING:
    from lockset.api.check import LockCheck
    from lockset.cli.options.lock import LockCommand
    from lockset.cli.output.streams import Output
    from lockset.composition.lock_assembly import LockResult
    from lockset.lockfile.diff import LockDiff

__all__ = ["show_workspace_check", "show_workspace_lock"]


def show_workspace_check(result: LockCheck, command: LockCommand, out: Output) -> int:
    """Tell which lock files are current; the exit code."""
    checks = (result, *result.members)
    if command.json:
        out.json({**_check_json(result), "members": [_check_json(one) for one in result.members]})
    stale: list[str] = []
    for one in checks:
        name = plain(one.path.name)
        for note in one.notes:
            out.line(f"note: {name}: {plain(note)}")
        findings = one.findings if one.exists else ("there is no usable lock file",)
        for finding in findings:
            out.line(f"{out.style('stale', 'bold yellow')}: {name}: {plain(finding)}")
        if findings:
            stale.append(one.path.name)
        for sentence in () if findings else one.uncompared:
            out.line(f"note: {name}: {plain(sentence)}: `{plain(command.again)}` builds it")
    if stale:
        verb = "is" if len(stale) == 1 else "are"
        out.line(f"{plain(join_many_names(stale))} {verb} out of date: run `{plain(command.again)}`")
        return REFUSED
    out.line(f"{count_text(len(checks), 'lock file')} of the workspace are up to date")
    return DONE


def _check_json(one: LockCheck) -> dict[str, object]:
    current = one.exists and not one.findings
    return {"lock": str(one.path), "current": current, "findings": list(one.findings), "notes": list(one.notes)}


def show_workspace_lock(result: LockResult, command: LockCommand, seconds: float, out: Output) -> None:
    """Tell what was locked in each file, and in how many `seconds`."""
    results = (result, *result.members)
    for gap in dict.fromkeys(gap.text for one in results for gap in one.gaps):
        out.warn(gap)
    if command.json:
        out.json({**_json(result), "members": [_json(one) for one in result.members]})
    changed = [one for one in results if _is_changed(one)]
    for one in changed:
        _show_file(one, out)
    names = {package.name for one in results for package in one.lock.packages}
    files = count_text(len(results), "lock file")
    count = count_text(len(names), "package")
    if not changed:
        conclusion = f"{files} of the workspace {'is' if len(results) == 1 else 'are'} current: {count}"
    else:
        verb = "Would lock" if command.dry_run else "Locked"
        more = "" if len(changed) == len(results) else f" ({len(changed)} of {len(results)} files changed)"
        conclusion = f"{verb} {count} in {files} of the workspace{more}"
    out.line(f"{out.style(conclusion, 'bold green')}{out.style(f', {seconds_text(seconds)}', 'dim')}")
    newer = dict.fromkeys(filter(None, (_newer_text(results, command),)))
    for line in newer:
        out.line(line)
    if command.stats:
        for line in statistics_lines(result):
            out.line(line)


def _newer_text(results: tuple[LockResult, ...], command: LockCommand) -> str:
    """How many versions were kept although there are newer ones: the longest report of the files."""
    olds = [None if one.inputs is None else one.inputs.old for one in results]
    texts = [
        newer_text(one, command, None if old is None else old.ours) for one, old in zip(results, olds, strict=True)
    ]
    return max(texts, key=lambda text: (len(text), text))


def _show_file(one: LockResult, out: Output) -> None:
    name = plain("" if one.path is None else one.path.name)
    changes = _changes(one)
    new = "" if changes is not None else "new, "
    out.line(f"{name}: {new}{package_count(one.lock)}")
    if changes is not None:
        for line in change_lines(changes, out):
            out.line(f"  {line}")


def _is_changed(one: LockResult) -> bool:
    return one.inputs is None or one.inputs.before != one.text.encode()


def _changes(one: LockResult) -> LockDiff | None:
    """The changes since the existing lock file; None if there was none."""
    old = None if one.inputs is None else one.inputs.old
    return None if old is None else compare_locks(old.ours, one.lock)


def _json(one: LockResult) -> dict[str, object]:
    changes = _changes(one)
    listed = [
        {
            "name": change.name,
            "old": None if change.old is None else version_or_source(change.old),
            "new": None if change.new is None else version_or_source(change.new),
        }
        for change in ([] if changes is None else changes.changes)
    ]
    return {**lock_json(one), "changed": _is_changed(one), "changes": listed}
