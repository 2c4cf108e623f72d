"""Looking at some blocks of a text gives the places that looking at all of it gives."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockset.errors import LocksetError
from lockset.lockfile.positions import KeyPath, positions
from lockset.lockfile.read import Document, read_document
from lockset.lockfile.validate.locate import locations

EXAMPLES = Path(__file__).parents[2] / "spec-examples"
BLOCKS = st.sampled_from([
    "[[packages]]\n", "[[ packages ]] # c\n", '[["packages"]]\n', "  [[packages]]\r\n", "name = 'a'\n", "version = 1\n",
    "[packages.tool]\n", "[tool]\n", "[tool.x]\n", "a = {b = 1}\n", "[[packages.wheels]]\n", "# [[packages]]\n",
    "x = [\n[1],\n[true]\n]\n",
    "y = '[[packages]]'\n", 'z = """\n[[packages]]\n"""\n',
    "tool.q = 1\n", "packages = [{a = 1}]\n",
])  # fmt: skip
EXTRA: list[KeyPath] = [
    ("nowhere",),
    ("packages",),
    ("packages", 0, "missing"),
    ("packages", 1, "tool", "q"),
    ("tool",),
]


def same(document: Document, paths: list[KeyPath]) -> None:
    whole = positions(document.text)
    fresh = Document(text=document.text, data=document.data, path=None)
    assert locations(fresh, paths) == {path: whole.nearest(path) for path in paths}


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*/*.toml")), ids=lambda path: path.name)
def test_every_place_of_the_examples_alone(path: Path) -> None:
    try:
        document = read_document(path.read_bytes())
    except LocksetError:
        return
    for location in (*positions(document.text), *EXTRA):
        same(document, [location])


@given(st.lists(BLOCKS, max_size=12), st.data())
def test_places_of_texts_of_any_shape(blocks: list[str], data: st.DataObject) -> None:
    try:
        document = read_document("".join(blocks))
    except LocksetError:
        return
    known = [*positions(document.text), *EXTRA]
    same(document, data.draw(st.lists(st.sampled_from(known), max_size=4, unique=True)))
