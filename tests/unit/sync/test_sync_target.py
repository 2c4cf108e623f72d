"""A sync makes a target exactly what the lock says, or leaves it as it was."""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from lockset.composition.sync_pipeline import InstallOptions, RemovalPolicy
from lockset.errors import LocksetError
from support.builders.locks import locked_file, make_lock
from support.builders.sdist import make_sdist
from support.builders.wheel import make_wheel
from support.posix import make_pipe
from support.worlds.target_world import FakeBuilds, World, entry, judge, provenance, tree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.builders.archives import Artifact
    from support.venvs import Venv, VenvMaker


def release(name: str = "sample", version: str = "1.0", **more: Any) -> Artifact:
    escaped = name.replace("-", "_")
    files = {f"{escaped}/__init__.py": f"version = {version!r}\n", f"{escaped}/data/deep/x.txt": f"{name} {version}"}
    return make_wheel(name, version, **({"files": files} | more))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(folder=tmp_path / "world", directory=str(tmp_path / "target"))


@pytest.fixture
def library(tmp_path: Path) -> Path:
    return tmp_path / "target"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(LocksetError) as caught:
        call()
    return caught.value.diagnostic.code


def test_a_target_becomes_what_is_locked_and_then_nothing_is_to_do(world: World, library: Path) -> None:
    wheels = [release(), release("other-name", "2.0")]
    done = world.sync(*wheels)
    assert {step.name: step.action for step in done.plan.steps} == {"sample": "install", "other-name": "install"}
    assert judge(library) == {"sample": "1.0", "other-name": "2.0"}
    before = tree(library)
    world.downloads.files.clear()
    again = world.sync(lock=make_lock([entry(wheel) for wheel in wheels]))
    assert not again.changed
    assert again.plan.changes == ()
    assert tree(library) == before
    assert len(world.downloads.asked) == 2


def test_nothing_but_the_target_is_left_in_it(world: World, library: Path) -> None:
    world.sync(release())
    assert names(library) == ["sample", "sample-1.0.dist-info"]


def test_a_virtual_environment_works(make_venv: VenvMaker, tmp_path: Path) -> None:
    venv = make_venv("with space", python="3.8")
    world = World(folder=tmp_path / "world", python=str(venv.python))
    wheel = make_wheel(
        "tool",
        "1.0",
        files={"tool.py": "def main():\n    print('tool runs')\n", "tool-1.0.data/data/share/tool/x": "x"}
        | {"tool-1.0.data/headers/tool.h": "int x;"},
        entry_points={"console_scripts": {"tool": "tool:main"}},
        scripts={"tool-script": "#!python\nimport tool\ntool.main()\n", "tool.sh": "#!/bin/sh\necho shell\n"},
    )
    world.sync(wheel, release())
    assert venv.installed() == {"tool": "1.0", "sample": "1.0"}
    assert judge(venv.site_packages) == {"tool": "1.0", "sample": "1.0"}
    for script, output in [("tool", "tool runs\n"), ("tool-script", "tool runs\n"), ("tool.sh", "shell\n")]:
        assert subprocess.run([venv.bin / script], capture_output=True, text=True, check=True).stdout == output
    assert (venv.path / "share/tool/x").read_text() == "x"
    assert (venv.path / "include/site/python3.8/tool/tool.h").read_text() == "int x;"
    world.sync(release())
    assert venv.installed() == {"sample": "1.0"}
    assert not (venv.path / "share").exists()
    assert not (venv.bin / "tool").exists()
    assert not (venv.path / "include/site").exists()
    assert (venv.bin / "python").exists()


