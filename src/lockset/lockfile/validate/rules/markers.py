"""Rules on the syntax of markers, independent of environments."""

from __future__ import annotations

from functools import lru_cache

from lockset import dependency_specifiers
from lockset._named_tuple import NamedTuple
from lockset._pattern import lazy_pattern
from lockset.dependency_specifiers import excess, plain_clause, read_marker, read_specifier
from lockset.package_names import canonicalize_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from typing import TypeAlias

    from lockset.lockfile.positions import KeyPath
    from lockset.lockfile.validate.finding import Findings

__all__ = ["Comparison", "check_environment_marker", "check_package_marker", "comparisons", "is_ordinary_marker"]

# Words, operators and literals of a valid marker, without parentheses.
_TOKEN = lazy_pattern(r"""'[^']*'|"[^"]*"|===|[<>=!~]=|[<>]|[A-Za-z_.]+""")
# A comparison as nearly all markers have it, which becomes one character, and what may be around it.
_VARIABLES = frozenset({
    "python_version", "python_full_version", "os_name", "sys_platform", "platform_release", "platform_system",
    "platform_version", "platform_machine", "platform_python_implementation", "implementation_name",
    "implementation_version",
})  # fmt: skip
_OPERATOR = r"(===|[<>=!~]=|[<>]|\b(?:not )?in\b)"
_TEXT = r"""(?:'[^']*'|"[^"]*")"""
_ONE = lazy_pattern(rf"\b([a-z_]+) *{_OPERATOR} *{_TEXT}|{_TEXT} *{_OPERATOR} *([a-z_]+)\b")
_ALL = lazy_pattern(r" *\0 *(?: (?:and|or) +\0 *)*")
_BRACKETED = lazy_pattern(r"\( *\0 *(?: (?:and|or) +\0 *)*\)")
_MOST_NESTED = 5
_SETS = frozenset({"extras", "dependency_groups"})
_VERSIONS = frozenset({"python_version", "python_full_version", "implementation_version"})
_ORDERED = frozenset({"<", ">", "~=", "==="})
_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
# How much of the parser's message is shown: its first line says what was expected.
_SHOWN = 160

_Parsed: TypeAlias = "tuple[Comparison, ...] | str"


class Comparison(NamedTuple):
    """One comparison of a marker: `left operator right`, a literal with its quotes."""

    left: str
    operator: str
    right: str

    @property
    def variable(self) -> str:
        """The side without quotes; the left one when both are variables; a literal when both are."""
        return self.right if self.left[0] in "'\"" else self.left

    @property
    def literal(self) -> str:
        """The text of the side with quotes, or the other variable."""
        side = self.left if self.left[0] in "'\"" else self.right
        return side.strip("'\"") if side[0] in "'\"" else side


def comparisons(text: str) -> tuple[Comparison, ...] | str:
    """The comparisons of the marker `text`, in order, or one line about why it is not valid."""
    return _comparisons(text)


# Lock files repeat few markers many times, so they are cached.
@lru_cache(maxsize=2048)
def _comparisons(text: str) -> _Parsed:
    try:
        if not is_ordinary_marker(text):
            read_marker(text)
    except dependency_specifiers.InvalidMarker as error:
        return str(error).splitlines()[0][:_SHOWN]
    except (ValueError, RecursionError) as error:
        return f"it is too complex ({type(error).__name__})"
    parsed: list[Comparison] = []
    waiting: list[str] = []
    for token in _TOKEN.findall(text):
        if token in {"and", "or"}:
            waiting = []
            continue
        waiting.append(token)
        left, *operator = waiting[:-1] or [""]
        if operator and token not in {"in", "not"}:
            parsed.append(Comparison(left, " ".join(operator), token))
            waiting = []
    return tuple(parsed)


def is_ordinary_marker(text: str) -> bool:
    """Whether `text` is certainly a valid marker; only false negatives are possible, and are left to packaging."""
    if not text.isprintable() or "\\" in text or excess(text) is not None:
        return False
    rest = _ONE.sub(_abbreviated, text)
    for _ in range(_MOST_NESTED):
        if _ALL.fullmatch(rest):
            return True
        rest = _BRACKETED.sub("\0", rest)
    return False


