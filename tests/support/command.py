"""The command line in a child process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Command", "Result"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a child process ended."""

    args: tuple[str, ...]
    code: int
    stdout: str
    stderr: str

    def json(self) -> Any:
        return json.loads(self.stdout)

    def __str__(self) -> str:
        return f"lockset {' '.join(self.args)}\nexit code {self.code}\n{self.stdout}\n{self.stderr}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Calls `python -m lockset`: `cli("lock", "--check")`. Environment: that of the test, plus `env`."""

    cwd: Path
    env: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 300.0

    def __call__(
        self, *args: object, cwd: Path | None = None, env: Mapping[str, str] | None = None, stdin: str | None = None
    ) -> Result:
        """Run it to its end, however it ends."""
        texts = tuple(map(str, args))
        done = subprocess.run(
            [sys.executable, "-m", "lockset", *texts],
            cwd=cwd or self.cwd,
            env={**os.environ, **self.env, **(env or {})},
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            encoding="utf-8",
            timeout=self.timeout,
            check=False,
        )
        return Result(args=texts, code=done.returncode, stdout=done.stdout, stderr=done.stderr)

    def ok(self, *args: object, **options: Any) -> Result:
        """Run it; it must end with exit code 0."""
        result = self(*args, **options)
        assert result.code == 0, str(result)
        return result

    def refused(self, *args: object, code: int = 1, **options: Any) -> str:
        """Run it; it must refuse in one paragraph without a traceback; the paragraph."""
        result = self(*args, **options)
        assert result.code == code, str(result)
        assert "Traceback" not in result.stderr, str(result)
        paragraphs = [text for text in result.stderr.strip().split("\n\n") if text.strip()]
        assert len(paragraphs) == 1, str(result)
        return paragraphs[0]
