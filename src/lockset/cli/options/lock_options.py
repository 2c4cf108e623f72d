"""How the options of `lockset lock` and `lockset why-not` become `LockOptions`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lockset.cli.options.common import (
    EVERYTHING,
    PRERELEASES,
    RIVALS_OF_INDEXES,
    RIVALS_OF_LOCKING,
    build_options,
    names,
    normal_name,
    packages_or_all,
)
from lockset.errors import LocksetError, UsageError
from lockset.markers.marker_set import MarkerSet
from lockset.resolve.problem.file_policy import BUILD_NOTHING
from lockset.resolve.problem.options import LockOptions
from lockset.sources.exclude_newer import parse_age, parse_exclude_newer
from lockset.sources.requirements.requirement_line import parse_requirement

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable
    from datetime import datetime, timedelta

    from lockset.sources.requirements.requirement_line import RequirementLine

__all__ = ["lock_options"]


def lock_options(args: argparse.Namespace) -> LockOptions:
    """Convert the parsed options to `LockOptions`; the files that they name are read later.

    Raises:
        UsageError: If options exclude each other, or a value is not valid.
        LocksetError: If the interpreter of `--this-environment` cannot be queried.
    """
    _refuse_contradictions(args)
    where = _this_environment(Path.cwd()) if args.this_environment else _described(args)
    newer = args.exclude_newer
    upgrades = [_upgrade(text) for text in args.upgrade_package]
    return LockOptions(
        **where,
        require_wheels_for=tuple(args.require_wheels_for),
        editables=tuple(args.editable),
        extras=(names(args.extra) or None) if not args.only_group else (),
        all_extras=args.all_extras,
        all_groups=args.all_groups,
        groups=names((*args.group, *args.only_group)) or None,
        no_groups=tuple(map(normal_name, args.no_group)),
        only_groups=bool(args.only_group),
        upgrade=args.upgrade,
        upgrade_packages=frozenset(line.name for line in upgrades),
        upgrade_groups=tuple(map(normal_name, args.upgrade_group)),
        constraints=tuple(line for line in upgrades if line.requirement.specifier),
        constraint_files=tuple(args.constraint),
        override_files=tuple(args.override),
        excludes=tuple(map(normal_name, args.exclude)),
        prerelease=args.prerelease,
        prerelease_package=_modes(args.prerelease_package),
        resolution=args.resolution,
        fork=args.fork_strategy,
        exclude_newer=parse_exclude_newer(newer, location="--exclude-newer") if newer else None,
        exclude_newer_package=_limits(args.exclude_newer_package),
        cooldown=parse_age(args.cooldown, location="--cooldown") if args.cooldown else None,
        cooldown_package={
            normal_name(name): parse_age(age, location="--cooldown-package")
            for name, age in _pairs(args.cooldown_package, "--cooldown-package")
        },
        **_file_kinds(args),
        no_sdist=args.no_sdist,
        allow_direct_urls=tuple(args.allow_direct_url),
        with_project=args.with_project or (False if getattr(args, "without_project", False) else None),
        no_sources=((EVERYTHING,) if args.no_sources else ()) + tuple(map(normal_name, args.no_sources_package)),
        verify_metadata=args.verify_metadata,
        attestations=args.attestations or None,
        refuse_new_publisher=args.refuse_new_publisher,
        trusted_root=args.trusted_root,
        build_constraint_files=tuple(args.build_constraint),
        **build_options(args),
        build_requirements=args.build,
    )


def _refuse_contradictions(args: argparse.Namespace) -> None:
    """Refuse options that exclude each other.

    Raises:
        UsageError: `option-conflict` if two of them are given.
    """
    for one, other in (*RIVALS_OF_LOCKING, *RIVALS_OF_INDEXES, ("refresh", "offline"), ("config", "no_config")):
        by_variables = one == "no_index" and {one, other} <= args.by_variable  # the stricter one applies
        if getattr(args, one, None) and getattr(args, other, None) and not by_variables:
            raise UsageError("option-conflict", f"{_option(one)} cannot be used with {_option(other)}")
    twice = {normal_name(n) for n in (*args.group, *args.only_group)} & {normal_name(n) for n in args.no_group}
    if twice:
        raise UsageError("option-conflict", f"The group {min(twice)} is both included and excluded")
    _refuse_no_files(args)


def _refuse_no_files(args: argparse.Namespace) -> None:
    """Refuse options that exclude both wheels and sources, of all projects or of one."""
    only_binary, no_binary = _binary_options(args)
    twice = set(no_binary) if args.no_build else set(only_binary) & set(no_binary)
    if EVERYTHING in twice:
        raise UsageError("option-conflict", "Wheels and sources are both excluded: nothing is left to lock")
    if twice:
        name, one = min(twice), "--no-build" if args.no_build else f"--only-binary {min(twice)}"
        raise UsageError(
            "option-conflict",
            f"`{one}` excludes the sources of {name}, and `--no-binary {name}` its wheels",
            hint="Use one of them; to build only this, use `--only-binary :all:` instead of `--no-build`"
            if args.no_build
            else "Use one of them",
        )


def _binary_options(args: argparse.Namespace) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of `--only-binary` and `--no-binary`; an option overrides a variable for the opposite."""
    only_binary, no_binary = packages_or_all(args.only_binary), packages_or_all(args.no_binary)
    by_variable = args.by_variable & {"no_build", "only_binary", "no_binary"}
    if "only_binary" in by_variable and "no_binary" not in by_variable:
        only_binary = tuple(word for word in only_binary if word not in no_binary)
    elif "no_binary" in by_variable and "only_binary" not in by_variable:
        no_binary = tuple(word for word in no_binary if word not in only_binary)
    return only_binary, () if args.no_build and by_variable == {"no_binary"} else no_binary


