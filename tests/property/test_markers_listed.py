"""Lists of platforms in the markers of requirements: word by word, and as packaging says on every platform there is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import Marker

from lockset.markers import Environment, MarkerSet, possible

SYSTEMS = ("linux", "darwin", "win32", "cygwin", "freebsd14")
MACHINES = ("x86_64", "AMD64", "arm64", "aarch64", "x86", "i686", "ppc64", "ppc64le", "quantum")
ENVIRONMENTS = tuple(
    Environment.of_platform(platform, "3.12", implementation)
    for platform in ("linux", "windows", "macos", "linux_aarch64", "win32", "linux_ppc64le", "macosx_14_0_x86_64")
    for implementation in ("cpython", "pypy")
)


@st.composite
def listings(draw: st.DrawFn) -> tuple[str, str, str]:
    """Variable, operator, and the words listed."""
    name, values = draw(st.sampled_from((("sys_platform", SYSTEMS), ("platform_machine", MACHINES))))
    words = draw(st.lists(st.sampled_from(values), min_size=1, max_size=4, unique=True))
    return name, draw(st.sampled_from(("in", "not in"))), draw(st.sampled_from((" ", ", ", ","))).join(words)


@given(listing=listings(), environment=st.sampled_from(ENVIRONMENTS))
def test_a_list_holds_where_packaging_says_so(listing: tuple[str, str, str], environment: Environment) -> None:
    name, operator, words = listing
    marker = Marker(f"{name} {operator} '{words}'")
    assert MarkerSet.of_condition(marker).evaluate(environment) == marker.evaluate(environment.as_dict())


@given(listing=listings())
def test_membership_in_a_list_covers_each_of_its_words(listing: tuple[str, str, str]) -> None:
    name, operator, words = listing
    inside = MarkerSet.of_condition(Marker(f"{name} in '{words}'"))
    for word in words.replace(",", " ").split():
        assert MarkerSet.parse(f"{name} == '{word}'").implies(inside)
    assert inside.is_disjoint(MarkerSet.parse(f"{name} == 'what nobody has'"))
    assert MarkerSet.of_condition(Marker(f"{name} not in '{words}'")) == ~inside
    text = (inside & possible() if operator == "in" else possible() - inside).text(possible())
    assert text is None or " in " not in text
