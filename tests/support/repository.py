"""Where the files of the repository are that tests read."""

from __future__ import annotations

from pathlib import Path

__all__ = ["ROOT", "SCHEMAS", "SPEC_EXAMPLES"]

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT / "schemas"
SPEC_EXAMPLES = ROOT / "spec-examples"
