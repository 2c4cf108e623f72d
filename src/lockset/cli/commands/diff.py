"""`lockset diff A B`: compare two lock files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lockset.api.lock_files import diff
from lockset.cli.exit_codes import DONE, REFUSED
from lockset.cli.options.views import add_diff_arguments as add_arguments
from lockset.cli.options.views import read_diff_command as read
from lockset.cli.output.streams import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lockset.cli.options.views import DiffCommand
    from lockset.cli.output.streams import Output
    from lockset.lockfile.diff import Change, LockDiff
    from lockset.lockfile.model import Package

__all__ = ["add_arguments", "read", "run"]

# Kinds of change that are shown as old and new value; the others have texts of their own.
_FIELDS = {"marker": "marker", "requires-python": "requires_python", "index": "index"}
_OLDER = " (older)"
# The most file names listed for one package; further ones are counted.
_MOST_NAMES = 3


def run(command: DiffCommand, out: Output) -> int:
    """Show the changes."""
    changes = diff(command.old, command.new, context=command.context)
    if command.json:
        out.json(_json(changes))
    elif changes.is_empty:
        out.line("Both lock files install the same")
    else:
        out.data("\n".join(_markdown(changes) if command.markdown else _text(changes, out)))
        out.line(_summary(changes))
    for change in changes.publishers:
        out.warn(plain(change.text))
    refused = command.refuse_new_publisher and changes.publishers
    return REFUSED if refused or (command.exit_code and not changes.is_empty) else DONE


def _text(changes: LockDiff, out: Output) -> Iterator[str]:
    for key, (old, new) in changes.top.items():
        yield f"{out.style('~', 'yellow', stdout=True)} {key}: {_arrow(old, new)}"
    for change in changes.changes:
        yield f"{_sign(change, out)} {_headline(change)}"
        for detail in _details(change):
            yield f"    {detail}"


def _sign(change: Change, out: Output) -> str:
    sign, color = ("+", "green") if change.old is None else ("-", "red") if change.new is None else ("~", "yellow")
    return out.style(sign, color, stdout=True)


def _headline(change: Change) -> str:
    name = plain(change.name)
    entry = change.new or change.old
    marker = f" ; {plain(str(entry.marker))}" if entry is not None and entry.marker is not None else ""
    if change.old is None or change.new is None:
        return f"{name} {_version(entry)}{marker}"
    if "version" not in change.kinds:
        return f"{name} {_version(entry)}{marker}"
    return f"{name} {_versions(change)}{marker}"


def _versions(change: Change) -> str:
    """Old and new version; a downgrade is marked, since it is rarely intended."""
    old, new = change.old, change.new
    text = f"{_version(old)} → {_version(new)}"
    if old is None or new is None or old.version is None or new.version is None:
        return text
    return f"{text}{_OLDER}" if new.version < old.version else text


def _details(change: Change) -> Iterator[str]:
    """Changes besides the version, one line each."""
    for kind in change.kinds:
        if kind in _FIELDS:
            yield f"{kind}: {_arrow(_field(change.old, kind), _field(change.new, kind))}"
        elif kind == "source":
            yield f"source: {_arrow(_source(change.old), _source(change.new))}"
    if change.old is None or change.new is None:
        return
    # A reviewer must not miss other bytes under the same name; a new version always has new file names.
    if change.files_changed:
        yield f"other hashes under the same name: {_names(change.files_changed)}"
    if "version" not in change.kinds:
        if change.files_added:
            yield f"files added: {_names(change.files_added)}"
        if change.files_removed:
            yield f"files removed: {_names(change.files_removed)}"


def _names(names: tuple[str, ...]) -> str:
    shown = ", ".join(plain(name) for name in names[:_MOST_NAMES])
    return shown if len(names) <= _MOST_NAMES else f"{shown} and {len(names) - _MOST_NAMES} more"


def _version(package: Package | None) -> str:
    return "none" if package is None else "without version" if package.version is None else str(package.version)


def _field(package: Package | None, kind: str) -> str | None:
    value = None if package is None else getattr(package, _FIELDS[kind])
    return None if value is None else str(value)


def _source(package: Package | None) -> str | None:
    if package is None:
        return None
    if package.vcs is not None:
        return f"{package.vcs.type} {package.vcs.url or package.vcs.path} at {package.vcs.commit_id}"
    if package.directory is not None:
        return f"folder {package.directory.path}{' (editable)' if package.directory.editable else ''}"
    if package.archive is not None:
        return f"archive {package.archive.url or package.archive.path}"
    return "index"


def _arrow(old: str | None, new: str | None) -> str:
    return f"{plain(old) if old is not None else 'none'} → {plain(new) if new is not None else 'none'}"


def _summary(changes: LockDiff) -> str:
    added, removed = len(changes.of_kind("added")), len(changes.of_kind("removed"))
    updated = len(changes.of_kind("version"))
    other = len(changes.changes) - added - removed - updated
    return f"{added} added, {removed} removed, {updated} with another version, {other} changed otherwise"


def _markdown(changes: LockDiff) -> Iterator[str]:
    yield "| package | before | after | more |"
    yield "|---|---|---|---|"
    for key, (old, new) in changes.top.items():
        yield f"| _{key}_ | {_cell(old)} | {_cell(new)} | |"
    for change in changes.changes:
        old, new = (None if package is None else _version(package) for package in (change.old, change.new))
        more = [_escaped(detail) for detail in _details(change)]
        if _versions(change).endswith(_OLDER):
            more.insert(0, "**older**")
        yield f"| {_escaped(change.name)} | {_cell(old)} | {_cell(new)} | {'<br>'.join(more)} |"
    if changes.publishers:
        yield ""
        yield from (f"- **publisher**: {_escaped(change.text)}" for change in changes.publishers)


def _cell(text: str | None) -> str:
    return "" if text is None else _escaped(text)


def _escaped(text: str) -> str:
    """`text` escaped for a table cell of Markdown."""
    shown = plain(text).replace("\n", " ").replace("\\", "\\\\").replace("&", "&amp;").replace("<", "&lt;")
    for sign in "|`*_[]~@#":
        shown = shown.replace(sign, f"\\{sign}")
    return shown


def _json(changes: LockDiff) -> dict[str, Any]:
    def entry(package: Package | None) -> dict[str, Any] | None:
        if package is None:
            return None
        fields = {kind: _field(package, kind) for kind in _FIELDS}
        version = None if package.version is None else str(package.version)
        return {"version": version, "source": _source(package)} | fields

    return {
        "same": changes.is_empty,
        "top": {key: {"old": old, "new": new} for key, (old, new) in changes.top.items()},
        "changes": [
            {
                "name": change.name,
                "kinds": list(change.kinds),
                "old": entry(change.old),
                "new": entry(change.new),
                "files-added": list(change.files_added),
                "files-removed": list(change.files_removed),
                "files-changed": list(change.files_changed),
            }
            for change in changes.changes
        ],
        "publishers": [
            {
                "name": change.name,
                "kind": change.kind,
                "old": [identity.table for identity in change.old],
                "new": [identity.table for identity in change.new],
            }
            for change in changes.publishers
        ],
    }
