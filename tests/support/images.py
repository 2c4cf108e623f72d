"""Container images without an engine: the instructions of a Dockerfile, run in overlays and `chroot` by root on Linux.

A stage is a folder of layers over the base: this machine's `/usr`, with a Python in `/usr/local`. What runs in a stage
sees its files alone, and writes to its layer alone. The network is that of the machine, so that a local index answers.
"""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.posix import give_to, is_root
from support.venvs import interpreter

if TYPE_CHECKING:
    from support.builders.archives import Artifact

__all__ = ["Base", "Image", "Ran", "build", "instructions", "needs_images", "python_layer"]

_ROOT = Path(__file__).parents[2]
_PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
_USERS = (
    "root:x:0:0:root:/root:/bin/sh",
    "nobody:x:65534:65534::/nonexistent:/bin/false",
    "app:x:1000:1000::/var/app:/bin/sh",
)
# Where the recipes install lockset; here, it is that of the tests.
_LOCKSET = "/opt/lockset/bin/lockset"
_INSTALLS_LOCKSET = re.compile(r"\S*pip install .*\blockset\b[^&]*")


@cache
def _reason_without() -> str | None:
    if not is_root() or not all(map(shutil.which, ("unshare", "chroot", "mount"))):
        return "only root on Linux may mount the layers of an image"
    done = subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False)
    return None if done.returncode == 0 else "this machine has no mount namespaces"


