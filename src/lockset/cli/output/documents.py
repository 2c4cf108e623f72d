"""Documents of a command: written to a file, or to stdout."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lockset.files.output_file import write_export

if TYPE_CHECKING:
    from pathlib import Path

    from lockset.cli.output.streams import Output

__all__ = ["write_document"]


def write_document(text: str, target: Path | None, out: Output) -> str | None:
    """Write the document; returns its path from the working folder, or None for stdout.

    Raises:
        LocksetError: `output-not-writable`.
    """
    if target is None:
        out.file(text)
        return None
    write_export(target, text)
    try:
        relative = os.path.relpath(target)
    except ValueError:  # on another drive
        return str(target)
    return str(target) if relative.startswith(os.pardir) else relative
