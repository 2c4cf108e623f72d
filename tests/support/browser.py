"""A headless Chromium to look at pages, driven by the DevTools protocol over two pipes.

Needs the program `chromium` (a Debian package) and no Python package. A page sees no network besides loopback.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import sys
import tempfile
import time
from collections import deque
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["DESKTOP", "PHONE", "Browser", "BrowserError", "Page", "browser", "reason_without_browser"]

# Viewport widths in CSS pixels.
PHONE = 390
DESKTOP = 1366
_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_HEIGHT = 844
# Seconds to wait for one answer; the machine may be busy.
_PATIENCE = 60.0
_FLAGS = (
    "--headless",
    "--no-sandbox",  # a container has none, and only pages made by the tests are opened
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--hide-scrollbars",
    "--no-first-run",
    "--no-default-browser-check",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--remote-debugging-pipe",
)
# Key -> code, Windows virtual key code, typed text.
_KEYS: dict[str, tuple[str, int, str]] = {
    "Enter": ("Enter", 13, "\r"),
    "Escape": ("Escape", 27, ""),
    "Tab": ("Tab", 9, ""),
    " ": ("Space", 32, " "),
    "ArrowLeft": ("ArrowLeft", 37, ""),
    "ArrowUp": ("ArrowUp", 38, ""),
    "ArrowRight": ("ArrowRight", 39, ""),
    "ArrowDown": ("ArrowDown", 40, ""),
    "Backspace": ("Backspace", 8, ""),
}
_SHIFT = 8


class BrowserError(Exception):
    """The browser ended, did not answer in time, or refused a command."""


if sys.platform == "win32":

    def _spawn(arguments: list[str], home: Path, log: Path) -> tuple[int, int, int]:
        message = f"no pipes for {arguments[0]} in {home}, {log}"
        raise BrowserError(message)

    def _kill(pid: int) -> None:
        del pid

else:
    import fcntl
    import signal

    def _spawn(arguments: list[str], home: Path, log: Path) -> tuple[int, int, int]:
        """Start the browser; returns its process, and the ends of its pipes to write to and to read from."""
        their_commands, commands = _pipe()
        answers, their_answers = _pipe()
        pid = os.posix_spawn(
            arguments[0],
            arguments,
            {**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home), "XDG_CACHE_HOME": str(home)},
            setsid=True,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
                (os.POSIX_SPAWN_DUP2, their_commands, 3),
                (os.POSIX_SPAWN_DUP2, their_answers, 4),
            ],
        )
        os.close(their_commands)
        os.close(their_answers)
        return pid, commands, answers

    def _kill(pid: int) -> None:
        """End a browser with all of its processes, which are a session of their own."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)

    def _pipe() -> tuple[int, int]:
        """A pipe, both ends above the numbers that the browser gets, and closed in child processes."""
        ends = os.pipe()
        high = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends)
        for end in ends:
            os.close(end)
        return high[0], high[1]


@cache
def reason_without_browser() -> str | None:
    """Why there is no browser for tests on this machine; None if there is one."""
    if os.name == "nt":
        return "the browser is driven over pipes of POSIX"
    if _program() is None:
        return f"no Chromium on PATH ({', '.join(_PROGRAMS)}); Debian: apt-get install chromium"
    return None


def _program() -> str | None:
    return next((path for name in _PROGRAMS if (path := shutil.which(name)) is not None), None)


@contextmanager
def browser() -> Iterator[Browser]:
    """A running browser, or a skipped test where there is none."""
    reason = reason_without_browser()
    if reason is not None:
        pytest.skip(reason)
    with tempfile.TemporaryDirectory(prefix="lockset-browser-", ignore_cleanup_errors=True) as home:
        running = Browser.start(Path(home))
        try:
            yield running
        finally:
            running.stop()


