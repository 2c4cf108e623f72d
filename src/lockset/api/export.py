"""export(): export a lock file to requirements, constraints or a bill of materials; nothing is written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lockset._dataclass import replace
from lockset.composition.conversions.export import FORMATS, Export, ExportOptions, export_lock
from lockset.composition.open_lock import open_lock
from lockset.composition.run_context import context_of
from lockset.errors import UsageError
from lockset.option_values import check_argument

if TYPE_CHECKING:
    from os import PathLike

    from lockset.advisories.vulnerabilities import AssessedVulnerability
    from lockset.composition.run_context import RunContext

__all__ = ["FORMATS", "Export", "ExportOptions", "export"]

_HINT = "Choose `--format cyclonedx`"


def export(
    path: str | PathLike[str] | None,
    options: ExportOptions | None = None,
    *,
    context: RunContext | None = None,
) -> Export:
    """Convert a lock file to another format; nothing is written: see `Export.write`.

    Args:
        path: The lock file; `-` for `context.stdin`; None for the nearest pylock.toml.
        options: Format and content.
        context: Folder, the creation time of a bill of materials, and so on.

    Raises:
        LocksetError: If the file is not valid, an extra or group is unknown, `library-missing`, `not-expressible`, or
            (with `strict`) something would be lost; with `vex`, as `audit`.
    """
    options = check_argument("options", options, "ExportOptions | None") or ExportOptions()
    context = context_of(context)
    vulnerabilities: tuple[AssessedVulnerability, ...] = ()
    if options.vex is not None:
        if options.format != "cyclonedx":
            raise UsageError("option-conflict", "Only a CycloneDX bill of materials has vulnerabilities", hint=_HINT)
        from lockset.composition.audits.audit_run import assessed_vulnerabilities

        vulnerabilities = assessed_vulnerabilities(path, options.vex, context)
    document = open_lock(path, context)
    location = document.path if document.path and path != "-" else "pylock.toml"
    name = options.name or Path(context.here, location).parent.name or "pylock"
    style = options.style
    if style.source == "pylock.toml":
        style = replace(style, source=Path(location).name)
    return export_lock(
        document.lock,
        replace(options, name=name, style=style),
        now=context.moment,
        location=location,
        vulnerabilities=vulnerabilities,
    )
