"""Plans and results of syncs, for people and as JSON."""

from __future__ import annotations

import time

from lockset.cli.exit_codes import DONE, REFUSED
from lockset.cli.fast_path.save_sync import save_sync
from lockset.cli.output.streams import count_text, plain, seconds_text
from lockset.errors import LocksetError
from lockset.sync.plan import UNKNOWN_FILE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from lockset.cli.options.sync import SyncCommand
    from lockset.cli.output.streams import Output
    from lockset.composition.sync_inputs import SyncOptions
    from lockset.composition.sync_pipeline import Plan, Step, SyncResult
    from lockset.sync.target import Target

__all__ = ["carry_out", "run_sync", "show_difference", "show_plan", "show_sync"]

_SIGNS = {"install": ("+", "green"), "change": ("~", "yellow"), "repair": ("!", "yellow"), "remove": ("-", "red")}
_DONE = {"install": "installed", "change": "changed", "repair": "repaired", "remove": "removed"}
_WOULD = {"install": "install", "change": "change", "repair": "repair", "remove": "remove"}
# Reasons that the sign in front says already.
_OBVIOUS = frozenset({"not installed"})
# A plan with more lines than this is shown compactly: each kind of change that has many in one line.
_MOST_LINES = 20
_MANY = 5
# Names in such a line; `--verbose` lists all.
_MOST_NAMES = 40


def run_sync(sync: Callable[..., SyncResult], command: SyncCommand, out: Output) -> int:
    """Call `sync`, which is `lockset.sync_target`, for `command`; show its plan and its result. The exit code."""
    began = time.perf_counter()
    result = carry_out(
        lambda show: sync(
            command.locks,
            python=command.python,
            options=command.options,
            indexes=command.indexes,
            context=command.context,
            on_plan=show,
        ),
        out,
    )
    return show_sync(result, command, time.perf_counter() - began, out)


def carry_out(sync: Callable[[Callable[[Target, Plan], None]], SyncResult], out: Output) -> SyncResult:
    """Call `sync` with a function that shows the plan.

    Raises:
        LocksetError: As of `sync`; if the plan was shown and nothing was changed, with that fact. `target-not-writable`
            for an error of the system after that.
    """
    shown: list[Target] = []

    def show(target: Target, plan: Plan) -> None:
        show_plan(plan, target, out)
        if plan.changes:
            shown.append(target)

    try:
        return sync(show)
    except LocksetError as error:
        if shown and not error.target_changed:
            kind = "environment" if shown[0].kind == "venv" else "target"
            one = error.diagnostic
            error.diagnostic = one._replace(context=(*one.context, f"The {kind} was not changed"))
        raise
    except OSError as error:
        if not shown:
            raise
        path = error.filename2 or error.filename  # a full disk gives none
        raise LocksetError(
            "target-not-writable",
            f"The target cannot be changed: {error.strerror or error}",
            location=str(path) if path else shown[0].shown,
            context=("Changes that were begun are undone",),
            hint="Sync again when this is solved",
        ) from error


def show_plan(plan: Plan, target: Target, out: Output) -> None:
    """Tell what would change, and why."""
    if plan.changes:
        shown = plain(target.shown)
        out.line(f"{out.style('Target', 'bold')} {shown}")
    for line in _plan_lines(plan.changes, out):
        out.line(line)
    unselected = [step for step in plan.changes if step.choices]
    if unselected:
        options = " ".join(dict.fromkeys(step.choices[0] for step in unselected))
        count, them = (f"{len(unselected)} of these are", "them") if len(unselected) > 1 else ("One of these is", "it")
        out.line(plain(f"hint: {count} in the lock file and not selected: `{options}` keeps {them}"))
    for step in plan.steps:
        if step.action == "keep" and step.desired is None:
            out.detail(f"   {plain(_described(step))} stays ({plain(step.reason)})")


def _plan_lines(changes: Sequence[Step], out: Output) -> Iterator[str]:
    """A line for each step; of a long plan, one for all steps of a kind, if they are many and nothing blocks them."""
    compact: set[str] = set()
    if len(changes) > _MOST_LINES and not out.verbose:
        actions = [step.action for step in changes if not step.blocked]
        compact = {action for action in _SIGNS if actions.count(action) > _MANY}
    for action, (sign, style) in _SIGNS.items():
        steps = [step for step in changes if step.action == action and not step.blocked] if action in compact else []
        if steps:
            names = ", ".join(plain(_described(step)) for step in steps[:_MOST_NAMES])
            more = f" and {len(steps) - _MOST_NAMES} more (`--verbose` lists all)" if len(steps) > _MOST_NAMES else ""
            yield f" {out.style(sign, style)} {count_text(len(steps), 'package')}: {names}{more}"
    for step in changes:
        if step.blocked or step.action not in compact:
            yield _step_line(step, out)


