"""Where packages come from, as options and variables say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.composition.run_context import IndexOverrides
from lockset.errors import UsageError

if TYPE_CHECKING:
    import argparse

__all__ = ["index_overrides"]

# Seconds of silence, and further attempts, where nothing else is said.
_TIMEOUT = 30.0
_RETRIES = 4
# Neither may be larger: beyond it a run would wait for hours.
_MOST = 3600


def index_overrides(args: argparse.Namespace) -> IndexOverrides:
    """What the command line and variables say of indexes, in front of the project's settings and files.

    Raises:
        UsageError: a number or a proxy is not valid.
    """
    return IndexOverrides(
        default_index=args.default_index,
        indexes=(*args.index, *args.extra_index_url),
        find_links=tuple(args.find_links),
        no_index=bool(args.no_index),
        strategy=args.index_strategy,
        refresh=args.refresh,
        read_timeout=float(_number(args, "timeout", _TIMEOUT)),
        retries=int(_number(args, "retries", _RETRIES)),
        insecure_hosts=tuple(args.allow_insecure_host),
        cert=_path(args.cert),
        client_cert=_path(args.client_cert),
        proxy=_proxy(args.proxy),
        keyring=args.keyring_provider == "subprocess" if args.keyring_provider else None,
    )


def _path(text: object) -> str | None:
    return str(text) if text else None


def _number(args: argparse.Namespace, name: str, default: float) -> float:
    """As given, or the default."""
    given: float | None = getattr(args, name)
    value = default if given is None else given
    if not 0 <= value <= _MOST or (name == "timeout" and value == 0):
        said = f"LOCKSET_{name.upper()}" if name in args.by_variable else f"--{name}"
        least = "more than 0, and at most" if name == "timeout" else "between 0 and"
        raise UsageError("option-value", f"{said} is {value:g}, and has to be {least} {_MOST}")
    return value


def _proxy(url: str | None) -> str | None:
    if url and url.partition("://")[0] not in {"http", "https", "socks5", "socks5h"}:
        # Not shown: it may hold a password.
        raise UsageError("option-value", "--proxy is no URL of a proxy", hint="Write it as `http://HOST:PORT`")
    return url