@dataclass(slots=True, kw_only=True)
class Browser:
    """A Chromium process. It reads commands from its file descriptor 3 and answers on 4, as JSON ended by NUL."""

    pid: int
    commands: int
    answers: int
    log: Path
    last_id: int = 0
    unread: bytes = b""
    events: deque[dict[str, Any]] = field(default_factory=deque)

    @classmethod
    def start(cls, home: Path) -> Browser:
        """Start the browser with the empty folder `home` as its profile."""
        program = _program()
        assert program is not None
        log = home / "log"
        pid, commands, answers = _spawn(
            [program, *_FLAGS, f"--user-data-dir={home / 'profile'}", "about:blank"], home, log
        )
        return cls(pid=pid, commands=commands, answers=answers, log=log)

    def stop(self) -> None:
        """End the browser and all of its processes."""
        with suppress(BrowserError, OSError):
            self.call("Browser.close")
        os.close(self.commands)
        os.close(self.answers)
        _kill(self.pid)

    def open(self, page: Path | str, *, width: int = DESKTOP, height: int = _HEIGHT, dark: bool = False) -> Page:
        """Open a file or a URL in a viewport of `width` CSS pixels, and wait until it has loaded."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        opened = Page(browser=self, target=target, session=session, width=width)
        for domain in ("Page", "Runtime", "Log"):
            opened.call(f"{domain}.enable")
        opened.resize(width, height)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        still = {"name": "prefers-reduced-motion", "value": "reduce"}
        opened.call("Emulation.setEmulatedMedia", features=[scheme, still])
        opened.go(page)
        return opened

    def call(self, method: str, session: str | None = None, /, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result; events that come meanwhile are kept in `events`."""
        self.last_id += 1
        number = self.last_id
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.commands, data) :]
        end = time.monotonic() + _PATIENCE
        while True:
            answer = self.receive(end)
            if answer.get("id") != number:
                self.events.append(answer)
            elif "error" in answer:
                message_text = f"{method}: {answer['error'].get('message')}"
                raise BrowserError(message_text)
            else:
                result: dict[str, Any] = answer["result"]
                return result

    def receive(self, end: float) -> dict[str, Any]:
        """The next message of the browser, before the monotonic time `end`."""
        while b"\0" not in self.unread:
            ready, _, _ = select.select([self.answers], [], [], max(0.0, end - time.monotonic()))
            data = os.read(self.answers, 1 << 20) if ready else b""
            if not data:
                state = "ended" if ready else "did not answer"
                message = f"The browser {state}: {self.log.read_text(errors='replace')[-2000:]}"
                raise BrowserError(message)
            self.unread += data
        line, _, self.unread = self.unread.partition(b"\0")
        message_of_browser: dict[str, Any] = json.loads(line)
        return message_of_browser


