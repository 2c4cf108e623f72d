"""`[tool.lockset.trust]`: whose attestations a project requires."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.version import InvalidVersion

from lockset.attestations.identity import KINDS
from lockset.attestations.policy import PackageTrust, TrustPolicy
from lockset.dependency_specifiers import read_version
from lockset.package_names import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from packaging.version import Version

    from lockset.sources.toml_table import SettingsTable

__all__ = ["parse_trust"]


def parse_trust(
    table: SettingsTable, key: str, *, names: Callable[[SettingsTable, str], tuple[str, ...]]
) -> TrustPolicy:
    """The policy of the table `key`; `names` reads an array of package names.

    Raises:
        LocksetError: `unknown-key`, `wrong-type` or `invalid-value`.
    """
    inner = table.table(key)
    assert inner is not None
    inner.only(("require-attestations", "exempt", "packages"))
    required = inner.data.get("require-attestations", False)
    every = required is True
    packages = inner.table("packages")
    return TrustPolicy(
        every=every,
        names=frozenset() if isinstance(required, bool) else frozenset(names(inner, "require-attestations")),
        exempt=frozenset(names(inner, "exempt")) if "exempt" in inner.data else frozenset(),
        packages={}
        if packages is None
        else {canonicalize_name(name): _package(packages, name) for name in packages.data},
    )


def _package(table: SettingsTable, name: str) -> PackageTrust:
    inner = table.table(name)
    assert inner is not None
    inner.only(("identities", "since"))
    identities = tuple(map(_identity, inner.tables("identities"))) if "identities" in inner.data else ()
    return PackageTrust(identities=identities, since=_version(inner, "since"))


def _identity(table: SettingsTable) -> Mapping[str, str]:
    kind = table.choice("kind", tuple(KINDS))
    if kind is None:
        raise table.invalid(table.path, "needs a `kind`", hint=f"Publishers are of the kind {', '.join(KINDS)}")
    known = KINDS[kind]
    # What the index alone says, such as the environment, proves nothing.
    table.only(("kind", *known.required))
    return {key: table.text(key) or "" for key in table.data}


def _version(table: SettingsTable, key: str) -> Version | None:
    text = table.text(key)
    try:
        return None if text is None else read_version(text)
    except InvalidVersion as error:
        raise table.invalid(table.at(key), f"is not a valid version: `{text}`") from error
