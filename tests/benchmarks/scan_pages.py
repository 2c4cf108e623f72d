"""How long it takes to read a project page: `PYTHONPATH=tests python -m benchmarks.scan_pages`.

Prints processor milliseconds for pages of the public index's form: to inflate them, to scan them into a table, and, to
compare, for `json.loads`, which reads every value and makes no table.
"""

from __future__ import annotations

import gzip
import json
from time import process_time
from typing import TYPE_CHECKING

from lockset.index.pages.simple_json import parse_json_page

if TYPE_CHECKING:
    from collections.abc import Callable

_RUNS = 7
_PAGE_URL = "https://index.example.org/simple/sample/"


def page(versions: int, wheels: int) -> bytes:
    """A page with an sdist and a number of wheels for each version."""
    tags = [f"cp3{minor}-cp3{minor}-manylinux_2_17_x86_64.manylinux2014_x86_64" for minor in range(8, 8 + wheels)]
    names = [
        name
        for version in range(versions)
        for name in (
            *(f"sample-1.{version}.0-{tag}.whl" for tag in tags),
            f"sample-1.{version}.0.tar.gz",
        )
    ]
    files = [_file(name, number) for number, name in enumerate(names)]
    content = {"files": files, "meta": {"api-version": "1.4"}, "name": "sample", "versions": []}
    return json.dumps(content, separators=(",", ":")).encode()


def _file(name: str, number: int) -> dict[str, object]:
    digest = f"{number:064x}"
    metadata = {"core-metadata": {"sha256": digest}, "data-dist-info-metadata": {"sha256": digest}}
    return {
        **(metadata if name.endswith(".whl") else {}),
        "filename": name,
        "hashes": {"sha256": digest},
        "provenance": None,
        "requires-python": ">=3.8",
        "size": 1000 + number,
        "upload-time": "2024-05-06T07:08:09.123456Z",
        "url": f"https://files.example.org/packages/{digest[:2]}/{digest[2:4]}/{digest[4:]}/{name}",
        "yanked": False,
    }


def milliseconds(call: Callable[[], object]) -> float:
    """The least processor time of a few calls."""
    times = []
    for _ in range(_RUNS):
        begun = process_time()
        call()
        times.append(process_time() - begun)
    return 1000 * min(times)


def main() -> None:
    print("versions  files    MB  inflate    scan    json  (ms)")
    for versions, wheels in ((50, 1), (200, 8), (1000, 1), (500, 20)):
        data = page(versions, wheels)
        packed = gzip.compress(data, mtime=0)
        times = (
            milliseconds(lambda packed=packed: gzip.decompress(packed)),  # type: ignore[misc]  # bind the present page
            milliseconds(lambda data=data, packed=packed: _scan(data, packed)),  # type: ignore[misc]  # as above
            milliseconds(lambda data=data: json.loads(data)),  # type: ignore[misc]  # as above
        )
        figures = "".join(f"{time:8.2f}" for time in times)
        print(f"{versions:8} {versions * (wheels + 1):6} {len(data) / 1e6:5.1f} {figures}", flush=True)


def _scan(data: bytes, packed: bytes) -> object:
    return parse_json_page(data, name="sample", page_url=_PAGE_URL, index_url=_PAGE_URL, packed=packed)


if __name__ == "__main__":
    main()
