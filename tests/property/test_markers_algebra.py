"""Laws of marker sets: a Boolean algebra with a canonical form, in agreement with packaging."""

from __future__ import annotations

import pickle

from hypothesis import assume, given
from hypothesis import strategies as st
from packaging.markers import Marker

from lockset.markers import MarkerSet, described_target
from lockset.markers.cover import diagram_parts
from lockset.markers.diagram import disjoint
from lockset.markers.literals import parts_met, region
from support.strategies.marker_strategies import GRID, holds, marker_sets, marker_texts, packaging_says, plain_texts

ANY, NONE = MarkerSet.any(), MarkerSet.none()


@given(marker_texts)
def test_agrees_with_packaging_on_a_grid_of_environments(text: str) -> None:
    parsed = MarkerSet.parse(text)
    for point in GRID:
        assert holds(parsed, point) == packaging_says(text, point), point


@given(marker_texts)
def test_reads_packagings_own_marker_alike(text: str) -> None:
    assert MarkerSet.of_marker(Marker(text)) is MarkerSet.parse(text)


@given(marker_sets, marker_sets, marker_sets)
def test_is_a_boolean_algebra(a: MarkerSet, b: MarkerSet, c: MarkerSet) -> None:
    assert a & b is b & a
    assert a | b is b | a
    assert (a & b) & c is a & (b & c)
    assert (a | b) | c is a | (b | c)
    assert a & (b | c) is (a & b) | (a & c)
    assert a | (b & c) is (a | b) & (a | c)
    assert a & (a | b) is a
    assert a & ~a is NONE
    assert a | ~a is ANY
    assert ~~a is a
    assert ~(a & b) is ~a | ~b
    assert a - b is a & ~b
    assert a & ANY is a
    assert a | NONE is a


@given(marker_texts, marker_texts)
def test_complement_and_difference_hold_for_all_comparisons(one: str, other: str) -> None:
    a, b = MarkerSet.parse(one), MarkerSet.parse(other)
    assert a & ~a is NONE
    assert a | ~a is ANY
    assert (a & b) | (a - b) is a
    for point in GRID[::5]:
        assert holds(a - b, point) == (holds(a, point) and not holds(b, point))


@given(marker_sets, marker_sets)
def test_equal_sets_are_one_object_and_others_have_a_witness(a: MarkerSet, b: MarkerSet) -> None:
    if a is b:
        return
    witness = ((a - b) | (b - a)).example()
    assert witness is not None
    in_a = a.evaluate(witness.environment, extras=witness.extras, groups=witness.groups)
    assert in_a != b.evaluate(witness.environment, extras=witness.extras, groups=witness.groups)


@given(marker_sets, marker_sets)
def test_implication_and_disjointness_are_those_of_the_operations(a: MarkerSet, b: MarkerSet) -> None:
    assert a.implies(b) == (a & b is a)
    assert a.is_disjoint(b) == (a & b is NONE)
    assert a.is_empty == (a is NONE)
    assert a.is_full == (a is ANY)
    if a.implies(b):
        assert all(holds(b, point) for point in GRID[::4] if holds(a, point))


@given(marker_sets, marker_sets)
def test_given_agrees_inside_the_assumption(a: MarkerSet, care: MarkerSet) -> None:
    simple = a.given(care)
    assert simple & care is a & care
    if not care.is_empty:
        assert simple.is_full == care.implies(a)
        assert simple.is_empty == care.is_disjoint(a)


@given(marker_texts, plain_texts)
def test_text_says_the_same_inside_the_assumption(text: str, assumption: str) -> None:
    a, care = MarkerSet.parse(text), MarkerSet.parse(assumption)
    assume(not a.is_disjoint(care))
    written = a.text(care)
    if written is None:
        assert care.implies(a)
        return
    assert MarkerSet.parse(written) & care is a & care
    for point in GRID[::7]:
        if holds(care, point):
            assert packaging_says(written, point) == holds(a, point)


@given(marker_texts)
def test_text_without_assumption_reads_back_as_the_same_object(text: str) -> None:
    a = MarkerSet.parse(text)
    if a.is_empty or a.is_full:
        return
    written = a.text()
    assert written is not None
    assert MarkerSet.parse(written) is a
    assert pickle.loads(pickle.dumps(a)) is a


