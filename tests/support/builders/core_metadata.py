"""Core metadata as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["core_metadata", "requires_dist_lines"]


def core_metadata(
    name: str = "sample",
    version: str = "1.0",
    *,
    requires_dist: Iterable[str] = (),
    requires_python: str | None = None,
    extras: Mapping[str, Sequence[str]] | None = None,
    dynamic: Iterable[str] = (),
    metadata_version: str = "2.2",
    description: str | None = None,
) -> str:
    """METADATA or PKG-INFO; `extras` maps each extra to the requirements that it adds."""
    lines = [f"Metadata-Version: {metadata_version}", f"Name: {name}", f"Version: {version}", "Summary: A sample"]
    if requires_python is not None:
        lines.append(f"Requires-Python: {requires_python}")
    lines += [f"Requires-Dist: {line}" for line in requires_dist_lines(requires_dist, extras)]
    lines += [f"Provides-Extra: {extra}" for extra in extras or ()]
    lines += [f"Dynamic: {field}" for field in dynamic]
    return "\n".join(lines) + "\n" + (f"\n{description}\n" if description is not None else "")


def requires_dist_lines(requires_dist: Iterable[str], extras: Mapping[str, Sequence[str]] | None) -> list[str]:
    """The values of Requires-Dist: plain ones, then those of each extra with its marker."""
    lines = list(requires_dist)
    for extra, requirements in (extras or {}).items():
        lines += [_with_extra(requirement, extra) for requirement in requirements]
    return lines


def _with_extra(requirement: str, extra: str) -> str:
    base, separator, marker = requirement.partition(";")
    end = " ;" if "@" in base else ";"  # a URL ends with a blank
    if not separator:
        return f'{base.strip()}{end} extra == "{extra}"'
    return f'{base.strip()}{end} ({marker.strip()}) and extra == "{extra}"'
