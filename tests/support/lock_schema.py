"""Check lock files against their published JSON Schema, as an editor does, to compare it with the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.lockfile.validate.finding import path_text
from lockset.lockfile.validate.schema import violations

if TYPE_CHECKING:
    from lockset.lockfile.read import Document

SCHEMA_NAME = "pylock-1.0.schema.json"


def schema_findings(document: Document) -> list[tuple[str, int, str]]:
    """What the schema refuses: path, line, and the sentence of jsonschema."""
    findings = []
    for violation in violations(SCHEMA_NAME, document.data):
        line, _ = document.lines.position(document.spans.nearest(violation.path).start)
        findings.append((path_text(violation.path), line, violation.message))
    return findings
