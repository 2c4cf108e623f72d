"""What becomes of every real file: the table of the documentation.

Run from the repository: `python tests/foreign/outcomes.py > docs/pages/reference/convert-outcomes.md`.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[1])]

from fakes.fake_conversion import DraftIndex, FakeRemote, sha
from foreign.corpus import FORMATS, SHARED, files_of
from lockset.composition.conversions.foreign import Conversion, ConvertOptions, convert_draft, read_draft
from lockset.errors import LocksetError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lockset.conversion.model.imported_lock import ImportedLock

__all__ = ["Outcome", "outcome_of"]

_HEAD = """# What becomes of real lock files

Made by `tests/foreign/outcomes.py`; do not edit. The files are those of public repositories, with the host names
of their indexes replaced, so that completion was tried with an index that has exactly the files each input names.
Every conversion was proved: in all environments compared the output installs what the input does, and every hash is
kept. Each file was tried alone, without the pyproject.toml and the other files that were beside it;
`roots-assumed` says that the file leaves to its project what is asked for.

"""


class _AnyRemote(FakeRemote):
    """What is not hashed has some hash."""

    def fingerprint(self, path_or_url: str) -> tuple[str, int]:
        return sha(path_or_url), 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A conversion with its draft, or a refusal."""

    seconds: float
    refusal: LocksetError | None = None
    draft: ImportedLock | None = None
    done: Conversion | None = None


def outcome_of(path: Path) -> Outcome:
    """Convert the file, offline but for an index that has what it names."""
    began = time.perf_counter()
    output = path.parent / "pylock.toml"
    try:
        draft, _ = read_draft(path, ConvertOptions(), output=output, environ={})
        done = convert_draft(draft, DraftIndex(draft), _AnyRemote(), output=output)
    except LocksetError as error:
        return Outcome(seconds=time.perf_counter() - began, refusal=error)
    return Outcome(seconds=time.perf_counter() - began, draft=draft, done=done)


def _row(path: Path, found: Outcome) -> str:
    name = path.name
    if found.refusal is not None:
        message = found.refusal.diagnostic.message.replace("|", "/")
        message = message.replace(str(SHARED), "…").replace("../shared", "…")
        return f"| {name} | refused: {message} | | | |"
    assert found.done is not None
    proof = found.done.proof
    compared = sum(row.environments for row in proof.rows)
    lost = ", ".join(sorted({loss.kind for loss in found.done.losses if not loss.note})) or "nothing"
    return f"| {name} | proved in {compared} environments | {len(found.done.lock.packages)} | {proof.kept} | {lost} |"


def _page() -> Iterator[str]:
    yield _HEAD
    counts: dict[str, Counter[str]] = {}
    rows: list[str] = []
    for format_ in FORMATS:
        rows += [f"\n## {format_}\n", "| file | outcome | entries | hashes kept | lost |", "|---|---|---|---|---|"]
        for path in files_of(format_):
            found = outcome_of(path)
            rows.append(_row(path, found))
            counts.setdefault(format_, Counter())["refused" if found.refusal is not None else "proved"] += 1
    yield "| format | files | converted and proved | refused |\n|---|---|---|---|"
    for format_, count in counts.items():
        yield f"| {format_} | {count.total()} | {count['proved']} | {count['refused']} |"
    yield from rows


if __name__ == "__main__":
    print("\n".join(_page()))
