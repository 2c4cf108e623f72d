"""Messages about systems that no marker names, whose marker values are empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command
    from support.local_index import LocalIndex


@pytest.mark.parametrize(
    "marker",
    [
        "sys_platform != 'linux' and sys_platform != 'darwin' and sys_platform != 'win32'",
        "sys_platform not in 'linux darwin win32'",
        "platform_system == ''",
    ],
)
def test_a_failure_where_no_system_is_named_says_so(
    cli: Command, local_index: LocalIndex, tmp_path: Path, marker: str
) -> None:
    local_index.world.add("hull")
    (tmp_path / "requirements.in").write_text(f"hull==9 ; {marker}\n")
    done = cli("lock", "requirements.in", "--python", "3.12", "-i", local_index.url)
    assert done.code == 1
    assert "on Python 3.12, an unnamed system\n" in done.stderr, str(done)


def test_two_pins_where_no_system_is_named_say_so(cli: Command, tmp_path: Path) -> None:
    digest = "--hash=sha256:" + "0" * 64
    marker = "sys_platform != 'linux' and sys_platform != 'darwin' and sys_platform != 'win32'"
    (tmp_path / "requirements.txt").write_text(f"a==1 ; {marker} {digest}\na==2 ; {marker} {digest}\n")
    done = cli("convert", "requirements.txt", "--offline")
    assert done.code == 1
    assert " on an unnamed system" in done.stderr, str(done)
