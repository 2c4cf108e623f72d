"""Exports say what the lock does, and name what they cannot say."""

from __future__ import annotations

import io
import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest

from lockset.composition.conversions.export import Export, ExportOptions, export_lock
from lockset.conversion.writers.requirements import RequirementsStyle
from lockset.errors import LocksetError
from lockset.lockfile.read import read_document
from support.builders.locks import make_lock
from support.fakes.fake_conversion import sha

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
FILES = "https://files.example.org"
COMMIT = "c" * 40


def entry(name: str, version: str = "1", **more: Any) -> dict[str, Any]:
    wheel = {
        "name": f"{name}-{version}-py3-none-any.whl",
        "url": f"{FILES}/{name}-{version}-py3-none-any.whl",
        "hashes": {"sha256": sha(name + version)},
    }
    return {"name": name, "version": version, "wheels": [wheel]} | more


LOCK = make_lock(
    [
        entry("a", dependencies=[{"name": "c"}], index="https://index.example.org/simple"),
        entry("c", index="https://other.example.org/simple"),
        entry("f", "1", marker="python_version < '3.12'"),
        entry("f", "2", marker="python_version >= '3.12'"),
        entry("w", marker="sys_platform == 'win32' and 'default' in dependency_groups"),
        entry("x", marker="'x' in extras"),
        entry("d", marker="'dev' in dependency_groups"),
    ],
    requires_python=">=3.10",
    extras=["x"],
    dependency_groups=["dev"],
    default_groups=["default"],
)
TREES = make_lock(
    [
        entry("a"),
        {
            "name": "g",
            "vcs": {"type": "git", "url": "https://git.example.org/g", "commit-id": COMMIT, "subdirectory": "s"},
        },
        {"name": "p", "directory": {"path": "p", "editable": True}},
        {"name": "z", "archive": {"url": f"{FILES}/z.zip", "hashes": {"sha256": sha("z")}}},
    ]
)


def exported(text: str = LOCK, *, strict: bool = False, **options: Any) -> Export:
    return export_lock(read_document(text).lock, ExportOptions(**options, strict=strict), now=NOW)


def pins(done: Export) -> list[str]:
    return [
        line.removesuffix(" \\") for line in done.text.splitlines() if line and not line.startswith((" ", "#", "--"))
    ]


def test_requirements_have_hashes_markers_and_via_comments() -> None:
    done = exported()
    assert pins(done) == [
        "a==1",
        "c==1",
        "f==1 ; python_version < '3.12'",
        "f==2 ; python_version >= '3.12'",
        "w==1 ; sys_platform == 'win32'",
    ]
    assert f"    --hash=sha256:{sha('c1')}\n    # via a\n" in done.text
    assert "# for Python >=3.10" in done.text
    assert done.compared > 0


def test_extras_and_groups_are_chosen() -> None:
    assert "x==1" in pins(exported(extras=("x",)))
    assert "d==1" in pins(exported(groups=("dev",)))
    assert pins(exported(only_groups=("dev",)))[-1] == "f==2 ; python_version >= '3.12'"
    assert "w==1 ; sys_platform == 'win32'" not in pins(exported(only_groups=("dev",)))
    with pytest.raises(LocksetError, match="nobody"):
        exported(extras=("nobody",))
    with pytest.raises(LocksetError, match="nobody"):
        exported(groups=("nobody",))


def test_one_environment_has_no_markers() -> None:
    done = exported(python="3.12", platforms=("linux",))
    assert pins(done) == ["a==1", "c==1", "f==2"]
    with pytest.raises(LocksetError) as caught:
        exported(python="3.9", platforms=("linux",))
    assert caught.value.diagnostic.code == "no-environment"


def test_platforms_narrow_the_markers() -> None:
    assert "w==1" in pins(exported(platforms=("windows",)))


def test_index_lines_come_on_request_and_warn_of_two() -> None:
    assert "index-url" not in exported().text
    done = exported(style=RequirementsStyle(index_lines=True))
    assert (
        "--index-url https://index.example.org/simple\n--extra-index-url https://other.example.org/simple\n"
        in done.text
    )
    assert [loss.kind for loss in done.losses] == ["index-untied"]