def test_an_upgrade_leaves_no_file_of_the_old_release(world: World, library: Path) -> None:
    world.sync(release(files={"sample/__init__.py": "", "sample/old.py": "", "sample/gone/x.py": ""}))
    cached = library / "sample/__pycache__"
    cached.mkdir()
    (cached / "old.cpython-311.pyc").write_bytes(b"")
    (library / "sample/users.txt").write_text("mine")
    done = world.sync(release(version="2.0", files={"sample/__init__.py": "", "sample/new.py": ""}))
    assert [(s.action, s.old_version, s.new_version) for s in done.plan.changes] == [("change", "1.0", "2.0")]
    assert judge(library) == {"sample": "2.0"}
    results = sorted(path.relative_to(library).as_posix() for path in (library / "sample").rglob("*"))
    assert results == ["sample/__init__.py", "sample/new.py", "sample/users.txt"]


def test_only_what_lockset_put_into_a_folder_is_removed_from_it(world: World, library: Path) -> None:
    world.sync(release())
    (library / "theirs-1.0.dist-info").mkdir()
    (library / "theirs-1.0.dist-info/METADATA").write_text("Name: theirs\nVersion: 1.0\n")
    (library / "theirs-1.0.dist-info/INSTALLER").write_text("pip\n")
    (library / "theirs-1.0.dist-info/RECORD").write_text("theirs.py,,\n")
    (library / "theirs.py").write_text("")
    (library / "nobodys.py").write_text("")
    world.sync(release("new"))
    left = ["new", "new-1.0.dist-info", "nobodys.py", "theirs-1.0.dist-info", "theirs.py"]
    assert names(library) == left


def test_a_virtual_environment_is_exact_but_pip_stays(make_venv: VenvMaker, tmp_path: Path) -> None:
    venv = make_venv()
    for name in ("pip", "stray"):
        info = venv.site_packages / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Name: {name}\nVersion: 1.0\n")
        (info / "INSTALLER").write_text("pip\n")
        (info / "RECORD").write_text(
            f"{name}.py,,\n{info.name}/METADATA,,\n../../../bin/python,,\n/etc/passwd,,\n,,\n.,,\n"
        )
        (venv.site_packages / f"{name}.py").write_text("")
    world = World(folder=tmp_path / "world", python=str(venv.path))
    world.sync(policy=RemovalPolicy(exact=False))
    assert venv.installed() == {"pip": "1.0", "stray": "1.0"}
    world.sync()
    assert venv.installed() == {"pip": "1.0"}
    assert not (venv.site_packages / "stray.py").exists()
    assert venv.python.exists()
    world.sync(policy=RemovalPolicy(remove_seeds=True))
    assert venv.installed() == {}


def test_a_check_changes_nothing_and_fetches_nothing(world: World, library: Path) -> None:
    message = world.sync(release(), check_only=True)
    assert [step.action for step in message.plan.changes] == ["install"]
    assert not library.exists()
    assert world.downloads.asked == []


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: path.unlink(),
        lambda path: path.write_text("x"),
        lambda path: path.write_text("version = '9.9'\n"),
    ],
    ids=["missing", "other size", "same size"],
)
def test_harm_to_an_installed_file_is_noticed_and_repaired(
    world: World, library: Path, harm: Callable[[Path], object]
) -> None:
    wheel = release()
    world.sync(wheel, install_options=InstallOptions(link_mode="copy"))
    whole = tree(library)
    harm(library / "sample/__init__.py")
    assert [step.action for step in world.sync(wheel, check_only=True).plan.changes] == ["repair"]
    world.sync(wheel)
    assert tree(library) == whole


@pytest.mark.parametrize("linked", ["sample", "sample/sub", "sample/sub/deep"])
def test_a_folder_that_became_a_link_is_noticed_and_what_it_leads_to_left_alone(
    world: World, library: Path, tmp_path: Path, linked: str
) -> None:
    wheel = release(files={"sample/__init__.py": "", "sample/sub/deep/data.txt": "x"})
    world.sync(wheel)
    whole = tree(library)
    shutil.move(library / linked, tmp_path / "elsewhere")
    (library / linked).symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    elsewhere = tree(tmp_path / "elsewhere")
    assert [step.action for step in world.sync(wheel).plan.changes] == ["repair"]
    assert (tree(library), tree(tmp_path / "elsewhere")) == (whole, elsewhere)


