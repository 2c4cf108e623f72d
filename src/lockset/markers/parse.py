"""Marker text to diagram.

The grammar of the dependency specifiers specification, with the same tokens as packaging accepts. Each comparison
becomes a diagram of its own; `and` binds tighter than `or`.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from typing import TYPE_CHECKING, NoReturn

from packaging.utils import canonicalize_name

from lockset.dependency_specifiers import SHORT, excess
from lockset.errors import LocksetError
from lockset.markers.diagram import EMPTY, FULL, NODES, and_, make, not_, or_
from lockset.markers.domains import UndefinedComparisonError, fits_specifier, is_finite, partition
from lockset.markers.variables import (
    ALIASES,
    EXTRA,
    IMPLEMENTATION_VERSION,
    PYTHON,
    TEXT_VARIABLES,
    Variable,
    flag,
    opaque,
    predicate,
    text_variable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["comparison", "parse", "yes"]

_TOKEN = re.compile(
    r"""[ \t]*(?:
        (?P<string>'[^']*'|"[^"]*")
        |(?P<operator>===|==|~=|!=|<=|>=|<|>|\bnot[ \t]+in\b|\bin\b)
        |(?P<word>\b(?:and|or)\b)
        |(?P<variable>\b(?:python_version|python_full_version|os[._]name|sys[._]platform|platform_release|platform_system
            |platform[._]version|platform[._]machine|platform[._]python_implementation|python_implementation
            |implementation_name|implementation_version|extras|extra|dependency_groups)\b)
        |(?P<paren>[()])
        |(?P<end>\Z)
    )""",
    re.VERBOSE,
)

# Brackets and alternatives nested deeper than this are refused: no honest marker has them, and recursion is bounded.
MAX_DEPTH = 100

# A marker whose reading makes more diagram nodes than this is refused: such ones are made to exhaust the reader.
MAX_NODES = 20_000
# Of longer markers only the beginning is quoted in errors.
MAX_SHOWN = 200
# And so is one with more comparisons: the depth of its diagram is bounded by them.
MAX_COMPARISONS = 400

_FINAL = re.compile(r"[0-9]+(?:\.[0-9]+)*", re.ASCII)
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_FLAG_VARIABLES = frozenset({"extras", "dependency_groups"})
_RELEASE_VARIABLES = {
    "python_version": PYTHON,
    "python_full_version": PYTHON,
    "implementation_version": IMPLEMENTATION_VERSION,
}


# Values that occur, of the variables whose values people list, as in `sys_platform in "linux darwin"`.
_OCCURRING = {
    "os_name": ("posix", "nt", "java"),
    "sys_platform": ("linux", "linux2", "darwin", "win32", "cygwin", "android", "ios", "emscripten", "wasi"),
    "platform_system": ("Linux", "Darwin", "Windows", "Java", "Android", "iOS", "Emscripten", "FreeBSD"),
    "platform_machine": (
        *("x86_64", "AMD64", "amd64", "arm64", "ARM64", "aarch64", "x86", "i386", "i686", "armv6l", "armv7l", "armv8l"),
        *("ppc64", "ppc64le", "s390x", "riscv64", "loongarch64", "wasm32"),
    ),
    "implementation_name": ("cpython", "pypy", "graalpy", "jython", "ironpython"),
    "platform_python_implementation": ("CPython", "PyPy", "GraalVM", "Jython", "IronPython"),
}


@cache
def parse(text: str, *, listing: bool = False) -> int:
    """The diagram of a marker.

    With `listing`, `sys_platform in "linux darwin"` holds for the words of the list and for values that occur and are a
    part of it, and for no other part: nobody means such a one.

    Raises:
        LocksetError: `marker-syntax`, where the text is no marker or compares what cannot be compared.
    """
    return _Parser(text, listing=listing).marker()


class _Parser:
    """Recursive descent over the tokens of one text."""

    def __init__(self, text: str, *, listing: bool) -> None:
        self._text = text
        self._compared = _listing if listing else comparison
        self._tokens = self._split()
        self._depth = 0
        self._comparisons = 0
        # The last operand where it is one comparison of `platform_release`: operator, literal and where that stands.
        self._alone: tuple[str, str, str] | None = None
        self._nodes_before = len(NODES)
        self._advance()

    def _split(self) -> Iterator[tuple[str, str, int]]:
        location = 0
        while True:
            found = _TOKEN.match(self._text, location)
            if found is None or found.lastgroup is None:
                rest = self._text[location:]
                self._refuse(
                    "is neither variable, operator nor quoted string", location + len(rest) - len(rest.lstrip())
                )
            yield found.lastgroup, found[found.lastgroup], found.start(found.lastgroup)
            location = found.end()

    def _advance(self) -> None:
        self._kind, self._value, self._location = next(self._tokens)

    def _refuse(self, what: str, location: int | None = None) -> NoReturn:
        location = self._location if location is None else location
        near = self._text[location : location + 30]
        raise LocksetError(
            "marker-syntax",
            f"The marker `{_shortened(self._text)}` is not valid: "
            + (f"`{near}` {what}" if near else f"the end {what}"),
            hint="A marker compares variables such as `sys_platform` with quoted strings, joined by `and` and `or`",
        )

    def marker(self) -> int:
        found = self._either()
        if self._kind != "end":
            self._refuse("does not continue the marker")
        return found

    def _either(self) -> int:
        found = self._both()
        while self._kind == "word" and self._value == "or":
            before = self._alone
            self._advance()
            found = or_(found, self._both())
            if (text := self._same_text("not in", before)) is not None:
                found = or_(found, not_(_equal("platform_release", text)))
            self._stay_small()
        return found

    def _same_text(self, operator: str, before: tuple[str, str, str] | None) -> str | None:
        """The text whose parts are compared both ways round: `'6.1' in platform_release and platform_release in '6.1'`.

        That says that they are the same; the opposite of `===` has no other form.
        """
        here = self._alone
        if here is None or before is None or before[:2] != here[:2] or {before[2], here[2]} != {"left", "right"}:
            return None
        return here[1] if here[0] == operator else None

    def _both(self) -> int:
        found = self._item()
        alone = self._alone
        while self._kind == "word" and self._value == "and":
            before = self._alone
            self._advance()
            found = and_(found, self._item())
            if (text := self._same_text("in", before)) is not None:
                found = and_(found, _equal("platform_release", text))
            alone = None
            self._stay_small()
        self._alone = alone
        return found

    def _stay_small(self) -> None:
        self._comparisons += 1
        if self._comparisons > MAX_COMPARISONS or len(NODES) - self._nodes_before > MAX_NODES:
            self._refuse("is where the marker becomes too complicated")

    def _item(self) -> int:
        if self._value != "(" or self._kind != "paren":
            return self._comparison()
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._refuse("is nested too deeply")
        self._advance()
        found = self._either()
        if self._kind != "paren" or self._value != ")":
            self._refuse("stands where a closing bracket should")
        self._depth -= 1
        self._alone = None
        self._advance()
        return found

    def _comparison(self) -> int:
        start = self._location
        left_is_variable, left = self._side()
        if self._kind != "operator":
            self._refuse("stands where an operator should")
        operator = " ".join(self._value.split())
        self._advance()
        right_is_variable, right = self._side()
        if left_is_variable == right_is_variable:
            self._refuse("does not compare a variable with a quoted string", start)
        name, literal = (left, right) if left_is_variable else (right, left)
        side = "right" if left_is_variable else "left"
        self._alone = (operator, literal, side) if name == "platform_release" else None
        try:
            return self._compared(name, operator, literal, literal_first=right_is_variable)
        except UndefinedComparisonError:
            self._refuse(f"has no meaning: `{operator}` does not apply to these values", start)

    def _side(self) -> tuple[bool, str]:
        kind, value, location = self._kind, self._value, self._location
        if kind not in {"variable", "string"}:
            self._refuse("stands where a variable or a quoted string should")
        if kind == "variable":
            self._advance()
            return True, ALIASES.get(value, value)
        try:
            literal = str(ast.literal_eval(value))
        except (SyntaxError, ValueError):
            self._refuse("is not a valid string", location)
        beyond = excess(literal) if len(literal) > SHORT else None
        if beyond is not None:
            self._refuse(f"cannot be read: {beyond}", location)
        self._advance()
        return False, literal


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "..."


def yes(variable: Variable) -> int:
    """The diagram of a yes-or-no variable."""
    return make(variable, (True,), (FULL, EMPTY))


@cache
def comparison(name: str, operator: str, literal: str, *, literal_first: bool = False) -> int:
    """The diagram of one comparison; `literal_first` means that the literal stands on the left.

    Raises:
        UndefinedComparisonError: Where packaging gives the comparison no meaning.
    """
    if name in _FLAG_VARIABLES:
        if operator not in {"in", "not in"} or not literal_first:
            raise UndefinedComparisonError(operator)
        found = yes(flag(name, canonicalize_name(literal)))
        return found if operator == "in" else not_(found)
    if name in _RELEASE_VARIABLES:
        return _release_comparison(name, operator, literal, literal_first=literal_first)
    assert name in TEXT_VARIABLES
    if name == EXTRA.name:
        literal = canonicalize_name(literal)
    elif name == "platform_release" and operator not in {"in", "not in"} and fits_specifier(operator, literal):
        return _ordered_release_comparison(operator, literal, literal_first=literal_first)
    return _text_comparison(name, operator, literal, literal_first=literal_first)


def _listing(name: str, operator: str, literal: str, *, literal_first: bool) -> int:
    """As `comparison`, with what is listed after `in` taken word by word."""
    if operator not in {"in", "not in"} or literal_first or name not in _OCCURRING:
        return comparison(name, operator, literal, literal_first=literal_first)
    found = EMPTY
    for value in (*literal.replace(",", " ").split(), *(v for v in _OCCURRING[name] if v in literal)):
        found = or_(found, _equal(name, value))
    return found if operator == "in" else not_(found)


def _release_comparison(name: str, operator: str, literal: str, *, literal_first: bool) -> int:
    if not is_finite(operator, literal_first=literal_first):
        found = yes(opaque(name, "in", literal, literal_first=literal_first))
        return found if operator == "in" else not_(found)
    cuts, truths = partition(name, operator, literal, literal_first=literal_first)
    return make(_RELEASE_VARIABLES[name], cuts, [FULL if truth else EMPTY for truth in truths])


def _text_comparison(name: str, operator: str, literal: str, *, literal_first: bool) -> int:
    if operator in {"in", "not in"}:
        if literal_first and not literal:  # every string contains the empty one
            return FULL if operator == "in" else EMPTY
        if not literal:
            return _text_comparison(name, "==" if operator == "in" else "!=", literal, literal_first=False)
        found = yes(predicate(name, "in", literal, literal_first=literal_first))
        return found if operator == "in" else not_(found)
    if operator in {"==", "<=", ">="}:
        return _equal(name, literal)
    if operator == "!=":
        return not_(_equal(name, literal))
    if operator in {"<", ">"}:
        return EMPTY
    raise UndefinedComparisonError(operator)


def _equal(name: str, literal: str) -> int:
    return make(text_variable(name), (literal,), (FULL, EMPTY))


def _ordered_release_comparison(operator: str, literal: str, *, literal_first: bool) -> int:
    """A comparison of `platform_release` as versions: a predicate, in pairs of complements so that it can be negated.

    A release that is no version makes every one of packaging's comparisons false, `!=` and `<` included. Here it counts
    as different from, and smaller than, every version.
    """
    if operator == "===":
        return _equal("platform_release", literal.strip())
    if operator == "~=":
        if literal_first:
            raise UndefinedComparisonError(operator)
        series = ".".join(literal.split(".")[:-1]) + ".*"
        return and_(
            _ordered_release_comparison(">=", literal, literal_first=False),
            _ordered_release_comparison("==", series, literal_first=False),
        )
    if literal_first and _FINAL.fullmatch(literal):
        # Only between final releases both ways round are the same.
        operator, literal_first = _MIRRORED[operator], False
    positive = {"!=": "==", "<": ">=", "<=": ">"}.get(operator, operator)
    found = yes(predicate("platform_release", positive, literal, literal_first=literal_first))
    return found if positive == operator else not_(found)
