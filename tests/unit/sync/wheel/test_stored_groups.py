"""The files of a stored wheel are kept as columns: nothing is lost on the way, and nothing leads out of a folder."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockset.sync.wheel.file_lists import Manifest, StoredFile, StoredGroup

INFO = "one-1.0.dist-info"
EMPTY = Manifest(
    name="one", version="1.0", dist_info=INFO, root_scheme="purelib", digests={}, groups=(), scripts=()
)  # fmt: skip

parts = st.sampled_from(["a", "b", "a.py", "A", "é", INFO])
rows = st.lists(
    st.builds(
        StoredFile,
        st.sampled_from(["purelib", "data"]),
        st.lists(parts, min_size=1, max_size=4).map("/".join),
        st.sampled_from(["sha256=x", "sha512=y"]),
        st.integers(0, 1 << 40),
        st.integers(0, 1 << 62),
        executable=st.booleans(),
        rewrite=st.booleans(),
    ),
    unique_by=lambda row: row[:2],
    max_size=12,
)


@given(rows)
def test_a_manifest_has_the_files_that_it_was_made_with(files: list[StoredFile]) -> None:
    made = EMPTY.with_files(files)
    assert sorted(made.files) == sorted(files)
    assert Manifest.loads(made.dumps()) == made
    assert made.with_files(made.files) == made


@given(rows)
def test_a_group_has_every_folder_that_its_files_need_after_the_one_that_contains_it(files: list[StoredFile]) -> None:
    for group in EMPTY.with_files(files).groups:
        folders = group.folders.split("\0") if group.folders else []
        needed = {name.rpartition("/")[0] for name in group.names.split("\0")} - {""}
        assert needed <= set(folders)
        for number, folder in enumerate(folders):
            assert folder.rpartition("/")[0] in {"", *folders[:number]}


@given(rows, st.data())
def test_a_split_group_has_every_file_once(files: list[StoredFile], data: st.DataObject) -> None:
    for group in EMPTY.with_files(files).groups:
        chosen = data.draw(st.lists(st.booleans(), min_size=len(group.sizes), max_size=len(group.sizes)))
        first, second = group.split(group.inside, chosen)
        assert (first is None, second is None) == (True not in chosen, False not in chosen)
        assert [*(first.rows() if first else ()), *(second.rows() if second else ())] == [
            row
            for wanted in (True, False)
            for row, is_chosen in zip(group.rows(), chosen, strict=True)
            if is_chosen is wanted
        ]


@pytest.mark.parametrize(
    "changes",
    [
        {"names": "../x"},
        {"names": "/x"},
        {"names": "a\0b"},
        {"folders": "../x"},
        {"folders": "a\0/x"},
        {"folders": "a/../../x"},
        {"inside": ".."},
        {"inside": "/x"},
        {"hashes": "x\0y"},
        {"sizes": (1, 2)},
        {"times": ()},
    ],
)
def test_a_manifest_whose_columns_do_not_fit_or_lead_outside_is_none(changes: dict[str, Any]) -> None:
    group = StoredGroup.of_rows(
        "data", "", [StoredFile("data", "x", "sha256=x", 1, 1, executable=False, rewrite=False)]
    )
    assert Manifest.loads(EMPTY._replace(groups=(group,)).dumps()) is not None
    assert Manifest.loads(EMPTY._replace(groups=(group._replace(**changes),)).dumps()) is None
