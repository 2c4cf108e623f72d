"""`python -m lockset`."""

import os
import sys


def _leave_out_working_folder() -> None:
    """Remove the working folder from the search path, where `-m` put it first, unless lockset itself is there.

    A module of the project is not a library of lockset, and may not be trusted.
    """
    try:
        here = os.getcwd()
    except OSError:  # it was removed
        here = ""
    if sys.path[:1] == [here] != [os.path.abspath(f"{__file__}/../..")]:
        del sys.path[0]


if __name__ == "__main__":
    _leave_out_working_folder()
    from lockset.cli.main import main

    raise SystemExit(main())
