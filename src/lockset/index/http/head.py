"""What an answer of HTTP/1.1 says before its body, read strictly."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["WireError", "keeps_open", "length_of", "parse_head"]

_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9]{2})(?: [^\x00]*)?")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class WireError(Exception):
    """The connection failed, or the other side does not speak HTTP; another attempt may mend it."""


def parse_head(head: bytes) -> tuple[int, bytes, dict[str, str]]:
    """Status, minor version of HTTP, and headers: names in lower case, values of one name joined.

    Raises:
        WireError: It is malformed.
    """
    first, *lines = head.split(b"\n")
    said = _STATUS.fullmatch(first.removesuffix(b"\r"))
    if said is None:
        raise WireError("the server does not answer in HTTP")
    headers: dict[str, str] = {}
    name = ""
    for line in lines:
        text = line.decode("latin-1").removesuffix("\r")
        if text[:1] in {" ", "\t"} and name:
            headers[name] = f"{headers[name]} {text.strip()}"
            continue
        name, colon, value = text.partition(":")
        if not colon or not _HEADER_NAME.fullmatch(name) or "\0" in value or "\r" in value:
            raise WireError("a header of the answer is malformed")
        name, value = name.lower(), value.strip(" \t")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return int(said[2]), said[1], headers


def keeps_open(version: bytes, headers: Mapping[str, str]) -> bool:
    """Whether further requests may go over the connection of such an answer."""
    told = {token.strip().lower() for token in headers.get("connection", "").split(",")}
    return "close" not in told and (version == b"1" or "keep-alive" in told)


def length_of(text: str) -> int:
    """What a `Content-Length` says; WireError where that is nothing or more than one thing."""
    said = {part.strip() for part in text.split(",")}
    value = said.pop()
    if said or not value.isascii() or not value.isdecimal() or len(value) > 18:  # noqa: PLR2004 (beyond all sizes)
        raise WireError("the server tells no usable length of its answer")
    return int(value)
