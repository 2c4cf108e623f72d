"""The scan of JSON pages tells what `json` tells, or nothing."""

from __future__ import annotations

import gzip
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lockset.index.pages.file_rows import file_values
from lockset.index.pages.json_fast import scan_json
from lockset.index.pages.links import LinkBase
from lockset.index.pages.page_table import PageTable, TableBuilder
from lockset.index.pages.project_page import ProjectDetail

PAGE = "https://index.example.org/simple/sample/"

versions = st.builds(
    lambda release, suffix: ".".join(map(str, release)) + suffix,
    st.lists(st.integers(0, 4), min_size=1, max_size=3),
    st.sampled_from(["", "", "a1", ".post1", "+local.1", "-1", "x"]),
)
names = st.sampled_from(["sample", "sample", "Sample", "sam_ple", "sample-extra", "other"])
endings = st.sampled_from(
    [".tar.gz", ".zip", "-py3-none-any.whl", "-1b-cp312-cp312-any.whl", "-x1-py3-none-any.whl", ".exe", "-any.whl", ""]
)
texts = st.sampled_from([">=3.8", "", 'a "quoted" \\ <text>', "\u00e9\U0001f40d", "a@b", "\t", '"filename":"', "},{"])
digests = st.sampled_from(["0" * 64, "AB", ""])
marks = st.sampled_from([True, False, {}, {"sha256": "ab"}])
urls = st.sampled_from(
    [
        *(
            "https://x.example.org/",
            "/files/",
            "../files/",
            "//y.example.org/",
            "file:///",
            "https://me@x.example.org/",
        ),
        *("https://[::1/", "ftp://x.example.org/", "x"),
    ]
)
# In the order that the public index gives them; each may be missing, and some are of the wrong type now and then.
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "core-metadata": marks,
    "data-dist-info-metadata": marks,
    "dist-info-metadata": marks,
    "filename": st.builds(lambda n, v, e: f"{n}-{v}{e}", names, versions, endings),
    "gpg-sig": st.booleans(),
    "hashes": st.builds(lambda digest: {"sha256": digest}, digests) | st.sampled_from([{}, {"md5": "0"}]),
    "provenance": st.none() | texts,
    "requires-python": st.none() | texts,
    "size": st.none() | st.integers(0, 10**19),
    "upload-time": st.none() | st.just("2024-05-06T07:08:09.123456Z"),
    "url": urls,
    "yanked": st.booleans() | texts,
}
ODD = frozenset({"dist-info-metadata", "gpg-sig"})


@st.composite
def files(draw: st.DrawFn) -> dict[str, Any]:
    left_out = draw(st.just(ODD) | st.sets(st.sampled_from(sorted(FIELDS)), max_size=1))
    results = {key: draw(values) for key, values in FIELDS.items() if key not in left_out}
    if "url" in results:
        results["url"] += f"{results.get('filename', '')}{draw(st.sampled_from(['', '#sha256=0']))}"
    if draw(st.integers(0, 20)) == 0:
        results[draw(st.sampled_from([*FIELDS, "new"]))] = draw(st.sampled_from([None, 1, "x", [], {"filename": "x"}]))
    return results


@st.composite
def pages(draw: st.DrawFn) -> bytes:
    listed = draw(st.lists(files(), max_size=8))
    page = {"files": listed, "meta": {"api-version": "1.3"}, "name": "sample", "versions": ["1"]}
    if draw(st.booleans()):
        page = {"alternate-locations": [], **page, "project-status": {"status": "active"}}
    text = json.dumps(page, separators=(",", ":"), ensure_ascii=draw(st.booleans()))
    return text.encode()


def reference(data: bytes) -> PageTable | None:
    """What `json` and a builder make of a page; None where it is refused."""
    try:
        page = json.loads(data)
        builder, base = TableBuilder("sample"), LinkBase(PAGE)
        for file in page["files"]:
            values = file_values(file, base)
            if values is None:
                builder.refused += 1
            else:
                builder.add(*values)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return builder.build(index_url="")


def facts(table: PageTable) -> Any:
    detail = ProjectDetail(table)
    messages = [
        (str(v), detail.yanked(v), detail.has_wheel(v), detail.has_sdist(v), detail.requires_pythons(v))
        for v in detail.versions
    ]
    return messages, table.refused, [detail.files(version) for version in detail.versions]


def agrees(data: bytes) -> bool:
    """Whether the page was scanned; it is then what `json` says."""
    scanned = scan_json(data, name="sample", page_url=PAGE)
    if scanned is None:
        return False
    expected = reference(data)
    assert expected is not None
    assert facts(scanned.table) == facts(expected)
    packed = scan_json(data, name="sample", page_url=PAGE, packed=gzip.compress(data))
    assert packed is not None
    assert facts(packed.table) == facts(expected)
    assert scanned.rest == json.loads(data) | {"files": []}
    return True


@given(pages())
def test_a_scan_agrees_with_json(data: bytes) -> None:
    agrees(data)


pieces = st.sampled_from(
    [
        *rb'|,|[|]|{|}|"|\|:| |@|/|0|"files":[|"files":[]|"filename":"|null|},{|],|\"|\u0022'.split(b"|"),
        *(b"\n", b"\xff", b"\xc3\xa9"),
    ]
)


@settings(max_examples=150)
@given(pages(), st.data())
def test_a_scan_of_a_damaged_page_agrees_with_json(data: bytes, choose: st.DataObject) -> None:
    start = choose.draw(st.integers(0, len(data)))
    end = min(len(data), start + choose.draw(st.integers(0, 3)))
    agrees(data[:start] + choose.draw(pieces) + data[end:])


usual = st.builds(
    lambda version, ending, python, yanked, marked: {
        "core-metadata": {"sha256": "0" * 64} if marked else False,
        "data-dist-info-metadata": {"sha256": "0" * 64} if marked else False,
        "filename": f"sample-{version}{ending}",
        "hashes": {"sha256": "1" * 64},
        "provenance": None,
        "requires-python": python,
        "size": 10,
        "upload-time": "2024-05-06T07:08:09.123456Z",
        "url": f"https://files.example.org/sample-{version}{ending}",
        "yanked": yanked,
    },
    versions,
    endings,
    st.none() | texts.filter(lambda text: "\t" not in text),
    st.booleans() | texts,
    st.booleans(),
)


@given(st.lists(usual, max_size=30, unique_by=lambda file: file["filename"]))
def test_a_page_of_the_usual_shape_is_scanned(listed: list[dict[str, Any]]) -> None:
    page = {"alternate-locations": [], "files": listed, "meta": {"api-version": "1.3"}, "name": "sample"}
    assert agrees(json.dumps(page, separators=(",", ":")).encode())
