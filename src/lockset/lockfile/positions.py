"""Text to map of key path to Span (TOML readers give none)."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lockset.spans import Span

__all__ = ["KeyPath", "positions"]

# `packages[2].wheels[0].hashes.sha256` is ("packages", 2, "wheels", 0, "hashes", "sha256").
KeyPath: TypeAlias = tuple[str | int, ...]


def positions(text: str) -> Mapping[KeyPath, Span]:
    """Where every key path of `text` stands."""
    raise NotImplementedError
