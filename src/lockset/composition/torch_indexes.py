"""The indexes of PyTorch for its packages, for the backend that is named or that fits this machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lockset._dataclass import replace
from lockset._pattern import lazy_pattern
from lockset.errors import LocksetError, UsageError
from lockset.index.options import IndexOptions, IndexSource
from lockset.sources.torch_backends import AUTO, BACKENDS, TORCH_PACKAGES, cuda_backends, rocm_backends

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["with_torch_backend"]

_NAME = "torch-backend"
_SECONDS = 20
_VERSION = lazy_pattern(r"\d+\.\d+(?:\.\d+)*")
_INTEL, _DISPLAY = "0x8086", "0x03"


def with_torch_backend(
    options: IndexOptions, backend: str, *, base: str | None, override: bool, note: Callable[[str], object]
) -> IndexOptions:
    """`options` with the indexes of `backend` for PyTorch's packages alone.

    Args:
        options: The indexes of the run.
        backend: A name of `BACKENDS`, or `auto` for those that this machine can use, best first.
        base: The URL below which the indexes are; None for that of an index of `options`, such as `https://.../cpu`.
        override: Whether it takes precedence over indexes to which `options` pin these packages.
        note: Receives what `auto` decided.

    Raises:
        UsageError: `option-value` for a backend that does not exist.
        LocksetError: `torch-index-missing`: the address of the indexes is not known.
    """
    if backend != AUTO and backend not in BACKENDS:
        message = f"--torch-backend: `{backend}` is not a backend of PyTorch"
        raise UsageError(
            "option-value", message, hint="Write `cpu`, `xpu`, `auto`, or one such as `cu128` or `rocm6.4`"
        )
    root = base or _base_of(options)
    if root is None:
        raise LocksetError(
            "torch-index-missing",
            f"The address of PyTorch's indexes is not known, and the backend `{backend}` needs it",
            hint="Set `torch-index` in [tool.lockset] (or `--torch-index`, LOCKSET_TORCH_INDEX) to the address that "
            "PyTorch's instructions name after `--index-url`, without its last part, such as `/cpu`",
        )
    names = [backend] if backend != AUTO else _detected(note)
    indexes = [IndexSource(url=f"{root.rstrip('/')}/{name}/", name=_NAME, explicit=True) for name in names]
    ours = dict.fromkeys(TORCH_PACKAGES, _NAME)
    pins = {**options.pins, **ours} if override else {**ours, **options.pins}
    return replace(options, indexes=(*options.indexes, *indexes), pins=pins)


def _base_of(options: IndexOptions) -> str | None:
    """The parent of an index whose address ends with the name of a backend."""
    for url in (*(source.url for source in options.indexes), options.index_url):
        parent, _, last = url.rstrip("/").rpartition("/")
        if last in BACKENDS and urlsplit(parent).netloc:
            return parent
    return None


def _detected(note: Callable[[str], object]) -> list[str]:
    windows = sys.platform == "win32"
    driver = _driver() if sys.platform != "darwin" else None
    if driver is not None:
        numbers = tuple(int(part) for part in driver.split("."))
        names, what = [*cuda_backends(numbers, windows=windows), "cpu"], f"NVIDIA driver {driver}"
    elif sys.platform == "linux" and (architecture := _amd_architecture()) is not None:
        names, what = [*rocm_backends(architecture), "cpu"], f"AMD {architecture}"
    elif sys.platform == "linux" and _has_intel_gpu():
        names, what = ["xpu"], "Intel GPU"
    else:
        names, what = ["cpu"], "no GPU"
    note(f"The PyTorch backend is {names[0]} ({what})")
    return names


def _driver() -> str | None:
    """The version of NVIDIA's driver; None without one."""
    for path in ("/sys/module/nvidia/version", "/proc/driver/nvidia/version"):
        try:
            version = _VERSION.search(Path(path).read_text("utf-8", "replace"))
        except OSError:
            continue
        if version is not None:
            return version[0]
    version = _VERSION.search(_output(["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]))
    return None if version is None else version[0]


def _amd_architecture() -> str | None:
    """The architecture of the AMD GPU that the fewest backends support; None without one."""
    lines = _output(["rocm_agent_enumerator"]).split()
    return min((line for line in lines if rocm_backends(line)), key=lambda line: len(rocm_backends(line)), default=None)


def _has_intel_gpu() -> bool:
    for device in Path("/sys/bus/pci/devices").glob("*"):
        try:
            vendor, kind = ((device / name).read_text("ascii").strip() for name in ("vendor", "class"))
        except (OSError, ValueError):
            continue
        if vendor == _INTEL and kind.startswith(_DISPLAY):
            return True
    return False


def _output(command: list[str]) -> str:
    """What a command prints; empty if it is not there or fails."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=_SECONDS)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode("utf-8", "replace")
