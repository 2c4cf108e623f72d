"""JSON without the module `json`, whose import takes longer than all that a small sync writes."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["json_array", "json_text"]


def json_text(text: str) -> str:
    """`text` as a JSON string, as `json.dumps` returns it."""
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    import json

    return json.dumps(text)


def json_array(texts: Iterable[str]) -> str:
    """`texts` as a JSON array of strings."""
    return f"[{', '.join(map(json_text, texts))}]"
