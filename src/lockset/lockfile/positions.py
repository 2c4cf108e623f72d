"""Text to map of key path to Span (TOML readers give none).

The scanner runs only on text that the TOML reader has accepted, so that it never has to judge: it finds where keys
and values begin and end, and nothing else. It keeps a tree instead of paths, so that its cost is linear in the
text also where a short key stands below a long path, and a stack of its own, so that depth costs no recursion.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import tomli

from lockset.spans import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["KeyPath", "NewerSyntax", "Positions", "positions"]

# `packages[2].wheels[0].hashes.sha256` is ("packages", 2, "wheels", 0, "hashes", "sha256").
KeyPath: TypeAlias = tuple[str | int, ...]

# No pattern repeats a group: the stack of the regular expression engine would grow with the text.
_BLANK = re.compile(r"[ \t\r\n]*")
_BARE_KEY = re.compile(r"[ \t]*([A-Za-z0-9_-]+)[ \t]*")
_SPACE = re.compile(r"[ \t]*")
_SIMPLE_STRING = re.compile(r"""(?!\"{3}|'{3})(?:"[^"\\\n]*"|'[^'\n]*')""")
_BASIC_STRING_END = re.compile(r'\\.|"')
_BASIC_END = re.compile(r'\\.|"{3,5}', re.DOTALL)
_LITERAL_END = re.compile(r"'{3,5}")
# Numbers, booleans, and dates, which may have a space within.
_SCALAR = re.compile(r"[^,\]}#\r\n]*[^,\]}#\r\n \t]")


# A time without seconds; an offset such as +05:30 is none.
_SHORT_TIME = re.compile(r"(?:.*[Tt ])?\d\d:\d\d(?!:)")


class NewerSyntax(NamedTuple):
    """The first thing in a text that TOML 1.0 does not have."""

    what: str
    offset: int


class _Node:
    """One key or array item: where it is named, where its value stands, and what is below it."""

    __slots__ = ("children", "end", "is_array", "start", "value_end", "value_start")

    def __init__(self, start: int, end: int) -> None:
        self.start = start
        self.end = end
        self.value_start = start
        self.value_end = end
        self.is_array = False
        self.children: dict[str | int, _Node] = {}

    def child(self, key: str | int, start: int, end: int) -> _Node:
        """The node below `key`; where it is first named counts."""
        found = self.children.get(key)
        if found is None:
            found = self.children[key] = _Node(start, end)
        return found

    def append(self, start: int, end: int) -> _Node:
        """A new last item."""
        self.is_array = True
        return self.child(len(self.children), start, end)

    def span(self) -> Span:
        """Where it is named; an array item has no name but itself."""
        return Span(start=self.start, end=self.end if self.end > self.start else self.value_end)

    def name(self, start: int, end: int) -> None:
        """A header for this very table counts more than a mention on the way to another."""
        self.start = self.value_start = start
        self.end = self.value_end = end


class Positions(Mapping[KeyPath, Span]):
    """Key paths and where they stand.

    A path that ends in a key has the span of that key, or of the table header `[a.b]` that names it; one that ends
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
            KeyError: where the text has no such path.
        """
        node = self._find(path)
        if node is None:
            raise KeyError(path)
        return Span(start=node.value_start, end=node.value_end)

    def nearest(self, path: KeyPath) -> Span:
        """The span of `path`, or of the deepest table above it that the text has; else the beginning."""
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
    """Where every key path of `text` stands. `text` must be what the TOML reader accepts."""
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
        """Past blanks, line ends and comments."""
        while True:
            at = _BLANK.match(self._text, at).end()  # type: ignore[union-attr]  # it matches nothing, too
            if not self._text.startswith("#", at):
                return at
            at = self._text.find("\n", at)
            if at < 0:
                return len(self._text)

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
        """The node of the key at `at` and where its value begins."""
        node, at = self._walk(at, table)
        at += 1  # the equals sign
        while self._text[at] in " \t":
            at += 1
        return at, node

    def _walk(self, at: int, node: _Node) -> tuple[_Node, int]:
        """Down along a dotted key; the second value is the place of what follows it."""
        while True:
            start = _SPACE.match(self._text, at).end()  # type: ignore[union-attr]  # it matches nothing, too
            bare = _BARE_KEY.match(self._text, start)
            end = bare.end(1) if bare is not None else self._scalar_end(start)
            key = bare[1] if bare is not None else _unquoted(self._text[start:end])
            if node.is_array:  # the last table of an array of tables
                node = node.children[len(node.children) - 1]
            node = node.child(key, start, end)
            at = _SPACE.match(self._text, end).end()  # type: ignore[union-attr]
            if not self._text.startswith(".", at):
                return node, at
            at += 1

    def _value(self, at: int, node: _Node) -> int:
        """Note the value of `node` at `at` with all below it; gives where it ends."""
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
        """Close what ends here; then the next item or key of the innermost open array or inline table, if any."""
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
        """Where the string, number, boolean or time at `at` ends."""
        matched = _SIMPLE_STRING.match(self._text, at)
        if matched is None:
            if self._text.startswith("'''", at):
                matched = _LITERAL_END.search(self._text, at + 3)
            elif self._text.startswith('"""', at):
                matched = self._after_escapes(_BASIC_END, at + 3)
            elif self._text[at] == '"':
                matched = self._after_escapes(_BASIC_STRING_END, at + 1)
            else:
                matched = _SCALAR.match(self._text, at)
                if matched is not None and _SHORT_TIME.match(matched[0]):
                    self._is_newer("A time without seconds", at)
        assert matched is not None, "the reader has accepted a value that does not end"
        return matched.end()

    def _after_escapes(self, ending: re.Pattern[str], at: int) -> re.Match[str] | None:
        found = ending.search(self._text, at)
        while found is not None and found[0][0] == "\\":
            if found[0][1] in "ex":
                self._is_newer(f"The escape `{found[0]}`", found.start())
            found = ending.search(self._text, found.end())
        return found


def _unquoted(raw: str) -> str:
    if raw[0] == "'" or "\\" not in raw:
        return raw[1:-1]
    text: str = tomli.loads(f"key = {raw}")["key"]
    return text
