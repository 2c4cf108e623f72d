"""Config settings of build backends, as the command line has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockset.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["parse_config_settings", "parse_package_settings"]


def parse_config_settings(texts: Iterable[str]) -> dict[str, str | list[str]]:
    """Parse config settings of the form KEY=VALUE; a repeated key has a list of values.

    Raises:
        UsageError: `config-setting` if one has no key or no equals sign.
    """
    settings: dict[str, str | list[str]] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise UsageError("config-setting", f"`{text}` is not KEY=VALUE")
        given = settings.get(key)
        if given is None:
            settings[key] = value
        else:
            settings[key] = [*given, value] if isinstance(given, list) else [given, value]
    return settings


def parse_package_settings(
    texts: Iterable[str], normal_name: Callable[[str], str]
) -> dict[str, dict[str, str | list[str]]]:
    """Parse config settings of the form NAME:KEY=VALUE, by the name that `normal_name` returns.

    Raises:
        UsageError: `config-setting` if one does not have this form, and as `normal_name`.
    """
    by_name: dict[str, list[str]] = {}
    for text in texts:
        name, _, pair = text.partition(":")
        if not name or "=" in name or not pair.partition("=")[0] or "=" not in pair:
            raise UsageError("config-setting", f"`{text}` is not NAME:KEY=VALUE")
        by_name.setdefault(normal_name(name), []).append(pair)
    return {name: parse_config_settings(pairs) for name, pairs in by_name.items()}
