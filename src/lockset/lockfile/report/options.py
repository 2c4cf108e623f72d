"""Options of a report."""

from __future__ import annotations

from lockset._dataclass import dataclass
from lockset.errors import UsageError
from lockset.option_values import check_options

__all__ = ["ReportOptions"]

# The longest age, about a hundred years.
_MOST_DAYS = 36_500


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOptions:
    """The options of a report.

    Attributes:
        platforms: The platforms to report on, as wheel tags (`manylinux_2_28_x86_64`, `win_amd64`), or `linux`,
            `macos`, `windows`; by default common ones that the lock file supports.
        pythons: The Pythons to report on, such as `3.12`; by default those that the lock file supports.
        online: Query indexes for newer versions, yanked versions and the status of projects.
        old_days: A version that was uploaded more days ago is old.
    """

    platforms: tuple[str, ...] = ()
    pythons: tuple[str, ...] = ()
    online: bool = False
    old_days: int = 1095

    def __post_init__(self) -> None:
        check_options(self)
        if not 0 < self.old_days <= _MOST_DAYS:
            raise UsageError("option-value", f"{self.old_days} days is not between 1 and {_MOST_DAYS}")
