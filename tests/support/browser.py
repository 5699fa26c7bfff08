"""A headless Chromium for tests: pages, their sizes and colour schemes, pictures, and what axe-core finds.

It is spoken to over two pipes (Chromium's --remote-debugging-pipe): no port, and no driver of a certain version.
"""

from __future__ import annotations

import base64
import importlib.util
import itertools
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--remote-debugging-pipe",
)
LIMIT = 60.0
"""Seconds for one answer."""


def chromium() -> str | None:
    """The browser of the system; None if there is none."""
    return shutil.which("chromium") or shutil.which("google-chrome")


def installable() -> bool:
    """Whether scripts/setup.sh installs one here: Ubuntu has it as a snap only."""
    release = Path("/etc/os-release")
    return sys.platform == "linux" and release.exists() and "\nID=ubuntu" not in "\n" + release.read_text()


@contextmanager
def started_browser(profile: Path) -> Iterator[Browser]:
    """The system's browser; without one the test fails where scripts/setup.sh installs it, and else is skipped."""
    program = chromium()
    if program is None:
        if installable():
            pytest.fail("no Chromium: sh scripts/setup.sh test")
        pytest.skip("no Chromium or Chrome, and scripts/setup.sh cannot install one here")
    with browser(program, profile) as started:
        yield started


def axe() -> Path:
    """axe-core's script, which tests/axe.txt brings."""
    found = importlib.util.find_spec("axe_playwright_python")
    assert found is not None and found.submodule_search_locations, "axe-core is missing: sh scripts/setup.sh test"
    return Path(found.submodule_search_locations[0]) / "axe.min.js"


_AT_3_AND_4 = """
import fcntl, os, sys
high = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3]]
os.dup2(high[0], 3)
os.dup2(high[1], 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""The browser takes its commands from descriptor 3 and answers on 4, wherever our pipes are."""


@contextmanager
def browser(program: str, profile: Path) -> Iterator[Browser]:
    """A browser with an empty profile, ended with the block."""
    ours_in, theirs_out = os.pipe()
    theirs_in, ours_out = os.pipe()
    command = [sys.executable, "-c", _AT_3_AND_4, str(theirs_in), str(theirs_out), program, *FLAGS]
    command += [f"--user-data-dir={profile}", "about:blank"]
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, pass_fds=(theirs_in, theirs_out), start_new_session=True, **quiet)
    os.close(theirs_in)
    os.close(theirs_out)
    started = Browser(ours_in, ours_out)
    try:
        yield started
    finally:
        with suppress(AssertionError, OSError, subprocess.TimeoutExpired):
            started.ask("Browser.close")
            process.wait(timeout=10)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(ours_in)
        os.close(ours_out)


class Browser:
    """The protocol: commands with answers, and events that are kept."""

    def __init__(self, answers: int, commands: int) -> None:
        self._answers, self._commands = answers, commands
        self._buffer = b""
        self._ids = itertools.count(1)
        self.events: list[dict[str, Any]] = []

    def ask(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """The result of a command."""
        number = next(self._ids)
        message = {"id": number, "method": method, "params": params} | ({"sessionId": session} if session else {})
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + LIMIT
        while True:
            told = self._next(end)
            if told.get("id") == number:
                assert "error" not in told, f"{method}: {told['error']}"
                return told["result"]
            self.events.append(told)

    def wait(self, method: str, session: str) -> dict[str, Any]:
        """The next event of this kind."""
        end = time.monotonic() + LIMIT
        while True:
            for event in self.events:
                if event.get("method") == method and event.get("sessionId") == session:
                    self.events.remove(event)
                    return event
            self.events.append(self._next(end))

    def _next(self, end: float) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            left = end - time.monotonic()
            assert left > 0 and select.select([self._answers], [], [], left)[0], "the browser does not answer"
            read = os.read(self._answers, 1 << 20)
            assert read, "the browser is gone"
            self._buffer += read
        message, _, self._buffer = self._buffer.partition(b"\0")
        told: dict[str, Any] = json.loads(message)
        return told

    @contextmanager
    def page(
        self,
        address: str,
        *,
        width: int = 1280,
        height: int = 900,
        dark: bool = False,
        scripts: bool = True,
        media: str = "",
    ) -> Iterator[Page]:
        """A page of that size that has loaded; `media` is "print" for the look on paper."""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session)
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.ask(f"{domain}.enable")
        page.ask("Emulation.setScriptExecutionDisabled", value=not scripts)
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        page.ask("Emulation.setDeviceMetricsOverride", **size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        page.ask("Emulation.setEmulatedMedia", media=media, features=[scheme])
        self.events.clear()
        page.ask("Page.navigate", url=address)
        self.wait("Page.loadEventFired", session)
        try:
            yield page
        finally:
            self.ask("Target.closeTarget", targetId=target)
            self.events.clear()


class Page:
    """One page."""

    def __init__(self, of: Browser, session: str) -> None:
        self._browser, self._session = of, session

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """The result of a command to this page."""
        return self._browser.ask(method, self._session, **params)

    def run(self, script: str) -> Any:
        """The value of an expression, of a promise when it is kept."""
        answer = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def said(self) -> list[str]:
        """Messages on the console, of the page's policy too, and errors of scripts."""
        found = []
        for event in self._browser.events:
            if event.get("method") in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"):
                found.append(json.dumps(event["params"])[:500])
        return found

    def requests(self) -> list[str]:
        """Addresses that were asked for, the page's own too."""
        sent = [e["params"] for e in self._browser.events if e.get("method") == "Network.requestWillBeSent"]
        return [str(params["request"]["url"]) for params in sent]

    def picture(self, form: str = "png", *, whole: bool = False) -> bytes:
        """A picture ("png" or "webp") of what is seen, or of the whole page."""
        answer = self.ask("Page.captureScreenshot", format=form, captureBeyondViewport=whole, **self._clip(whole))
        return base64.b64decode(answer["data"])

    def pdf(self) -> bytes:
        """The page on A4, as its own style wants it."""
        return base64.b64decode(self.ask("Page.printToPDF", preferCSSPageSize=True, printBackground=True)["data"])

    def violations(self) -> list[str]:
        """What axe-core finds, with the first element of each: serious, critical and less."""
        self.run(axe().read_text(encoding="utf-8") + ";0")
        found = self.run("axe.run(document, {resultTypes: ['violations']}).then(r => r.violations)")
        return [
            f"{v['impact']} {v['id']}: {v['nodes'][0]['html'][:200]} ({len(v['nodes'])} places)"
            for v in found
        ]

    def _clip(self, whole: bool) -> dict[str, Any]:
        if not whole:
            return {}
        size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
        return {"clip": {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 16000), "scale": 1}}