def _file_kinds(args: argparse.Namespace) -> dict[str, Any]:
    """The kinds of files that may be used, and the options or variables that say so."""
    only_binary, no_binary = _binary_options(args)
    names: dict[str, str] = {name: f"LOCKSET_{name.upper()}" for name in args.by_variable}
    written = {("no-build", word): names.get("only_binary", f"--only-binary {word}") for word in only_binary}
    written |= {("no-binary", word): names.get("no_binary", f"--no-binary {word}") for word in no_binary}
    if "no_build" in names:
        written[BUILD_NOTHING] = names["no_build"]
    return {
        "no_build": only_binary,
        "no_binary": no_binary,
        "build_nothing": args.no_build,
        "written": written,
    }


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _upgrade(text: str) -> RequirementLine:
    """A package to upgrade, with the versions to upgrade to."""
    if text and not any(sign in text for sign in "=<>~!@[ ;"):
        text = normal_name(text)
    try:
        line = parse_requirement(text, origin="--upgrade-package")
    except LocksetError as error:
        one = error.diagnostic
        raise UsageError(
            "option-value", one.message, hint="Write a name, or a name with versions: `NAME==1.2`"
        ) from error
    if line.requirement.url is not None or line.requirement.marker is not None or line.requirement.extras:
        message = f"--upgrade-package: `{text}` is not a name, or a name with versions"
        raise UsageError("option-value", message, hint="Write a name, or a name with versions: `NAME==1.2`")
    return line


def _described(args: argparse.Namespace) -> dict[str, Any]:
    try:
        for text in args.environment:
            MarkerSet.parse(text)
    except LocksetError as error:
        one = error.diagnostic
        raise UsageError(one.code, one.message, location="--environment", hint=one.hint) from error
    return {
        "python": args.python,
        "implementation": args.implementation,
        "platforms": tuple(args.platform),
        "environments": tuple(args.environment),
    }


def _this_environment(here: Path) -> dict[str, Any]:
    """The environment that `lockset sync` would use, else that of the Python that runs lockset."""
    from lockset.composition.this_environment import options_for_interpreter
    from lockset.sync.disk.inspect.interpreter import ask_interpreter, interpreter_of
    from lockset.sync.disk.request import active_environment, find_environment

    active = active_environment(os.environ)
    return options_for_interpreter(
        ask_interpreter(interpreter_of(active or find_environment(here) or sys.executable), memory=None)
    )


def _modes(texts: Iterable[str]) -> dict[str, Any]:
    modes = {}
    for name, mode in _pairs(texts, "--prerelease-package"):
        if mode not in PRERELEASES:
            raise UsageError("option-value", f"--prerelease-package: `{mode}` is not one of {', '.join(PRERELEASES)}")
        modes[normal_name(name)] = mode
    return modes


def _limits(texts: Iterable[str]) -> dict[str, datetime | timedelta | None]:
    return {
        normal_name(name): None if limit == "false" else parse_exclude_newer(limit, location="--exclude-newer-package")
        for name, limit in _pairs(texts, "--exclude-newer-package")
    }


def _pairs(texts: Iterable[str], option: str) -> list[tuple[str, str]]:
    pairs = []
    for text in texts:
        name, _, value = text.partition("=")
        if not name or not value:
            raise UsageError("option-value", f"{option} requires NAME=VALUE, not `{name}`")
        pairs.append((name, value))
    return pairs
