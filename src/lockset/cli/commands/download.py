"""`lockset download`: download the files of a lock file into a folder, for any platforms."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lockset.api.download import download
from lockset.cli.exit_codes import DONE
from lockset.cli.options.download import add_download_arguments as add_arguments
from lockset.cli.options.download import read_download_command as read
from lockset.cli.output.streams import plain

if TYPE_CHECKING:
    from lockset.api.download import DownloadedFile
    from lockset.cli.options.download import DownloadCommand
    from lockset.cli.output.streams import Output

__all__ = ["add_arguments", "read", "run"]


def run(command: DownloadCommand, out: Output) -> int:
    """Download the files, and report how many are new."""
    files = download(
        command.locks,
        command.folder,
        targets=command.targets,
        options=command.options,
        indexes=command.indexes,
        context=command.context,
    )
    if command.json:
        folder = (command.context.here / Path(command.folder).expanduser()).absolute()
        out.json({"format": 1, "folder": str(folder), "files": list(map(_json, files))})
    new = sum(one.new for one in files)
    count = "1 file" if len(files) == 1 else f"{len(files)} files"
    out.line(f"{count} in {plain(command.folder)}, {new} of them new")
    return DONE


def _json(file: DownloadedFile) -> dict[str, object]:
    one = file.distribution
    return {"filename": one.filename, "name": one.name, "new": file.new, "hashes": one.hashes}
