"""The backends of PyTorch (CUDA, ROCm, ...), each with an index of its own, and which of them a machine can use."""

from __future__ import annotations

__all__ = ["AUTO", "BACKENDS", "TORCH_PACKAGES", "cuda_backends", "rocm_backends"]

AUTO = "auto"
# Packages that the indexes of PyTorch have in variants, or only there: the list of uv.
TORCH_PACKAGES = (
    "fbgemm-gpu", "fbgemm-gpu-genai", "pytorch-triton", "pytorch-triton-rocm", "pytorch-triton-xpu", "torch",
    "torch-tensorrt", "torchao", "torcharrow", "torchaudio", "torchcodec", "torchcsprng", "torchdistx", "torchrec",
    "torchserve", "torchtext", "torchtune", "torchvision", "triton", "triton-rocm", "triton-xpu", "xformers",
)  # fmt: skip

# Backends for CUDA, newest first, with the least driver on Linux and Windows (release notes of the CUDA toolkit).
_CUDA: tuple[tuple[tuple[str, ...], tuple[int, ...], tuple[int, ...]], ...] = (
    (("cu132", "cu130"), (580,), (580,)),
    (("cu129", "cu128", "cu126", "cu125", "cu124", "cu123", "cu122", "cu121", "cu120"), (525, 60, 13), (528, 33)),
    (("cu118", "cu117", "cu116", "cu115", "cu114", "cu113", "cu112", "cu111"), (450, 80, 2), (452, 39)),
    (("cu110",), (450, 36, 6), (451, 22)),
    (("cu102",), (440, 33), (441, 22)),
    (("cu101",), (418, 39), (418, 96)),
    (("cu100",), (410, 48), (411, 31)),
    (("cu92",), (396, 26), (398, 26)),
    (("cu91",), (390, 46), (391, 29)),
    (("cu90",), (384, 81), (385, 54)),
    (("cu80",), (375, 26), (376, 51)),
)
_OLD_AMD = frozenset({"gfx900", "gfx906", "gfx908", "gfx90a", "gfx942", "gfx1030", "gfx1100"})
_AMD = _OLD_AMD | {"gfx1101", "gfx1102", "gfx1200", "gfx1201"}
_NEW_AMD = _AMD | {"gfx950", "gfx1150", "gfx1151"}
# Backends for ROCm, newest first, with the architectures that PyTorch is compiled for.
_ROCM: tuple[tuple[str, frozenset[str]], ...] = (
    ("rocm7.2", _NEW_AMD),
    ("rocm7.1", _NEW_AMD),
    ("rocm7.0", _NEW_AMD),
    ("rocm6.4", _AMD),
    ("rocm6.3", _AMD),
    ("rocm6.2.4", _AMD),
    ("rocm6.2", _OLD_AMD),
    ("rocm6.1", _OLD_AMD | {"gfx1101"}),
    ("rocm6.0", _OLD_AMD),
)
_OLDER_ROCM = (
    "rocm5.7", "rocm5.6", "rocm5.5", "rocm5.4.2", "rocm5.4", "rocm5.3", "rocm5.2", "rocm5.1.1", "rocm4.2", "rocm4.1",
    "rocm4.0.1",
)  # fmt: skip

# Every name of a backend, which is the last part of the address of its index.
BACKENDS = (
    "cpu",
    *(name for names, _, _ in _CUDA for name in names),
    *(name for name, _ in _ROCM),
    *_OLDER_ROCM,
    "xpu",
)


def cuda_backends(driver: tuple[int, ...], *, windows: bool) -> list[str]:
    """Backends that work with a version of NVIDIA's driver, newest first."""
    return [name for names, linux, other in _CUDA if driver >= (other if windows else linux) for name in names]


def rocm_backends(architecture: str) -> list[str]:
    """Backends for the architecture of an AMD GPU (`gfx1100`), newest first."""
    return [name for name, architectures in _ROCM if architecture in architectures]
