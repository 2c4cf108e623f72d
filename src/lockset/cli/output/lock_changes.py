"""What changed between two locks, as lines for people."""

from __future__ import annotations

from lockset.cli.output.streams import plain
from lockset.url_secrets import without_secrets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from lockset.cli.output.streams import Output
    from lockset.lockfile.diff import LockDiff
    from lockset.lockfile.model import Package

__all__ = ["change_lines", "version_or_source"]

# Letters of a commit id that tell it from others.
_COMMIT = 12


def version_or_source(package: Package) -> str:
    """The version of an entry, or its location if it comes from one: a folder and a commit have no version."""
    location = package.archive or package.directory or package.vcs
    if location is None:
        return plain(str(package.version)) if package.version is not None else "without a version"
    where = without_secrets(getattr(location, "url", None) or location.path or "")
    revision = f"@{package.vcs.commit_id[:_COMMIT]}" if package.vcs is not None else ""
    version = f"{package.version} " if package.version is not None else ""
    return plain(f"{version}({where}{revision})")


def change_lines(changes: LockDiff, out: Output) -> Iterator[str]:
    """One line for each package that changed: `+ name version`, `- name version`, `~ name old -> new`."""
    for change in changes.changes:
        name = plain(change.name)
        if change.old is None and change.new is not None:
            yield f"  {out.style('+', 'bold green')} {name} {version_or_source(change.new)}"
        elif change.new is None and change.old is not None:
            yield f"  {out.style('-', 'bold red')} {name} {version_or_source(change.old)}"
        elif change.old is not None and change.new is not None:
            if "version" in change.kinds:
                shown = f"{version_or_source(change.old)} -> {version_or_source(change.new)}"
            else:
                shown = f"{version_or_source(change.new)} ({', '.join(change.kinds)})"
            yield f"  {out.style('~', 'bold yellow')} {name} {shown}"
