"""Regular expressions that are compiled when they are first used.

`re.compile` takes 0.05 to 1 ms, and a command uses few of the patterns of the modules that it imports.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from typing import Any

__all__ = ["lazy_pattern"]

_METHODS = ("findall", "finditer", "flags", "fullmatch", "groups", "match", "pattern", "search", "split", "sub", "subn")


class _Compiled:
    """The methods and attributes of a compiled pattern, in slots: a call costs as much as that of the pattern."""

    __slots__ = (*_METHODS, "_source")


class _Uncompiled(_Compiled):
    """A pattern until its first use, which makes it a `_Compiled`."""

    __slots__ = ()

    def __init__(self, source: Any, flags: int) -> None:
        self._source = (source, flags)

    def __getattr__(self, name: str) -> Any:
        """Compile the pattern. Threads that do so at the same time store equal values."""
        import re

        compiled = re.compile(*self._source)
        for each in _METHODS:
            setattr(self, each, getattr(compiled, each))
        self.__class__ = _Compiled  # type: ignore[assignment]
        return getattr(compiled, name)


if TYPE_CHECKING:
    lazy_pattern = re.compile  # for type checkers they are compiled patterns
else:

    def lazy_pattern(source: str | bytes, flags: int = 0) -> _Uncompiled:
        """A pattern with the methods of a compiled one, compiled when one of them is first used.

        It is not a `re.Pattern`: the functions of the module `re` do not accept it.

        Raises:
            re.error: On first use, if the pattern is not valid.
        """
        return _Uncompiled(source, flags)
