"""A whole PEP 517 backend of one file, copied into the source trees that tests build; needs nothing but itself.

`tiny.json` beside it says what to build: name, version, the METADATA text, the files of the wheel, requirements
of the build, and the hooks that shall fail. Runs on every Python from 3.8 on.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any


def _enter(hook: str) -> dict[str, Any]:
    plan: dict[str, Any] = json.loads(Path("tiny.json").read_text(encoding="utf-8"))
    if hook in plan["fails"]:
        print(plan["fails"][hook], file=sys.stderr)
        raise RuntimeError(plan["fails"][hook])
    plan["stem"] = plan["name"].replace("-", "_").replace(".", "_") + "-" + plan["version"]
    return plan


def _info_files(plan: dict[str, Any]) -> dict[str, str]:
    wheel = "Wheel-Version: 1.0\nGenerator: tiny\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files = {"METADATA": plan["metadata"], "WHEEL": wheel}
    if plan["entry_points"]:
        files["entry_points.txt"] = plan["entry_points"]
    return {plan["stem"] + ".dist-info/" + name: text for name, text in files.items()}


def _wheel(plan: dict[str, Any], directory: str, files: dict[str, str]) -> str:
    members = {**files, **_info_files(plan)}
    rows = []
    for path, text in members.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        rows.append(f"{path},sha256={digest},{len(text.encode())}\n")
    record = plan["stem"] + ".dist-info/RECORD"
    members[record] = "".join(rows) + record + ",,\n"
    filename = str(plan["stem"]) + "-py3-none-any.whl"
    with zipfile.ZipFile(Path(directory) / filename, "w") as archive:
        for path, text in members.items():
            archive.writestr(path, text)
    return filename


def get_requires_for_build_wheel(config_settings: Any = None) -> list[str]:
    return list(_enter("get_requires_for_build_wheel")["build_requires"])


def get_requires_for_build_editable(config_settings: Any = None) -> list[str]:
    return list(_enter("get_requires_for_build_editable")["build_requires"])


def get_requires_for_build_sdist(config_settings: Any = None) -> list[str]:
    return list(_enter("get_requires_for_build_sdist")["build_requires"])


def prepare_metadata_for_build_wheel(metadata_directory: str, config_settings: Any = None) -> str:
    plan = _enter("prepare_metadata_for_build_wheel")
    for path, text in _info_files(plan).items():
        target = Path(metadata_directory) / path
        target.parent.mkdir(exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return str(plan["stem"]) + ".dist-info"


prepare_metadata_for_build_editable = prepare_metadata_for_build_wheel


def build_wheel(wheel_directory: str, config_settings: Any = None, metadata_directory: Any = None) -> str:
    plan = _enter("build_wheel")
    return _wheel(plan, wheel_directory, plan["files"])


def build_editable(wheel_directory: str, config_settings: Any = None, metadata_directory: Any = None) -> str:
    plan = _enter("build_editable")
    pth = str(plan["stem"]).partition("-")[0] + ".pth"
    return _wheel(plan, wheel_directory, {pth: f"{Path.cwd()}\n"})


def build_sdist(sdist_directory: str, config_settings: Any = None) -> str:
    plan = _enter("build_sdist")
    filename = str(plan["stem"]) + ".tar.gz"
    with tarfile.open(Path(sdist_directory) / filename, "w:gz") as archive:
        archive.add(".", plan["stem"])
        info = tarfile.TarInfo(plan["stem"] + "/PKG-INFO")
        info.size = len(plan["metadata"].encode())
        archive.addfile(info, io.BytesIO(plan["metadata"].encode()))
    return filename
