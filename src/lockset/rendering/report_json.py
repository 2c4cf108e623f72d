"""A report as JSON values; `schemas/report-output.schema.json` describes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lockset.lockfile.report.concerns import CONCERNS

if TYPE_CHECKING:
    from lockset.lockfile.report.health import PackageHealth
    from lockset.lockfile.report.matrix import EnvironmentSize, Provision
    from lockset.lockfile.report.report import LockReport

__all__ = ["report_json"]


def report_json(report: LockReport) -> dict[str, Any]:
    """The report."""
    matrix = report.matrix
    return {
        "lock": report.name,
        "created-by": report.created_by,
        "requires-python": report.requires_python,
        "extras": list(report.extras),
        "dependency-groups": list(report.groups),
        "default-groups": list(report.default_groups),
        "made": report.made.isoformat(),
        "online": report.online,
        "environments": [
            {
                "platform": env.platform,
                "python": env.python,
                "name": env.name,
                "supported": env.supported,
                "default": _size(default),
                "full": _size(full),
            }
            for env, default, full in zip(matrix.environments, matrix.default_sizes, matrix.full_sizes, strict=True)
        ],
        "matrix": [
            {"name": row.name, "cells": [[_provision(each) for each in cell] for cell in row.cells]}
            for row in matrix.rows
        ],
        "packages": [_package(each) for each in report.packages],
        "concerns": [
            {
                "name": each.name,
                "gravity": CONCERNS[each.name].gravity,
                "package": None if each.entry is None else report.packages[each.entry].name,
                "version": None if each.entry is None else report.packages[each.entry].version,
                "detail": each.detail,
            }
            for each in report.concerns
        ],
        "findings": None
        if report.issues is None
        else [
            {
                "rule": issue.code,
                "level": issue.severity,
                "message": issue.message,
                "path": issue.path,
                "line": issue.line,
                "column": issue.column,
            }
            for issue in report.issues
        ],
        "unchecked": list(report.unchecked),
    }


def _size(size: EnvironmentSize) -> dict[str, int]:
    return {
        "packages": size.packages,
        "bytes": size.size,
        "unknown-sizes": size.unknown,
        "missing": size.missing,
        "builds": size.builds,
    }


def _provision(each: Provision) -> dict[str, Any]:
    return {
        "version": each.version,
        "kind": each.kind,
        "by-default": each.by_default,
        "extras": list(each.extras),
        "dependency-groups": list(each.groups),
        "file": each.file,
        "size": each.size,
        "reason": each.reason,
    }


def _package(package: PackageHealth) -> dict[str, Any]:
    return {
        "name": package.name,
        "version": package.version,
        "direct": package.direct,
        "marker": package.marker,
        "source": package.source,
        "location": package.location,
        "wheels": package.wheels,
        "sdist": package.has_sdist,
        "size": package.size,
        "uploaded": None if package.uploaded is None else package.uploaded.isoformat(),
        "newest": package.newest,
        "releases-behind": package.releases_behind,
        "concerns": list(package.concerns),
    }
