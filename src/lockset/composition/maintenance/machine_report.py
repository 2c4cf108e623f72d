"""Facts about this machine: versions, Pythons, indexes, cache, certificates, proxies and settings."""

from __future__ import annotations

import os
import platform
import re
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lockset._dataclass import dataclass
from lockset._pattern import lazy_pattern
from lockset._version import __version__
from lockset.build.git import run_in_repository
from lockset.composition.connections import connected
from lockset.composition.indexes import project_around, resolve_indexes, unread_index_variable
from lockset.composition.maintenance.cache_folder import usable_folder
from lockset.errors import LocksetError
from lockset.files.system import clone
from lockset.index.http.auth import proxy_for, unread_certificates
from lockset.index.http.certificates import certificate_source
from lockset.index.http.index_probe import probe_index
from lockset.index.options import IndexSource
from lockset.lockfile.file_name import PLAIN_NAME
from lockset.sources.discover import find_upwards
from lockset.sync.disk.inspect.interpreter import ask_interpreter, interpreter_of
from lockset.sync.disk.request import active_environment, find_environment
from lockset.url_secrets import plain_url, without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lockset.composition.run_context import IndexOverrides, RunContext
    from lockset.index.http.index_probe import IndexAnswer
    from lockset.index.http.transport import Transport
    from lockset.index.options import IndexOptions

__all__ = ["MachineFact", "machine_facts"]

