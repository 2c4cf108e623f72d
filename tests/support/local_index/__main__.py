"""`python -m support.local_index world.toml [--port 8900] [--bare]`: serves a world until interrupted."""

from __future__ import annotations

import argparse
import threading
from pathlib import Path

from support.local_index import BARE, MODERN, LocalIndex, World


def main() -> None:
    parser = argparse.ArgumentParser(prog="support.local_index", description="Serve a world of packages on loopback")
    parser.add_argument("world", type=Path, help="TOML file: [packages.NAME] with a table per version")
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: a free one)")
    parser.add_argument("--bare", action="store_true", help="HTML pages without ETag or metadata marks")
    args = parser.parse_args()
    world = World.from_toml(args.world.read_text())
    with LocalIndex(world, BARE if args.bare else MODERN, port=args.port) as index:
        print(index.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
