"""A build environment that is the interpreter of the tests."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["BareEnvironmentMaker"]


@dataclass(slots=True)
class BareEnvironmentMaker:
    """Installs nothing; writes down what was wanted. Serves backends that need only the standard library."""

    wanted: list[str] = field(default_factory=list)
    python: Path = field(default_factory=lambda: Path(sys.executable))

    @contextmanager
    def make(
        self, requirements: Sequence[str], *, what: str, package: str | None = None
    ) -> Iterator[BareEnvironmentMaker]:
        self.install(requirements)
        yield self

    def install(self, requirements: Sequence[str]) -> None:
        self.wanted.extend(requirements)