def _step_line(step: Step, out: Output) -> str:
    sign, style = _SIGNS[step.action]
    reason = "" if step.reason in _OBVIOUS else step.reason
    if step.blocked:
        reason = f"{step.reason}; cannot be removed: {step.blocked}"
    text = plain(_described(step))
    shown = f" {out.style(plain(f'({reason})'), 'dim')}" if reason else ""
    return f" {out.style(sign, style)} {text}{shown}"


def show_sync(result: SyncResult, command: SyncCommand, seconds: float, out: Output) -> int:
    """Tell what was done in how many `seconds`, and keep it for the next run like it; the exit code."""
    _warn_unmatched(result.plan, command.options, out)
    _warn_overlaps(result, out)
    _note_outdated(result, out)
    if command.json:
        out.json(_json(result))
    out.line(_conclusion(result.plan, command.options, seconds))
    if command.repeatable and not out.verbose:
        save_sync(command, result, message="" if out.quiet else f"{_all_right(result.plan)}\n")
    return REFUSED if command.check and result.plan.changes else DONE


def show_difference(result: SyncResult, command: SyncCommand, out: Output) -> int:
    """Tell how many packages differ; the exit code."""
    _warn_overlaps(result, out)
    _note_outdated(result, out)
    if command.json:
        out.json(_json(result))
    changes = result.plan.changes
    if not changes:
        out.line(_all_right(result.plan))
        return DONE
    out.line(f"{len(changes)} package{'s differ' if len(changes) > 1 else ' differs'} from the lock file")
    unknown = sum(change.reason == UNKNOWN_FILE for change in changes)
    if unknown:
        have = "has" if unknown == 1 else "have"
        out.line(
            f"hint: {count_text(unknown, 'package')} {have} the locked version, but the installer did not record which "
            "file it used: `lockset sync` installs the locked files"
        )
    return REFUSED


def _warn_unmatched(plan: Plan, options: SyncOptions, out: Output) -> None:
    """Names that mean nothing here: most likely they are misspelt."""
    selected = {step.name for step in plan.steps if step.desired is not None}
    for name in sorted(set(options.reinstall) - {":all:", *selected}):
        out.warn(f"{name} cannot be reinstalled: the lock file does not select it")


def _note_outdated(result: SyncResult, out: Output) -> None:
    """Note that the project next to the lock file has changed."""
    if result.outdated:
        more = f" and {len(result.outdated) - 1} more" if len(result.outdated) > 1 else ""
        first = f"{result.outdated[0]}{more}"
        out.line(plain(f"note: The project has changed since it was locked: {first}. Run `lockset lock`"))


def _warn_overlaps(result: SyncResult, out: Output) -> None:
    """Name what is there of one package alone although two own it."""
    pairs: dict[tuple[str, str], list[str]] = {}
    for one in result.overlaps:
        pairs.setdefault((one.winner, one.owner), []).append(one.path)
    for (winner, owner), paths in pairs.items():
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        out.warn(f"{winner} and {owner} both own `{paths[0]}`{more}, with different content: {winner}'s is installed")


def _described(step: Step) -> str:
    old, new = step.old_version, step.new_version
    if step.action == "change" and old and new and old != new:
        return f"{step.name} {old} -> {new}"
    return f"{step.name} {new or old or ''}".rstrip()


def _conclusion(plan: Plan, options: SyncOptions, seconds: float) -> str:
    """The last line: what was, or would be, done."""
    if not plan.changes:
        return _all_right(plan)
    if plan.blocked:
        return f"The sync would be refused: {count_text(len(plan.blocked), 'package')} cannot be removed"
    actions = [step.action for step in plan.changes]
    verbs = _WOULD if options.check_only else _DONE
    (first, number), *others = [(verb, actions.count(action)) for action, verb in verbs.items() if action in actions]
    text = ", ".join([f"{first} {count_text(number, 'package')}", *(f"{verb} {count}" for verb, count in others)])
    return f"Would {text}" if options.check_only else f"{text[0].upper()}{text[1:]} in {seconds_text(seconds)}"


def _all_right(plan: Plan) -> str:
    """The last line if there is nothing to do."""
    count = sum(1 for step in plan.steps if step.desired is not None)
    if count == 0:
        return "The lock file selects no packages, and nothing is to be removed"
    return f"All {count} packages match the lock file" if count > 1 else "The only package matches the lock file"


def _json(result: SyncResult) -> dict[str, Any]:
    """The result as data: `schemas/sync-report.schema.json` describes it."""
    return {
        "format": 1,
        "target": {
            "path": result.target.shown,
            "kind": result.target.kind,
            "python": result.target.interpreter.executable,
        },
        "changed": result.changed,
        "outdated": list(result.outdated),
        "overlaps": [{"path": one.path, "owner": one.owner, "winner": one.winner} for one in result.overlaps],
        "steps": [
            {
                "action": step.action,
                "name": step.name,
                "old_version": step.old_version,
                "new_version": step.new_version,
                "reason": step.reason,
                "blocked": step.blocked or None,
                "source": step.desired.source if step.desired is not None else None,
                "hashes": dict(step.desired.hashes) if step.desired is not None else {},
            }
            for step in result.plan.steps
        ],
    }