@dataclass(slots=True, kw_only=True)
class Page:
    """One page of a browser."""

    browser: Browser
    target: str
    session: str
    width: int
    _problems: list[str] = field(default_factory=list)
    _loads: int = 0

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command of the DevTools protocol to this page."""
        return self.browser.call(method, self.session, **parameters)

    def go(self, page: Path | str) -> None:
        """Open a file or a URL, and wait until it has loaded."""
        url = page.resolve().as_uri() if isinstance(page, Path) else page
        self._drain()
        before = self._loads
        answer = self.call("Page.navigate", url=url)
        if answer.get("errorText"):
            message = f"{url}: {answer['errorText']}"
            raise BrowserError(message)
        end = time.monotonic() + _PATIENCE
        self._drain()
        while self._loads == before and "loaderId" in answer:
            self._note(self.browser.receive(end))

    def resize(self, width: int, height: int = _HEIGHT) -> None:
        """Set the size of the viewport in CSS pixels; a phone has a touch screen."""
        phone = width < 600
        self.width = width
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)

    def evaluate(self, script: str) -> Any:
        """The value of the expression `script`, as JSON has it; a promise is awaited.

        Raises:
            BrowserError: With the text of the exception, if `script` throws one.
        """
        answer = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True, userGesture=True
        )
        if "exceptionDetails" in answer:
            raise BrowserError(_exception(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def wait_for(self, script: str, *, seconds: float = 60.0) -> Any:
        """Evaluate `script` until its value is true, and return that."""
        end = time.monotonic() + seconds
        while not (value := self.evaluate(script)):
            if time.monotonic() > end:
                message = f"Still not true after {seconds:g} s: {script}"
                raise BrowserError(message)
            time.sleep(0.02)
        return value

    def click(self, selector: str) -> None:
        """Click on the middle of the first element that the CSS `selector` matches, which must be visible."""
        location = self.evaluate(
            f"""(() => {{
                const element = document.querySelector({json.dumps(selector)});
                if (!element) return null;
                element.scrollIntoView({{block: "center", inline: "center", behavior: "instant"}});
                const box = element.getBoundingClientRect();
                return box.width && box.height ? [box.x + box.width / 2, box.y + box.height / 2] : null;
            }})()"""
        )
        if location is None:
            message = f"Nothing visible matches {selector}"
            raise BrowserError(message)
        for kind, buttons in (("mouseMoved", 0), ("mousePressed", 1), ("mouseReleased", 0)):
            button = "none" if kind == "mouseMoved" else "left"
            self.call(
                "Input.dispatchMouseEvent",
                type=kind,
                x=location[0],
                y=location[1],
                button=button,
                buttons=buttons,
                clickCount=0 if kind == "mouseMoved" else 1,
            )

    def type(self, text: str) -> None:
        """Type `text` into the focused element, key by key."""
        for character in text:
            self.call("Input.dispatchKeyEvent", type="keyDown", text=character, key=character)
            self.call("Input.dispatchKeyEvent", type="keyUp", key=character)

    def press(self, key: str, *, shift: bool = False) -> None:
        """Press a key by its name in the DOM: `Tab`, `Enter`, `Escape`, ` `, `ArrowDown` and so on."""
        code, number, text = _KEYS[key]
        common = {"key": key, "code": code, "windowsVirtualKeyCode": number, "modifiers": _SHIFT if shift else 0}
        self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", **common, text=text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    @property
    def overflow(self) -> int:
        """By how many CSS pixels the page is wider than the viewport."""
        # `innerWidth` would grow with the page on a phone.
        return max(0, int(self.evaluate("document.documentElement.scrollWidth")) - self.width)

    @property
    def problems(self) -> list[str]:
        """Errors and warnings in the console, uncaught exceptions, and requests that failed, so far."""
        self.evaluate("0")
        self._drain()
        return list(self._problems)

    def screenshot(self, path: Path, *, full: bool = False) -> Path:
        """Write the viewport, or the `full` page, as a PNG file."""
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=full, **self._clip(full=full))
        path.write_bytes(base64.b64decode(shot["data"]))
        return path

    def close(self) -> None:
        """Close the page."""
        self.browser.call("Target.closeTarget", targetId=self.target)

    def _clip(self, *, full: bool) -> dict[str, Any]:
        if not full:
            return {}
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        return {"clip": {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}}

    def _drain(self) -> None:
        """Take note of the events that came so far; those of other pages stay."""
        events = self.browser.events
        for _ in range(len(events)):
            event = events.popleft()
            if event.get("sessionId") == self.session:
                self._note(event)
            else:
                events.append(event)

    def _note(self, event: dict[str, Any]) -> None:
        if event.get("sessionId") != self.session:
            self.browser.events.append(event)
            return
        details = event.get("params", {})
        method = event.get("method")
        if method == "Page.loadEventFired":
            self._loads += 1
        elif method == "Runtime.exceptionThrown":
            self._problems.append(_exception(details["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and details["type"] in {"error", "warning", "assert"}:
            values = [str(each.get("value", each.get("description", ""))) for each in details["args"]]
            self._problems.append(" ".join(values))
        elif method == "Log.entryAdded" and details["entry"]["level"] in {"error", "warning"}:
            entry = details["entry"]
            self._problems.append(f"{entry['text']} {entry.get('url', '')}".rstrip())


def _exception(details: dict[str, Any]) -> str:
    thrown = details.get("exception", {})
    return str(thrown.get("description") or thrown.get("value") or details.get("text"))
