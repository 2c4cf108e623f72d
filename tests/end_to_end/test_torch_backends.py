"""`--torch-backend`: packages of PyTorch come from its indexes, and no others."""

from __future__ import annotations

import os
import sys
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
import tomli

from lockset.composition.torch_indexes import with_torch_backend
from lockset.index.options import IndexOptions, IndexSource
from lockset.sources.torch_backends import BACKENDS, cuda_backends, rocm_backends
from support.builders import make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.command import Command
    from support.local_index import LocalIndex

    Lock = Callable[..., dict[str, Any]]


@pytest.fixture
def torch(tmp_path: Path) -> str:
    """The URL of a folder with the indexes of several backends, in each the same versions with a label of it."""
    for backend, versions in {"cpu": ("2.0", "2.1", "2.2"), "cu121": ("2.1",), "cu118": ("2.0", "2.1")}.items():
        for name in ("torch", "torchvision"):
            folder = tmp_path / "torch" / backend / name
            folder.mkdir(parents=True)
            links = []
            for version in versions:
                wheel = make_wheel(name, f"{version}+{backend}", requires_dist=["numpy"])
                (folder / wheel.filename).write_bytes(wheel.content)
                links.append(f'<a href="{wheel.filename}#sha256={wheel.sha256}">{wheel.filename}</a>')
            (folder / "index.html").write_text("<!DOCTYPE html><html><body>" + "\n".join(links) + "</body></html>")
    return (tmp_path / "torch").as_uri()


@pytest.fixture
def lock(cli: Command, local_index: LocalIndex, tmp_path: Path) -> Lock:
    """Locks requirements; the packages of the lock file by name and version."""
    local_index.world.add("torch", "9.0", requires=["numpy"]).add("numpy", "1.0").add("other", "1.0")

    def locked(*requirements: str, options: tuple[object, ...] = (), **more: Any) -> dict[str, Any]:
        (tmp_path / "requirements.in").write_text("\n".join(requirements))
        cli.ok("lock", "requirements.in", "-i", local_index.url, "-U", "--python", ">=3.8", *options, **more)
        packages = tomli.loads((tmp_path / "pylock.toml").read_text())["packages"]
        return {f"{p['name']} {p['version']}": p for p in packages}

    return locked


def test_packages_of_pytorch_come_from_the_index_of_the_backend_and_others_do_not(lock: Lock, torch: str) -> None:
    assert list(lock("torch", "other")) == ["numpy 1.0", "other 1.0", "torch 9.0"]
    chosen = lock("torch", "torchvision", "other", options=("--torch-backend", "cpu", "--torch-index", torch))
    assert list(chosen) == ["numpy 1.0", "other 1.0", "torch 2.2+cpu", "torchvision 2.2+cpu"]
    assert list(lock("torch", options=("--torch-backend=cu118", "--torch-index", torch)))[1] == "torch 2.1+cu118"


def test_settings_and_variables_choose_the_backend(
    lock: Lock, torch: str, tmp_path: Path, cli: Command, local_index: LocalIndex
) -> None:
    variables = {"LOCKSET_TORCH_BACKEND": "cu121", "LOCKSET_TORCH_INDEX": torch}
    assert "torch 2.1+cu121" in lock("torch", env=variables)
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.8"\ndependencies = ["torch"]\n'
        f'[tool.lockset]\ntorch-backend = "cpu"\ntorch-index = "{torch}"\n'
    )
    cli.ok("lock", "-i", local_index.url)
    assert '"2.2+cpu"' in (tmp_path / "pylock.toml").read_text()
    cli.ok("lock", "-i", local_index.url, "-U", "--torch-backend", "cu121")
    assert '"2.1+cu121"' in (tmp_path / "pylock.toml").read_text()


def test_the_address_of_another_backend_s_index_is_enough() -> None:
    options = IndexOptions(indexes=(IndexSource(url="https://torch.example.org/whl/cu118/", name="old"),))
    chosen = with_torch_backend(options, "cpu", base=None, override=True, note=print)
    assert chosen.indexes[-1].url == "https://torch.example.org/whl/cpu/"
    assert chosen.pins["torchvision"] == chosen.indexes[-1].name


def test_packages_of_an_index_in_the_settings_stay_unless_an_option_says_otherwise() -> None:
    mine = IndexSource(url="https://mine.example.org/simple/", name="mine", explicit=True)
    options = IndexOptions(indexes=(mine,), pins={"torch": "mine"})
    for override in (False, True):
        chosen = with_torch_backend(options, "cpu", base="https://t.example.org", override=override, note=print)
        assert (chosen.pins["torch"] == "mine") is not override
        assert chosen.pins["torchaudio"] != "mine"


def test_a_backend_without_an_index_names_the_option(cli: Command, tmp_path: Path, local_index: LocalIndex) -> None:
    (tmp_path / "requirements.in").write_text("torch")
    message = cli.refused("lock", "requirements.in", "-i", local_index.url, "--torch-backend", "cpu")
    assert "torch-index" in message


@pytest.mark.parametrize("name", ["cu999", "CPU", "", "../x", "rocm"])
def test_a_backend_that_does_not_exist_is_refused(cli: Command, name: str, tmp_path: Path) -> None:
    (tmp_path / "requirements.in").write_text("torch")
    result = cli("lock", "requirements.in", "--torch-backend", name, "--torch-index", "https://torch.example.org/whl")
    assert result.code == 2, str(result)
    assert "Traceback" not in result.stderr


@pytest.mark.skipif(sys.platform != "linux" or os.path.exists("/sys/module/nvidia"), reason="a driver of its own")
@pytest.mark.parametrize(
    ("driver", "version"), [("550.54.15", "2.1+cu121"), ("470.10", "2.1+cu118"), (None, "2.2+cpu")]
)
def test_auto_follows_the_driver(lock: Lock, torch: str, tmp_path: Path, driver: str | None, version: str) -> None:
    for backend in BACKENDS:  # a folder of packages has to exist, unlike a page on a server
        (tmp_path / "torch" / backend).mkdir(exist_ok=True)
    tools = tmp_path / "tools"
    tools.mkdir()
    if driver is not None:
        (tools / "nvidia-smi").write_text(f"#!/bin/sh\necho {driver}\n")
        (tools / "nvidia-smi").chmod(0o755)
    surroundings = {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    options = ("--torch-backend", "auto", "--torch-index", torch)
    assert f"torch {version}" in lock("torch", options=options, env=surroundings)
    if driver is not None:
        older = lock("torch<2.1", options=options, env=surroundings)
        assert "torch 2.0+cu118" in older, "the next index is searched when the versions of the first are exhausted"


def test_newer_drivers_support_all_that_older_ones_do() -> None:
    versions = [(375, 26), (450, 36, 6), (450, 80, 2), (470, 1), (525, 60, 13), (580,), (600, 1)]
    for windows in (False, True):
        known = [set(cuda_backends(driver, windows=windows)) for driver in versions]
        assert all(one <= other for one, other in pairwise(known))
    assert set(cuda_backends((600,), windows=False)) < set(BACKENDS)
    assert rocm_backends("gfx1151")[0] == "rocm7.2"
    assert rocm_backends("gfx000") == []
