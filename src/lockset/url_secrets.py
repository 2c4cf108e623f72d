"""Secrets in URLs: which parts of one are secret, URLs without them, and texts in which they are masked."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

__all__ = ["has_secret", "masked", "plain", "plain_url", "without_secrets"]

# What may stand in front of the host. The last `@` before the path ends it, also where a name has one of its own.
_AUTHORITY = r'[^/\s"`]*'
# A password may hold a slash that nobody escaped; digits before a slash are a port. Bounded, as below, so that time
# grows with the length of a text only.
_SLASHED = r'[^/\s"`@:]{1,200}:(?!\d+[/\s])[^\s"`@]{0,200}'
_USER_INFO = re.compile(rf"(?P<before>://)(?P<info>{_AUTHORITY}|{_SLASHED})@")
# The user of an SSH address, and `git` of any, is no secret where no password follows.
_NAME_ALONE = re.compile(r"[^:]*\Z")
_PLACEHOLDER = re.compile(r"\$\{\w+\}(?::\$\{\w+\})?\Z|[^:${}]*:\$\{\w+\}\Z")
# Parameters whose values are secrets, in the query or the fragment of a URL.
_PARAMETERS = (
    r"(?:[\w.-]{0,40}(?:token|passw(?:or)?d|passphrase|secret|api[_-]?key|access[_-]?key|signature|credential)[\w.-]{0,40}"
    r"|sig|key|pwd|auth|authorization|jwt|pat|pass|sessionid)"
)
_PARAMETER = re.compile(rf'(?P<before>[?&#;]{_PARAMETERS}=)(?P<value>[^&#;\s"`]+)', re.IGNORECASE)
_VARIABLE = re.compile(r"\$\{\w+\}\Z")
_MASK = "****"
# Longest text from outside that a message shows; what is beyond is cut.
_LONGEST = 2000


def _is_secret(found: re.Match[str]) -> bool:
    """Whether user info in a text is a secret; what stands in front of `://` tells whether the address is SSH's."""
    return _is_secret_info(found.string[max(0, found.start() - 3) : found.start()], found["info"])


def _is_secret_info(scheme: str, info: str) -> bool:
    if not info.strip("*") or _PLACEHOLDER.match(info):
        return False
    is_name = _NAME_ALONE.match(info) is not None
    return not (is_name and (info == "git" or scheme.lower().endswith("ssh")))


def _replaced(text: str, *, info: str | None, value: str | None) -> str:
    """The text with user info and values of secret parameters replaced; None stands for as many asterisks."""

    def of_info(found: re.Match[str]) -> str:
        if not _is_secret(found):
            return found[0]
        return found["before"] + (info if info is not None else "*" * len(found["info"]) + "@")

    def of_value(found: re.Match[str]) -> str:
        if _VARIABLE.match(found["value"]) or not found["value"].strip("*"):
            return found[0]
        return found["before"] + (value if value is not None else "*" * len(found["value"]))

    if "@" in text:
        text = _USER_INFO.sub(of_info, text)
    return _PARAMETER.sub(of_value, text) if "=" in text else text


def without_secrets(text: str) -> str:
    """The text with user info of the URLs in it and values of secret parameters masked; fit for messages."""
    return _replaced(text, info=f"{_MASK}@", value=_MASK) if "://" in text else text


def masked(text: str) -> str:
    """The same with every character of a secret replaced by an asterisk, so that no other one moves."""
    return _replaced(text, info=None, value=None) if "://" in text else text


def has_secret(text: str) -> bool:
    """Whether a URL in the text holds user info or a secret parameter; `${NAME}` is none."""
    return masked(text) != text


def plain_url(url: str) -> str:
    """The URL without user info; the user of an SSH address stays, without a password. Query and fragment stay."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return without_secrets(url)
    info, at, host = parts.netloc.rpartition("@")
    if not at:  # still there may be a password with a slash that nobody escaped
        return _USER_INFO.sub(lambda found: found["before"] if _is_secret(found) else found[0], url)
    if not _is_secret_info(parts.scheme, info):
        return url
    user = info.partition(":")[0]
    kept = f"{user}@{host}" if parts.scheme.lower().endswith("ssh") and user else host
    return parts._replace(netloc=kept).geturl()


def plain(text: str) -> str:
    """`text` without what a terminal would act on, and without secrets: whoever repeats an address may show it so.

    Control characters are written out, length is bounded.
    """
    text = without_secrets(text).replace("://****@", "://")
    if text.isprintable() and len(text) <= _LONGEST:
        return text
    shown = "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"
