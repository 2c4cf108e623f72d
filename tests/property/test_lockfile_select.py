"""Selection agrees with packaging's, which is slower and says less when it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st
from packaging.pylock import PylockSelectError
from packaging.tags import Tag, parse_tag

from lockset.errors import LocksetError
from lockset.lockfile.select import select_entries
from lockset.markers.environment import Environment
from support.strategies.lock_values import EXTRAS, GROUPS, locks

if TYPE_CHECKING:
    from lockset.lockfile.model import Pylock

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


@st.composite
def questions(draw: st.DrawFn) -> dict[str, Any]:
    groups = draw(st.none() | st.sets(st.sampled_from(GROUPS)))
    sdists = draw(st.none() | st.just({"alpha"}))
    return {
        "environment": draw(environments),
        "tags": [single(text) for text in draw(ladders)],
        "extras": draw(st.sets(st.sampled_from(EXTRAS))),
        "groups": groups,
        "prefer_sdist": None if sdists is None else sdists.__contains__,
    }


def slow_model(lock: Pylock, question: dict[str, Any]) -> list[Any] | None:
    """What packaging selects; None where it refuses."""
    if lock.environments == []:
        return None  # packaging before 26.4 takes an empty list for a missing one
    chosen = lock.select(
        environment=question["environment"].as_dict(),
        tags=question["tags"],
        extras=question["extras"],
        dependency_groups=question["groups"],
        prefer_sdist_predicate=question["prefer_sdist"],
    )
    try:
        return list(chosen)
    except PylockSelectError:
        return None


@given(locks(), questions())
def test_the_same_is_selected_or_refused_as_by_packaging(lock: Pylock, question: dict[str, Any]) -> None:
    declared = {*(lock.dependency_groups or ()), *(lock.default_groups or ())}
    known = question["extras"] <= set(lock.extras or ()) and (question["groups"] or set()) <= declared
    slow = slow_model(lock, question)
    try:
        selection = select_entries(lock, **question)
    except LocksetError as refusal:
        code: str | None = refusal.diagnostic.code
    else:
        code = None
        assert [(item.package, item.artifact) for item in selection.items] == slow
        assert all(lock.packages[item.index] is item.package for item in selection.items)
    assert (code is None) == (known and slow is not None)
    assert (code in {"unknown-extra", "unknown-group"}) == (not known)