def needs_images() -> pytest.MarkDecorator:
    """Skips where no layers can be mounted."""
    reason = _reason_without()
    return pytest.mark.skipif(reason is not None, reason=reason or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a command in an image ended."""

    code: int
    stdout: str
    stderr: str

    def __str__(self) -> str:
        return f"exit code {self.code}\n{self.stdout}\n{self.stderr}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """An image to build on: the layers of its `/usr/local`, the nearest first, and what it has set."""

    lower: tuple[Path, ...]
    environ: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    entrypoint: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Image:
    """One stage: its layers on disk, and what it has set for commands.

    `lower` are folders below `/usr/local`, the nearest first: the layers of the base image.
    """

    folder: Path
    lower: tuple[Path, ...]
    environ: dict[str, str] = field(default_factory=lambda: {"PATH": _PATH})
    workdir: str = "/"
    user: str = "0"
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    log: list[Ran] = field(default_factory=list)

    def __post_init__(self) -> None:
        base = self.folder / "base"
        for name in ("usr", "proc", "dev", "etc", "root", "home", "var/app", "run", "tmp", "opt", "host"):
            (base / name).mkdir(parents=True)
        for name in ("bin", "sbin", "lib", "lib64"):
            (base / name).symlink_to(f"usr/{name}")
        (base / "root").chmod(0o711)  # the tests' own Python may be below it
        (base / "tmp").chmod(0o1777)
        give_to(base / "var/app", 1000)
        (base / "etc/passwd").write_text("\n".join(_USERS) + "\n")
        (base / "etc/group").write_text("root:x:0:\napp:x:1000:\n")
        for name in ("root", "usr", "local"):
            for kind in ("layer", "work"):
                (self.folder / name / kind).mkdir(parents=True)
        (self.folder / "mount").mkdir()
        (base / "etc/ld.so.conf").write_text("/usr/local/lib\n")
        self.ok("/sbin/ldconfig")

    def mounts(self, goal: str | None = None, *, read_only: bool = False) -> str:
        """The shell lines that mount this image's files."""
        goal = goal or str(self.folder / "mount")
        lines = []
        for name, lower, where in (
            ("root", (self.folder / "base",), ""),
            ("usr", (Path("/usr"),), "/usr"),
            ("local", self.lower, "/usr/local"),
        ):
            layers = ":".join(map(str, lower))
            upper = f"upperdir={self.folder / name / 'layer'},workdir={self.folder / name / 'work'}"
            if read_only:
                layers, upper = f"{self.folder / name / 'layer'}:{layers}", "ro"
            lines.append(f"mount -t overlay overlay -o {shlex.quote(f'lowerdir={layers},{upper}')} {goal}{where}")
        lines += [f"mount --rbind /proc {goal}/proc", f"mount --rbind /dev {goal}/dev"]
        # lockset, and the Python that runs it, at the paths that they know.
        for path in dict.fromkeys((sys.base_prefix, str(_ROOT), sys.prefix)):
            if path not in {"/usr", "/usr/local"}:
                lines += [f"mkdir -p {goal}{path}"] if not read_only else []
                lines += [f"mount --bind -o ro {path} {goal}{path}"]
        return "\n".join(lines)

    def run(
        self,
        command: str,
        *,
        mounts: str = "",
        user: str | None = None,
        read_only: bool = False,
        **environ: str,
    ) -> Ran:
        """Run a shell command in the image, as its user; with `read_only`, nothing can be written but in `/tmp`."""
        goal = self.folder / "mount"
        who = (user or self.user).partition(":")
        uid, gid = who[0], who[2] or who[0]
        home = {"0": "/root", "1000": "/var/app"}.get(uid, "/nonexistent")
        if read_only:
            mounts += f"\nmount -t tmpfs tmpfs {goal}/tmp"
        values = {"HOME": home, **self.environ, **environ}
        variables = " ".join(f"{name}={shlex.quote(value)}" for name, value in values.items())
        inside = f"cd {shlex.quote(self.workdir)} && {command}"
        script = (
            f"set -eu\n{self.mounts(read_only=read_only)}\n"
            + ("" if read_only else f"mkdir -p {goal}{self.workdir}\n")
            + f"{mounts}\nexec chroot --userspec={uid}:{gid} --groups= {goal} "
            f"/usr/bin/env -i {variables} /bin/sh -c {shlex.quote(inside)}"
        )
        done = _in_namespace(script)
        ran = Ran(code=done.returncode, stdout=done.stdout, stderr=done.stderr)
        self.log.append(ran)
        return ran

    def ok(self, command: str, **options: Any) -> Ran:
        """Run it; it must end with exit code 0."""
        ran = self.run(command, **options)
        assert ran.code == 0, f"{command}\n{ran}"
        return ran

    def start(self, **environ: Any) -> Ran:
        """Run what the image is for: its ENTRYPOINT and CMD."""
        return self.run(shlex.join((*self.entrypoint, *self.command)), **environ)

    def has_lockset(self) -> None:
        """Put lockset to where the recipes install it."""
        path = self.folder / f"root/layer{_LOCKSET}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m lockset "$@"\n')
        path.chmod(0o755)

    def copied(self, sources: list[str], goal: str, *, origin: Image | None, context: Path, owner: str | None) -> None:
        """COPY from the context, or from another image; a folder's contents, as Docker does."""
        here = self.folder / "mount"
        there = str(context) if origin is None else str(self.folder / "other")
        Path(there).mkdir(exist_ok=True)
        target = os.path.join(self.workdir, goal)
        lines = [self.mounts(), origin.mounts(there, read_only=True) if origin is not None else ""]
        assert len(sources) == 1 or goal.endswith("/"), "several sources go to a folder whose name ends with /"
        is_folder = goal.endswith(("/", ".")) or len(sources) > 1
        lines.append(f"mkdir -p {here}{target if is_folder else os.path.dirname(target)}")
        ignored = {line.strip().rstrip("/") for line in _ignored(context)} if origin is None else set()
        excludes = " ".join(f"--exclude=./{name}" for name in sorted(ignored))
        owned = f" && chown -R {owner} {here}{target}" if owner else ""
        for source in sources:
            path = f"{there}/{source}"
            lines.append(
                f"if [ -d {path} ]; then mkdir -p {here}{target} && tar -C {path} {excludes} -cf - . | "
                f"tar -C {here}{target} -xf -; else cp -a {path} {here}{target}; fi{owned}"
            )
        done = _in_namespace("set -eu\n" + "\n".join(lines))
        assert done.returncode == 0, done.stderr


def _in_namespace(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", script],
        capture_output=True, text=True, check=False, timeout=120, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def _ignored(context: Path) -> list[str]:
    path = context / ".dockerignore"
    return [line for line in path.read_text().splitlines() if line.strip()] if path.is_file() else []


def python_layer(folder: Path, *wheels: Artifact, version: str = "3.13", managed: str = "") -> tuple[Path, ...]:
    """The layers of a Python in which another installer has put `wheels`; `managed` is the text of PEP 668."""
    below = base_python(version)
    [library] = [path.name for path in (below / "lib").glob("python3.*") if path.is_dir()]
    site = folder / "lib" / library / "site-packages"
    site.mkdir(parents=True)
    for wheel in wheels:
        with zipfile.ZipFile(io.BytesIO(wheel.content)) as archive:
            archive.extractall(site)
        [info] = site.glob(f"{wheel.filename.split('-')[0]}-*.dist-info")
        (info / "INSTALLER").write_text("pip\n")
    if managed:
        (folder / "lib" / library / "EXTERNALLY-MANAGED").write_text(f"[externally-managed]\nError={managed}\n")
    return (folder, below)


def base_python(version: str) -> Path:
    """The prefix of a Python for `/usr/local`: of that version if there is one, else that of the tests."""
    python = interpreter(version) or Path(getattr(sys, "_base_executable", sys.executable))
    return Path(os.path.realpath(python)).parents[1]


def instructions(text: str) -> list[tuple[str, str]]:
    """The instructions of a Dockerfile, in order: the word, and its arguments in one line."""
    lines = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", " ", lines)
    parts = [line.strip().partition(" ") for line in lines.splitlines() if line.strip()]
    return [(word.upper(), rest.strip()) for word, _, rest in parts]


def build(
    text: str,
    *,
    context: Path,
    folder: Path,
    bases: dict[str, Base] | None = None,
    secrets: dict[str, str] | None = None,
    arguments: dict[str, str] | None = None,
    environ: dict[str, str] | None = None,
) -> Image:
    """Build the last stage of a Dockerfile; a RUN that fails is an AssertionError.

    Args:
        text: The Dockerfile.
        context: The folder of COPY.
        folder: Where stages and cache mounts are; cache mounts stay there for the next build.
        bases: Base images by name, without the tag; others are a Python in `/usr/local`.
        secrets: Contents by id.
        arguments: Values of ARG.
        environ: Variables of every RUN, such as the index of the tests.
    """
    one = _Build(context, folder, bases or {}, secrets or {}, dict(arguments or {}), environ or {})
    for word, rest in instructions(text):
        one.step(word, rest)
    return one.image


@dataclass(slots=True)
class _Build:
    context: Path
    folder: Path
    bases: dict[str, Base]
    secrets: dict[str, str]
    arguments: dict[str, str]
    environ: dict[str, str]
    stages: dict[str, Image] = field(default_factory=dict)
    _image: Image | None = None

    @property
    def image(self) -> Image:
        assert self._image is not None, "no FROM"
        return self._image

    def step(self, word: str, rest: str) -> None:
        if word == "FROM":
            self._from(*shlex.split(rest))
        elif word == "RUN":
            self._run(rest)
        elif word == "COPY":
            self._copy(shlex.split(self._filled(rest)))
        elif word == "ARG":
            name, is_set, value = rest.partition("=")
            if is_set:
                self.arguments.setdefault(name, value)
        elif word == "ENV":
            self.image.environ |= dict(part.split("=", 1) for part in shlex.split(self._filled(rest)))
        elif word == "WORKDIR":
            self.image.workdir = os.path.join(self.image.workdir, self._filled(rest))
        elif word == "USER":
            self.image.user = {"root": "0", "app": "1000", "nobody": "65534"}.get(rest, rest)
        elif word == "CMD":
            self.image.command = tuple(json.loads(rest))
        else:
            raise AssertionError(f"{word} is not known here")

    def _from(self, base: str, *name: str) -> None:
        number = len(self.stages)
        assert base not in self.stages, "a stage on a stage is not known here"
        name_, _, tag = base.rpartition(":")
        version = re.match(r"\d+\.\d+", tag)
        below = self.bases.get(name_) or Base(lower=(base_python(version[0] if version else ""),))
        (self.folder / "stages").mkdir(parents=True, exist_ok=True)
        self._image = Image(
            folder=next(path for path in (self.folder / f"stages/{n}" for n in range(1000)) if not path.exists()),
            lower=below.lower,
            environ={"PATH": _PATH, **below.environ},
            workdir=below.workdir,
            entrypoint=below.entrypoint,
        )
        self.stages[name[1] if name else str(number)] = self._image

    def _filled(self, text: str) -> str:
        values = {**self.arguments, **self.image.environ}
        return re.sub(r"\$\{?(\w+)\}?", lambda match: values.get(match[1], ""), text)

    def _run(self, rest: str) -> None:
        flags, command = re.fullmatch(r"((?:--\S+ )*)(.*)", rest, re.DOTALL).groups()  # type: ignore[union-attr]
        goal = self.image.folder / "mount"
        mounts = [self._mount(flag.removeprefix("--mount="), goal) for flag in flags.split()]
        if _INSTALLS_LOCKSET.search(command):
            self.image.has_lockset()
            command = _INSTALLS_LOCKSET.sub("true ", command.replace("-m venv ", "-m venv --without-pip "))
        command = command.replace("python -m venv --without-pip /opt/lockset", "true")
        self.image.ok(command, mounts="\n".join(mounts), **{**self.arguments, **self.environ})

    def _mount(self, text: str, goal: Path) -> str:
        options = {key: value for key, _, value in (part.partition("=") for part in text.split(","))}
        target = os.path.join(self.image.workdir, self._filled(options.get("target", "")))
        if options["type"] == "cache":
            kept = self.folder / "caches" / options.get("id", target).strip("/").replace("/", "-")
            if not kept.exists():
                kept.mkdir(parents=True, mode=0o755)
                give_to(kept, int(options.get("uid", 0)))
            return f"mkdir -p {goal}{target} && mount --bind {kept} {goal}{target}"
        if options["type"] == "secret":
            path = self.folder / "secret"
            path.write_text(self.secrets[options["id"]])
            target = options.get("target", f"/run/secrets/{options['id']}")
            return f"{_file(goal, target)} && mount --bind {path} {goal}{target}"
        assert options["type"] == "bind", text
        source = self.context / options["source"]
        making = f"mkdir -p {goal}{target}" if source.is_dir() else _file(goal, target)
        return f"{making} && mount --bind -o ro {source} {goal}{target}"

    def _copy(self, words: list[str]) -> None:
        flags = dict(word.removeprefix("--").partition("=")[::2] for word in words if word.startswith("--"))
        *sources, goal = [word for word in words if not word.startswith("--")]
        origin = self.stages[flags["from"]] if "from" in flags else None
        self.image.copied(sources, goal, origin=origin, context=self.context, owner=flags.get("chown"))


def _file(goal: Path, path: str) -> str:
    return f"mkdir -p {goal}{os.path.dirname(path)} && touch {goal}{path}"
