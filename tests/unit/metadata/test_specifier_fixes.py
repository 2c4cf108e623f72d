"""Invalid specifiers of old metadata: what means one thing is read as that, the rest is left alone."""

from __future__ import annotations

import pytest

from lockset.errors import LocksetError
from lockset.markers import MarkerSet
from lockset.metadata.specifier_fixes import fixed_requirement, fixed_specifiers
from lockset.resolve.problem.requirement import parse_metadata_dependency
from lockset.resolve.releases.requires_python import requires_python_region


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ("pytz>dev", "pytz>=0"),
        ("pytz (>dev)", "pytz>=0"),
        ("hull>=2.0.*", "hull>=2.0"),
        ("hull (>= 2.7.*,<=3.5.*)", "hull>=2.7,<=3.5"),
        ("hull<3.4.*", "hull<3.4"),
        ("hull>1.*", "hull>1"),
        ("hull >=1,,<2", "hull>=1,<2"),
        ("hull (>=7.2.0<8.0.0)", "hull>=7.2.0,<8.0.0"),
        ("hull>=1 <2", "hull>=1,<2"),
        ("hull~=2", "hull>=2,==2.*"),
        ("hull (!=~5.0,>=4.12)", "hull!=5.0.*,>=4.12"),
        ("hull!=3.0*,!=3.1*", "hull!=3.0.*,!=3.1.*"),
        ("hull==2.7*", "hull==2.7.*"),
        ("hull>=9.0.0a1.0", "hull>=9.0.0a1"),
        ("hull=>1,=<2", "hull>=1,<=2"),
        ("hull>=1.3.0,<1.4.0',", "hull>=1.3.0,<1.4.0"),
        ("hull >= '2.7'", "hull>=2.7"),
        ('"hull" ">=1.19"; python_version >= "3.7"', 'hull>=1.19 ; python_version >= "3.7"'),
        ("hull[x] >=1.*; extra == 'y'", "hull[x]>=1 ; extra == 'y'"),
    ],
)
def test_an_invalid_specifier_with_one_meaning_is_read_so(text: str, fixed: str) -> None:
    assert fixed_requirement(text) == fixed
    dependency, read_as = parse_metadata_dependency(text)
    assert read_as == fixed
    assert dependency.name in {"hull", "pytz"}


@pytest.mark.parametrize(
    "text",
    [
        "hull=1.0",
        "hull 1.0",
        "hull>=banana",
        "hull>=",
        "hull>=1 or <2",
        "hull^1.0",
        "hull==1.0.*.*",
        "hull>=1; python_version > 'x",
        "hull>=1)",
        "hull>=" + "9" * 5000,
        "(" * 5000,
        "hull" + " " * 100_000 + "!",
        "hull" + ">=1 " * 100_000 + "!",
        "",
    ],
)
def test_an_ambiguous_specifier_is_not_fixed(text: str) -> None:
    assert fixed_requirement(text) is None
    with pytest.raises(LocksetError):
        parse_metadata_dependency(text)


def test_a_valid_requirement_stays_as_it_is() -> None:
    assert parse_metadata_dependency("hull>=1.0,<2 ; os_name == 'nt'")[1] is None


@pytest.mark.parametrize(
    ("text", "means"),
    [
        (">=2.7.*,<=3.12.*", ">=2.7,<=3.12"),
        (">=3.6,", ">=3.6"),
        (">=2.7, !=3.0.*, !=3.1.*', !=3.2.*'", ">=2.7,!=3.0.*,!=3.1.*,!=3.2.*"),
        (">= '3.6'", ">=3.6"),
        (">=3.6<4", ">=3.6,<4"),
    ],
)
def test_an_invalid_requires_python_with_one_meaning_counts(text: str, means: str) -> None:
    assert requires_python_region(text) == MarkerSet.of_python(means)


@pytest.mark.parametrize("text", ["3.8 or later", "^3.6", "python 3", "any"])
def test_an_unreadable_requires_python_of_metadata_is_ignored(text: str) -> None:
    assert fixed_specifiers(text) is None
    assert requires_python_region(text) == MarkerSet.any()
