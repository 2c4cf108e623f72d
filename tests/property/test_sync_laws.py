"""Laws of sync: the target is what was asked for, whatever was there, and errors change nothing."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from lockset.composition.sync_pipeline import InstallOptions
from lockset.sync.disk.apply.transaction import Journal, JournalStep, MakeFolder, MoveAside, MoveIn, RemoveFolder
from support.builders.wheel import make_wheel
from support.worlds.target_world import World, judge, tree

if TYPE_CHECKING:
    from support.builders.archives import Artifact

# Folders that several distributions share, so that merging and emptying happen; content is the path, so none collide.
PATHS = ["a/x.py", "a/b/y.py", "a/b/c/z.py", "d/x.py", "m.py", "n.py"]
releases = st.builds(
    lambda version, paths: (version, tuple(sorted(paths))),
    st.sampled_from(["1.0", "2.0"]),
    st.frozensets(st.sampled_from(PATHS), max_size=4),
)
worlds = st.dictionaries(st.sampled_from(["one", "two", "three"]), releases)
Worlds = dict[str, tuple[str, tuple[str, ...]]]


def wheels_of(world: Worlds) -> list[Artifact]:
    return [make_wheel(n, v, files={path: path for path in paths}) for n, (v, paths) in sorted(world.items())]


class Stop:
    """Fails before the step with a number."""

    def __init__(self, number: int) -> None:
        self.left = number

    def __call__(self, step: JournalStep) -> None:
        self.left -= 1
        if self.left < 0:
            raise OSError(5, "Input/output error")


@settings(max_examples=15)
@given(st.lists(worlds, min_size=1, max_size=3), st.integers(0, 12))
def test_the_target_matches_the_last_successful_sync(requests: list[Worlds], fault: int) -> None:
    folder = Path(tempfile.mkdtemp(prefix="lockset-law-"))
    try:
        world = World(folder=folder / "one" / "world", directory=str(folder / "target"), cache=folder / "cache")
        for state in requests:
            before = tree(folder / "target")
            try:
                world.sync(*wheels_of(state), install_options=InstallOptions(on_step=Stop(fault)))
            except OSError:
                assert tree(folder / "target") == before
                world.sync(*wheels_of(state))
            assert judge(folder / "target") == {name: version for name, (version, _) in state.items()}
            assert not world.sync(*wheels_of(state)).changed
        files = {p for _, paths in requests[-1].values() for p in paths}
        results = {path for path in tree(folder / "target") if path.endswith(".py")}
        assert results == files
        folders = {path for path, content in tree(folder / "target").items() if content == "folder"}
        assert all(any(f.startswith(f"{one}/") for f in tree(folder / "target")) for one in folders)
    finally:
        shutil.rmtree(folder)


names = st.from_regex(r"[a-z]{1,3}(/[a-z]{1,3}){0,2}", fullmatch=True)
steps = st.one_of(
    st.builds(MoveAside, names, names),
    st.builds(MoveIn, names, names),
    st.builds(MakeFolder, names),
    st.builds(RemoveFolder, names),
)


@given(st.lists(steps))
def test_a_journal_reads_what_it_writes_wherever_the_target_has_moved(results: list[JournalStep]) -> None:
    def below(base: str) -> Journal:
        moved = tuple(type(step)(*(f"{base}/{path}" for path in step)) for step in results)
        return Journal(steps=moved, areas=(f"{base}/.lockset",))

    data = below("/first").dumps("/first")
    assert Journal.loads(data, "/first") == below("/first")
    assert Journal.loads(data, "/second/place") == below("/second/place")