def _abbreviated(comparison: re.Match[str]) -> str:
    """One character for a comparison that is certainly valid; others stay."""
    variable, _, operator, last = comparison.groups()
    if (variable or last) in _VARIABLES or (last in _SETS and operator.endswith("in")):
        return "\0"
    return comparison[0]


def check_environment_marker(text: str, path: KeyPath, findings: Findings) -> None:
    """Check one of the file's `environments`."""
    parsed = _comparisons(text)
    if isinstance(parsed, str):
        findings.add(
            "environments-marker-syntax", path, f"`{text}` is not a valid marker: {parsed}", _syntax_hint(text)
        )
        return
    for variable in sorted({side for item in parsed for side in (item.left, item.right)} & {*_SETS, "extra"}):
        message = f"An environment cannot depend on `{variable}`, which is selected when installing"
        findings.add(
            "environments-marker-variable", path, message, "Move the condition to the packages it is meant for"
        )
    _values(parsed, path, findings)


def check_package_marker(
    text: str, path: KeyPath, declared: dict[str, frozenset[str]], findings: Findings
) -> frozenset[str]:
    """Check a package's `marker`, and return the dependency groups that it names.

    `declared` has the normalized names of the file under `extras` and `dependency_groups`.
    """
    parsed = _comparisons(text)
    if isinstance(parsed, str):
        findings.add("package-marker-syntax", path, f"`{text}` is not a valid marker: {parsed}", _syntax_hint(text))
        return frozenset()
    if any("extra" in {item.left, item.right} for item in parsed):
        message = f"The marker `{text}` uses `extra`, which is not available in lock files"
        findings.add("package-marker-extra", path, message, "Write `'name' in extras`")
    named = {name: set[str]() for name in _SETS}
    for item in parsed:
        for name in {item.left, item.right} & _SETS:
            if item.right != name or item.operator not in {"in", "not in"} or item.left[0] not in "'\"":
                message = f"`{name}` is compared as in `{' '.join(item)}`, which has no meaning"
                findings.add("marker-set-operator", path, message, f"Write `'name' in {name}`")
            else:
                named[name].add(canonicalize_name(item.literal))
    _undeclared(named, declared, path, findings)
    _values(parsed, path, findings)
    return frozenset(named["dependency_groups"])


def _undeclared(
    named: dict[str, set[str]], declared: dict[str, frozenset[str]], path: KeyPath, findings: Findings
) -> None:
    for variable, code, what, key in (
        ("extras", "marker-undeclared-extra", "extra", "extras"),
        ("dependency_groups", "marker-undeclared-group", "dependency group", "dependency-groups"),
    ):
        for name in sorted(named[variable] - declared[variable]):
            message = f"The marker names the {what} `{name}`, which the file does not declare"
            findings.add(code, path, message, f"Add it to `{key}`, otherwise it can never be selected")


def _values(parsed: tuple[Comparison, ...], path: KeyPath, findings: Findings) -> None:
    """Report comparisons that are valid syntax without a meaning."""
    for item in parsed:
        variable, shown = item.variable, " ".join(item)
        if variable[0] in "'\"":
            hint = "Remove it: `lockset sync` and pip refuse such a marker"
            findings.add("marker-constant", path, f"`{shown}` compares two literals", hint)
        elif variable in _VERSIONS:
            if item.operator in {"in", "not in"} or not _is_version(item):
                findings.add(
                    "marker-version-value", path, f"`{shown}` compares a version with something that is not a version"
                )
        elif variable not in _SETS and variable != "extra" and item.operator in _ORDERED:
            message = f"`{shown}` orders strings, which markers do not define"
            findings.add("marker-string-order", path, message, "Compare with `==`, `!=` or `in`")


def _is_version(item: Comparison) -> bool:
    operator = item.operator if item.variable == item.left else _MIRRORED.get(item.operator, item.operator)
    if plain_clause(operator + item.literal) is not None:
        return True
    try:
        read_specifier(operator + item.literal)
    except (dependency_specifiers.InvalidSpecifier, ValueError):
        return False
    return True


def _syntax_hint(text: str) -> str | None:
    if not text.strip():
        return "Omit the key if there is no condition"
    if text.lstrip().startswith(";"):
        return "Remove the semicolon, which is only used in requirements"
    return None
