"""Every operator on every variable, both ways round: what is written means what was read, as packaging evaluates it."""

from __future__ import annotations

from itertools import product

import pytest
from packaging.markers import Marker, UndefinedComparison

from lockset.errors import LocksetError
from lockset.markers import Environment, MarkerSet
from lockset.markers.variables import fits_specifier

VARIABLES = (
    *("python_version", "python_full_version", "implementation_version", "platform_release", "platform_version"),
    *("os_name", "sys_platform", "platform_machine", "platform_system", "platform_python_implementation"),
    *("implementation_name", "extra", "os.name", "python_implementation"),
)
OPERATORS = ("===", "==", ">=", "<=", "!=", "~=", ">", "<", "in", "not in")
LITERALS = (
    "1.0",
    "6.1",
    "6.1.0",
    "5.6a0",
    "3.11",
    "3.11.4",
    "6.*",
    "dog",
    "freebsd",
    "",
    "any text (there) is",
)
RELEASES = ("1.0", "6.1", "6.1.0", "6.1.1", "6", "3.11", "3.11.4", "6.10", "5.6", "3.12.1")
TEXTS = (*RELEASES, "5.6a0", "5.6rc1", "dog", "dogs", "freebsd", "", "6.1-generic", "any text (there) is")
HERE = Environment.of_platform("linux", "3.12").as_dict()


def values(variable: str, literal: str) -> list[dict[str, str]]:
    """Environments that differ in the variable.

    A kernel's release that is no version is different from every version; packaging calls it neither.
    """
    name = {"os.name": "os_name", "python_implementation": "platform_python_implementation"}.get(variable, variable)
    if name in {"python_version", "python_full_version"}:
        fulls = [r if r.count(".") == 2 else f"{r}.0" if "." in r else f"{r}.0.0" for r in RELEASES]
        return [{"python_full_version": full, "python_version": ".".join(full.split(".")[:2])} for full in fulls]
    if name == "implementation_version":
        return [{name: release} for release in RELEASES if release.count(".") == 2]
    if name == "platform_release":
        return [{name: text} for text in TEXTS if fits_specifier("==", text) is fits_specifier("==", literal)]
    return [{name: text} for text in TEXTS]


def truths(marker: str, environments: list[dict[str, str]]) -> list[bool] | None:
    """What packaging makes of it; None where it gives it no meaning somewhere."""
    try:
        return [Marker(marker).evaluate({**HERE, "extra": "", **each}) for each in environments]
    except UndefinedComparison:
        return None


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("variable", VARIABLES)
def test_a_marker_that_is_read_and_written_means_the_same(variable: str, operator: str) -> None:
    for literal, literal_first in product(LITERALS, (False, True)):
        environments = values(variable, literal)
        sides = (f"'{literal}'", variable) if literal_first else (variable, f"'{literal}'")
        marker = f"{sides[0]} {operator} {sides[1]}"
        wanted = truths(marker, environments)
        try:
            region = MarkerSet.parse(marker)
        except LocksetError:
            assert wanted is None, marker
            continue
        for one in (region, ~region):
            if not one.is_empty and (text := one.text()) is not None:
                assert MarkerSet.parse(text) is one, (marker, text)
        if wanted is not None and not region.is_empty:
            again = region.text()
            assert again is None or truths(again, environments) == wanted, (marker, again)


def test_arbitrary_equality_of_a_kernel_is_not_the_same_version() -> None:
    exact, version = MarkerSet.parse("platform_release === '6.1'"), MarkerSet.parse("platform_release == '6.1'")
    assert exact is not version
    assert exact.implies(version)
    assert exact.text() == "platform_release === '6.1'"
    assert version.text() == "platform_release == '6.1'"
    other = ~exact
    assert other.text() == "'6.1' not in platform_release or platform_release not in '6.1'"
    linux = MarkerSet.parse("sys_platform == 'linux'")
    assert (
        other & linux
    ).text() == "sys_platform == 'linux' and ('6.1' not in platform_release or platform_release not in '6.1')"
    for one in (exact, other, other & linux, exact | linux):
        text = one.text()
        assert text is not None
        assert MarkerSet.parse(text) is one
        for release in ("6.1", "6.1.0", "6.1.1", "6.10", "dog"):
            values = {**HERE, "platform_release": release}
            assert Marker(text).evaluate(values) == one.evaluate(values)
