"""How every real file converts: the table of the documentation.

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

from lockset.composition.conversions.conversion import Conversion, ConvertOptions
from lockset.composition.conversions.foreign import convert_imported
from lockset.composition.conversions.foreign_input import read_input
from lockset.errors import LocksetError
from support.corpus import CORPUS, FORMATS, files_of
from support.fakes.fake_conversion import DraftIndex, FakeRemote, sha

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lockset.conversion.model.imported_lock import ImportedLock

__all__ = ["Outcome", "outcome_of"]

_HEAD = """# Conversion results on real projects

`tests/foreign/outcomes.py` writes this page; do not edit it. The files come from public repositories, with the host
names of their indexes replaced. They were completed from an index that has exactly the files each input names.
Every conversion was verified: in all environments compared, the output installs what the input does, and every hash is
kept. Each file was converted alone, without its pyproject.toml and the other files next to it.
Repositories were not fetched: where a requirement is a repository without a name, `convert` learns its name, which it
did not here.
`roots-assumed` means that the file does not contain the requirements of its project.

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
        imported, _ = read_input(path, ConvertOptions(), output=output, environ={})
        done = convert_imported(imported, DraftIndex(imported), _AnyRemote(), output=output)
    except LocksetError as error:
        return Outcome(seconds=time.perf_counter() - began, refusal=error)
    return Outcome(seconds=time.perf_counter() - began, draft=imported, done=done)


def _row(path: Path, outcome: Outcome) -> str:
    name = path.name
    if outcome.refusal is not None:
        message = outcome.refusal.diagnostic.message.replace("|", "/")
        message = message.replace(str(CORPUS), "…").replace("../shared", "…")
        return f"| {name} | refused: {message} | | | |"
    assert outcome.done is not None
    proof = outcome.done.proof
    compared = sum(row.environments for row in proof.rows)
    lost = ", ".join(sorted({loss.kind for loss in outcome.done.losses if not loss.note})) or "nothing"
    return (
        f"| {name} | verified in {compared} environments | {len(outcome.done.lock.packages)} | {proof.kept} | {lost} |"
    )


def _page() -> Iterator[str]:
    yield _HEAD
    counts: dict[str, Counter[str]] = {}
    rows: list[str] = []
    for format_ in FORMATS:
        rows += [f"\n## {format_}\n", "| file | outcome | entries | hashes kept | lost |", "|---|---|---|---|---|"]
        for path in files_of(format_):
            outcome = outcome_of(path)
            rows.append(_row(path, outcome))
            counts.setdefault(format_, Counter())["refused" if outcome.refusal is not None else "verified"] += 1
    yield "| format | files | converted and verified | refused |\n|---|---|---|---|"
    for format_, count in counts.items():
        yield f"| {format_} | {count.total()} | {count['verified']} | {count['refused']} |"
    yield from rows


if __name__ == "__main__":
    print("\n".join(_page()))
