"""Map the key paths of a TOML text to positions, which TOML readers do not provide.

The scanner only runs on text that the TOML reader has accepted, so it need not check anything: it only finds where
keys and values begin and end. It keeps a tree instead of paths, so that its time is linear in the text even for short
keys below a long path, and an explicit stack instead of recursion.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

import tomli

from lockset._named_tuple import NamedTuple
from lockset._pattern import lazy_pattern
from lockset.spans import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["KeyPath", "NewerSyntax", "Positions", "positions"]

# `packages[2].wheels[0].hashes.sha256` is ("packages", 2, "wheels", 0, "hashes", "sha256").
KeyPath: TypeAlias = tuple[str | int, ...]

# No pattern repeats a group: the stack of the regular expression engine would grow with the text.
_BLANK = lazy_pattern(r"[ \t\r\n]*")
_BARE_KEY = lazy_pattern(r"[ \t]*([A-Za-z0-9_-]+)[ \t]*")
_SPACE = lazy_pattern(r"[ \t]*")
_SIMPLE_STRING = lazy_pattern(r"""(?!\"{3}|'{3})(?:"[^"\\\n]*"|'[^'\n]*')""")
_BASIC_STRING_END = lazy_pattern(r'\\.|"')
_BASIC_END = lazy_pattern(r'\\.|"{3,5}', re.DOTALL)
_LITERAL_END = lazy_pattern(r"'{3,5}")
# Numbers, booleans, and dates, which may contain a space.
_SCALAR = lazy_pattern(r"[^,\]}#\r\n]*[^,\]}#\r\n \t]")


# A time without seconds; an offset such as +05:30 does not match.
_SHORT_TIME = lazy_pattern(r"(?:.*[Tt ])?\d\d:\d\d(?!:)")


class NewerSyntax(NamedTuple):
    """The first syntax in a text that TOML 1.0 does not have."""

    what: str
    offset: int


class _Node:
    """One key or array item: the positions of its name and its value, and its children."""

    __slots__ = ("children", "end", "is_array", "start", "value_end", "value_start")

    def __init__(self, start: int, end: int) -> None:
        self.start = start
        self.end = end
        self.value_start = start
        self.value_end = end
        self.is_array = False
        self.children: dict[str | int, _Node] = {}

    def child(self, key: str | int, start: int, end: int) -> _Node:
        """The child `key`; its first mention is its position."""
        child = self.children.get(key)
        if child is None:
            child = self.children[key] = _Node(start, end)
        return child

    def append(self, start: int, end: int) -> _Node:
        """A new last item."""
        self.is_array = True
        return self.child(len(self.children), start, end)

    def span(self) -> Span:
        """The position of its name; for an array item, of the item."""
        return Span(start=self.start, end=self.end if self.end > self.start else self.value_end)

    def name(self, start: int, end: int) -> None:
        """Set the position to that of the table's own header, which takes precedence over an earlier mention."""
        self.start = self.value_start = start
        self.end = self.value_end = end


class Positions(Mapping[KeyPath, Span]):
    """Key paths and their spans.

    A path that ends in a key has the span of that key, or of the table header `[a.b]` that names it. A path that ends
    in an index has the span of the array item, or of the header `[[a]]`.
    """

    __slots__ = ("_root", "newer")

    def __init__(self, root: _Node, newer: NewerSyntax | None = None) -> None:
        self._root = root
        self.newer = newer

    def __getitem__(self, path: KeyPath) -> Span:
        node = self._find(path)
        if node is None or not path:
            raise KeyError(path)
        return node.span()

    def value(self, path: KeyPath) -> Span:
        """The span of the value at `path`; for a table with a header, the header's.

        Raises:
            KeyError: The text has no such path.
        """
        node = self._find(path)
        if node is None:
            raise KeyError(path)
        return Span(start=node.value_start, end=node.value_end)

    def nearest(self, path: KeyPath) -> Span:
        """The span of `path`, or of the deepest existing table above it, or of the beginning."""
        node = self._root
        for key in path:
            below = node.children.get(key)
            if below is None:
                break
            node = below
        return node.span()

    def _find(self, path: KeyPath) -> _Node | None:
        node: _Node | None = self._root
        for key in path:
            node = node.children.get(key) if node is not None else None
        return node

    def __iter__(self) -> Iterator[KeyPath]:
        waiting: list[tuple[KeyPath, _Node]] = [((), self._root)]
        while waiting:
            path, node = waiting.pop()
            if path:
                yield path
            waiting.extend(((*path, key), below) for key, below in reversed(node.children.items()))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def positions(text: str) -> Positions:
    """The positions of all key paths of `text`, which the TOML reader must have accepted."""
    scanner = _Scanner(text)
    return Positions(scanner.scan(), scanner.newer)


class _Scanner:
    __slots__ = ("_root", "_text", "newer")

    def __init__(self, text: str) -> None:
        self._text = text
        self.newer: NewerSyntax | None = None
        self._root = _Node(0, 0)

    def scan(self) -> _Node:
        table = self._root
        at = self._skip(0)
        while at < len(self._text):
            if self._text[at] == "[":
                at, table = self._header(at)
            else:
                at, node = self._key(at, table)
                at = self._value(at, node)
            at = self._skip(at)
        return self._root

    def _skip(self, at: int) -> int:
        """The position after blanks, line ends and comments."""
        while True:
            blank = _BLANK.match(self._text, at)
            assert blank is not None, "it matches nothing, too"
            at = blank.end()
            if not self._text.startswith("#", at):
                return at
            at = self._text.find("\n", at)
            if at < 0:
                return len(self._text)

    def _after_space(self, at: int) -> int:
        space = _SPACE.match(self._text, at)
        assert space is not None, "it matches nothing, too"
        return space.end()

    def _header(self, at: int) -> tuple[int, _Node]:
        start = at
        is_item = self._text.startswith("[[", at)
        node, at = self._walk(at + 1 + is_item, self._root)
        at += 1 + is_item
        if is_item:
            if not node.children:
                node.name(start, at)
            node = node.append(start, at)
        node.name(start, at)
        return at, node

    def _key(self, at: int, table: _Node) -> tuple[int, _Node]:
        """The start of the value of the key at `at`, and the key's node."""
        node, at = self._walk(at, table)
        at += 1  # the equals sign
        while self._text[at] in " \t":
            at += 1
        return at, node

    def _walk(self, at: int, node: _Node) -> tuple[_Node, int]:
        """Follow a dotted key from `node`; its node, and the position after it."""
        while True:
            start = self._after_space(at)
            bare = _BARE_KEY.match(self._text, start)
            end = bare.end(1) if bare is not None else self._scalar_end(start)
            key = bare[1] if bare is not None else _unquote(self._text[start:end])
            if node.is_array:  # the last table of an array of tables
                node = node.children[len(node.children) - 1]
            node = node.child(key, start, end)
            at = self._after_space(end)
            if not self._text.startswith(".", at):
                return node, at
            at += 1

    def _value(self, at: int, node: _Node) -> int:
        """Record the value of `node` at `at` with everything below it; the position of its end."""
        open_nodes: list[_Node] = []
        while True:
            node.value_start = at
            character = self._text[at]
            if character in "[{":
                node.is_array = character == "["
                open_nodes.append(node)
                at += 1
            else:
                at = node.value_end = self._scalar_end(at)
            at, below = self._below(at, open_nodes)
            if below is None:
                return at
            node = below

    def _below(self, at: int, open_nodes: list[_Node]) -> tuple[int, _Node | None]:
        """Close arrays and inline tables that end here; the next item or key of the innermost open one, if any."""
        while open_nodes:
            container, began = open_nodes[-1], at
            at = self._skip(at)
            comma = self._text[at] == ","
            if comma:
                at = self._skip(at + 1)
            closes = self._text[at] in "]}"
            if not container.is_array:
                if comma and closes:
                    self._is_newer("A comma at the end of an inline table", began)
                elif self._text.find("\n", began, at) >= 0:
                    self._is_newer("A line end in an inline table", began)
            if closes:
                at += 1
                container.value_end = at
                open_nodes.pop()
            elif container.is_array:
                return at, container.append(at, at)
            else:
                return self._key(at, container)
        return at, None

    def _is_newer(self, what: str, offset: int) -> None:
        if self.newer is None:
            self.newer = NewerSyntax(what, offset)

    def _scalar_end(self, at: int) -> int:
        """The end of the string, number, boolean or time at `at`."""
        match = _SIMPLE_STRING.match(self._text, at)
        if match is None:
            if self._text.startswith("'''", at):
                match = _LITERAL_END.search(self._text, at + 3)
            elif self._text.startswith('"""', at):
                match = self._after_escapes(_BASIC_END, at + 3)
            elif self._text[at] == '"':
                match = self._after_escapes(_BASIC_STRING_END, at + 1)
            else:
                match = _SCALAR.match(self._text, at)
                if match is not None and _SHORT_TIME.match(match[0]):
                    self._is_newer("A time without seconds", at)
        assert match is not None, "the reader has accepted a value that does not end"
        return match.end()

    def _after_escapes(self, ending: re.Pattern[str], at: int) -> re.Match[str] | None:
        match = ending.search(self._text, at)
        while match is not None and match[0][0] == "\\":
            if match[0][1] in "ex":
                self._is_newer(f"The escape `{match[0]}`", match.start())
            match = ending.search(self._text, match.end())
        return match


def _unquote(raw: str) -> str:
    if raw[0] == "'" or "\\" not in raw:
        return raw[1:-1]
    text: str = tomli.loads(f"key = {raw}")["key"]
    return text
