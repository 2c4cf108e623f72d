"""How severe a vulnerability is: the word of its database, or the base score of its CVSS vector.

The only module that imports cvss.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lockset._dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["LEVELS", "Severity", "read_severity", "worst"]

# From the least severe to the most severe, as CVSS names them.
LEVELS = ("none", "low", "medium", "high", "critical")
# Words of databases for these; GitHub says "moderate".
_WORDS = {"moderate": "medium", **{level: level for level in LEVELS}}
# Kinds of `severity` in the OSV schema, the newest first, and what their vectors begin with.
_KINDS = ("CVSS_V4", "CVSS_V3", "CVSS_V2")
_LONGEST = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Severity:
    """The severity of a vulnerability.

    Attributes:
        level: One of `LEVELS`; None if neither the database nor the vector gives it.
        score: The base score of the vector, 0 to 10; None without a vector, or without the package `cvss`.
        vector: The CVSS vector as written.
        kind: The version of CVSS of the vector, as in the OSV schema: `CVSS_V3` and so on.
    """

    level: str | None = None
    score: float | None = None
    vector: str | None = None
    kind: str | None = None

    @property
    def is_known(self) -> bool:
        """Whether there is anything to show."""
        return self.level is not None or self.vector is not None


def read_severity(values: Iterable[object], word: object) -> Severity:
    """The severity of `severity` items of the OSV schema and of a database's `word`; what is not valid is ignored."""
    vectors: dict[str, str] = {}
    for value in values:
        if isinstance(value, dict):
            kind, score = value.get("type"), value.get("score")
            if isinstance(kind, str) and isinstance(score, str) and kind in _KINDS and len(score) <= _LONGEST:
                vectors.setdefault(kind, score)
    level = _WORDS.get(word.lower()) if isinstance(word, str) else None
    for kind in _KINDS:
        if kind in vectors:
            score = _base_score(kind, vectors[kind])
            return Severity(level=level or _level_of(score), score=score, vector=vectors[kind], kind=kind)
    return Severity(level=level)


def worst(severities: Iterable[Severity]) -> Severity:
    """The most severe one."""
    return max(severities, key=_rank, default=Severity())


def _rank(one: Severity) -> tuple[int, float, bool]:
    return -1 if one.level is None else LEVELS.index(one.level), one.score or 0.0, one.vector is not None


def _level_of(score: float | None) -> str | None:
    """The level of a score, as CVSS defines it ("Qualitative Severity Rating Scale")."""
    if score is None:
        return None
    bounds = ((0.0, "none"), (3.9, "low"), (6.9, "medium"), (8.9, "high"))
    return next((level for bound, level in bounds if score <= bound), "critical")


def _base_score(kind: str, vector: str) -> float | None:
    try:
        import cvss  # type: ignore[import-untyped]
    except ModuleNotFoundError:
        return None
    made: Any = {"CVSS_V4": cvss.CVSS4, "CVSS_V3": cvss.CVSS3, "CVSS_V2": cvss.CVSS2}[kind]
    try:
        return float(made(vector).base_score)
    except Exception:  # noqa: BLE001 - the library raises errors of many kinds for vectors that are not valid
        return None
