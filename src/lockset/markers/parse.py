"""Parse markers into formulas, and these into diagrams.

The grammar is that of the dependency specifiers specification (PEP 508), with the same tokens as in packaging. Each
comparison becomes a node of a diagram; `and` binds tighter than `or`.
"""

from __future__ import annotations

import re
from functools import cache

from lockset._pattern import lazy_pattern
from lockset.dependency_specifiers import SHORT, excess
from lockset.errors import MarkerSyntaxError
from lockset.markers.diagram import EMPTY, FULL, NODES, Formula, FormulaTooLargeError, Operation, build
from lockset.markers.variables import (
    ALIASES,
    EXTRA,
    IMPLEMENTATION_VERSION,
    PYTHON,
    TEXT_VARIABLES,
    UndefinedComparisonError,
    Variable,
    fits_specifier,
    flag,
    opaque,
    partition,
    predicate,
)
from lockset.package_names import canonicalize_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import NoReturn

__all__ = ["comparison", "parse"]

_TOKEN = lazy_pattern(
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

# Limit for nested parentheses, which no real marker reaches, so that recursion is limited.
MAX_DEPTH = 100

# Limit for the diagram nodes that parsing one marker creates.
MAX_NODES = 20_000
# Errors quote at most this many characters of a marker.
MAX_SHOWN = 200
# Limit for the comparisons of one marker, and so for the depth of its diagram.
MAX_COMPARISONS = 400

_FINAL = lazy_pattern(r"[0-9]+(?:\.[0-9]+)*", re.ASCII)
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_FLAG_VARIABLES = frozenset({"extras", "dependency_groups"})
_RELEASE_VARIABLES = {
    "python_version": PYTHON,
    "python_full_version": PYTHON,
    "implementation_version": IMPLEMENTATION_VERSION,
}


# Known values of variables that are used with lists, as in `sys_platform in "linux darwin"`.
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

    With `listing`, `sys_platform in "linux darwin"` is only true for the words of the list and for known values that
    are a substring of it, and not for other substrings.

    Raises:
        LocksetError: `marker-syntax`: the text is not a valid marker, or has a comparison that is not defined.
    """
    formula = _Parser(text, listing=listing).marker()
    try:
        return build(formula, len(NODES) + MAX_NODES)
    except FormulaTooLargeError:
        raise _not_valid(text, "it is too complex") from None


class _Parser:
    """Recursive descent over the tokens of one text."""

    def __init__(self, text: str, *, listing: bool) -> None:
        self._text = text
        self._compare = _listing if listing else comparison
        self._tokens = self._split()
        self._depth = 0
        self._comparisons = 0
        # The last operand if it is a single comparison of `platform_release`: operator, literal and its side.
        self._alone: tuple[str, str, str] | None = None
        self._advance()

    def _split(self) -> Iterator[tuple[str, str, int]]:
        location = 0
        while True:
            match = _TOKEN.match(self._text, location)
            if match is None or match.lastgroup is None:
                rest = self._text[location:]
                self._refuse(
                    "is neither variable, operator nor quoted string", location + len(rest) - len(rest.lstrip())
                )
            yield match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)
            location = match.end()

    def _advance(self) -> None:
        self._kind, self._value, self._location = next(self._tokens)

    def _refuse(self, what: str, location: int | None = None) -> NoReturn:
        location = self._location if location is None else location
        near = self._text[location : location + 30]
        raise _not_valid(self._text, f"`{near}` {what}" if near else f"the end {what}")

    def marker(self) -> Formula:
        formula = self._either()
        if self._kind != "end":
            self._refuse("does not continue the marker")
        return formula

    def _either(self) -> Formula:
        operands = [self._both()]
        while self._kind == "word" and self._value == "or":
            before = self._alone
            self._advance()
            operands.append(self._both())
            if (text := self._same_text("not in", before)) is not None:
                operands.append(_not(_equal("platform_release", text)))
            self._count()
        return Operation("or", tuple(operands)) if len(operands) > 1 else operands[0]

    def _same_text(self, operator: str, before: tuple[str, str, str] | None) -> str | None:
        """The literal if both directions are compared: `'6.1' in platform_release and platform_release in '6.1'`.

        Together they mean `===`; there is no other form for its negation.
        """
        here = self._alone
        if here is None or before is None or before[:2] != here[:2] or {before[2], here[2]} != {"left", "right"}:
            return None
        return here[1] if here[0] == operator else None

    def _both(self) -> Formula:
        operands = [self._item()]
        alone = self._alone
        while self._kind == "word" and self._value == "and":
            before = self._alone
            self._advance()
            operands.append(self._item())
            if (text := self._same_text("in", before)) is not None:
                operands.append(_equal("platform_release", text))
            alone = None
            self._count()
        self._alone = alone
        return Operation("and", tuple(operands)) if len(operands) > 1 else operands[0]

    def _count(self) -> None:
        self._comparisons += 1
        if self._comparisons > MAX_COMPARISONS:
            self._refuse("is where the marker becomes too complex")

    def _item(self) -> Formula:
        if self._value != "(" or self._kind != "paren":
            return self._comparison()
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._refuse("is nested too deeply")
        self._advance()
        formula = self._either()
        if self._kind != "paren" or self._value != ")":
            self._refuse("is not a closing parenthesis")
        self._depth -= 1
        self._alone = None
        self._advance()
        return formula

    def _comparison(self) -> Formula:
        start = self._location
        left_is_variable, left = self._side()
        if self._kind != "operator":
            self._refuse("is not an operator")
        operator = " ".join(self._value.split())
        self._advance()
        right_is_variable, right = self._side()
        if left_is_variable == right_is_variable:
            self._refuse("does not compare a variable with a quoted string", start)
        name, literal = (left, right) if left_is_variable else (right, left)
        side = "right" if left_is_variable else "left"
        self._alone = (operator, literal, side) if name == "platform_release" else None
        try:
            return self._compare(name, operator, literal, literal_first=right_is_variable)
        except UndefinedComparisonError:
            self._refuse(f"is not defined: `{operator}` does not apply to these values", start)

    def _side(self) -> tuple[bool, str]:
        kind, value, location = self._kind, self._value, self._location
        if kind not in {"variable", "string"}:
            self._refuse("is not a variable or a quoted string")
        if kind == "variable":
            self._advance()
            return True, ALIASES.get(value, value)
        try:
            literal = value[1:-1] if "\\" not in value and value.isprintable() else _unescaped(value)
        except (SyntaxError, ValueError):
            self._refuse("is not a valid string", location)
        beyond = excess(literal) if len(literal) > SHORT else None
        if beyond is not None:
            self._refuse(f"cannot be read: {beyond}", location)
        self._advance()
        return False, literal


def _unescaped(quoted: str) -> str:
    import ast  # takes a millisecond, and hardly any marker has an escape

    return str(ast.literal_eval(quoted))


def _not_valid(text: str, why: str) -> MarkerSyntaxError:
    shown = text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "..."
    return MarkerSyntaxError(
        f"The marker `{shown}` is not valid: {why}",
        hint="A marker compares variables such as `sys_platform` with quoted strings, joined by `and` and `or`",
    )


def _true(variable: Variable, *, negated: bool = False) -> Formula:
    """A Boolean variable, or its negation."""
    return variable, (True,), (EMPTY, FULL) if negated else (FULL, EMPTY)


def _not(formula: Formula) -> Formula:
    return Operation("not", (formula,))


@cache
def comparison(name: str, operator: str, literal: str, *, literal_first: bool = False) -> Formula:
    """The formula of one comparison; with `literal_first`, the literal is on the left.

    Raises:
        UndefinedComparisonError: packaging does not define the comparison.
    """
    if name in _FLAG_VARIABLES:
        if operator not in {"in", "not in"} or not literal_first:
            raise UndefinedComparisonError(operator)
        return _true(flag(name, canonicalize_name(literal)), negated=operator == "not in")
    if name in _RELEASE_VARIABLES:
        return _release_comparison(name, operator, literal, literal_first=literal_first)
    assert name in TEXT_VARIABLES
    if name == EXTRA.name:
        literal = canonicalize_name(literal)
    elif name == "platform_release" and operator not in {"in", "not in"} and fits_specifier(operator, literal):
        return _ordered_release_comparison(operator, literal, literal_first=literal_first)
    return _text_comparison(name, operator, literal, literal_first=literal_first)


def _listing(name: str, operator: str, literal: str, *, literal_first: bool) -> Formula:
    """Like `comparison`, but a string after `in` is a list of words."""
    if operator not in {"in", "not in"} or literal_first or name not in _OCCURRING:
        return comparison(name, operator, literal, literal_first=literal_first)
    values = [*literal.replace(",", " ").split(), *(v for v in _OCCURRING[name] if v in literal)]
    formula = Operation("or", (EMPTY, *(_equal(name, value) for value in values)))
    return formula if operator == "in" else _not(formula)


def _release_comparison(name: str, operator: str, literal: str, *, literal_first: bool) -> Formula:
    if literal_first and operator in {"in", "not in"}:
        # `'3.1' in python_version` is true for infinitely many separate versions, which no finite cut points express.
        return _true(opaque(name, "in", literal, literal_first=True), negated=operator == "not in")
    cuts, truths = partition(name, operator, literal, literal_first=literal_first)
    return _RELEASE_VARIABLES[name], cuts, tuple(FULL if truth else EMPTY for truth in truths)


def _text_comparison(name: str, operator: str, literal: str, *, literal_first: bool) -> Formula:
    if operator in {"in", "not in"}:
        if literal_first and not literal:  # every string contains the empty one
            return FULL if operator == "in" else EMPTY
        if not literal:
            return _text_comparison(name, "==" if operator == "in" else "!=", literal, literal_first=False)
        return _true(predicate(name, "in", literal, literal_first=literal_first), negated=operator == "not in")
    if operator in {"==", "<=", ">="}:
        return _equal(name, literal)
    if operator == "!=":
        return _not(_equal(name, literal))
    if operator in {"<", ">"}:
        return EMPTY
    raise UndefinedComparisonError(operator)


def _equal(name: str, literal: str) -> Formula:
    return TEXT_VARIABLES[name], (literal,), (FULL, EMPTY)


def _ordered_release_comparison(operator: str, literal: str, *, literal_first: bool) -> Formula:
    """A comparison of `platform_release` as versions: a predicate or its complement, so that it can be negated.

    For a release that is not a valid version, all comparisons of packaging are false, including `!=` and `<`. Here such
    a release is different from, and less than, every version.
    """
    if operator == "===":
        return _equal("platform_release", literal.strip())
    if operator == "~=":
        if literal_first:
            raise UndefinedComparisonError(operator)
        series = ".".join(literal.split(".")[:-1]) + ".*"
        both = (
            _ordered_release_comparison(one, text, literal_first=False)
            for one, text in ((">=", literal), ("==", series))
        )
        return Operation("and", tuple(both))
    if literal_first and _FINAL.fullmatch(literal):
        # Both directions are only equivalent for final releases.
        operator, literal_first = _MIRRORED[operator], False
    positive = {"!=": "==", "<": ">=", "<=": ">"}.get(operator, operator)
    variable = predicate("platform_release", positive, literal, literal_first=literal_first)
    return _true(variable, negated=positive != operator)
