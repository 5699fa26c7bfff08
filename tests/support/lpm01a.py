"""An X-NUCLEO-LPM01A that is none: a pseudo-terminal that answers its commands and samples a made-up supply."""

from __future__ import annotations

import contextlib
import os
import pty
import threading
import time
import tty
from collections.abc import Callable

PROMPT = "PowerShield > "


class SimulatedLpm01a:
    """The instrument; `port` is its serial port's device.

    Attributes:
        watts: power of the board at a time.monotonic(), asked for each sample, however late.
        commands: what was sent, in order.
        refuse: a command that is answered with an error.
        mute: whether it answers nothing.
        lose: share of samples that never come.
        damage: whether samples come without their sign.
        endless: whether `stop` is ignored.
        fail: what it says instead of samples after some.
    """

    def __init__(self, watts: Callable[[float], float] = lambda at: 0.01) -> None:
        self.watts = watts
        self.commands: list[str] = []
        self.refuse, self.fail = "", ""
        self.mute = self.damage = self.endless = False
        self.lose = 0.0
        self._rate, self._sampling, self._ended = 100, False, False
        self._begun, self._sent = 0.0, 0
        self._master, self._slave = pty.openpty()
        tty.setraw(self._master)
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.port = os.ttyname(self._slave)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Unplugs it."""
        self._ended = True
        self._thread.join(5)
        for descriptor in (self._master, self._slave):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def _say(self, text: str) -> None:
        data = (text + "\r\n").encode()
        while data and not self._ended:
            try:
                data = data[os.write(self._master, data) :]
            except BlockingIOError:
                time.sleep(0.001)
            except OSError:
                return

    def _run(self) -> None:
        held = b""
        while not self._ended:
            try:
                held += os.read(self._master, 4096)
            except (BlockingIOError, OSError):
                time.sleep(0.001)
            while b"\n" in held:
                line, _, held = held.partition(b"\n")
                self._obey(line.decode().strip())
            if self._sampling:
                self._sample()

    def _obey(self, command: str) -> None:
        self.commands.append(command)
        if self.mute:
            return
        if self.refuse and command.startswith(self.refuse):
            self._say(f"{PROMPT}error {command}")
            self._say(f"{PROMPT}Error detail: not on this board")
            return
        if command == "stop":
            if not self.endless:
                self._sample()
                self._sampling = False
                self._say(f"{PROMPT}Acquisition completed")
            return
        if command.startswith("freq "):
            self._rate = int(command.split()[1])
        self._say(f"{PROMPT}ack {command}" + (" 1.0.6" if command == "version" else ""))
        if command == "start":
            self._sampling, self._begun, self._sent = True, time.monotonic(), 0

    def _sample(self) -> None:
        if not self._sampling:
            return
        due = int((time.monotonic() - self._begun) * self._rate)
        while self._sent < due:
            if self._sent % self._rate == 0:
                self._say(f"TimeStamp: {self._sent // self._rate:03d}s 000ms, buff 00%")
            self._sent += 1
            if self.fail and self._sent > 50:
                self._say(f"error: {self.fail}")
                self._sampling = False
                return
            if self.lose and self._sent % round(1 / self.lose) == 0:
                continue
            text = encoded(self.watts(self._begun + self._sent / self._rate) / self._rate)
            self._say(text.replace("-", "") if self.damage else text)


def encoded(joules: float) -> str:
    """Joules as the instrument writes them, 6409-07 for 6409e-7."""
    exponent = -9
    while joules / 10.0**exponent >= 9999.5:
        exponent += 1
    return f"{round(joules / 10.0**exponent):04d}{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
