"""pylock files are narrowed, merged and filled in without a change of what they install."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lockset.composition.conversions.conversion import ConvertOptions
from lockset.composition.conversions.pylock import convert_pylock
from lockset.conversion.pipeline import pylock_transform
from lockset.conversion.pipeline.file_details import fill_file_details
from lockset.errors import LocksetError
from lockset.index.options import IndexOptions
from lockset.lockfile.read import read_document
from support.builders.locks import make_lock
from support.fakes.fake_conversion import sha, wheel_file
from support.fakes.fake_index import FakeIndex

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lockset.composition.conversions.conversion import Conversion

FILES = "https://files.example.org"


def entry(name: str, version: str = "1", *, tags: Sequence[str] = ("py3-none-any",), **more: Any) -> dict[str, Any]:
    wheels = [
        {"url": f"{FILES}/{name}-{version}-{tag}.whl", "hashes": {"sha256": sha(f"{name}{version}{tag}")}}
        for tag in tags
    ]
    return {"name": name, "version": version, "wheels": wheels} | more


def run(folder: Path, texts: Sequence[str], options: ConvertOptions | None = None) -> Conversion:
    paths = []
    for number, text in enumerate(texts):
        path = folder / f"pylock.n{number}.toml"
        path.write_text(text)
        paths.append(path)
    return convert_pylock(
        paths, options or ConvertOptions(), output=folder / "pylock.toml", indexes=IndexOptions(offline=True)
    )


def found(done: Conversion) -> dict[str, str | None]:
    return {f"{p.name} {p.version}": str(p.marker) if p.marker else None for p in done.lock.packages}


MULTI = make_lock(
    [
        entry("a", tags=("cp312-cp312-win_amd64", "cp312-cp312-manylinux_2_17_x86_64")),
        entry("w", marker="sys_platform == 'win32'"),
        entry("x", marker="'x' in extras"),
        entry("d", marker="'dev' in dependency_groups"),
    ],
    extras=["x"],
    dependency_groups=["dev"],
    default_groups=["default"],
)


def test_normalizing_names_every_file_and_keeps_the_rest(tmp_path: Path) -> None:
    done = run(tmp_path, [MULTI])
    assert all(wheel.name for package in done.lock.packages for wheel in package.wheels or ())
    assert run(tmp_path, [done.text]).text == done.text


def test_narrowing_to_a_platform_drops_what_never_fits(tmp_path: Path) -> None:
    done = run(tmp_path, [MULTI], ConvertOptions(platforms=("linux",)))
    assert set(found(done)) == {"a 1", "x 1", "d 1"}
    assert [str(marker) for marker in done.lock.environments or ()] == ['sys_platform == "linux"']
    a = next(p for p in done.lock.packages if p.name == "a")
    assert [w.name for w in a.wheels or ()] == ["a-1-cp312-cp312-manylinux_2_17_x86_64.whl"]
    assert done.proof.lost == 2


def test_narrowing_drops_the_dependencies_that_only_dropped_entries_were(tmp_path: Path) -> None:
    needed = [{"name": "w"}, {"name": "v", "version": "1"}, {"name": "v", "version": "2"}, {"name": "elsewhere"}]
    lock = make_lock(
        [
            entry("a", dependencies=needed),
            entry("w", marker="sys_platform == 'win32'"),
            entry("v", "1", marker="sys_platform == 'win32'"),
            entry("v", "2", marker="sys_platform != 'win32'"),
        ]
    )
    (a,) = (p for p in run(tmp_path, [lock], ConvertOptions(platforms=("linux",))).lock.packages if p.name == "a")
    assert a.dependencies == [{"name": "elsewhere"}, {"name": "v", "version": "2"}]
    (a,) = (
        p for p in run(tmp_path, [lock], ConvertOptions(platforms=("linux", "windows"))).lock.packages if p.name == "a"
    )
    assert len(a.dependencies or ()) == 4


def test_narrowing_keeps_a_dependency_whose_version_is_not_text(tmp_path: Path) -> None:
    needed = [{"name": "w", "version": ["1"]}]
    lock = make_lock([entry("a", dependencies=needed), entry("w", marker="sys_platform == 'win32'")])
    (a,) = run(tmp_path, [lock], ConvertOptions(platforms=("linux",))).lock.packages
    assert a.dependencies == needed


def test_narrowing_looks_up_each_dependency_and_not_each_pair_of_entries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def counting(name: str) -> str:
        calls.append(name)
        return name

    monkeypatch.setattr(pylock_transform, "canonicalize_name", counting)
    entries = [entry(f"a{number}", dependencies=[{"name": f"a{number // 2}"}]) for number in range(60)]
    run(tmp_path, [make_lock(entries)], ConvertOptions(platforms=("linux",)))
    assert len(entries) <= len(calls) <= 4 * len(entries)


def test_settling_a_choice_leaves_nothing_to_choose(tmp_path: Path) -> None:
    done = run(tmp_path, [MULTI], ConvertOptions(settle=True, extras=("x",)))
    assert found(done) == {"a 1": None, "w 1": 'sys_platform == "win32"', "x 1": None}
    assert (done.lock.extras, done.lock.dependency_groups, done.lock.default_groups) == (None, None, None)
    with pytest.raises(LocksetError) as caught:
        run(tmp_path, [MULTI], ConvertOptions(settle=True, extras=("nobody",)))
    assert caught.value.diagnostic.code == "unknown-extra"


def test_locks_for_different_platforms_are_merged(tmp_path: Path) -> None:
    linux = make_lock([entry("a"), entry("l")], environments=["sys_platform == 'linux'"])
    windows = make_lock([entry("a"), entry("w"), entry("l", "2")], environments=["sys_platform == 'win32'"])
    done = run(tmp_path, [linux, windows])
    assert found(done) == {
        "a 1": None,
        "l 1": 'sys_platform == "linux"',
        "l 2": 'sys_platform == "win32"',
        "w 1": 'sys_platform == "win32"',
    }
    assert len(done.lock.environments or ()) == 2


@pytest.mark.parametrize(
    "other",
    [
        make_lock([entry("a", "2")]),
        make_lock([entry("a"), entry("b")]),
        make_lock([entry("a", marker="sys_platform == 'win32'")]),
        make_lock([entry("a")], default_groups=["default"]),
        make_lock(
            [{**entry("a"), "wheels": [{"url": f"{FILES}/a-1-py3-none-any.whl", "hashes": {"sha256": sha("z")}}]}]
        ),
    ],
)
def test_locks_that_disagree_are_not_merged(tmp_path: Path, other: str) -> None:
    with pytest.raises(LocksetError) as caught:
        run(tmp_path, [make_lock([entry("a")]), other])
    assert caught.value.diagnostic.code == "locks-disagree"


def test_nothing_is_left_of_a_lock_for_another_platform(tmp_path: Path) -> None:
    linux = make_lock([entry("a")], environments=["sys_platform == 'linux'"])
    with pytest.raises(LocksetError) as caught:
        run(tmp_path, [linux], ConvertOptions(platforms=("windows",)))
    assert caught.value.diagnostic.code == "no-environment"


def test_facts_of_files_with_the_same_hash_are_filled_in() -> None:
    lock = read_document(make_lock([entry("a"), entry("b")])).lock
    mark = "a1py3-none-any"
    index = FakeIndex(
        {"a": [wheel_file("a", "1", mark=mark, size=9)], "b": [wheel_file("b", "1", mark="other", size=9)]}
    )
    filled = fill_file_details(lock, index)
    sizes = {str(p.name): [w.size for w in p.wheels or ()] for p in filled.packages}
    assert sizes["b"] == [None]
    assert [w.hashes for p in filled.packages for w in p.wheels or ()] == [
        w.hashes for p in lock.packages for w in p.wheels or ()
    ]


@pytest.mark.parametrize("marker", [{}, {"marker": "python_version >= '3.8'"}, {"marker": "sys_platform == 'linux'"}])
def test_two_entries_that_apply_at_once_are_a_fault_of_the_input(tmp_path: Path, marker: dict[str, str]) -> None:
    text = make_lock([entry("a", "1"), entry("a", "2", **marker)])
    with pytest.raises(LocksetError) as caught:
        run(tmp_path, [text])
    assert caught.value.diagnostic.code == "ambiguous-package"
    assert "bug" not in caught.value.render()
