"""A uv.lock of a generated world becomes a pylock.toml: the walk over its graph, the proof and the text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tomli_w
from packaging.requirements import Requirement

from benchmarks.generated_world import generated_world
from support.fakes.fake_conversion import FILES, convert_text, sha

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.generated_world import GeneratedWorld
    from benchmarks.runner import Benchmark

_REGISTRY = {"registry": "https://index.example.org/simple"}


def uv_lock(world: GeneratedWorld) -> str:
    """The world's newest releases as a uv.lock."""
    packages: list[dict[str, Any]] = []
    roots = [_asked(root) for root in world.roots]
    packages.append({"name": "app", "version": "0", "source": {"virtual": "."}, "dependencies": roots})
    for name, releases in sorted(world.packages.items()):
        version, facts = list(releases.items())[-1]
        file = f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
        packages.append(
            {
                "name": name,
                "version": version,
                "source": _REGISTRY,
                "wheels": [{"url": f"{FILES}/{file}", "hash": f"sha256:{sha(file)}", "size": 1}],
                "dependencies": [_asked(text) for text in facts["requires"]],
                "optional-dependencies": {
                    e: [_asked(text) for text in requests] for e, requests in facts["extras"].items()
                },
            }
        )
    return tomli_w.dumps({"version": 1, "revision": 2, "requires-python": ">=3.10", "package": packages})


def _asked(text: str) -> dict[str, Any]:
    requirement = Requirement(text)
    requested: dict[str, Any] = {"name": requirement.name}
    if requirement.extras:
        requested["extra"] = sorted(requirement.extras)
    if requirement.marker is not None:
        requested["marker"] = str(requirement.marker)
    return requested


def test_convert(benchmark: Benchmark, tmp_path: Path) -> None:
    text = uv_lock(generated_world(400))
    result = benchmark.pedantic(lambda: convert_text(tmp_path, "uv.lock", text), rounds=3, warmup_rounds=1)
    assert len(result.lock.packages) == 400
