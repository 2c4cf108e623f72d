"""httpcore raises KeyError where one thread ended the HTTP/2 stream of another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from lockset.index.http.deadlines import Deadlines
from lockset.index.http.httpx_client import HttpxResponse
from lockset.index.http.incoming import Again

if TYPE_CHECKING:
    from collections.abc import Iterator


class LostStream(httpx.SyncByteStream):
    """A body whose stream is gone."""

    def __iter__(self) -> Iterator[bytes]:
        yield b"piece"
        raise KeyError(517)

    def close(self) -> None:
        raise KeyError(517)


def lost() -> HttpxResponse:
    return HttpxResponse(httpx.Response(200, stream=LostStream()), Deadlines(), 1.0)


def test_a_body_whose_stream_is_lost_is_tried_again() -> None:
    with pytest.raises(Again, match="stream was lost"):
        list(lost().stream)


def test_a_response_whose_stream_is_lost_is_closed() -> None:
    lost().close()
