"""The file name at the end of a path or URL of a lock file."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

__all__ = ["last_component"]


def last_component(*, path: str | None, url: str | None) -> str | None:
    """The file name in `path`, else in `url` (percent-decoded, without query and fragment), or None."""
    if path:
        # A relative path may use `/` on every platform; one without `/` may be a Windows path.
        separator = "/" if "/" in path else "\\"
        return path.rsplit(separator, 1)[-1] or None
    if not url:
        return None
    try:
        return unquote(urlsplit(url).path.rsplit("/", 1)[-1]) or None
    except ValueError:  # such as a host with an open bracket
        return None
