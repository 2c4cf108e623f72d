"""Selection agrees with packaging's, which is slower and says less when it refuses."""

from __future__ import annotations

from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st
from packaging.pylock import PylockSelectError
from packaging.tags import Tag, parse_tag

from lockset.errors import LocksetError
from lockset.lockfile.model import Pylock
from lockset.lockfile.select import select
from lockset.markers.environment import Environment
from property.lock_values import EXTRAS, GROUPS, locks

LADDER = (
    "cp312-cp312-win_amd64",
    "cp311-cp311-win32",
    "cp312-abi3-manylinux_2_28_x86_64",
    "py3-none-any",
    "py2-none-any",
)
ladders = st.permutations(LADDER).flatmap(lambda tags: st.integers(0, len(tags)).map(lambda count: tags[:count]))
environments = st.builds(
    Environment.of_platform,
    st.sampled_from(["linux", "windows", "macos"]),
    st.sampled_from(["3.9", "3.11.4", "3.12", "3.12.7"]),
    st.sampled_from(["cpython", "pypy"]),
)


def single(text: str) -> Tag:
    [tag] = parse_tag(text)
    return tag


@given(
    locks(),
    environments,
    ladders,
    st.sets(st.sampled_from(EXTRAS)),
    st.none() | st.sets(st.sampled_from(GROUPS)),
    st.none() | st.just({"alpha"}),
)
def test_the_same_is_selected_or_refused_as_by_packaging(
    lock: Pylock,
    environment: Environment,
    ladder: list[str],
    extras: set[str],
    groups: set[str] | None,
    sdists: set[str] | None,
) -> None:
    tags = [single(text) for text in ladder]
    declared = {*(lock.dependency_groups or ()), *(lock.default_groups or ())}
    undeclared = not (extras <= set(lock.extras or ()) and (groups is None or groups <= declared))
    prefer = None if sdists is None else sdists.__contains__
    slow: Any
    try:
        slow = list(
            lock.select(
                environment=cast("Any", environment.as_dict()),
                tags=tags,
                extras=extras,
                dependency_groups=groups,
                prefer_sdist_predicate=prefer,
            )
        )
    except PylockSelectError:
        slow = None
    try:
        selection = select(lock, environment=environment, tags=tags, extras=extras, groups=groups, prefer_sdist=prefer)
    except LocksetError as error:
        assert slow is None or undeclared
        assert (error.diagnostic.code in {"unknown-extra", "unknown-group"}) == undeclared
        return
    assert not undeclared
    assert [(item.package, item.artifact) for item in selection.items] == slow
    assert all(lock.packages[item.index] is item.package for item in selection.items)
