"""What is done with a large lock: read, validated, written, selected from, planned, exported."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from benchmarks.generated_world import generated_world
from lockset.composition.conversions.export import ExportOptions, export_lock
from lockset.lockfile.read import read_document
from lockset.lockfile.select import select_entries
from lockset.lockfile.validate.report import validate_document
from lockset.lockfile.write import write
from lockset.sync.desired import DesiredDistribution
from lockset.sync.installed import InstalledDistribution
from lockset.sync.plan import RemovalPolicy, plan
from support.worlds.small_world import described

if TYPE_CHECKING:
    from benchmarks.runner import Benchmark
    from lockset.composition.lock_assembly import LockResult


@cache
def large() -> LockResult:
    """The lock of 800 packages."""
    return generated_world(800).lock()


def test_read(benchmark: Benchmark) -> None:
    text = large().text
    assert benchmark(lambda: read_document(text).lock.packages)


def test_validate(benchmark: Benchmark) -> None:
    text = large().text
    assert benchmark(lambda: validate_document(text)).ok


def test_write(benchmark: Benchmark) -> None:
    lock = large().lock
    assert benchmark(lambda: write(lock)) == large().text


def test_select(benchmark: Benchmark) -> None:
    values, tags = described("3.12 linux")
    assert benchmark(lambda: select_entries(large().lock, environment=values, tags=tags)).items


def test_plan(benchmark: Benchmark) -> None:
    values, tags = described("3.12 linux")
    chosen = [item.package for item in select_entries(large().lock, environment=values, tags=tags).items]
    wanted = [DesiredDistribution(name=p.name, version_text=str(p.version), kind="wheel") for p in chosen]
    there = [InstalledDistribution(name=p.name, version=str(p.version), info=f"/env/{p.name}") for p in chosen[::2]]
    assert len(benchmark(lambda: plan(wanted, there, policy=RemovalPolicy())).changes) >= len(wanted) // 2


def test_export(benchmark: Benchmark) -> None:
    lock = large().lock
    export = benchmark.pedantic(lambda: export_lock(lock, ExportOptions()), rounds=3, warmup_rounds=1)
    assert export.packages == len(lock.packages)