@given(marker_sets, st.frozensets(st.sampled_from(("a", "b"))), st.frozensets(st.sampled_from(("dev", "test"))))
def test_choices_can_be_made_before_or_during_evaluation(
    a: MarkerSet, extras: frozenset[str], groups: frozenset[str]
) -> None:
    chosen = a.with_extras_and_groups(extras, groups)
    assert not chosen.extras()
    assert not chosen.groups()
    some = a.without_extras_and_groups()
    assert chosen.implies(some)
    for environment, _, _ in GRID[::6]:
        assert chosen.evaluate(environment) == a.evaluate(environment, extras=extras, groups=groups)


@given(marker_sets, st.frozensets(st.sampled_from(("a", "b"))), st.frozensets(st.sampled_from(("dev", "test"))))
def test_an_environment_leaves_choices_open(a: MarkerSet, extras: frozenset[str], groups: frozenset[str]) -> None:
    for environment in (described_target(*name).environment for name in (("linux", "3.12"), ("windows", "3.9.7"))):
        selections = a.at(environment)
        chosen = selections.with_extras_and_groups(extras, groups)
        assert chosen.is_full == a.evaluate(environment, extras=extras, groups=groups)
        assert chosen.is_full or chosen.is_empty


@given(marker_sets)
def test_atoms_decide_the_set(a: MarkerSet) -> None:
    atoms = a.atoms()
    assert bool(atoms) == (not a.is_empty and not a.is_full)
    seen: dict[tuple[bool, ...], bool] = {}
    for point in GRID:
        signature = tuple(holds(atom, point) for atom in atoms)
        assert seen.setdefault(signature, holds(a, point)) == holds(a, point)


@given(marker_sets, marker_sets)
def test_examples_are_members(a: MarkerSet, within: MarkerSet) -> None:
    result = a.example(within)
    assert (result is None) == a.is_disjoint(within)
    if result is not None:
        assert (a & within).evaluate(result.environment, extras=result.extras, groups=result.groups)


@given(marker_sets)
def test_facts_about_pythons(a: MarkerSet) -> None:
    minimum = a.python_minimum()
    assert (minimum is None) == a.is_empty
    if minimum is None:
        return
    text = ".".join(map(str, minimum))
    assert not a.is_disjoint(MarkerSet.of_python(f"=={text}"))
    assert a.is_disjoint(MarkerSet.of_python(f"<{text}"))
    assert a.python_is_open_above() == (not a.is_disjoint(MarkerSet.of_python(">=99")))
    opened = a.without_python_cap()
    assert a.implies(opened)
    assert opened.python_is_open_above()


@given(marker_sets, marker_sets)
def test_a_group_replaced_by_a_region_counts_as_chosen_there(a: MarkerSet, region: MarkerSet) -> None:
    for name in sorted(a.groups()):
        replaced = a.with_groups_as({name: region})
        for environment, extras, groups in GRID[::7]:
            is_chosen = region.evaluate(environment, extras=extras, groups=groups)
            chosen = groups | {name} if is_chosen else groups - {name}
            before = a.evaluate(environment, extras=extras, groups=chosen)
            assert replaced.evaluate(environment, extras=extras, groups=groups) == before


@given(marker_sets, marker_sets)
def test_an_extra_replaced_by_a_region_counts_as_chosen_there(a: MarkerSet, region: MarkerSet) -> None:
    for name in sorted(a.extras()):
        replaced = a.with_extras_as({name: region})
        for environment, extras, groups in GRID[::7]:
            is_chosen = region.evaluate(environment, extras=extras, groups=groups)
            chosen = extras | {name} if is_chosen else extras - {name}
            before = a.evaluate(environment, extras=chosen, groups=groups)
            assert replaced.evaluate(environment, extras=extras, groups=groups) == before


@given(marker_sets, marker_sets)
def test_the_parts_of_a_variable_that_a_set_meets_are_those_it_is_not_disjoint_with(a: MarkerSet, b: MarkerSet) -> None:
    for variable, labels in diagram_parts(a.id, b.id).items():
        if variable.owner is None:
            met = [p for p in range(len(labels) + 1) if not disjoint(a.id, region(variable, labels, 1 << p))]
            assert parts_met(a.id, variable, labels) == sum(1 << part for part in met)