def test_source_trees_remove_the_hashes_unless_left_out() -> None:
    done = exported(TREES)
    assert pins(done) == [
        "a==1",
        f"g @ git+https://git.example.org/g@{COMMIT}#subdirectory=s",
        "-e ./p",
        f"z @ {FILES}/z.zip",
    ]
    assert "--hash" not in done.text
    assert [loss.kind for loss in done.losses] == ["hashes-left-out"]
    with pytest.raises(LocksetError) as caught:
        exported(TREES, strict=True)
    assert caught.value.diagnostic.code == "lossy"
    without = exported(TREES, style=RequirementsStyle(trees=False))
    assert pins(without) == ["a==1", f"z @ {FILES}/z.zip"]
    assert f"--hash=sha256:{sha('z')}" in without.text


def elsewhere(name: str, *files: str, host: str = "https://cdn.example.org", **more: Any) -> dict[str, Any]:
    """An entry whose files are on a host of their own."""
    tables = [{"name": file, "url": f"{host}/x/{file}", "hashes": {"sha256": sha(file)}} for file in files]
    return {"name": name, "version": "1", "wheels": tables} | more


def test_a_pin_that_no_index_lists_is_exported_with_the_address_of_its_file() -> None:
    wheel = "u-1-cp312-cp312-win_amd64.whl"
    for lock in (
        make_lock([entry("a"), entry("b"), elsewhere("u", wheel)]),
        make_lock([entry("a", index="https://index.example.org/simple"), elsewhere("u", wheel)]),
        make_lock([entry("a"), elsewhere("u", wheel)]),
    ):
        done = exported(lock)
        assert pins(done)[-1] == f"u @ https://cdn.example.org/x/{wheel}"
        assert f"--hash=sha256:{sha(wheel)}" in done.text
        assert done.compared


def test_a_pin_that_no_index_lists_keeps_its_marker() -> None:
    lock = make_lock([entry("a"), entry("b"), elsewhere("u", "u-1-py3-none-any.whl", marker="sys_platform == 'win32'")])
    assert pins(exported(lock))[-1] == "u @ https://cdn.example.org/x/u-1-py3-none-any.whl ; sys_platform == 'win32'"


def test_of_a_pin_that_no_index_lists_the_wheel_for_all_is_named() -> None:
    lock = make_lock([entry("a"), entry("b"), elsewhere("u", "u-1-py2.py3-none-any.whl", sdist=sdist("u"))])
    done = exported(lock)
    assert pins(done)[-1] == "u @ https://cdn.example.org/x/u-1-py2.py3-none-any.whl"
    assert [(loss.kind, loss.note) for loss in done.losses] == [("file-left-out", True)]


def sdist(name: str) -> dict[str, Any]:
    file = f"{name}-1.tar.gz"
    return {"name": file, "url": f"https://cdn.example.org/x/{file}", "hashes": {"sha256": sha(file)}}


def test_a_pin_with_several_files_that_no_index_lists_is_a_loss() -> None:
    wheels = ("u-1-cp311-cp311-win_amd64.whl", "u-1-cp312-cp312-win_amd64.whl")
    lock = make_lock([entry("a"), entry("b"), elsewhere("u", *wheels)])
    (loss,) = exported(lock).losses
    assert (loss.kind, "u 1" in loss.message, "cdn.example.org" in loss.message) == ("not-on-an-index", True, True)
    with pytest.raises(LocksetError, match="lost"):
        exported(lock, strict=True)


def test_pins_that_an_index_lists_are_exported_by_name_wherever_their_files_are() -> None:
    listed = elsewhere("u", "u-1-py3-none-any.whl", index="https://index.example.org/simple")
    indexed = entry("a", index="https://index.example.org/simple")
    assert pins(exported(make_lock([indexed, listed]))) == ["a==1", "u==1"]
    assert pins(exported(make_lock([elsewhere("u", "u-1-py3-none-any.whl")]))) == ["u==1"]


def test_indexes_that_are_not_written_are_named() -> None:
    one = make_lock([entry("a", index="https://index.example.org/simple")])
    assert [(loss.kind, loss.note) for loss in exported(one).losses] == [("index-left-out", True)]
    assert [(loss.kind, loss.note) for loss in exported().losses] == [("index-left-out", False)]


def test_roots_are_annotated_with_the_name_of_the_lock_file() -> None:
    text = exported().text
    assert "# via -r" not in text
    assert text.count("    # via pylock.toml\n") == 4
    assert "# via" not in exported(make_lock([entry("a"), entry("b")])).text


def test_constraints_are_versions_only() -> None:
    done = exported(TREES, format="constraints")
    assert pins(done) == ["a==1"]
    assert {loss.kind for loss in done.losses} == {"no-version"}


