"""Readers of hostile input, each as a function of bytes that returns or raises `LocksetError`, and nothing else.

Run one for as long as you like by `python tests/fuzz/run.py NAME`, with atheris where that is installed.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.version import Version

from lockset.advisories.vulnerabilities import vulnerabilities_of
from lockset.composition.audits.advisory_files import AdvisoryReader
from lockset.conversion.model.formats import Format
from lockset.conversion.model.options import ReaderOptions
from lockset.conversion.readers.dispatch import read_foreign
from lockset.errors import LocksetError
from lockset.index.pages.simple_html import parse_html
from lockset.index.pages.simple_json import parse_json_page
from lockset.lockfile.fix.fix import fix_text
from lockset.lockfile.validate.report import validate_document
from lockset.markers import MarkerSet
from lockset.metadata.core import parse_metadata
from lockset.sources.pyproject import read_pyproject
from lockset.sources.requirements.reader import read_requirements
from lockset.sources.script import read_script
from lockset.sync.desired import WheelIdentity
from lockset.sync.disk.apply.transaction import Journal
from lockset.sync.wheel.contents import read_wheel
from lockset.sync.wheel.entry_points import scripts_in
from lockset.sync.wheel.file_lists import parse_record
from lockset.sync.wheel.zip_reader import members, read_member

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SEEDS", "TARGETS"]

HERE = Path("/project")


def text_of(data: bytes) -> str:
    """Any text, with what is not UTF-8 as it comes out of `surrogateescape`."""
    return data.decode("utf-8", "surrogateescape")


def lock_file(data: bytes) -> None:
    """`lockset validate`, and `--fix` where the file is text."""
    validate_document(data)
    with contextlib.suppress(UnicodeDecodeError):
        fix_text(data.decode())


def foreign(format_: Format) -> Callable[[bytes], None]:
    """The reader of one format of `lockset convert`."""

    def read(data: bytes) -> None:
        options = ReaderOptions(source_folder=HERE, folder=HERE)
        read_foreign(text_of(data), format_, location="input", options=options, pyproject=None)

    return read


class NoFiles:
    """A disk on which nothing is."""

    def read(self, path_or_url: str) -> bytes:
        """Refuse."""
        raise LocksetError("source-missing", "There is no such file", location=path_or_url)

    def exists(self, path: str) -> bool:
        """Nothing is there."""
        return False

    def project_name(self, path: str) -> str | None:
        """Nothing is known of it."""
        return None


def requirements(data: bytes) -> None:
    """A requirements file, all whose includes are missing."""
    read_requirements(
        text_of(data), path_or_url="/project/r.txt", location="r.txt", base=HERE, environ={}, surroundings=NoFiles()
    )


def wheel(data: bytes) -> None:
    """The central directory of a wheel, its members and its metadata."""
    identity = WheelIdentity(name="hull", version_text="1", filename="hull-1-py3-none-any.whl")
    result = members(data, what="hull")
    read_wheel(result, lambda member: read_member(data, member, what="hull", limit=1 << 20), identity=identity)


def page(data: bytes) -> None:
    """A project page of an index, as HTML and as JSON."""
    for parse in (parse_html, parse_json_page):
        with contextlib.suppress(LocksetError):
            parse(
                data,
                name="hull",
                page_url="https://i.example.org/simple/hull/",
                index_url="https://i.example.org/simple/",
            )


def documented(read: Callable[[str], object]) -> Callable[[bytes], None]:
    """A reader whose refusals are ValueErrors, as it says."""

    def run(data: bytes) -> None:
        with contextlib.suppress(ValueError):
            read(text_of(data))

    return run


def advisory(name: str) -> Callable[[bytes], None]:
    """One file of advisories, and what it says of a version; files that are not advisories are counted."""

    def run(data: bytes) -> None:
        reader = AdvisoryReader({"hull"})
        reader.take(name, data)
        vulnerabilities_of(reader.database("input"), "hull", Version("1"))

    return run


TARGETS: dict[str, Callable[[bytes], object]] = {
    "lock_file": lock_file,
    "requirements": requirements,
    "pyproject": lambda data: read_pyproject(text_of(data), base=HERE),
    "script": lambda data: read_script(text_of(data), base=HERE, location="s.py"),
    **{f"convert_{format_.value.replace('.', '_').replace('-', '_')}": foreign(format_) for format_ in Format
       if format_ not in {Format.PYLOCK, Format.REQUIREMENTS}},
    "page": page,
    "metadata": lambda data: parse_metadata(data, origin="https://i.example.org/", what="hull 1"),
    "marker": lambda data: MarkerSet.parse(text_of(data)),
    "wheel": wheel,
    "record": documented(parse_record),
    "entry_points": documented(scripts_in),
    "advisory_json": advisory("GHSA-1.json"),
    "advisory_yaml": advisory("PYSEC-1.yaml"),
    "journal": lambda data: Journal.loads(data, "/project"),
}  # fmt: skip

LOCK = b"""lock-version = "1.0"
created-by = "lockset"
[[packages]]
name = "hull"
version = "1.0"
marker = "python_version >= '3.10'"
[[packages.wheels]]
url = "https://f.example.org/hull-1.0-py3-none-any.whl"
hashes = { sha256 = "%s" }
""" % (b"0" * 64)
SHA256 = b"0" * 64
WHEEL = b"hull-1-py3-none-any.whl"
# Something that each reader takes, to start from.
SEEDS: dict[str, bytes] = {
    "lock_file": LOCK,
    "requirements": b"-i https://i.example.org/simple\nhull[a]==1.0 ; os_name == 'nt' \\\n  --hash=sha256:%s\n"
    % SHA256,
    "pyproject": b"""[project]