def test_harm_is_noticed_without_any_memory(world: World, library: Path, tmp_path: Path) -> None:
    wheel = release()
    world.sync(wheel, install_options=InstallOptions(link_mode="copy"))
    (library / "sample/__init__.py").write_text("version = '9.9'\n")
    world.cache = tmp_path / "another-cache"
    assert [step.action for step in world.sync(wheel).plan.changes] == ["repair"]
    assert judge(library) == {"sample": "1.0"}


def test_a_changed_time_alone_is_not_a_change(world: World, library: Path) -> None:
    wheel = release()
    world.sync(wheel, install_options=InstallOptions(link_mode="copy"))
    os.utime(library / "sample/__init__.py", (1, 1))
    assert not world.sync(wheel).changed


@pytest.mark.parametrize("mode", ["auto", "hardlink", "clone", "copy"])
def test_a_change_of_an_installed_file_reaches_no_later_install(world: World, tmp_path: Path, mode: str) -> None:
    wheel = release()
    world.sync(wheel, install_options=InstallOptions(link_mode=mode))
    (tmp_path / "target/sample/__init__.py").write_text("evil = 1\n")
    world.directory = str(tmp_path / "second")
    world.sync(wheel, install_options=InstallOptions(link_mode=mode))
    assert judge(tmp_path / "second") == {"sample": "1.0"}


def test_copies_share_nothing_with_the_cache(world: World, library: Path) -> None:
    world.sync(release(), install_options=InstallOptions(link_mode="copy"))
    assert (library / "sample/__init__.py").stat().st_nlink == 1


def test_the_same_version_from_other_bytes_is_installed_anew(world: World, library: Path) -> None:
    world.sync(release())
    other = release(files={"sample/__init__.py": "other = 1\n"})
    (step,) = world.sync(other).plan.changes
    assert (step.action, step.reason) == ("change", "installed from a file with other hashes")
    assert provenance(library, "sample")["archive_info"]["hashes"] == {"sha256": other.sha256}
    assert judge(library) == {"sample": "1.0"}


def test_requested_is_written_if_the_lock_records_dependencies(world: World, library: Path) -> None:
    world.offer(release("app"), release("dep"))
    world.sync(packages=[entry(release("app"), dependencies=[{"name": "dep"}]), entry(release("dep"))])
    assert (library / "app-1.0.dist-info/REQUESTED").exists()
    assert not (library / "dep-1.0.dist-info/REQUESTED").exists()


def test_an_archive_gets_a_direct_url(world: World, library: Path) -> None:
    wheel = release()
    world.offer(wheel)
    locked = locked_file(wheel)
    del locked["name"]
    url = locked["url"].replace("//", "//user:secret@")
    package = {"name": "sample", "archive": locked | {"url": url}}
    world.downloads.files[url] = wheel.content
    world.sync(packages=[package])
    message = json.loads((library / "sample-1.0.dist-info/direct_url.json").read_text())
    assert message["archive_info"]["hashes"] == {"sha256": wheel.sha256}
    assert "secret" not in json.dumps(message)
    assert not world.sync(packages=[package]).changed


def test_a_local_path_is_relative_to_the_lock_file(world: World, library: Path) -> None:
    wheel = release()
    (world.folder / "wheels").mkdir()
    (world.folder / "wheels" / wheel.filename).write_bytes(wheel.content)
    locked = locked_file(wheel)
    del locked["url"]
    world.sync(
        packages=[{"name": "sample", "version": "1.0", "wheels": [locked | {"path": f"wheels/{wheel.filename}"}]}]
    )
    assert judge(library) == {"sample": "1.0"}
    make_pipe(world.folder / "wheels/pipe-1.0-py3-none-any.whl")
    pipe = {"path": "wheels/pipe-1.0-py3-none-any.whl", "hashes": {"sha256": "0" * 64}}
    assert code_of(lambda: world.sync(packages=[{"name": "pipe", "version": "1.0", "wheels": [pipe]}]))


