"""Requirements in Poetry's notation as dependency specifiers (PEP 508)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.sources.other_tools.poetry_constraints import alternatives, python_marker

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["poetry_specifiers"]


def poetry_specifiers(name: str, value: object) -> Iterator[str | None]:
    """The specifiers of one requirement of a Poetry table; None for one that has no specifier.

    A version with alternatives (`1.2 || 1.4`) has none, and neither has a value of the wrong type. The source of a
    requirement by path, URL or git is not part of the specifier.
    """
    for entry in value if isinstance(value, list) else [value]:
        if isinstance(entry, str):
            yield _specifier(name, {"version": entry})
        else:
            yield _specifier(name, entry) if isinstance(entry, dict) else None


def _specifier(name: str, entry: Mapping[str, object]) -> str | None:
    version, extras = entry.get("version", "*"), entry.get("extras", [])
    if not isinstance(version, str) or not isinstance(extras, list):
        return None
    try:
        choices = alternatives(version)
        pythons = python_marker(python) if isinstance(python := entry.get("python"), str) else None
    except ValueError:
        return None
    if len(choices) != 1:
        return None
    markers = [text for text in (entry.get("markers"), pythons) if isinstance(text, str)]
    if isinstance(platform := entry.get("platform"), str):
        markers.append(f"sys_platform == {platform!r}")
    listed = f"[{','.join(map(str, extras))}]" if extras else ""
    condition = " and ".join(f"({marker})" for marker in markers)
    return f"{name}{listed}{choices[0]}{f' ; {condition}' if condition else ''}"
