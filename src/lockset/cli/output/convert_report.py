"""Conversions, exports and what they lose, for people and as JSON."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from lockset.cli.output.streams import count_text, plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lockset.cli.options.convert import ConvertCommand
    from lockset.cli.options.export import ExportCommand
    from lockset.cli.output.streams import Output
    from lockset.composition.conversions.conversion import Conversion
    from lockset.composition.conversions.export import Export
    from lockset.conversion.model.imported_lock import Loss

__all__ = ["show_conversion", "show_export"]

# As many losses of one kind as are shown without `--verbose`.
_SHOWN = 8


def show_conversion(done: Conversion, command: ConvertCommand, out: Output) -> None:
    """Tell what was converted, what was lost, and what was compared."""
    _show_losses(done.losses, out)
    if command.verify:
        rows = [(r.choice, str(r.environments), f"{r.fewest} to {r.most}") for r in done.proof.rows]
        out.table(("choice", "environments", "packages"), rows)
        proof = done.proof
        out.line(f"hashes of the input: {proof.hashes}, kept: {proof.kept}, lost: {proof.lost}")
    if command.json and done.path is not None:
        out.json(_json(done))
    names = {package.name for package in done.lock.packages}
    entries = len(done.lock.packages)
    forked = f" in {entries} entries" if entries != len(names) else ""
    count = count_text(len(names), "package")
    compared = _compared(sum(row.environments for row in done.proof.rows))
    out.line(out.style(plain(f"Converted {done.format}: {count}{forked}, {compared}"), "bold green"))


def show_export(done: Export, target: Path | None, command: ExportCommand, out: Output) -> None:
    """Tell what was exported, and what was lost; without a target the text itself is the result."""
    if command.json:
        out.json(
            {
                "format": command.options.format,
                "file": None if target is None else str(target),
                "text": done.text if target is None else None,
                "entries": done.packages,
                "environments": done.compared,
                "losses": _losses_as_json(done.losses),
            }
        )
    elif target is None:
        out.file(done.text)
    _show_losses(done.losses, out)
    entries = "1 entry" if done.packages == 1 else f"{done.packages} entries"
    proof = f", {_compared(done.compared)}" if done.compared else ""
    out.line(out.style(f"Exported {entries} as {command.options.format}{proof}", "bold green"))


def _compared(environments: int) -> str:
    """In how many environments a proof compared."""
    return f"verified in {count_text(environments, 'environment')}"


def _show_losses(losses: Sequence[Loss], out: Output) -> None:
    """One line each, kinds together; many of one kind are counted."""
    counts = Counter(loss.kind for loss in losses)
    shown: Counter[str] = Counter()
    for loss in sorted(losses, key=lambda one: (one.note, one.kind)):
        shown[loss.kind] += 1
        if shown[loss.kind] > _SHOWN and not out.verbose:
            if shown[loss.kind] == counts[loss.kind]:
                out.line(f"  and {counts[loss.kind] - _SHOWN} more of {loss.kind} (`--verbose` lists them)")
            continue
        if loss.note:
            out.line(f"{out.style('note', 'bold cyan')}: {plain(loss.message)}")
        else:
            out.warn(f"lost: {loss.message}")


def _losses_as_json(losses: Sequence[Loss]) -> list[dict[str, object]]:
    """Losses as values for JSON."""
    return [
        {"kind": loss.kind, "message": loss.message, "note": loss.note, "hashes": list(loss.hashes)} for loss in losses
    ]


def _json(done: Conversion) -> dict[str, object]:
    return {
        "format": done.format,
        "lock": str(done.path),
        "packages": [
            {
                "name": p.name,
                "version": str(p.version) if p.version is not None else None,
                "marker": str(p.marker) if p.marker else None,
            }
            for p in done.lock.packages
        ],
        "losses": _losses_as_json(done.losses),
        "proof": {
            "choices": [
                {"choice": r.choice, "environments": r.environments, "fewest": r.fewest, "most": r.most}
                for r in done.proof.rows
            ],
            "hashes": done.proof.hashes,
            "kept": done.proof.kept,
            "lost": done.proof.lost,
        },
    }
