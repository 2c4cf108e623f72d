"""Whether the record of a command could contain a password or a token: such a command is not recorded."""

from __future__ import annotations

from lockset.cli.fast_path.command_key import HINTED
from lockset.sync.desired import is_secret_name, may_hold_secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["may_hold_secrets"]


def may_hold_secrets(arguments: Sequence[str], files: Iterable[bytes], environ: Mapping[str, str]) -> bool:
    """Whether `arguments`, the contents of `files`, or variables of the key may hold a secret."""
    variables = {name: value for name, value in environ.items() if name.startswith("LOCKSET_") or name in HINTED}
    texts = [*arguments, *variables.values(), *(data.decode("utf-8", "replace") for data in files)]
    return any(map(is_secret_name, variables)) or any(map(may_hold_secret, texts))
