"""Memory that is freed stays with the process where work needs it again and again."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

_FAULTS = """
import resource, sys, threading
from lockset.files.system import keep_freed_memory
if sys.argv[1] == "kept":
    keep_freed_memory()

def work():
    for _ in range(200):
        blocks = [bytes([1]) * (300 << 10) for _ in range(8)]

begun = resource.getrusage(resource.RUSAGE_SELF)
thread = threading.Thread(target=work)
thread.start()
thread.join()
ended = resource.getrusage(resource.RUSAGE_SELF)
print(ended.ru_minflt - begun.ru_minflt, ended.ru_maxrss - begun.ru_maxrss)
"""


def _faults(which: str) -> tuple[int, int]:
    """How many pages a process got from the system during work, and how many kilobytes it grew."""
    command = [sys.executable, "-c", _FAULTS, which]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
    pages, grown = done.stdout.split()
    return int(pages), int(grown)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc returns freed memory this way")
def test_blocks_that_are_freed_and_needed_again_are_got_from_the_system_once() -> None:
    (returned, _), (kept, grown) = _faults("returned"), _faults("kept")
    assert kept < returned / 10
    assert grown < 16 << 10, "the block that was freed was never in memory"
