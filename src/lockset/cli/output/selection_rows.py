"""The packages that a lock file installs on a target, one row each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.cli.output.findings.findings import SelectedForTarget
from lockset.lockfile.model import file_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lockset.lockfile.select import Selection

__all__ = ["selected_for"]

# What a package is installed from where it has no file name of its own.
_TREES = ("vcs", "directory", "archive")


def selected_for(target: str, selection: Selection) -> Iterator[SelectedForTarget]:
    """One row for each package that `target` gets."""
    for item in selection.items:
        package = item.package
        tree = next((key for key in _TREES if getattr(package, key) is not None), "?")
        version = str(package.version) if package.version is not None else None
        source = file_name(item.artifact) or tree
        yield SelectedForTarget(target=target, name=package.name, version=version, source=source)