name = 'p'
version = '1'
dependencies = ['hull>=1']
[dependency-groups]
a = ['b', { include-group = 'c' }]
c = []
""",
    "script": b"# /// script\n# dependencies = ['hull']\n# ///\n",
    "convert_uv": b"""version = 1
requires-python = '>=3.10'
[[package]]
name = 'hull'
version = '1'
source = { registry = 'https://i.example.org/simple' }
""",
    "convert_poetry": b"""[[package]]
name = 'hull'
version = '1'
files = [{ file = '%s', hash = 'sha256:%s' }]
[metadata]
lock-version = '2.1'
"""
    % (WHEEL, SHA256),
    "convert_pdm": b"""[metadata]
lock_version = '4.5.0'
groups = ['default']
[[package]]
name = 'hull'
version = '1'
files = [{ url = 'https://f.example.org/%s', hash = 'sha256:%s' }]
"""
    % (WHEEL, SHA256),
    "page": b'<!DOCTYPE html><a href="%s#sha256=%s" data-requires-python="&gt;=3">%s</a>' % (WHEEL, SHA256, WHEEL),
    "metadata": b"Metadata-Version: 2.1\nName: hull\nVersion: 1\nRequires-Dist: a>=1; extra == 'x'\n\n",
    "marker": b"python_version >= '3.10' and (os_name == 'nt' or 'a' in extras)",
    "record": b"hull/__init__.py,sha256=AA,0\n",
    "entry_points": b"[console_scripts]\nhull = hull:main\n",
    "advisory_json": b"""{"id": "GHSA-1", "modified": "2026-01-01T00:00:00Z", "aliases": ["CVE-1"], "affected": [{
"package": {"name": "hull", "ecosystem": "PyPI"}, "versions": ["1.0"],
"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2"}]}]}]}""",
    "advisory_yaml": b"""id: PYSEC-1
modified: '2026-01-01T00:00:00Z'
affected:
- package: {name: hull, ecosystem: PyPI}
  ranges:
  - type: ECOSYSTEM
    events: [introduced: "0", fixed: "2"]
""",
    "journal": b'{"format": 1, "areas": ["new"], "steps": [["make", "a"]]}',
}