REFUSED: dict[str, Callable[[Artifact], dict[str, Any]]] = {
    "wrong hash": lambda wheel: {"hashes": {"sha256": "0" * 64}},
    "one of two hashes wrong": lambda wheel: {"hashes": {"sha256": wheel.sha256, "sha512": "0" * 128}},
    "no hash that counts": lambda wheel: {"hashes": {"md5": "0" * 32}},
    "unknown hash": lambda wheel: {"hashes": {"crc32": "0" * 8}},
    "hash too short": lambda wheel: {"hashes": {"sha256": "0" * 63}},
    "wrong size": lambda wheel: {"size": wheel.size + 1},
    "smaller size": lambda wheel: {"size": wheel.size - 1},
}


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED)
def test_a_refusal_leaves_the_target_as_it_was(
    world: World, library: Path, change: Callable[[Artifact], dict[str, Any]]
) -> None:
    world.sync(release("old"))
    before = tree(library)
    good, bad = release("good"), release("bad")
    world.offer(good, bad)
    package = {"name": "bad", "version": "1.0", "wheels": [locked_file(bad) | change(bad)]}
    with pytest.raises(LocksetError) as caught:
        world.sync(packages=[entry(good), package])
    assert "bad" in caught.value.diagnostic.message
    assert tree(library) == before


def test_a_transfer_that_began_anew_is_hashed_as_one_whole(world: World, library: Path) -> None:
    world.downloads.breaks = True
    world.sync(release())
    assert judge(library) == {"sample": "1.0"}


def test_two_packages_with_one_path_are_refused_by_name(world: World, library: Path) -> None:
    one = make_wheel("one", files={"shared/x.py": "1"})
    two = make_wheel("two", files={"shared/x.py": "2"})
    with pytest.raises(LocksetError) as caught:
        world.sync(one, two)
    assert all(word in caught.value.diagnostic.message for word in ("one 1.0", "two 1.0", "x.py"))
    assert not library.exists()


def test_two_packages_may_share_the_same_file_and_it_goes_with_the_last(world: World, library: Path) -> None:
    one = make_wheel("one", files={"shared/__init__.py": "", "shared/one.py": ""})
    two = make_wheel("two", files={"shared/__init__.py": "", "shared/two.py": ""})
    world.sync(one, two)
    assert judge(library) == {"one": "1.0", "two": "1.0"}
    world.sync(two)
    assert judge(library) == {"two": "1.0"}
    world.sync(one, two)
    assert judge(library) == {"one": "1.0", "two": "1.0"}
    world.sync()
    assert names(library) == []


def test_files_of_a_distribution_that_stays_are_not_overwritten(make_venv: VenvMaker, tmp_path: Path) -> None:
    venv = make_venv()
    world = World(folder=tmp_path / "world", python=str(venv.path))
    world.sync(make_wheel("stays", files={"x.py": "stays"}))
    call = lambda: world.sync(make_wheel("new", files={"x.py": "new"}), policy=RemovalPolicy(exact=False))  # noqa: E731
    assert code_of(call) == "path-conflict"
    assert (venv.site_packages / "x.py").read_text() == "stays"


@pytest.mark.parametrize(
    "files",
    [
        {"w-1.0.data/scripts/python": "#!/bin/sh\n"},
        {"w-1.0.data/scripts/Python3.exe": "x"},
        {"w-1.0.data/scripts/activate": "x"},
        {"w-1.0.data/scripts/activate.fish": "x"},
        {"w-1.0.data/data/pyvenv.cfg": "home = /evil"},
        {f"w-1.0.data/data/{'scripts/python.exe' if os.name == 'nt' else 'bin/python3'}": "x"},
        {"w-1.0.data/data/.lockset/journal": "{}"},
        {"w-1.0.data/data/.lockset.lock": ""},
    ],
)
def test_what_belongs_to_the_environment_is_never_written(
    make_venv: VenvMaker, tmp_path: Path, files: dict[str, str]
) -> None:
    venv = make_venv()
    before = tree(venv.path)
    world = World(folder=tmp_path / "world", python=str(venv.path))
    assert code_of(lambda: world.sync(make_wheel("w", files=files))) == "path-reserved"
    assert tree(venv.path) == before


