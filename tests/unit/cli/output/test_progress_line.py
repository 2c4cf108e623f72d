"""The progress line: what moves stands last, and bytes are counted once."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from lockset.cli.output.progress_line import Progress
from lockset.progress import NullListener, expect_bytes

if TYPE_CHECKING:
    from lockset.cli.output.streams import Output


class Screen:
    """Remembers every drawing."""

    spinner = "*"

    def __init__(self) -> None:
        self.lines: list[str] = []

    def columns(self) -> int:
        return 100

    def write_progress(self, text: str) -> None:
        self.lines.append(text.removeprefix("\r\x1b[K"))


def drawn(screen: Screen) -> Progress:
    ticks = iter(range(1000))
    return Progress(cast("Output", screen), clock=lambda: float(next(ticks)))


def test_bytes_are_shown_with_their_total() -> None:
    screen = Screen()
    progress = drawn(screen)
    progress.phase("Downloading", total=17)
    expect_bytes(progress, 12_400_000)
    progress.transferred(2_000_000)
    assert "2.0 of 12.4 MB" in screen.lines[-1]
    progress.transferred(11_000_000)  # a retry
    assert "13.0 MB" in screen.lines[-1]
    assert " of " not in screen.lines[-1]


def test_fields_keep_their_columns() -> None:
    screen = Screen()
    progress = drawn(screen)
    progress.phase("Downloading", total=100)
    expect_bytes(progress, 250_000_000)
    for name in ("a 1", "a-very-long-name 2026.1", "b 1") * 30:
        progress.transferred(2_500_000)
        progress.step(name)
    lines = [line for line in screen.lines if line.count("·") == 3]
    assert len({tuple(i for i, sign in enumerate(line) if sign == "·") for line in lines}) == 1


def test_a_search_counts_packages_not_steps() -> None:
    screen = Screen()
    progress = drawn(screen)
    progress.phase("Resolving")
    for release in ("flask 3.1.3", "flask 3.1.2", "httpx 0.28.1"):
        progress.step(release)
    assert screen.lines[-1].startswith("* Resolving   2 packages")


def test_a_listener_without_expect_is_left_alone() -> None:
    expect_bytes(NullListener(), 1)
