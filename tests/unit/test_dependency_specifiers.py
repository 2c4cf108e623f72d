"""Versions, specifiers, markers and requirements from outside: a usable value, or the one error of their kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from packaging.markers import InvalidMarker
from packaging.requirements import InvalidRequirement
from packaging.specifiers import InvalidSpecifier
from packaging.utils import InvalidSdistFilename, InvalidWheelFilename
from packaging.version import InvalidVersion

from lockset.dependency_specifiers import (
    read_dependency,
    read_marker,
    read_sdist_name,
    read_specifier,
    read_specifiers,
    read_version,
    read_wheel_name,
)

if TYPE_CHECKING:
    from collections.abc import Callable

MANY = "9" * 5000
DEEP = "(" * 5000 + "os_name == 'nt'" + ")" * 5000
ESCAPED = "\\x39" * 5000


@pytest.mark.parametrize(
    ("reader", "text", "error"),
    [
        (read_version, MANY, InvalidVersion),
        (read_version, f"1.{MANY}", InvalidVersion),
        (read_version, f"{MANY}!1", InvalidVersion),
        (read_version, f"1.0rc{MANY}", InvalidVersion),
        (read_version, f"1.0+{MANY}", InvalidVersion),
        (read_version, "1" * 5_000_000, InvalidVersion),
        (read_version, None, InvalidVersion),
        (read_version, 1.0, InvalidVersion),
        (read_specifiers, f">=1,<{MANY}", InvalidSpecifier),
        (read_specifiers, f"=={MANY}.*", InvalidSpecifier),
        (read_specifiers, f"==={MANY}", InvalidSpecifier),
        (read_specifiers, 3, InvalidSpecifier),
        (read_specifier, f"~=1.{MANY}", InvalidSpecifier),
        (read_marker, f"python_version >= '{MANY}'", InvalidMarker),
        (read_marker, f"python_version >= '{ESCAPED}'", InvalidMarker),
        (read_marker, f"'{MANY}' in python_version", InvalidMarker),
        (read_marker, DEEP, InvalidMarker),
        (read_marker, {}, InvalidMarker),
        (read_dependency, f"hull>={MANY}", InvalidRequirement),
        (read_dependency, f"hull; python_version < '{MANY}'", InvalidRequirement),
        (read_dependency, f"hull; python_version < '{ESCAPED}'", InvalidRequirement),
        (read_dependency, f"hull; {DEEP}", InvalidRequirement),
        (read_dependency, ["hull"], InvalidRequirement),
        (read_wheel_name, f"hull-{MANY}-py3-none-any.whl", InvalidWheelFilename),
        (read_wheel_name, f"hull-1-{MANY}-py3-none-any.whl", InvalidWheelFilename),
        (read_sdist_name, f"hull-{MANY}.tar.gz", InvalidSdistFilename),
    ],
)
def test_input_that_breaks_parsers_raises_the_documented_error(
    reader: Callable[[Any], object], text: object, error: type[ValueError]
) -> None:
    with pytest.raises(error) as caught:
        reader(text)
    assert len(str(caught.value)) < 200


def test_usual_input_is_read_as_packaging_reads_it() -> None:
    digits = "9" * 900
    assert str(read_version(f"1.{digits}")) == f"1.{digits}"
    assert str(read_marker("python_version >= '\\x33.9'")) == 'python_version >= "3.9"'
    nested = "(" * 100 + "os_name == 'nt'" + ")" * 100
    assert str(read_dependency(f"hull[x]>=1,<2; {nested}")).startswith("hull[x]<2,>=1")
    assert read_wheel_name("hull-1.0-1a-py3-none-any.whl")[:3] == ("hull", read_version("1"), (1, "a"))
