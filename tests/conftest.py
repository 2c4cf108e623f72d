"""What every test has: a home and a cache of its own, no network beyond loopback, and the fixtures below."""

from __future__ import annotations

import itertools
import os
import signal
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from support.command import Command
from support.corpus import reason_without_corpus
from support.local_index import LocalIndex
from support.loopback import stay_on_loopback
from support.venvs import VenvMaker
from support.windows import reason_to_skip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# Their Sigstore needs libraries that Python under Wine does not have.
collect_ignore = (
    []
    if find_spec("pypi_attestations") is not None
    else ["unit/attestations", "end_to_end/test_attestations.py", "end_to_end/test_attestations_genuine.py"]
)

settings.register_profile("dev", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile(
    "ci",
    deadline=None,
    max_examples=100,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "deep", deadline=None, max_examples=5000, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
# Under Windows, which is slow by Wine.
settings.register_profile("windows", settings.get_profile("ci"), max_examples=20)
# Where the same tests run again, with other releases of the dependencies.
settings.register_profile("quick", settings.get_profile("ci"), max_examples=20)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))

# Variables of the outer environment that would change what a test sees.
_FOREIGN_PREFIXES = ("LOCKSET_", "PIP_", "UV_", "VIRTUAL_ENV", "CONDA", "PYTHON", "NETRC")
_FOREIGN_NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "NO_COLOR", "FORCE_COLOR", "SSL_CERT_FILE")
_KEPT = frozenset({"PYTHONHASHSEED", "PYTHONWARNINGS", "PYTHONDONTWRITEBYTECODE"})
# Where a command of a test goes when the test names no index: nobody listens there.
NO_INDEX = "http://127.0.0.1:9/simple/"


def pytest_configure() -> None:
    """Interrupts are taken also where the suite runs in the background of a shell, which has them ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests marked `network` run only with `-m`; tests that the system or a missing corpus rules out are skipped."""
    if sys.platform == "win32":
        for item in items:
            reason = reason_to_skip(item.nodeid.replace("\\", "/").removeprefix("tests/"))
            if reason is not None:
                item.add_marker(pytest.mark.skip(reason=reason))
    without_corpus = reason_without_corpus()
    for item in items:
        if without_corpus is not None and item.get_closest_marker("corpus") is not None:
            item.add_marker(pytest.mark.skip(reason=without_corpus), append=False)
    if config.option.markexpr:
        return
    needs = [item for item in items if item.get_closest_marker("network") is not None]
    if needs:
        config.hook.pytest_deselected(items=needs)
        items[:] = [item for item in items if item.get_closest_marker("network") is None]


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """A maker of fresh home folders."""
    root = tmp_path_factory.mktemp("homes")
    numbers = itertools.count()

    def make() -> Path:
        home = root / str(next(numbers))
        home.mkdir()
        return home

    return make


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    """Modes of new files do not depend on the shell in which the tests run."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture(autouse=True)
def own_surroundings(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, homes: Callable[[], Path]
) -> None:
    """A home, a cache and an environment that no other test and no user has touched; no network unless marked."""
    home = homes()
    networked = request.node.get_closest_marker("network") is not None
    for name in list(os.environ):
        foreign = name.upper() in _FOREIGN_NAMES or name.startswith(_FOREIGN_PREFIXES)
        if foreign and name not in _KEPT and not (networked and name.upper() in _FOREIGN_NAMES):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    if sys.platform == "win32":
        monkeypatch.setenv("USERPROFILE", str(home))
        monkeypatch.setenv("LOCALAPPDATA", str(home / "local"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / ".cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("LOCKSET_CACHE_DIR", str(home / "lockset-cache"))
    if not networked:
        monkeypatch.setenv("LOCKSET_DEFAULT_INDEX", NO_INDEX)
        stay_on_loopback(monkeypatch)


@pytest.fixture
def local_index() -> Iterator[LocalIndex]:
    """A running index with an empty world, in modern mode; set `world` and `mode` to taste."""
    with LocalIndex() as index:
        yield index


@pytest.fixture
def second_index() -> Iterator[LocalIndex]:
    """Another one, on another port."""
    with LocalIndex() as index:
        yield index


@pytest.fixture
def cli(tmp_path: Path) -> Command:
    """`python -m lockset` in a child process; the working folder is `tmp_path` unless told."""
    return Command(cwd=tmp_path)


@pytest.fixture(scope="session")
def venv_maker(tmp_path_factory: pytest.TempPathFactory) -> VenvMaker:
    """Environments copied from one template per interpreter."""
    return VenvMaker(tmp_path_factory.mktemp("venv-templates"))


@pytest.fixture
def make_venv(venv_maker: VenvMaker, tmp_path: Path) -> VenvMaker:
    """A maker of virtual environments below `tmp_path`: `make_venv("env", python="3.9")`; skips where absent."""
    return venv_maker.below(tmp_path)
