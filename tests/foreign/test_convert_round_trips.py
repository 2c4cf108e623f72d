"""pylock to requirements and back: every selection stays as it was."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from lockset.composition.conversions.conversion import ConvertOptions
from lockset.composition.conversions.export import ExportOptions, export_lock
from lockset.composition.conversions.foreign import convert_imported
from lockset.composition.conversions.foreign_input import read_input
from lockset.conversion.model.selection import Situation
from lockset.conversion.pipeline.verify import entry_hashes, environments_within, selected
from lockset.conversion.writers.requirements import RequirementsStyle
from lockset.errors import LocksetError
from lockset.lockfile.model import Pylock, file_name
from lockset.lockfile.read import read_document
from support.builders.pages import PageFile
from support.corpus import pylock_files
from support.fakes.fake_conversion import FILES, FakeRemote
from support.fakes.fake_index import FakeIndex

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.corpus

LOCKS = [pytest.param(path, id=path.name) for path in pylock_files()]


def index_of(lock: Pylock) -> FakeIndex:
    files: defaultdict[str, list[PageFile]] = defaultdict(list)
    for package in lock.packages:
        for file in (*(package.wheels or ()), package.sdist):
            if file is None:
                continue
            name = file_name(file) or ""
            files[package.name].append(PageFile(filename=name, url=f"{FILES}/{name}", hashes=dict(file.hashes)))
    return FakeIndex(files)


def read_lock(path: Path) -> Pylock:
    try:
        return read_document(path.read_bytes(), path=path.name).lock
    except LocksetError as error:
        pytest.skip(f"no valid lock file: {error}")


@pytest.mark.parametrize("path", LOCKS)
@pytest.mark.parametrize("everything", [False, True], ids=["default", "everything"])
def test_requirements_and_back_keep_every_selection(path: Path, tmp_path: Path, *, everything: bool) -> None:
    lock = read_lock(path)
    extras = tuple(lock.extras or ()) if everything else ()
    groups = tuple(lock.dependency_groups or ()) if everything else ()
    options = ExportOptions(extras=extras, groups=groups, style=RequirementsStyle(trees=False))
    if lock.environments == []:
        with pytest.raises(LocksetError, match="supports no environment"):
            export_lock(lock, options)
        lock = replace(lock, environments=None)
    done = export_lock(lock, options)
    archives = [p for p in lock.packages if p.archive is not None and p.archive.path is not None]
    if archives or all(p.directory or p.vcs for p in lock.packages):
        pytest.skip("it has files of its own, or nothing but source trees")
    text = tmp_path / "requirements.txt"
    text.write_text(done.text)
    output = tmp_path / "pylock.toml"
    python = str(lock.requires_python) if lock.requires_python is not None else None
    imported, _ = read_input(text, ConvertOptions(python=python), output=output, environ={})
    back = convert_imported(imported, index_of(lock), FakeRemote(), output=output).lock
    chosen = frozenset(map(str, (*(lock.default_groups or ()), *groups)))
    trees = {p.name for p in lock.packages if p.directory is not None or p.vcs is not None}
    environments = environments_within(lock.requires_python, tuple(map(str, lock.environments or ())), ())
    for values in environments:
        before = selected(lock, Situation(environment=values, extras=frozenset(map(str, extras)), groups=chosen))
        after = selected(back, Situation(environment=values, extras=frozenset(), groups=frozenset()))
        wanted = {text for text in before if text.split("==")[0].split(" @ ")[0] not in trees}
        # What no index lists is exported with its address, and comes back as an archive.
        by_url = {text.split(" @ ")[0] for text in after - wanted if " @ " in text}
        assert {t for t in wanted if t.split("==")[0] not in by_url} == {
            t for t in after if t.split(" @ ")[0] not in by_url
        }
        assert by_url <= {t.split("==")[0] for t in wanted}
    kept = {text for p in back.packages for one in entry_hashes(p) for text in one}
    given = {text for p in lock.packages for one in entry_hashes(p) for text in one}
    assert kept <= given
