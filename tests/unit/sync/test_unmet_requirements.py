"""Packages that stay although no lock file names them, and what a plan does to their requirements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockset.hashes import Digest
from lockset.sync.desired import DesiredDistribution
from lockset.sync.installed import InstalledDistribution
from lockset.sync.plan import Plan, RemovalPolicy, plan
from lockset.sync.unmet_requirements import keep_required, unmet_requirements

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

LINUX = {"sys_platform": "linux", "python_version": "3.13"}
NAMES = ["client", "text", "wire", "zone"]
SHA = "a" * 64


def _wanted(name: str, version: str = "1.0") -> DesiredDistribution:
    return DesiredDistribution(
        kind="wheel",
        name=name,
        version_text=version,
        url="https://files.example.org/x",
        filename=f"{name}-{version}-py3-none-any.whl",
        digests=(Digest(algorithm="sha256", value=SHA),),
    )


def _installed(name: str, version: str = "1.0", **more: Any) -> InstalledDistribution:
    return InstalledDistribution(name=name, version=version, info=f"/lib/{name}.dist-info", **more)


def _ours(name: str, version: str = "1.0") -> InstalledDistribution:
    return _installed(name, version, installer="lockset", origin={"sha256": SHA})


def _plan(desired: Sequence[DesiredDistribution], installed: Sequence[InstalledDistribution]) -> Plan:
    return plan(desired, installed, policy=RemovalPolicy(owned_only=True))


def _requires(table: Mapping[str, Sequence[str]]) -> Callable[[InstalledDistribution], Sequence[str]]:
    return lambda one: table.get(one.name, ())


def _unmet(planned: Plan, *requirements: str) -> list[str]:
    return [str(one) for one in unmet_requirements(planned, LINUX, _requires({"client": requirements}))]


def test_a_kept_package_whose_requirement_is_changed_is_named() -> None:
    planned = _plan([_wanted("text", "2.0")], [_installed("client"), _installed("text", "1.0")])
    assert _unmet(planned, "Text<2") == [
        "client 1.0, which stays, requires `Text<2`, but the lock file has text 2.0",
    ]
    assert _unmet(planned, "text>=1") == []


def test_a_kept_package_whose_requirement_is_removed_is_named() -> None:
    planned = plan([], [_installed("client"), _installed("text")], policy=RemovalPolicy(keep=frozenset({"client"})))
    assert _unmet(planned, "text") == [
        "client 1.0, which stays, requires `text`, but it is removed, as no lock file names it"
    ]


@pytest.mark.parametrize(
    "requirement",
    ["text<2; sys_platform == 'win32'", "text<2; extra == 'fast'", "text<1", "text <<>> 2", "", "x" * 100_000],
)
def test_what_does_not_apply_did_not_hold_before_or_cannot_be_read_is_no_matter(requirement: str) -> None:
    planned = _plan([_wanted("text", "2.0")], [_installed("client"), _installed("text", "1.0")])
    assert _unmet(planned, requirement) == []


def test_what_a_package_of_another_installer_requires_is_kept_at_any_distance() -> None:
    planned = _plan([], [_installed("client"), _ours("text"), _ours("wire"), _ours("zone")])
    table = {"client": ["text"], "text": ["wire ; python_version > '3'"], "wire": ["client"]}
    kept = keep_required(planned, LINUX, _requires(table))
    assert {step.name: step.action for step in kept.steps} == {
        "client": "keep", "text": "keep", "wire": "keep", "zone": "remove",
    }  # fmt: skip
    assert [step.reason for step in kept.steps if step.name == "wire"] == ["text, which stays, requires it"]


def test_what_only_lockset_installed_keeps_nothing() -> None:
    planned = plan([], [_ours("client"), _ours("text")], policy=RemovalPolicy(keep=frozenset({"client"})))
    assert keep_required(planned, LINUX, _requires({"client": ["text"]})) == planned


tables = st.dictionaries(st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES), max_size=3))


@given(tables, st.sets(st.sampled_from(NAMES)))
def test_after_it_nothing_that_stays_lacks_what_it_had(table: dict[str, list[str]], foreign: set[str]) -> None:
    planned = _plan([], [_installed(name) if name in foreign else _ours(name) for name in NAMES])
    kept = keep_required(planned, LINUX, _requires(table))
    assert [step.name for step in kept.steps] == [step.name for step in planned.steps]
    assert unmet_requirements(kept, LINUX, _requires(table)) == ()
    assert {step.name for step in kept.changes} <= {step.name for step in planned.changes}
