"""The toolkit for pylock.toml (PEP 751). Importing does no work: names are imported on first use."""

from __future__ import annotations

TYPE_CHECKING = False  # as `typing` has it, whose import every start would pay for
if TYPE_CHECKING:
    from lockset.errors import LocksetError

__version__ = "0.1.0"

# Name of the façade -> module that holds it.
_FACADE: dict[str, str] = {
    "LocksetError": "lockset.errors",
}

__all__ = ["LocksetError", "__version__"]


def __getattr__(name: str) -> object:
    module = _FACADE.get(name)
    if module is None:
        message = f"module 'lockset' has no attribute {name!r}"
        raise AttributeError(message)
    from importlib import import_module

    return getattr(import_module(module), name)