@pytest.mark.parametrize("name", ["victim-1.0.dist-info", "VICTIM-1.0.DIST-INFO", "victim.egg-info", "victim.Egg-Link"])
def test_metadata_of_others_is_out_of_reach_through_the_data_scheme(
    make_venv: VenvMaker, tmp_path: Path, name: str
) -> None:
    """In whatever case: so do others look for it."""
    venv = make_venv()
    world = World(folder=tmp_path / "world", python=str(venv.path))
    library = "lib/site-packages" if os.name == "nt" else f"lib/python{venv.version}/site-packages"
    path = f"w-1.0.data/data/{library}/{name}/RECORD"
    assert code_of(lambda: world.sync(make_wheel("w", files={path: "x"}))) == "unsafe-path"


def linked(library: Path, outside: Path) -> None:
    outside.mkdir()
    (outside / "canary.py").write_text("alive")
    library.mkdir(exist_ok=True)
    (library / "sample").symlink_to(outside, target_is_directory=True)


def test_a_linked_package_folder_is_replaced_and_never_written_through(
    world: World, library: Path, tmp_path: Path
) -> None:
    linked(library, tmp_path / "outside")
    world.sync(release())
    assert judge(library) == {"sample": "1.0"}
    assert not (library / "sample").is_symlink()
    assert names(tmp_path / "outside") == ["canary.py"]


@pytest.mark.parametrize("twin", ["sample-0.9.dist-info", "other-1.0.dist-info", "SAMPLE-1.0.DIST-INFO"])
def test_a_copy_of_a_dist_info_folder_lists_files_of_the_other_and_goes_with_it(
    tmp_path: Path, make_venv: VenvMaker, twin: str
) -> None:
    library = make_venv("env").site_packages
    world = World(folder=tmp_path / "world", python=str(tmp_path / "env"))
    before = tree(library)
    world.sync(release())
    whole = tree(library)
    shutil.copytree(library / "sample-1.0.dist-info", library / twin)
    world.sync(release())
    assert tree(library) == whole
    shutil.copytree(library / "sample-1.0.dist-info", library / twin)
    world.sync()
    assert tree(library) == before


def test_removal_follows_no_link(world: World, library: Path, tmp_path: Path) -> None:
    world.sync(release(files={"sample/canary.py": "x"}))
    (library / "sample/canary.py").unlink()
    (library / "sample").rmdir()
    linked(library, tmp_path / "outside")
    world.sync()
    assert (tmp_path / "outside/canary.py").read_text() == "alive"
    assert not (library / "sample-1.0.dist-info").exists()


def test_modes_are_ours(world: World, library: Path) -> None:
    world.sync(release())
    for path in library.rglob("*"):
        assert not path.stat().st_mode & (stat.S_ISUID | stat.S_ISGID | stat.S_IWOTH | stat.S_IWGRP), path


def test_leftovers_of_others_are_repaired(world: World, library: Path) -> None:
    broken = library / "sample-0.9.dist-info"
    broken.mkdir(parents=True)
    (broken / "INSTALLER").write_text("pip")
    (library / "sample").mkdir()
    (library / "sample/__init__.py").write_text("half")
    world.sync(release())
    assert judge(library) == {"sample": "1.0"}


