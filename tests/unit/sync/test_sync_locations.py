"""What is checked for whole folders is what a look at every file would find."""

from __future__ import annotations

import os
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockset.errors import LocksetError
from lockset.sync.disk.apply.stage import _below_roots
from lockset.sync.installed import InstalledDistribution, InstalledFile
from lockset.sync.placement import PlacedDistribution, PlacedGroup, Placement, check_locations, record_rows
from lockset.sync.target import Layout
from lockset.sync.wheel.file_lists import Manifest, StoredFile

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the paths are those of POSIX")

LAYOUTS = (
    Layout.of_directory("/t"),
    Layout.of_prefix("/t", implementation="cpython", version="3.12", windows=False),
)
names = st.sampled_from(
    ["m.py", "p", "p/a.py", "p/b.py", "p/q", "p/q/c.py", "r/d.py", "lib/python3.12/site-packages/m.py", "share/x"]
)
files = st.lists(st.tuples(st.sampled_from(["purelib", "data"]), names, st.sampled_from("xy")), max_size=5, unique=True)


def placed(layout: Layout, name: str, wanted: list[tuple[str, str, str]]) -> PlacedDistribution:
    info = f"{name}-1.0.dist-info"
    rows = [
        StoredFile(scheme, path, digest, 1, 1, executable=False, rewrite=False)
        for scheme, path, digest in [*dict.fromkeys(wanted), ("purelib", f"{info}/METADATA", name)]
    ]
    unique = {(row.scheme, row.path): row for row in rows}
    manifest = Manifest(name, "1.0", info, "purelib", {}, (), ()).with_files(unique.values())
    roots = layout.roots_of(name)
    groups: list[PlacedGroup] = []
    for group in manifest.groups:
        folder = f"{roots[group.scheme]}/{group.inside}" if group.inside else roots[group.scheme]
        groups += _below_roots(folder, group, layout)
    location = f"{roots['purelib']}/{info}"
    written = Placement(f"{location}/INSTALLER", "x", 1, None, b"x", executable=False)
    return PlacedDistribution(name, "1.0", location, tuple(groups), (written,))


def kept(layout: Layout, wanted: list[tuple[str, str, str]]) -> InstalledDistribution:
    roots = layout.roots_of("kept")
    unique = {f"{roots[scheme]}/{path}": digest for scheme, path, digest in wanted}
    rows = tuple(InstalledFile(path, digest, 1) for path, digest in unique.items())
    return InstalledDistribution(name="kept", version="1", info=f"{roots['purelib']}/kept.dist-info", files=rows)


@given(st.sampled_from(LAYOUTS), st.lists(files, min_size=1, max_size=3), files | st.just([]))
def test_paths_of_several_owners_are_those_that_a_look_at_every_file_finds(
    layout: Layout, wheels: list[list[tuple[str, str, str]]], before: list[tuple[str, str, str]]
) -> None:
    new = [placed(layout, f"one{number}", wanted) for number, wanted in enumerate(wheels)]
    old = kept(layout, before)
    owned = Counter(path for one in new for path in one.paths())
    every = owned + Counter(file.path for file in old.files)
    twice = any(len(set(one.paths())) < len(one.paths()) for one in new)
    folders = {path[:end] for path in owned for end, letter in enumerate(path) if letter == "/"}
    roots = {*layout.roots, *(root[:end] for root in layout.roots for end, letter in enumerate(root) if letter == "/")}
    if twice or (folders - roots) & set(every):
        with pytest.raises(LocksetError) as caught:
            check_locations(new, [old], layout=layout)
        assert caught.value.diagnostic.code == "path-conflict"
        return
    shared, clashes = check_locations(new, [old], layout=layout)
    assert shared == {path for path in owned if every[path] > 1}
    digests: dict[str, set[str]] = {}
    for path, digest in [*((f.path, f.hash) for one in new for f in one.files), *((f.path, f.hash) for f in old.files)]:
        digests.setdefault(path, set()).add(digest)
    assert {clash.path for clash in clashes} == {path for path in shared if len(digests[path]) > 1}


@given(st.sampled_from(LAYOUTS), files)
def test_every_file_is_in_the_group_of_the_deepest_root_that_contains_it(
    layout: Layout, wanted: list[tuple[str, str, str]]
) -> None:
    one = placed(layout, "one", wanted)
    for group in one.groups:
        for path in group.paths():
            deepest = next(root for root in layout.roots if path.startswith(f"{root}/"))
            assert group.folder in {deepest, one.info}


@given(st.sampled_from(LAYOUTS), files)
def test_record_lists_the_files_of_the_groups(layout: Layout, wanted: list[tuple[str, str, str]]) -> None:
    one = placed(layout, "one", wanted)
    library = os.path.dirname(one.info)
    rows = {os.path.normpath(f"{library}/{path}"): digest for path, digest, _ in record_rows(one)}
    assert rows == {**{file.path: file.hash for file in one.files}, f"{one.info}/RECORD": ""}
