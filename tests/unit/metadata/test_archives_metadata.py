"""Metadata out of archives: one dist-info of the right name and version; an sdist only where it promises."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
from packaging.version import Version

from lockset.errors import LocksetError
from lockset.metadata.sdist import sdist_metadata
from lockset.metadata.wheel import wheel_metadata
from support.builders.archives import Artifact, tar_gz, zip_file
from support.builders.core_metadata import core_metadata
from support.builders.pages import PageFile
from support.builders.sdist import make_sdist
from support.builders.wheel import make_wheel
from support.fakes.fake_index import detail_of

if TYPE_CHECKING:
    from lockset.index.pages.project_page import DistributionFile

METADATA = core_metadata("sample", "1.0", requires_dist=["a"])


def file_of(filename: str) -> DistributionFile:
    detail = detail_of("sample", [PageFile(filename=filename, url=f"https://x.example.org/{filename}")])
    return detail.files(detail.versions[0])[0]


def wheel_of(members: dict[str, str | bytes]) -> Artifact:
    return Artifact(filename="sample-1.0-py3-none-any.whl", content=zip_file(members), metadata=b"")


def read(artifact: Artifact) -> Any:
    ask = wheel_metadata if artifact.is_wheel else sdist_metadata
    return ask(io.BytesIO(artifact.content), file_of(artifact.filename))


def test_the_metadata_of_a_wheel() -> None:
    result = read(make_wheel(requires_dist=["a>=1"], requires_python=">=3.9"))
    assert (result.requires_dist, result.requires_python, result.origin) == (("a>=1",), ">=3.9", "wheel")


@pytest.mark.parametrize(
    "members",
    [
        {"sample/__init__.py": ""},
        {"sample-1.0.dist-info/WHEEL": ""},
        {"sample-1.0.dist-info/METADATA": METADATA, "other-1.0.dist-info/METADATA": METADATA},
        {"other-1.0.dist-info/METADATA": METADATA},
        {"sample-2.0.dist-info/METADATA": METADATA},
        {"sample-1.0.dist-info/METADATA": core_metadata("other", "1.0")},
        {"sample-1.0.dist-info/METADATA": core_metadata("sample", "2.0")},
        {"sample-1.0.dist-info/METADATA": "x" * 9_000_000},
    ],
    ids=range(8),
)
def test_a_wheel_whose_metadata_are_missing_doubled_or_of_another_is_invalid(members: dict[str, str | bytes]) -> None:
    with pytest.raises(LocksetError) as caught:
        read(wheel_of(members))
    assert caught.value.diagnostic.code == "metadata-invalid"


@pytest.mark.parametrize("content", [b"", b"PK", b"x" * 1000, make_wheel().content[:-10], make_wheel().content[:200]])
def test_a_damaged_wheel_is_invalid(content: bytes) -> None:
    with pytest.raises(LocksetError) as caught:
        read(Artifact(filename="sample-1.0-py3-none-any.whl", content=content, metadata=b""))
    assert caught.value.diagnostic.code == "metadata-invalid"


def test_other_spellings_in_the_dist_info_name_are_the_same() -> None:
    read(wheel_of({"Sample-1.dist-info/METADATA": METADATA}))


def test_an_sdist_that_promises_is_believed() -> None:
    result = read(make_sdist(requires_dist=["a"], requires_python=">=3.9"))
    assert (result.requires_dist, result.requires_python, result.origin) == (("a",), ">=3.9", "sdist")


@pytest.mark.parametrize(
    "facts", [{"metadata_version": "1.2"}, {"metadata_version": "2.1"}, {"dynamic": ["Requires-Dist"]}], ids=str
)
def test_an_sdist_that_does_not_promise_is_left_to_a_build(facts: dict[str, Any]) -> None:
    assert read(make_sdist(requires_dist=["a"], **facts)) is None


PROJECT = """[project]
name = "sample"
version = "1.0"
requires-python = ">=3.9"
dependencies = ["b>=2"]
"""


@pytest.mark.parametrize("facts", [{"metadata_version": "2.1"}, {"metadata_version": "1.2"}], ids=str)
def test_the_project_table_of_an_sdist_with_old_metadata_is_believed(facts: dict[str, Any]) -> None:
    result = read(make_sdist(requires_dist=["a"], more={"pyproject.toml": PROJECT}, **facts))
    assert (result.requires_dist, result.requires_python, result.origin) == (("b>=2",), ">=3.9", "sdist")


@pytest.mark.parametrize(
    ("project", "facts"),
    [
        (PROJECT.replace("1.0", "0.0.0"), {}),
        (PROJECT.replace("dependencies = ", "dynamic = ['dependencies'] #"), {}),
        (PROJECT.replace("dependencies = ", "#") + "[tool.poetry.dependencies]\nb = '*'\n", {}),
        ("[project]\nname = 1", {}),
        (PROJECT, {"metadata_version": "2.2", "dynamic": ["Requires-Dist"]}),
    ],
    ids=["another version", "left open", "poetry", "wrong", "PKG-INFO leaves it open"],
)
def test_a_project_table_that_leaves_something_open_promises_nothing(project: str, facts: dict[str, Any]) -> None:
    given = {"metadata_version": "2.1", **facts}
    assert read(make_sdist(requires_dist=["a"], more={"pyproject.toml": project}, **given)) is None


def test_other_dynamic_fields_do_not_matter() -> None:
    assert read(make_sdist(requires_dist=["a"], dynamic=["License"])).requires_dist == ("a",)


@pytest.mark.parametrize("name", ["sample-1.0/sub/PKG-INFO", "PKG-INFO", "sample-1.0/sample.egg-info/PKG-INFO"])
def test_only_the_pkg_info_of_the_top_folder_counts(name: str) -> None:
    content = tar_gz({name: core_metadata("sample", "1.0", metadata_version="2.2")})
    assert read(Artifact(filename="sample-1.0.tar.gz", content=content, metadata=b"")) is None


def test_a_zip_sdist_is_read_too() -> None:
    content = zip_file({"sample-1.0/PKG-INFO": core_metadata("sample", "1.0", metadata_version="2.2")})
    result = read(Artifact(filename="sample-1.0.zip", content=content, metadata=b""))
    assert result.version == Version("1.0")


@pytest.mark.parametrize("content", [b"", b"x" * 100, make_sdist().content[:-20], make_sdist().content[:60]])
def test_a_damaged_sdist_is_invalid_or_has_no_static_metadata(content: bytes) -> None:
    try:
        assert read(Artifact(filename="sample-1.0.tar.gz", content=content, metadata=b"")) is not False
    except LocksetError as error:
        assert error.diagnostic.code == "metadata-invalid"  # noqa: PT017 (a cut behind PKG-INFO is not noticed)


def test_an_sdist_of_another_project_is_invalid() -> None:
    other = make_sdist("other", "1.0")
    with pytest.raises(LocksetError):
        read(Artifact(filename="sample-1.0.tar.gz", content=other.content, metadata=b""))