def test_a_source_is_built_only_where_allowed(world: World, library: Path) -> None:
    sdist = make_sdist("sample", "1.0")
    world.offer(sdist)
    assert code_of(lambda: world.sync(packages=[entry(sdist=sdist)])) == "build-needed"
    assert world.downloads.asked == []
    world.builds = FakeBuilds(release())
    world.sync(packages=[entry(sdist=sdist)])
    assert judge(library) == {"sample": "1.0"}
    assert provenance(library, "sample")["archive_info"]["hashes"] == {"sha256": sdist.sha256}
    assert not world.sync(packages=[entry(sdist=sdist)]).changed


def test_a_build_must_give_what_was_locked(world: World, library: Path) -> None:
    sdist = make_sdist("sample", "1.0")
    world.offer(sdist)
    world.builds = FakeBuilds(release(version="2.0"))
    assert code_of(lambda: world.sync(packages=[entry(sdist=sdist)])) == "wheel-refused"
    world.builds = FakeBuilds(release(tags="cp27-cp27m-win32"))
    assert code_of(lambda: world.sync(packages=[entry(sdist=sdist)])) == "build-unfit"
    assert not library.exists()


def test_a_directory_is_built_and_known_again(world: World, library: Path) -> None:
    (world.folder / "source").mkdir()
    world.builds = FakeBuilds(release())
    package = {"name": "sample", "directory": {"path": "source"}}
    world.sync(packages=[package])
    message = json.loads((library / "sample-1.0.dist-info/direct_url.json").read_text())
    assert message == {"url": (world.folder / "source").as_uri(), "dir_info": {}}
    assert not world.sync(packages=[package]).changed


def test_version_control_needs_a_build(world: World) -> None:
    vcs = {"type": "git", "url": "https://example.org/x.git", "commit-id": "0" * 40}
    assert code_of(lambda: world.sync(packages=[{"name": "x", "vcs": vcs}])) == "build-needed"


def test_bytecode_is_compiled_only_on_request(world: World, library: Path) -> None:
    world.sync(release())
    assert not list(library.rglob("*.pyc"))
    world.sync(release(version="2.0"), install_options=InstallOptions(compile_bytecode=True))
    assert [path.name.split(".")[0] for path in library.rglob("*.pyc")] == ["__init__"]
    world.sync()
    assert names(library) == []


def test_a_managed_python_is_refused(tmp_path: Path) -> None:
    world = World(folder=tmp_path / "world")
    facts = world.folder / "python"
    answer = json.dumps(managed_facts(tmp_path))
    facts.write_text(f"#!/bin/sh\ncat <<'END'\nlockset-facts:{answer}\nEND\n")
    facts.chmod(0o755)
    world.python = str(facts)
    assert code_of(lambda: world.sync(release())) == "externally-managed"
    world.directory = str(tmp_path / "target")
    world.sync(release())
    assert judge(tmp_path / "target") == {"sample": "1.0"}


def managed_facts(folder: Path) -> dict[str, Any]:
    location = str(folder / "system")
    return {
        "version": [3, 11],
        "implementation": "cpython",
        "markers": {"python_version": "3.11", "python_full_version": "3.11.1"},
        "abis": ["cp311"],
        "platforms": ["linux_x86_64"],
        "mac": None,
        "paths": dict.fromkeys(("purelib", "platlib", "scripts", "data", "stdlib"), location),
        "headers": location,
        "prefix": location,
        "base_prefix": location,
        "managed": "[externally-managed]\nError=Use the system installer\n",
        "launcher": "posix",
        "relocatable": False,
    }


