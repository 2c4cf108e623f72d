"""Makers of test input with defaults: say what the test is about, leave out the rest."""

from __future__ import annotations

from support.builders.archives import Artifact, tar_gz, zip_file
from support.builders.core_metadata import core_metadata
from support.builders.locks import locked_file, locked_package, make_lock
from support.builders.pages import PageFile, page_html, page_json
from support.builders.sdist import make_sdist, source_files, write_source_tree
from support.builders.wheel import make_wheel

__all__ = [
    "Artifact",
    "PageFile",
    "core_metadata",
    "locked_file",
    "locked_package",
    "make_lock",
    "make_sdist",
    "make_wheel",
    "page_html",
    "page_json",
    "source_files",
    "tar_gz",
    "write_source_tree",
    "zip_file",
]
