"""[tool.lockset]."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta, timezone

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped] # it has no stubs of its own
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from lockset.attestations.policy import PackageTrust, TrustPolicy
from lockset.errors import LocksetError
from lockset.sources.exclude_newer import parse_exclude_newer
from lockset.sources.settings import CHOICES, KEYS, ConflictItem, IndexSetting, Settings, parse_settings
from lockset.sources.toml_table import parse_settings_file
from lockset.sources.workspaces.table import WorkspaceTable
from support.repository import SCHEMAS

SCHEMA = json.loads((SCHEMAS / "tool-lockset.schema.json").read_text(encoding="utf-8"))

FULL = """
python = ">=3.10"
implementation = "pypy"
platforms = ["linux", "macos_14_arm64"]
environments = ["sys_platform == 'linux'"]
require-wheels-for = ["win_amd64"]
conflicts = [
    [{ extra = "CPU" }, { extra = "gpu" }, { group = "Docs_x" }],
    [{ package = "A_b" }, { package = "c", extra = "D" }],
]
extras = ["cli"]
groups = ["dev", "docs"]
no-groups = ["docs"]
default-groups = ["Dev"]
constraints = ["a<2"]
overrides = ["b==1"]
build-constraints = ["setuptools<80"]
excludes = ["C.d"]
resolution = "lowest-direct"
prerelease = "allow"
prerelease-package = { E = "disallow" }
fork-strategy = "fewest"
exclude-newer = 2026-01-31
exclude-newer-package = { F_g = "7 days", h = false }
no-build = true
no-binary = ["I_j"]
no-sdist = true
config-settings = { key = "value" }
config-settings-package = { I_j = { key = "other" } }
no-build-isolation = ["I_j"]
require-build-hashes = true
no-sources = ["core"]
ignore-tools = ["uv"]
with-project = false
allow-direct-urls = ["github.com"]
allow-overlap = ["opencv-python", "opencv-contrib-python"]
index-strategy = "first-index"
torch-backend = "cu128"
torch-index = "https://torch.example.org/whl"
find-links = ["wheels"]
no-index = false
keyring-provider = "subprocess"
allow-insecure-host = ["host.example.org"]
attestations = true
validate = { select = ["hash-weak"], ignore = ["url-insecure"], strict = true }
workspace = { members = ["packages/*"], exclude = ["packages/old"] }
cooldown = "7 days"
cooldown-package = { F_g = "0 days", h = "P2D", i = false }
[[audit.ignore]]
id = "CVE-2026-1"
reason = "Not used"
until = "2027-01-31"
package = "My_Lib"
state = "not_affected"
[audit]
advisories = ["advisories"]
osv = true
[[index]]
name = "inner"
url = "https://inner.example.org/simple"
explicit = true
packages = ["My_Lib"]
[[index]]
url = "https://mirror.example.org/simple"
default = true
[trust]
require-attestations = true
exempt = ["K_L"]
[trust.packages.M_N]
since = "2"
identities = [{ kind = "Google", email = "n@example.org" }]
"""


def settings(text: str) -> Settings:
    return parse_settings(parse_settings_file(text, location="pyproject.toml"))


def test_a_missing_table_gives_the_defaults() -> None:
    assert settings("") == Settings()


def test_every_key_is_read_and_normalized() -> None:
    read = settings(FULL)
    assert read.python == SpecifierSet(">=3.10")
    assert read.platforms == ("linux", "macos_14_arm64")
    assert [str(marker) for marker in read.environments] == ['sys_platform == "linux"']
    assert read.conflicts == (
        (
            ConflictItem(kind="extra", name="cpu"),
            ConflictItem(kind="extra", name="gpu"),
            ConflictItem(kind="group", name="docs-x"),
        ),
        (
            ConflictItem(kind="extra", name="d", package="c"),
            ConflictItem(kind="package", name="", package="a-b"),
        ),
    )
    assert read.workspace == WorkspaceTable(members=("packages/*",), exclude=("packages/old",), path="workspace")
    assert read.default_groups == ("dev",)
    assert [line.text for line in read.constraints + read.overrides] == ["a<2", "b==1"]
    assert read.excludes == ("c-d",)
    assert read.prerelease_package == {"e": "disallow"}
    assert read.exclude_newer == datetime(2026, 1, 31, tzinfo=timezone.utc)
    assert read.exclude_newer_package == {"f-g": timedelta(days=7), "h": None}
    assert read.cooldown == timedelta(days=7)
    assert read.cooldown_package == {"f-g": timedelta(), "h": timedelta(days=2), "i": timedelta()}
    assert read.audit.ignore[0].until == date(2027, 1, 31)
    assert (read.audit.ignore[0].package, read.audit.ignore[0].state) == ("my-lib", "not_affected")
    assert read.no_build == (":all:",)
    assert read.no_binary == ("i-j",)
    assert read.index == (
        IndexSetting(url="https://inner.example.org/simple", name="inner", explicit=True, packages=("my-lib",)),
        IndexSetting(url="https://mirror.example.org/simple", default=True),
    )
    assert read.attestations is True
    trusted = PackageTrust(identities=({"kind": "Google", "email": "n@example.org"},), since=Version("2"))
    assert read.trust == TrustPolicy(every=True, exempt=frozenset({"k-l"}), packages={"m-n": trusted})


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[trust]\nrequired = true\n", "unknown-key"),
        ("[trust]\nrequire-attestations = 1\n", "wrong-type"),
        ('[trust]\nrequire-attestations = ["a b"]\n', "invalid-value"),
        ('[trust.packages]\na = "1"\n', "wrong-type"),
        ('[trust.packages.a]\nsince = "new"\n', "invalid-value"),
        ("[trust.packages.a]\nidentities = [{}]\n", "invalid-value"),
        ('[trust.packages.a]\nidentities = [{ kind = "Github" }]\n', "invalid-value"),
        ('[trust.packages.a]\nidentities = [{ kind = "GitHub", repo = "a/b" }]\n', "unknown-key"),
        ('[trust.packages.a]\nidentities = [{ kind = "GitHub", repository = 1 }]\n', "wrong-type"),
    ],
)
def test_a_policy_on_attestations_that_makes_no_sense_is_refused(text: str, code: str) -> None:
    with pytest.raises(LocksetError) as caught:
        settings(text)
    assert caught.value.diagnostic.code == code


def test_every_key_of_the_example_is_a_field_and_none_is_missing() -> None:
    output = parse_settings_file(FULL, location="x").data
    assert set(output) == set(KEYS)
    assert {key.replace("-", "_") for key in KEYS} == set(Settings.__dataclass_fields__)


def test_the_schema_knows_the_same_keys_and_words() -> None:
    assert set(SCHEMA["properties"]) == set(KEYS)
    assert SCHEMA["additionalProperties"] is False
    for key, words in CHOICES.items():
        assert tuple(SCHEMA["properties"][key]["enum"]) == words
    Draft202012Validator.check_schema(SCHEMA)


def test_the_schema_accepts_what_is_read() -> None:
    data = dict(parse_settings_file(FULL, location="x").data)
    data["exclude-newer"] = "2026-01-31"
    assert list(Draft202012Validator(SCHEMA).iter_errors(data)) == []


@pytest.mark.parametrize(
    ("text", "code", "part"),
    [
        ("cooldown = 7", "wrong-type", "`cooldown` must be an age"),
        ("cooldown = 2026-01-31", "wrong-type", "`cooldown` must be an age"),
        ("cooldown = 'a week'", "cooldown-syntax", "`a week` is not a valid age"),
        ("cooldown = '2026-01-31'", "cooldown-syntax", "`2026-01-31` is not a valid age"),
        ("cooldown = true", "wrong-type", "`cooldown` must be an age"),
        ("cooldown-package = { a = 'soon' }", "cooldown-syntax", "`soon` is not a valid age"),
        ("audit = { ignore = [{ id = 'CVE-1' }] }", "invalid-value", "`audit.ignore[0]` needs a `reason`"),
        ("audit = { ignore = [{ reason = 'x' }] }", "invalid-value", "`audit.ignore[0]` needs an `id`"),
        ("audit = { ignore = [{ id = 'a b', reason = 'x' }] }", "invalid-value", "`audit.ignore[0].id`"),
        ("[[audit.ignore]]\nid = 'A'\nreason = 'x'\nuntil = 'soon'", "invalid-value", "`audit.ignore[0].until`"),
        ("[[audit.ignore]]\nid = 'A'\nreason = 'x'\nstate = 'ok'", "invalid-value", "`audit.ignore[0].state`"),
        ("audit = { ignore = ['A'] }", "wrong-type", "`audit.ignore[0]` must be a table"),
        ("audit = { source = 'x' }", "unknown-key", "`audit.source` is not a known setting"),
        ("fork_strategy = 'newest'", "unknown-key", "`fork_strategy` is not a known setting"),
        ("fork-strategy = 'newer'", "invalid-value", "`fork-strategy`"),
        ("fork-strategy = 1", "wrong-type", "`fork-strategy` must be a string, not an integer"),
        ("python = 3.10", "wrong-type", "`python` must be a string, not a float"),
        ("environments = ['x ==']", "invalid-value", "`environments[0]`"),
        ("constraints = ['a=1']", "requirement-syntax", "`a=1`"),
        ("conflicts = [[{ extra = 'a' }]]", "invalid-value", "at least two"),
        ("conflicts = [[{ extra = 'a' }, { extra = 'A' }]]", "invalid-value", "at least two"),
        ("conflicts = [[{ extra = 'a' }, { b = 'c' }]]", "invalid-value", "`conflicts[0][1]`"),
        ("conflicts = ['a']", "wrong-type", "`conflicts[0]`"),
        ("no-build = 'a'", "wrong-type", "a boolean or an array"),
        ("exclude-newer = 'soon'", "exclude-newer-syntax", "`soon`"),
        ("exclude-newer = 3", "wrong-type", "`exclude-newer`"),
        ("exclude-newer-package = 3", "wrong-type", "must be a table"),
        ("prerelease-package = { a = 'x' }", "invalid-value", "`prerelease-package.a`"),
        ("index = [{ name = 'a' }]", "invalid-value", "needs a `url`"),
        ("index = [{ url = 'a', urls = 'b' }]", "unknown-key", "`index[0].urls`"),
        ("index = [{ url = 'a', explicit = true }]", "invalid-value", "serves no packages"),
        (
            "index = [{ url = 'a', default = true }, { url = 'b', default = true }]",
            "invalid-value",
            "more than one index",
        ),
        ("index = [{ url = 'a', name = 'n' }, { url = 'b', name = 'n' }]", "invalid-value", "another index: `n`"),
        ("index = { url = 'a' }", "wrong-type", "an array"),
        ("config-settings = { a = 1 }", "wrong-type", "`config-settings.a`"),
    ],
)
def test_errors_name_the_key(text: str, code: str, part: str) -> None:
    with pytest.raises(LocksetError) as caught:
        settings(text)
    assert caught.value.diagnostic.code == code
    assert part in caught.value.diagnostic.message


def test_the_name_of_an_option_leads_to_the_setting_of_the_same_meaning() -> None:
    with pytest.raises(LocksetError) as caught:
        settings("only-binary = ['hull']")
    assert caught.value.diagnostic.hint == "Write `no-build`"


def test_an_unknown_key_names_the_nearest() -> None:
    with pytest.raises(LocksetError) as caught:
        settings("exclude_newer = '7 days'")
    assert caught.value.diagnostic.hint == "Did you mean `exclude-newer`?"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=timezone.utc)),
        ("2026-01-31T12:00:00Z", datetime(2026, 1, 31, 12, tzinfo=timezone.utc)),
        ("2026-01-31 12:00:00+02:00", datetime(2026, 1, 31, 10, tzinfo=timezone.utc)),
        ("2026-01-31t12:00:00", datetime(2026, 1, 31, 12, tzinfo=timezone.utc)),
        ("7 days", timedelta(days=7)),
        ("1 Week", timedelta(days=7)),
        ("12hours", timedelta(hours=12)),
        ("P7D", timedelta(days=7)),
        ("P1DT12H", timedelta(days=1, hours=12)),
        ("PT30M", timedelta(minutes=30)),
    ],
)
def test_times_and_ages_are_parsed(text: str, expected: datetime | timedelta) -> None:
    assert parse_exclude_newer(text) == expected


@pytest.mark.parametrize("text", ["", "P", "PT", "7", "days", "-7 days", "2026-13-01", "9999999 years", "yesterday"])
def test_other_times_are_refused(text: str) -> None:
    with pytest.raises(LocksetError, match="is not a valid date, time or age"):
        parse_exclude_newer(text)
