"""Query the service of OSV: which advisories affect a version, and then each advisory once.

The requests are those of its documentation: `POST /v1/querybatch` and `GET /v1/vulns/ID`. They tell the service the
names and versions of the packages.
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from lockset._pattern import lazy_pattern
from lockset.advisories.advisory import read_advisory
from lockset.advisories.database import AdvisoryDatabase, DatabaseState, UnreadableAdvisory
from lockset.errors import AdvisoryInvalidError, OsvAnswerError
from lockset.index.credentials import redact
from lockset.index.http.incoming import Incoming, Request

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lockset.advisories.advisory import Advisory
    from lockset.composition.connections import Connection

__all__ = ["OSV_ADDRESS", "OsvService"]

# The public service; an own instance is chosen by a setting.
OSV_ADDRESS = "https://api.osv.dev"
# Limits of the service, and of what is taken from it.
_QUERIES = 1_000
_MOST_PAGES = 100
_LARGEST_ANSWER = 32 << 20
_LARGEST_ADVISORY = 4 << 20
_ID = lazy_pattern(r"[A-Za-z0-9][A-Za-z0-9:._-]{0,99}\Z")


class OsvService:
    """OSV's service at `address`, over the connections of a run."""

    def __init__(self, connection: Connection, address: str = OSV_ADDRESS) -> None:
        self._connection = connection
        self._address = address.rstrip("/")

    def advisories(self, pins: Iterable[tuple[str, str]]) -> AdvisoryDatabase:
        """The advisories that affect one of the versions: pairs of a normalized name and a version.

        Raises:
            LocksetError: If the service cannot be reached, or `osv-answer-invalid`.
        """
        queries = [
            {"package": {"name": name, "ecosystem": "PyPI"}, "version": version}
            for name, version in dict.fromkeys(pins)
        ]
        ids: dict[str, None] = {}
        for start in range(0, len(queries), _QUERIES):
            ids.update(dict.fromkeys(self._ids(queries[start : start + _QUERIES])))
        jobs = [(one, self._connection.workers.start(partial(self._advisory, one))) for one in ids]
        advisories: list[Advisory] = []
        unreadable: list[UnreadableAdvisory] = []
        for one, job in jobs:
            answer = job.result()
            if isinstance(answer, str):
                unreadable.append(UnreadableAdvisory(path=one, reason=answer))
            else:
                advisories.append(answer)
        state = DatabaseState(source=redact(self._address), files=None, unreadable=tuple(unreadable), is_live=True)
        return AdvisoryDatabase(advisories, (state,))

    def _ids(self, queries: Sequence[dict[str, Any]]) -> Iterator[str]:
        """The ids of all pages of the answers."""
        for _ in range(_MOST_PAGES):
            answer = self._json("/v1/querybatch", {"queries": queries}, _LARGEST_ANSWER)
            results = answer.get("results") if isinstance(answer, dict) else None
            if not isinstance(results, list) or len(results) != len(queries):
                raise self._invalid("it does not have one result for each query")
            further = []
            for query, result in zip(queries, results, strict=True):
                if result is not None and not isinstance(result, dict):
                    raise self._invalid("a result is not an object")
                yield from self._ids_of(result or {})
                token = (result or {}).get("next_page_token")
                if isinstance(token, str) and token:
                    further.append({**query, "page_token": token})
            if not further:
                return
            queries = further
        raise self._invalid(f"it has more than {_MOST_PAGES} pages")

    def _ids_of(self, result: dict[str, Any]) -> Iterator[str]:
        vulnerabilities = result.get("vulns") or []
        if not isinstance(vulnerabilities, list):
            raise self._invalid("`vulns` is not an array")
        for one in vulnerabilities:
            own = one.get("id") if isinstance(one, dict) else None
            if not isinstance(own, str) or not _ID.match(own):
                raise self._invalid("a vulnerability has no valid `id`")
            yield own

    def _advisory(self, one: str) -> Advisory | str:
        """The advisory, or why what the service has is not one."""
        try:
            return read_advisory(self._json(f"/v1/vulns/{one}", None, _LARGEST_ADVISORY))
        except (AdvisoryInvalidError, OsvAnswerError) as error:
            return error.diagnostic.message

    def _json(self, path: str, body: object, limit: int) -> Any:
        def take(incoming: Incoming) -> bytes:
            return incoming.body(limit)

        content = None if body is None else json.dumps(body).encode()
        request = Request(
            url=f"{self._address}{path}",
            method="GET" if content is None else "POST",
            headers={} if content is None else {"content-type": "application/json"},
            content=content,
            compressed=True,
        )
        data = self._connection.transport.exchange(request, take)
        try:
            return json.loads(data)
        except (ValueError, RecursionError) as error:
            raise self._invalid(f"it is not valid JSON: {error}") from error

    def _invalid(self, reason: str) -> OsvAnswerError:
        return OsvAnswerError(
            f"The response of the service is not valid: {reason}",
            location=redact(self._address),
            hint="Check that the URL is that of a service with OSV's API, or use an archive of advisories",
        )
