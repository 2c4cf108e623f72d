"""Comparisons of versions answer as packaging does, on every value that is a final release."""

from __future__ import annotations

import itertools

import pytest
from packaging.markers import Marker
from packaging.specifiers import SpecifierSet

from lockset.markers import Environment, MarkerSet, diagram

PLAIN = Environment.of_platform("linux", "3.11.4").as_dict()
OPERATORS = ("==", "!=", "<", "<=", ">", ">=", "~=", "in", "not in")
LITERALS = (
    "20",
    "20.1",
    "6.1.0",
    "7.3.*",
    "7.3",
    "7.3.13",
    "1.2-3-generic",
    "7.3.0rc1",
    "20.1.0.1",
    "4.4.0-43-Microsoft",
)
RELEASES = ("20", "20.1.0", "6.1.0", "7.3", "7.3.13", "7.3.14", "7.4.0", "21", "1.2", "10")


@pytest.mark.parametrize("name", ["platform_release", "implementation_version", "python_full_version"])
def test_versions_compare_as_in_packaging(name: str) -> None:
    for operator, literal, swapped in itertools.product(OPERATORS, LITERALS, (False, True)):
        if operator == "~=" and (swapped or literal.count(".") == 0 or "*" in literal or "-" in literal):
            continue
        if swapped and name == "platform_release" and literal not in RELEASES:
            continue  # packaging reads the value as the specifier then; nobody writes this
        text = f"'{literal}' {operator} {name}" if swapped else f"{name} {operator} '{literal}'"
        marker, ours = Marker(text), MarkerSet.parse(text)
        for release in RELEASES:
            value = release if name == "platform_release" else ".".join([*release.split("."), "0", "0"][:3])
            environment = {**PLAIN, name: value}
            assert ours.evaluate(environment) == marker.evaluate(environment), (text, value)


def test_an_invalid_platform_release_is_less_than_every_version() -> None:
    odd = {**PLAIN, "platform_release": "6.1.0-13-amd64"}
    assert MarkerSet.parse("platform_release < '1'").evaluate(odd)
    assert MarkerSet.parse("platform_release != '6.1.0'").evaluate(odd)
    assert not MarkerSet.parse("platform_release >= '1'").evaluate(odd)
    assert MarkerSet.parse("platform_release == '6.1.0-13-amd64'").evaluate(odd)
    assert MarkerSet.parse("'amd64' in platform_release").evaluate(odd)


def test_a_long_list_of_excluded_pythons_makes_diagrams_in_proportion_to_its_length() -> None:
    count = 1500
    before = set(diagram.NODES)
    MarkerSet.of_python(SpecifierSet(",".join(f"!=3.4.{2 * number}" for number in range(count))))
    labels = sum(len(diagram.NODES[node][1]) for node in diagram.NODES.keys() - before)
    assert labels < 60 * count
