"""A zip writer that can lie: every field of every header is the test's to choose."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field, replace

__all__ = ["Entry", "forge"]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One member; `local` and `central` replace fields of its two headers, None leaves a header out."""

    name: bytes = b"a.txt"
    content: bytes = b"content"
    method: int = 8
    flags: int = 0
    mode: int = 0o100644
    extra: bytes = b""
    packed: bytes | None = None
    after: bytes = b""
    local: dict[str, int | bytes] = field(default_factory=dict)
    central: dict[str, int | bytes] = field(default_factory=dict)

    def but(self, **changes: object) -> Entry:
        return replace(self, **changes)  # type: ignore[arg-type]

    @property
    def data(self) -> bytes:
        if self.packed is not None:
            return self.packed
        if self.method == 0:
            return self.content
        deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
        return deflate.compress(self.content) + deflate.flush()

    def facts(self, changes: dict[str, int | bytes]) -> dict[str, int | bytes]:
        facts: dict[str, int | bytes] = {
            "signature": b"",
            "name": self.name,
            "method": self.method,
            "flags": self.flags,
            "crc": zlib.crc32(self.content),
            "packed": len(self.data),
            "size": len(self.content),
            "extra": self.extra,
        }
        return facts | changes


def forge(
    *entries: Entry,
    before: bytes = b"",
    between: bytes = b"",
    after: bytes = b"",
    comment: bytes = b"",
    end: dict[str, int] | None = None,
    end64: dict[str, int | bytes] | None = None,
    locator: dict[str, int] | None = None,
    skip_central: tuple[int, ...] = (),
) -> bytes:
    """A zip archive; `end` replaces fields of its end record, `end64` and `locator` those of 64-bit records."""
    body = bytearray(before)
    offsets: list[int] = []
    for entry in entries:
        offsets.append(len(body))
        body += _local(entry) + entry.data + entry.after
    body += between
    start = len(body)
    listed = [n for n in range(len(entries)) if n not in skip_central]
    for number in listed:
        body += _central(entries[number], offsets[number])
    facts = {"disk": 0, "first": 0, "here": len(listed), "total": len(listed)}
    facts |= {"length": len(body) - start, "start": start, "comment": len(comment)} | (end or {})
    if end64 is not None:
        wide: dict[str, int | bytes] = {"signature": b"PK\6\6", "size": 44, "disk": 0, "first": 0, "here": len(listed)}
        wide |= {"total": len(listed), "length": len(body) - start, "start": start} | end64
        signature, size, *rest = wide.values()
        location = {"disk": 0, "offset": len(body), "disks": 1} | (locator or {})
        body += struct.pack("<4sQ2H2L4Q", signature, size, 45, 45, *rest)
        body += struct.pack("<4sLQL", b"PK\6\7", *location.values())
    body += struct.pack("<4s4H2LH", b"PK\5\6", *facts.values()) + comment + after
    return bytes(body)


def _local(entry: Entry) -> bytes:
    f = entry.facts(entry.local)
    name, extra = bytes(f["name"]), bytes(f["extra"])
    header = (f["flags"], f["method"], 0, 0x21, f["crc"], f["packed"], f["size"], len(name), len(extra))
    return struct.pack("<4s5H3L2H", bytes(f["signature"] or b"PK\3\4"), 20, *header) + name + extra


def _central(entry: Entry, offset: int) -> bytes:
    placed: dict[str, int | bytes] = {"mode": entry.mode, "system": 3, "offset": offset}
    f = entry.facts(placed | entry.central)
    name, extra = bytes(f["name"]), bytes(f["extra"])
    return (
        struct.pack(
            "<4sBB5H3L5H2L",
            b"PK\1\2",
            20,
            f["system"],
            20,
            f["flags"],
            f["method"],
            0,
            0x21,
            f["crc"],
            f["packed"],
            f["size"],
            len(name),
            len(extra),
            0,
            0,
            0,
            int(f["mode"]) << 16,
            f["offset"],
        )
        + name
        + extra
    )
