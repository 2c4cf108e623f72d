"""self_check(): what lockset finds on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.composition.maintenance.machine_report import MachineFact, machine_facts
from lockset.composition.run_context import context_of

if TYPE_CHECKING:
    from lockset.composition.run_context import IndexOverrides, RunContext
    from lockset.index.options import IndexOptions

__all__ = ["MachineFact", "self_check"]


def self_check(
    *, indexes: IndexOptions | IndexOverrides | None = None, context: RunContext | None = None
) -> tuple[MachineFact, ...]:
    """Versions, Pythons, indexes, cache, certificates, proxies and settings, without secrets; never raises for a fault.

    One page of each index is requested, unless `context.offline`.
    """
    return tuple(machine_facts(indexes, context_of(context)))
