"""TOML texts in every form the language has, with the data they stand for."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timezone
from typing import TYPE_CHECKING, Any

import tomli_w
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

__all__ = ["Renderer", "documents", "paths"]

_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_SAFE = re.compile(r"[^'\x00-\x1f\x7f]*")

# Local times, as TOML has them.
_FIRST, _LAST = datetime.fromisoformat("0001-01-02"), datetime.fromisoformat("9999-12-30")
_TEXTS = st.text(st.characters(codec="utf-8"), max_size=8) | st.sampled_from(
    ["", '"', '""', '"""', "'", "''", "a\\", "#", "a # b", "]", "}", ",", "a=b", "[x]", "é", "\n", "\t", "\x1b", "a\nb"]
)
_KEYS = (
    st.sampled_from(["a", "b", "c", "name", "1", "-", "a.b", 'say "x"', "'", "", "é", "a b", "[", "#", "\n"]) | _TEXTS
)
_TIMES = st.times().map(lambda moment: moment.replace(microsecond=0, tzinfo=None))
_SCALARS = (
    _TEXTS
    | st.integers(-(2**63), 2**63 - 1)
    | st.booleans()
    | st.floats(allow_nan=False)
    | st.datetimes(_FIRST, _LAST).map(lambda moment: moment.replace(microsecond=0))
    | st.datetimes(_FIRST, _LAST, timezones=st.just(timezone.utc))
    | st.dates()
    | _TIMES
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=12,
)

documents = st.dictionaries(_KEYS, _VALUES, max_size=5)


def paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """All key paths of parsed TOML."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in items:
        yield (*path, key)
        yield from paths(below, (*path, key))


class Renderer:
    """Writes data as TOML, choosing among all forms at random; `newer` tells whether TOML 1.1 was needed."""

    def __init__(self, random: Random, *, allow_newer: bool = False) -> None:
        self._random = random
        self._allow_newer = allow_newer
        self.newer = False

    def document(self, data: dict[str, Any]) -> str:
        text = "".join(self._body(data, ())) + self._pick("", "# end", "  ")
        return text.replace("\n", "\r\n") if self._random.random() < 0.3 else text

    def _pick(self, *choices: str) -> str:
        return self._random.choice(choices)

    def _body(self, table: dict[str, Any], prefix: tuple[str, ...]) -> Iterator[str]:
        sections: list[tuple[str, Any]] = []
        for key, value in table.items():
            is_tables = isinstance(value, list) and value and all(isinstance(item, dict) for item in value)
            if (isinstance(value, dict) or is_tables) and self._random.random() < 0.5:
                sections.append((key, value))
            else:
                yield from self._pair((key,), value)
        for key, value in sections:
            if isinstance(value, dict):
                yield from self._section((*prefix, key), value, "[", "]")
            else:
                for item in value:
                    yield from self._section((*prefix, key), item, "[[", "]]")

    def _section(self, path: tuple[str, ...], table: dict[str, Any], left: str, right: str) -> Iterator[str]:
        body = list(self._body(table, path))
        implied = left == "[" and body and body[0].lstrip().startswith("[") and self._random.random() < 0.5
        if not implied:
            yield f"{self._space()}{left}{self._dotted(path)}{right}{self._end()}"
        yield from body

    def _pair(self, key: tuple[str, ...], value: Any) -> Iterator[str]:
        if isinstance(value, dict) and value and self._random.random() < 0.4:
            for name, below in value.items():
                yield from self._pair((*key, name), below)
            return
        yield f"{self._space()}{self._dotted(key)}={self._space()}{self._value(value)}{self._end()}"

    def _space(self) -> str:
        return self._pick("", " ", "\t ")

    def _end(self) -> str:
        return self._pick("", " ", "# x", " # 'x = [\"") + self._pick("\n", "\n\n", "\n  # y\n")

    def _dotted(self, path: tuple[str, ...]) -> str:
        return ".".join(f"{self._space()}{self._key(key)}{self._space()}" for key in path)

    def _key(self, key: str) -> str:
        forms = [_basic(key)]
        if _BARE.fullmatch(key):
            forms.append(key)
        if _SAFE.fullmatch(key):
            forms.append(f"'{key}'")
        return self._pick(*forms)

    def _value(self, value: Any) -> str:
        if isinstance(value, str):
            return self._string(value)
        if isinstance(value, list):
            return self._array(value)
        if isinstance(value, dict):
            return self._inline(value)
        return self._moment(value) if isinstance(value, date | time) else str(value).lower()

    def _moment(self, value: date | time) -> str:
        if isinstance(value, time) and not value.second and self._newer(0.5):
            return value.isoformat("minutes")
        if isinstance(value, datetime):
            return value.isoformat(self._pick("T", " "))
        return value.isoformat()

    def _newer(self, chance: float) -> bool:
        chosen = self._allow_newer and self._random.random() < chance
        self.newer = self.newer or chosen
        return chosen

    def _string(self, text: str) -> str:
        forms = [_basic(text), '"""' + self._pick("", "\n") * (not text.startswith("\n")) + _multiline(text) + '"""']
        if text.startswith("\n"):
            forms[1] = '"""\n' + _multiline(text) + '"""'
        if _SAFE.fullmatch(text):
            forms += [f"'{text}'", f"'''{text}'''", f"'''\n{text}'''"]
        if "\x1b" in text and self._newer(0.5):
            return _basic(text).replace("\\u001b", "\\e").replace("\\u001B", "\\e")
        return self._pick(*forms)

    def _array(self, items: list[Any]) -> str:
        def gap() -> str:
            return self._pick("", " ", "\n", " # ]\n", "\n\t")

        inside = ",".join(f"{gap()}{self._value(item)}{gap()}" for item in items)
        return f"[{inside}{self._pick(',', '') if items else ''}{gap()}]"

    def _inline(self, table: dict[str, Any]) -> str:
        pairs: list[str] = []
        for key, value in table.items():
            if isinstance(value, dict) and len(value) == 1 and self._random.random() < 0.5:
                [(name, below)] = value.items()
                pairs.append(f"{self._dotted((key, name))}= {self._value(below)}")
            else:
                pairs.append(f"{self._space()}{self._key(key)} ={self._space()}{self._value(value)}")
        if pairs and self._newer(0.3):
            return "{" + ",\n".join(pairs) + self._pick(",", "\n", ",\n # }\n") + "}"
        return "{" + self._pick(", ", ",", " ,").join(pairs) + self._space() + "}"


def _basic(text: str) -> str:
    return tomli_w.dumps({"key": text}).removeprefix("key = ").rstrip("\n")


def _multiline(text: str) -> str:
    escaped = _basic(text)[1:-1].replace('\\"', '"').replace('"""', '""\\"')
    # An escaped backslash in front of a quote would be undone by the step before.
    return _basic(text)[1:-1] if "\\\\" in escaped else escaped.replace("\\n", "\n")
