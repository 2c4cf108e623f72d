"""Rules on the hashes of a file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lockset._pattern import lazy_pattern
from lockset.hashes import STRONG_ALGORITHMS, WEAK_ALGORITHMS
from lockset.lockfile.validate.typed_get import table, toml_type_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lockset.lockfile.positions import KeyPath
    from lockset.lockfile.validate.finding import Findings

__all__ = ["SHA256", "check_hashes"]

# A sha256 as it should be written.
SHA256 = lazy_pattern(r"[0-9a-f]{64}", re.ASCII)
_HEX = lazy_pattern(r"[0-9A-Fa-f]*", re.ASCII)
_HINT = "Lock again with a tool that records sha256"


def check_hashes(source: Mapping[str, Any], kind: str, path: KeyPath, findings: Findings, *, what: str) -> None:
    """Check the `hashes` of one file of `kind` (archive, sdist or wheel)."""
    hashes = table(findings, source, "hashes", f"{kind}-hashes-type", path)
    if hashes is None:
        if "hashes" not in source:
            findings.add(f"{kind}-hashes-required", (*path, "hashes"), f"{what} has no `hashes`", _HINT)
        return
    if len(hashes) == 1:
        value = hashes.get("sha256")
        if isinstance(value, str) and SHA256.fullmatch(value):
            return  # the usual case
    below = (*path, "hashes")
    if not hashes:
        findings.add(f"{kind}-hashes-empty", below, f"{what} has an empty `hashes`", _HINT)
        return
    for algorithm, value in hashes.items():
        _check_one(algorithm, value, kind, (*below, algorithm), findings)
    _check_strength(hashes, below, findings, what)


def _check_one(algorithm: str, value: Any, kind: str, path: KeyPath, findings: Findings) -> None:
    folded = algorithm.lower()
    if folded != algorithm:
        message = f"The hash algorithm `{algorithm}` is not in lower case"
        findings.add("hash-algorithm-case", path, message, f"Write `{folded}`")
    if not isinstance(value, str):
        findings.add(
            f"{kind}-hash-value-type", path, f"The {algorithm} hash must be a string, not {toml_type_name(value)}"
        )
        return
    length = STRONG_ALGORITHMS.get(folded) or WEAK_ALGORITHMS.get(folded)
    if not _HEX.fullmatch(value):
        hint = "Leave out the name of the algorithm" if ":" in value or "=" in value else None
        findings.add("hash-value-hex", path, f"The {algorithm} hash `{value}` is not hexadecimal", hint)
    elif length is not None and len(value) != 2 * length:
        message = f"The {algorithm} hash has {len(value)} digits, but must have {2 * length}"
        findings.add("hash-value-length", path, message)


def _check_strength(hashes: Mapping[str, Any], path: KeyPath, findings: Findings, what: str) -> None:
    folded = {algorithm.lower() for algorithm in hashes}
    names = ", ".join(sorted(hashes))
    if not folded & {*STRONG_ALGORITHMS, *WEAK_ALGORITHMS}:
        findings.add("hash-algorithm-unknown", path, f"{what} has no hash that can be checked (only {names})", _HINT)
    elif not folded & STRONG_ALGORITHMS.keys():
        findings.add("hash-weak", path, f"{what} has only weak hashes ({names})", _HINT)