def test_extras_and_groups_are_chosen_by_name(world: World, library: Path) -> None:
    packages = [
        entry(release("base")),
        entry(release("extra"), marker="'x' in extras"),
        entry(release("dev"), marker="'dev' in dependency_groups"),
        entry(release("docs"), marker="'docs' in dependency_groups"),
    ]
    for name in ("base", "extra", "dev", "docs"):
        world.offer(release(name))
    lock = make_lock(packages, extras=["x"], dependency_groups=["dev", "docs"], default_groups=["dev"])

    def chosen(**request: Any) -> set[str]:
        message = world.sync(lock=lock, check_only=True, **request)
        return {step.name for step in message.plan.changes}

    assert chosen() == {"base", "dev"}
    assert chosen(extras=frozenset({"x"})) == {"base", "dev", "extra"}
    assert chosen(all_extras=True, all_groups=True) == {"base", "extra", "dev", "docs"}
    assert chosen(groups=frozenset({"docs"})) == {"base", "dev", "docs"}
    assert chosen(groups=frozenset({"docs"}), default_groups=False) == {"base", "docs"}
    assert chosen(default_groups=False) == {"base"}
    assert code_of(lambda: chosen(extras=frozenset({"y"}))) == "unknown-extra"
    assert code_of(lambda: chosen(groups=frozenset({"y"}))) == "unknown-group"


def test_a_cache_that_cannot_be_written_is_gone_without(world: World, library: Path) -> None:
    (world.folder / "file").write_text("")
    world.cache = world.folder / "file" / "cache"
    world.sync(release())
    assert judge(library) == {"sample": "1.0"}
    assert any("continuing without it" in note for note in world.notes)


def _without_room(world: World, monkeypatch: pytest.MonkeyPatch, *, also_elsewhere: bool) -> None:
    """The disk of the cache has no room for wheels, though folders can be created."""
    real = os.mkdir

    def mkdir(path: str, mode: int = 0o777, **options: Any) -> None:
        if "wheel-" in os.path.basename(path) and (also_elsewhere or str(world.cache) in path):
            raise OSError(errno.ENOSPC, "No space left on device", path)
        real(path, mode, **options)

    monkeypatch.setattr(os, "mkdir", mkdir)


@pytest.mark.parametrize("mode", ["symlink", "auto"])
def test_a_cache_that_is_full_at_the_first_wheel_is_gone_without(
    world: World, library: Path, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _without_room(world, monkeypatch, also_elsewhere=False)
    world.sync(release(), install_options=InstallOptions(link_mode=mode))
    assert judge(library) == {"sample": "1.0"}
    assert sum("cannot be written (No space left on device)" in note for note in world.notes) == 1
    # The temporary folder is removed at the end.
    assert not [path for path in library.rglob("*") if path.is_symlink()]


def test_a_disk_that_is_full_everywhere_is_named_and_the_target_is_as_before(
    world: World, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _without_room(world, monkeypatch, also_elsewhere=True)
    with pytest.raises(LocksetError, match="No space left on device") as caught:
        world.sync(release())
    assert "sample 1.0" in caught.value.diagnostic.message
    assert not library.exists() or not [*library.iterdir()]


@pytest.mark.parametrize("harm", ["cut", "emptied", "missing", "other"])
@pytest.mark.parametrize("pattern", ["archives-v1/*", "wheels-v1/*/manifest", "wheels-v1/*/purelib/sample/__init__.py"])
def test_a_wrong_cache_never_ends_a_sync(world: World, tmp_path: Path, pattern: str, harm: str) -> None:
    wheel = release()
    world.sync(wheel)
    assert world.cache is not None
    for path in world.cache.glob(pattern):
        content = path.read_bytes()
        path.unlink()
        changed = {"cut": content[:-1], "emptied": b"", "other": content.swapcase()}
        if harm != "missing":
            path.write_bytes(changed[harm])
    world.directory = str(tmp_path / "second")
    world.sync(wheel)
    assert judge(tmp_path / "second") == {"sample": "1.0"}


def test_the_python_of_a_target_may_be_the_path_of_a_venv(tmp_path: Path, make_venv: VenvMaker) -> None:
    venv: Venv = make_venv()
    world = World(folder=tmp_path / "world", python=str(tmp_path / "nowhere"))
    assert code_of(lambda: world.sync(release())) == "python-not-found"
    world.python = str(venv.path)
    world.sync(release())
    assert venv.installed() == {"sample": "1.0"}
