"""How long `lockset lock` takes from an empty cache: `PYTHONPATH=tests python -m benchmarks.cold_lock`.

Serves a generated world on loopback in the form of the public index: JSON in its order of keys, compressed, absolute
URLs. Pages are made once, so that the server hardly takes time. Each run is a process of its own with an empty cache.
With `--against SRC`, another checkout's `src`, both take turns, and the ratio is taken pair by pair.

A run compiles no module: the first one of each, which is not counted, writes the bytecode. Where
PYTHONDONTWRITEBYTECODE is set, every process compiles all of lockset, which takes longer than the rest of its start.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

import lockset
from benchmarks.generated_world import generated_world
from support.local_index import MODERN, World
from support.local_index.responses import Answer, answer

_MODE = replace(MODERN, relative_urls=False, gzip=False)
_ACCEPT = {"accept": "application/vnd.pypi.simple.v1+json"}
_ABSENT = {"core-metadata": False, "provenance": None, "requires-python": None, "yanked": False}
_RUN = "import sys; from lockset.cli.main import main; sys.exit(main())"


class PublicIndex:
    """Answers for a world, each made once, as bytes of HTTP/1.1; every answer takes `latency` seconds."""

    def __init__(self, world: World, latency: float) -> None:
        self._world = world
        self._latency = latency
        self._answers: dict[str, bytes] = {}
        self.origin = ""

    def start(self) -> None:
        ready = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self._serve(ready)), daemon=True).start()
        ready.wait()

    async def _serve(self, ready: threading.Event) -> None:
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0, backlog=256)
        self.origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ready.set()
        await server.serve_forever()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await asyncio.sleep(self._latency)
                writer.write(self._answer(head.decode("latin-1").split(" ", 2)[1]))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def _answer(self, path: str) -> bytes:
        known = self._answers.get(path)
        if known is None:
            made = answer(self._world, _MODE, self.origin, path, _ACCEPT)
            if path.startswith("/simple/") and made.status == 200:
                _as_public(made)
            headers = {**made.headers, "Content-Length": str(len(made.body))}
            lines = [f"HTTP/1.1 {made.status} -", *(f"{name}: {value}" for name, value in headers.items() if value)]
            known = self._answers[path] = "\r\n".join([*lines, "\r\n"]).encode() + made.body
        return known


def _as_public(page: Answer) -> None:
    """Rewrite a JSON page as the public index writes it."""
    content = json.loads(page.body)
    for file in content["files"]:
        values = {**_ABSENT, **file}
        values["data-dist-info-metadata"] = values["core-metadata"]
        file.clear()
        file.update(sorted(values.items()))
    page.body = gzip.compress(json.dumps(content, separators=(",", ":")).encode(), mtime=0)
    page.headers["Content-Encoding"] = "gzip"


def world_of(size: int) -> tuple[World, tuple[str, ...]]:
    """The served world, and what its project requires."""
    generated, world = generated_world(size), World()
    for name, versions in generated.packages.items():
        for version, facts in versions.items():
            world.add(name, version, **{key.replace("-", "_"): value for key, value in facts.items()})
    return world, generated.roots


def run(source: str, folder: Path, index: str) -> tuple[float, float]:
    """Processor and wall seconds of one run of the lockset in `source`."""
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory(dir=folder) as cache:
        command = ["lock", "world.in", "--default-index", index, "--cache-dir", cache, "-o", "pylock.new.toml"]
        (folder / "pylock.new.toml").unlink(missing_ok=True)
        before, begun = os.times(), time.perf_counter()
        arguments = [sys.executable, "-c", _RUN, *command]
        subprocess.run(arguments, cwd=folder, env={**environ, "PYTHONPATH": source}, check=True, capture_output=True)
        wall, after = time.perf_counter() - begun, os.times()
    user = after.children_user - before.children_user
    return user + after.children_system - before.children_system, wall


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split(":")[0])
    parser.add_argument("--size", type=int, default=120, help="packages of the world")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds of each answer")
    parser.add_argument("-n", type=int, default=10, help="runs")
    parser.add_argument("--against", metavar="SRC", help="folder of another lockset")
    args = parser.parse_args()
    world, roots = world_of(args.size)
    index = PublicIndex(world, args.latency)
    index.start()
    sources = {"this": str(Path(lockset.__file__).parents[1]), **({"other": args.against} if args.against else {})}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in sources}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "world.in").write_text("\n".join(roots))
        for _ in range(args.n + 1):
            for name, source in sources.items():
                times[name].append(run(source, Path(folder), f"{index.origin}/simple/"))
    for name, taken in times.items():
        cpu, wall = (sorted(values) for values in zip(*taken[1:], strict=True))
        print(f"{name:6} cpu {median(cpu):.3f} s ({cpu[0]:.3f} to {cpu[-1]:.3f}), wall {median(wall):.3f} s")
    if args.against:
        pairs = list(zip(times["this"][1:], times["other"][1:], strict=True))
        for at, what in enumerate(("cpu", "wall")):
            print(f"this/other {what} {median(mine[at] / other[at] for mine, other in pairs):.3f}")


if __name__ == "__main__":
    main()