@pytest.mark.parametrize("text", [LOCK, TREES], ids=["files", "trees"])
def test_cyclonedx_is_valid_and_repeatable(text: str) -> None:
    pytest.importorskip("cyclonedx")
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    done = exported(text, format="cyclonedx", name="app")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(done.text) is None
    assert done.text == exported(text, format="cyclonedx", name="app").text
    data = json.loads(done.text)
    first = next(c for c in data["components"] if c["name"] == "a")
    assert first["purl"] == "pkg:pypi/a@1"
    assert first["externalReferences"][0]["hashes"] == [{"alg": "SHA-256", "content": sha("a1")}]


# `a` and `b` require each other, and `c`; nothing else requires them.
CYCLE = make_lock(
    [
        entry("c"),
        entry("a", dependencies=[{"name": "b"}, {"name": "c"}]),
        entry("b", dependencies=[{"name": "a"}]),
    ]
)


@pytest.mark.filterwarnings("error")
def test_packages_that_only_require_each_other_belong_to_the_project_in_a_bill() -> None:
    pytest.importorskip("cyclonedx")
    data = json.loads(exported(CYCLE, format="cyclonedx", name="app").text)
    (root,) = [each["dependsOn"] for each in data["dependencies"] if each["ref"] == "application:app"]
    assert root == ["a@1#"]


def test_packages_that_only_require_each_other_belong_to_the_project_in_spdx_3() -> None:
    spdx = pytest.importorskip("spdx_python_model").v3_0_1
    graph = spdx.SHACLObjectSet()
    spdx.JSONLDDeserializer().read(io.BytesIO(exported(CYCLE, format="spdx3", name="app").text.encode()), graph)
    needed = {(r.from_.name, t.name) for r in graph.foreach_type(spdx.Relationship) for t in r.to}
    assert {target for source, target in needed if source == "app"} == {"a"}


@pytest.mark.parametrize("text", [LOCK, TREES], ids=["files", "trees"])
def test_spdx_is_valid_and_repeatable(text: str, tmp_path: Path) -> None:
    pytest.importorskip("spdx_tools")
    from spdx_tools.spdx.parser.parse_anything import parse_file
    from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

    done = exported(text, format="spdx", name="app")
    path = tmp_path / "app.spdx.json"
    path.write_text(done.text)
    assert validate_full_spdx_document(parse_file(str(path))) == []
    assert done.text == exported(text, format="spdx", name="app").text
    data = json.loads(done.text)
    assert data["spdxVersion"] == "SPDX-2.3"
    assert any(c["checksumValue"] == sha("a1") for p in data["packages"] for c in p.get("checksums", ()))


@pytest.mark.parametrize("text", [LOCK, TREES], ids=["files", "trees"])
def test_spdx_3_is_read_again_and_repeatable(text: str) -> None:
    spdx = pytest.importorskip("spdx_python_model").v3_0_1

    done = exported(text, format="spdx3", name="app")
    assert done.text == exported(text, format="spdx3", name="app").text
    graph = spdx.SHACLObjectSet()
    spdx.JSONLDDeserializer().read(io.BytesIO(done.text.encode()), graph)
    assert not graph.link()
    packages = list(graph.foreach_type(spdx.software_Package))
    assert {"app", "a"} <= {p.name for p in packages}
    assert {h.hashValue for p in packages for h in p.verifiedUsing} >= {sha("a1")}
    # What the model demands is checked where it is written again.
    spdx.JSONLDSerializer().write(graph, io.BytesIO())
    (document,) = graph.foreach_type(spdx.SpdxDocument)
    assert document.creationInfo.specVersion == "3.0.1"
    needed = {(r.from_.name, t.name) for r in graph.foreach_type(spdx.Relationship) for t in r.to}
    assert ("app", "a") in needed
    assert (("a", "c") in needed) == (text is LOCK)


def test_files_stay_although_no_environment_of_their_entry_fits_them() -> None:
    wheel = {
        "name": "a-1-cp311-cp311-win_amd64.whl",
        "url": f"{FILES}/a-1-cp311-cp311-win_amd64.whl",
        "hashes": {"sha256": sha("w")},
    }
    one = entry("a", marker="python_version < '3.11'")
    text = make_lock([one | {"wheels": [*one["wheels"], wheel]}])
    assert f"--hash=sha256:{sha('w')}" in exported(text).text
    assert f"--hash=sha256:{sha('w')}" not in exported(text, platforms=("linux",)).text