_LIBRARIES = ("packaging", "httpx", "httpcore", "installer", "resolvelib", "filelock", "platformdirs")
# Optional packages, and what they are for.
_OPTIONAL = {
    "truststore": "certificates of the system",
    "keyring": "credentials",
    "h2": "HTTP/2",
    "socksio": "SOCKS proxies",
    "PyYAML": "conda-lock files",
    "cyclonedx-python-lib": "bills of materials",
}
_SECRET = lazy_pattern(r"PASSWORD|TOKEN|SECRET|USERNAME|API_KEY", re.IGNORECASE)
# Variables of others that lockset reads, or that people expect it to read.
_OTHERS = (
    "HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "NETRC", "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_CERT", "REQUESTS_CA_BUNDLE", "NO_COLOR", "FORCE_COLOR",
    "COLUMNS", "XDG_CACHE_HOME",
)  # fmt: skip
# The project whose page is requested if no lock file names one.
_PROJECT = "packaging"
_PYTHON = lazy_pattern(r"(?:python|pypy)3\.\d+(?:\.exe)?\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineFact:
    """One fact about the machine.

    Attributes:
        section: `versions`, `pythons`, `indexes`, `cache`, `certificates`, `proxies` or `settings`; the command adds
            `terminal`.
        name: What it is about.
        value: In words, without secrets.
        state: `fault` if commands will fail because of it, `note` if it is probably not what was meant, else `ok`.
        hint: What to do about a fault or note; None if there is nothing.
    """

    section: str
    name: str
    value: str
    state: Literal["ok", "note", "fault"] = "ok"
    hint: str | None = None


def machine_facts(indexes: IndexOptions | IndexOverrides | None, context: RunContext) -> Iterator[MachineFact]:
    """The facts, section by section. Without the network, indexes are listed, but not queried."""
    yield from _versions(context)
    yield from _pythons(context)
    try:
        options = resolve_indexes(indexes, project_around(context.here, context), context)
    except LocksetError as error:
        one = error.diagnostic
        where = f"{one.location}: " if one.location else ""
        yield MachineFact(section="settings", name="[tool.lockset]", value=f"{where}{one.message}", state="fault")
        options = resolve_indexes(indexes, None, context)
    yield from _indexes(options, context)
    yield from _cache(context)
    yield from _certificates(options)
    yield from _proxies(options)
    yield from _settings(context)


def _versions(context: RunContext) -> Iterator[MachineFact]:
    def fact(name: str, value: str) -> MachineFact:
        return MachineFact(section="versions", name=name, value=value)

    yield fact("lockset", f"{__version__} ({Path(__file__).parents[2]})")
    yield fact("system", f"{platform.system()} {platform.release()}, {platform.machine()}")
    yield fact("libraries", ", ".join(f"{name} {version}" for name in _LIBRARIES if (version := _version(name))))
    present = [f"{name} {version} ({use})" for name, use in _OPTIONAL.items() if (version := _version(name))]
    missing = [f"{name} ({use})" for name, use in _OPTIONAL.items() if _version(name) is None]
    yield fact("optional", ", ".join(present) or "none")
    if missing:
        yield fact("not installed", ", ".join(missing))
    try:
        done = run_in_repository("version", folder=context.here)
        git = done.stdout.decode("utf-8", "replace").strip().removeprefix("git version ")
    except LocksetError:
        git = "not found (needed for requirements from git, and for revisions in `diff`)"
    yield fact("git", git)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _pythons(context: RunContext) -> Iterator[MachineFact]:
    def fact(name: str, value: str) -> MachineFact:
        return MachineFact(section="pythons", name=name, value=value)

    yield fact("of lockset", f"{platform.python_version()} ({sys.executable})")
    active = active_environment(context.process_variables)
    for name, folder in (("active", active), (".venv", find_environment(context.here))):
        if folder:
            yield _environment(name, folder)
    if not active and find_environment(context.here) is None:
        yield fact("environment", "none: `lockset sync` needs one, or `--create-venv`")
    pythons: dict[str, str] = {}
    for folder in context.process_variables.get("PATH", "").split(os.pathsep):
        try:
            names = sorted(os.listdir(folder)) if folder else []
        except OSError:
            continue
        for name in names:
            if _PYTHON.match(name):
                pythons.setdefault(name, os.path.join(folder, name))
    for name, path in sorted(pythons.items(), key=lambda item: [int(n) for n in re.findall(r"\d+", item[0])]):
        yield fact(name, path)


def _environment(name: str, folder: str) -> MachineFact:
    try:
        interpreter = ask_interpreter(interpreter_of(folder), memory=None)
    except (LocksetError, OSError) as error:
        message = error.diagnostic.message if isinstance(error, LocksetError) else str(error)
        return MachineFact(
            section="pythons",
            name=name,
            value=f"{folder}: {message}",
            state="fault",
            hint="Remove the environment, and make it again: `lockset sync --create-venv`",
        )
    return MachineFact(section="pythons", name=name, value=f"{interpreter.markers['python_full_version']} ({folder})")


def _indexes(options: IndexOptions, context: RunContext) -> Iterator[MachineFact]:
    sources = [*options.indexes]
    if not options.no_index:
        sources.append(IndexSource(url=options.index_url, name=options.index_name))
    hint = unread_index_variable(options, context)
    if hint is not None:
        yield MachineFact(section="indexes", name="variable", value=hint, state="note")
    for folder in options.find_links:
        yield MachineFact(section="indexes", name="find-links", value=plain_url(folder))
    if not sources:
        yield MachineFact(section="indexes", name="none", value="--no-index: files of --find-links only")
    project = _locked_project(context)
    with connected(options, None, context.heard) as connection:
        context.heard.phase("Asking indexes", total=len(sources))
        for source in sources:
            yield _index(connection.transport, source, project, offline=options.offline)
            context.heard.step(plain_url(source.url))


def _locked_project(context: RunContext) -> str:
    """A project that the nearest lock file has from an index."""
    from lockset.composition.open_lock import open_lock

    try:
        if find_upwards(PLAIN_NAME, context.here) is not None:
            packages = open_lock(None, context).lock.packages
            return next((str(one.name) for one in packages if not one.is_direct), _PROJECT)
    except LocksetError:
        pass  # `validate` reports it
    return _PROJECT


def _index(transport: Transport, source: IndexSource, project: str, *, offline: bool) -> MachineFact:
    name = source.name or "default"
    url = plain_url(source.url)
    if source.is_local:
        exists = Path(source.url.removeprefix("file://")).exists()
        state: Literal["ok", "fault"] = "ok" if exists else "fault"
        return MachineFact(section="indexes", name=name, value=f"{url}{'' if exists else ': missing'}", state=state)
    if offline:
        return MachineFact(section="indexes", name=name, value=f"{url}: not checked (offline)")
    try:
        answer = probe_index(transport, source, project)
    except LocksetError as error:
        one = error.diagnostic
        value = f"{url}: {without_secrets(one.message)}"
        return MachineFact(section="indexes", name=name, value=value, state="fault", hint=one.hint)
    return MachineFact(section="indexes", name=name, value=f"{url}: {_answer_text(answer, project)}")


def _answer_text(answer: IndexAnswer, project: str) -> str:
    reached = f"reached in {answer.seconds * 1000:.0f} ms"
    if answer.status != 200:
        return f"{reached}; it has no project `{project}`"
    kind = f"JSON pages (API {answer.version})" if answer.is_json else "HTML pages"
    has = {
        "hashes": answer.has_hashes,
        "metadata": answer.has_metadata,
        "sizes": answer.has_sizes,
        "provenance": answer.has_provenance,
    }
    yes, no = ([name for name, there in has.items() if there is wanted] for wanted in (True, False))
    parts = [kind, *([f"with {', '.join(yes)}"] if yes else []), *([f"without {', '.join(no)}"] if no else [])]
    return f"{reached}; {' '.join(parts)}"


def _cache(context: RunContext) -> Iterator[MachineFact]:
    def fact(name: str, value: str, state: Literal["ok", "note", "fault"] = "ok") -> MachineFact:
        return MachineFact(section="cache", name=name, value=value, state=state)

    folder = context.cache_folder
    if folder is None:
        yield fact("folder", "none: every run downloads everything again", "note")
        return
    try:
        known = usable_folder(folder)
    except LocksetError as error:
        yield fact("folder", f"{folder}: {error.diagnostic.message}", "fault")
        return
    yield fact("folder", f"{folder}{'' if known else ' (does not exist yet)'}")
    above = next(one for one in (folder, *folder.parents) if one.exists())
    try:
        with tempfile.NamedTemporaryFile(dir=above, prefix=".lockset-check-") as file:
            file.write(b"x")
            file.flush()
            yield fact("writable", "yes")
            yield fact("links", _link_modes(file.name, context.here))
    except OSError as error:
        yield fact("writable", f"no: {error.strerror or error}", "note" if known else "fault")


def _link_modes(file: str, here: Path) -> str:
    """Which ways from the cache into this folder work, the fastest first."""
    goal = here / f".lockset-check-{os.urandom(6).hex()}"
    works = []
    try:
        with open(file, "rb") as old, open(goal, "xb") as new:
            if clone(old.fileno(), new.fileno()):
                works.append("clone")
    except OSError:
        pass  # most file systems cannot
    try:
        goal.unlink(missing_ok=True)
        os.link(file, goal)
        works.append("hardlink")
    except OSError:
        pass  # another file system
    finally:
        try:
            goal.unlink(missing_ok=True)
        except OSError:
            works = []
    return f"{', '.join([*works, 'copy'])} (from the cache to {here})"


def _certificates(options: IndexOptions) -> Iterator[MachineFact]:
    try:
        source = certificate_source(options.cert)
    except OSError as error:
        source, reason = "", str(error)
    else:
        reason = "no CA certificates were found"
    if source:
        yield MachineFact(section="certificates", name="trusted", value=source)
    else:
        hint = "Install the package ca-certificates or certifi, or name a file with `--cert`"
        yield MachineFact(section="certificates", name="trusted", value=reason, state="fault", hint=hint)
    if options.client_cert is not None:
        yield MachineFact(section="certificates", name="client", value=options.client_cert)
    for host in sorted(options.insecure_hosts):
        yield MachineFact(section="certificates", name="not verified", value=host, state="note")
    ignored = unread_certificates()
    if ignored is not None:
        value = f"{ignored} is set, and lockset does not read it"
        hint = "Use `--cert` or SSL_CERT_FILE"
        yield MachineFact(section="certificates", name="variable", value=value, state="note", hint=hint)


def _proxies(options: IndexOptions) -> Iterator[MachineFact]:
    urls = [source.url for source in options.indexes] + ([] if options.no_index else [options.index_url])
    used = {url: options.proxy or proxy_for(url) for url in urls if not url.startswith("file:")}
    for url, proxy in used.items():
        shown = without_secrets(proxy) if proxy else "none"
        yield MachineFact(section="proxies", name=plain_url(url), value=shown)


def _settings(context: RunContext) -> Iterator[MachineFact]:
    variables: Mapping[str, str] = context.process_variables
    project = find_upwards("pyproject.toml", context.here)
    if not context.use_settings:
        yield MachineFact(section="settings", name="[tool.lockset]", value="ignored (--no-config)")
    elif context.config_path is not None:
        yield MachineFact(section="settings", name="[tool.lockset]", value=f"{context.config_path} (--config)")
    else:
        yield MachineFact(section="settings", name="project", value=str(project) if project else "none")
    lock = find_upwards(PLAIN_NAME, context.here)
    yield MachineFact(section="settings", name="lock file", value=str(lock) if lock else "none")
    for name in sorted(variables):
        if variables[name] and (name.startswith("LOCKSET_") or name.upper() in _OTHERS):
            value = "****" if _SECRET.search(name) else without_secrets(variables[name])
            yield MachineFact(section="settings", name=name, value=value)
