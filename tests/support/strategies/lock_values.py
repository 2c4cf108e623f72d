"""Lock files of every shape the format allows, as packaging's model."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from lockset.lockfile.model import Pylock

__all__ = ["EXTRAS", "GROUPS", "MARKERS", "locks"]

EXTRAS = ("docs", "web-ui")
GROUPS = ("dev", "Test_All", "main")
MARKERS = (
    "sys_platform == 'win32'",
    "sys_platform != 'win32'",
    "python_version < '3.12'",
    "python_full_version >= '3.12.1' and os_name == 'posix'",
    "'docs' in extras",
    "'web-ui' not in extras or platform_machine == 'x86_64'",
    "'main' in dependency_groups",
    "'test-all' in dependency_groups and 'docs' not in extras",
    "(implementation_name == 'cpython' or 'dev' in dependency_groups) and python_version >= '3.9'",
    "platform_version == 'a\"b'",
)
_PLAIN_MARKERS = tuple(marker for marker in MARKERS if " in " not in marker)
_PYTHONS = (">=3.9", ">=3.9,<4", "==3.12.*", "!=3.11.*,>=3.8", "<3.12")
_TAGS = (
    "py3-none-any",
    "py2.py3-none-any",
    "cp312-cp312-win_amd64",
    "cp312-abi3-manylinux_2_28_x86_64",
    "cp311-cp311-win32",
)
_NAMES = ("alpha", "beta", "gamma-ray", "delta")
_VERSIONS = ("1.0", "1.0.1", "2.0rc1", "1!3", "2.0+cpu")

_HEX = st.integers(0, 2**32).map(lambda number: f"{number:064x}")
_WORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=6)
# Local times, as TOML has them.
_LOCAL = datetime.fromisoformat("2025-03-06T12:28:00")
_FIRST, _LAST = datetime.fromisoformat("2000-01-01"), datetime.fromisoformat("2030-01-01")
_TOOL_VALUES = st.recursive(
    st.integers(-9, 9) | st.booleans() | _WORDS | st.dates() | st.floats(-9, 9) | st.just(_LOCAL),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=3),
    max_leaves=8,
)
_TOOLS = st.dictionaries(_WORDS, st.dictionaries(_WORDS, _TOOL_VALUES, max_size=3), max_size=2)
_OFFSETS = st.sampled_from([None, timezone.utc, timezone(timedelta(hours=5, minutes=30))])


@st.composite
def _file(draw: st.DrawFn, file_name: str, *, name: bool = True) -> dict[str, Any]:
    hashes = draw(st.dictionaries(st.sampled_from(["sha256", "sha512", "md5"]), _HEX, min_size=1))
    table: dict[str, Any] = {"hashes": hashes}
    where = draw(st.sampled_from(["url", "path", "both"]))
    if where != "path":
        table["url"] = f"https://files.example.org/{file_name.replace('+', '%2B')}"
    if where != "url":
        table["path"] = f"wheels/{file_name}"
    if name and draw(st.booleans()):
        table["name"] = file_name
    if draw(st.booleans()):
        table["size"] = draw(st.integers(1, 2**40))
    if draw(st.booleans()):
        moment = draw(st.datetimes(_FIRST, _LAST)).replace(tzinfo=draw(_OFFSETS))
        table["upload-time"] = moment.replace(fold=0)
    return table


@st.composite
def _sources(draw: st.DrawFn, name: str, version: str) -> dict[str, Any]:
    kind = draw(st.sampled_from(["files", "files", "files", "vcs", "directory", "archive"]))
    if kind == "vcs":
        return {"vcs": {"type": "git", "url": "https://git.example.org/x", "commit-id": "a" * 40} | draw(_tree())}
    if kind == "directory":
        return {"directory": {"path": draw(st.sampled_from([".", "a b", "dépôt"]))} | draw(_tree())}
    if kind == "archive":
        return {"archive": draw(_file(f"{name}.zip", name=False)) | draw(_tree())}
    stem = f"{name.replace('-', '_')}-{version}"
    tags = draw(st.lists(st.sampled_from(_TAGS), unique=True, max_size=4))
    wheels = [draw(_file(f"{stem}-{tag}.whl")) for tag in tags]
    files: dict[str, Any] = {"wheels": wheels} if wheels else {}
    if not wheels or draw(st.booleans()):
        files["sdist"] = draw(_file(f"{stem}.tar.gz"))
    return files


def _tree() -> st.SearchStrategy[dict[str, Any]]:
    return st.sampled_from([{}, {"subdirectory": "python"}])


@st.composite
def _package(draw: st.DrawFn, name: str) -> dict[str, Any]:
    version = draw(st.sampled_from(_VERSIONS))
    table: dict[str, Any] = {"name": name, **draw(_sources(name, version))}
    if "wheels" in table or "sdist" in table:
        table["version"] = version
    if draw(st.booleans()):
        table["marker"] = draw(st.sampled_from(MARKERS))
    if draw(st.integers(0, 5)) == 0:
        table["requires-python"] = draw(st.sampled_from(_PYTHONS))
    if draw(st.integers(0, 2)) == 0:
        table["dependencies"] = [{"name": other} for other in draw(st.lists(st.sampled_from(_NAMES), unique=True))]
    if draw(st.integers(0, 4)) == 0:
        table["attestation-identities"] = [{"kind": "GitHub", "repository": "a/b", "environment": ""}]
    if draw(st.integers(0, 4)) == 0:
        table["tool"] = draw(_TOOLS)
    if draw(st.integers(0, 2)) == 0:
        table["index"] = "https://index.example.org/simple/"
    return table


@st.composite
def locks(draw: st.DrawFn) -> Pylock:
    """A valid lock file; names may be listed several times, with markers that may overlap."""
    names = draw(st.lists(st.sampled_from(_NAMES), max_size=5))
    data: dict[str, Any] = {"lock-version": "1.0", "created-by": draw(_WORDS)}
    data["packages"] = [draw(_package(name)) for name in names]
    if draw(st.booleans()):
        data["extras"] = list(EXTRAS)
        data["dependency-groups"] = ["dev", "Test_All"]
        data["default-groups"] = draw(st.sampled_from([[], ["main"]]))
    if draw(st.integers(0, 3)) == 0:
        data["environments"] = draw(st.lists(st.sampled_from(_PLAIN_MARKERS), max_size=2, unique=True))
    if draw(st.integers(0, 3)) == 0:
        data["requires-python"] = draw(st.sampled_from(_PYTHONS))
    if draw(st.integers(0, 3)) == 0:
        data["tool"] = draw(_TOOLS)
    return Pylock.from_dict(data)
