"""Memory stays flat, whatever a wheel weighs."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from support.builders.locks import make_lock

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the peak is told in other units elsewhere")

MEBIBYTE = 1 << 20
WEIGHT = 130 * MEBIBYTE
MOST = 100 * MEBIBYTE
_RUN = """
import resource, subprocess, sys
code = subprocess.call([sys.executable, "-m", "lockset", *sys.argv[1:]])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
raise SystemExit(code)
"""


def heavy_wheel(folder: Path, method: int) -> Path:
    """A wheel with one large file, written in pieces."""
    path = folder / "heavy-1.0-py3-none-any.whl"
    texts = {
        "METADATA": b"Metadata-Version: 2.1\nName: heavy\nVersion: 1.0\n",
        "WHEEL": b"Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    hasher = hashlib.sha256()
    with zipfile.ZipFile(path, "w", method, compresslevel=1) as archive:
        with archive.open("heavy.bin", "w") as member:
            for number in range(WEIGHT // MEBIBYTE):
                piece = bytes([number]) * MEBIBYTE
                hasher.update(piece)
                member.write(piece)
        rows = [f"heavy.bin,sha256={text_of(hasher.digest())},{WEIGHT}\n"]
        for name, text in texts.items():
            archive.writestr(f"heavy-1.0.dist-info/{name}", text)
            rows.append(f"heavy-1.0.dist-info/{name},sha256={text_of(hashlib.sha256(text).digest())},{len(text)}\n")
        archive.writestr("heavy-1.0.dist-info/RECORD", "".join(rows) + "heavy-1.0.dist-info/RECORD,,\n")
    return path


def text_of(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED], ids=["stored", "deflated"])
def test_a_heavy_wheel_needs_no_more_memory_than_a_light_one(tmp_path: Path, method: int) -> None:
    path = heavy_wheel(tmp_path, method)
    hasher = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(MEBIBYTE):
            hasher.update(piece)
    wheel = {
        "name": path.name,
        "path": path.name,
        "size": path.stat().st_size,
        "hashes": {"sha256": hasher.hexdigest()},
    }
    (tmp_path / "pylock.toml").write_text(make_lock([{"name": "heavy", "version": "1.0", "wheels": [wheel]}]))
    command = [sys.executable, "-c", _RUN, "sync", "--target", "out"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out/heavy.bin").stat().st_size == WEIGHT
    assert int(done.stdout) < MOST
