"""A virtual board's process: runs the core in slices, and answers requests between them."""

from __future__ import annotations

import os
import select
import sys
from pathlib import Path
from typing import Any

from harness.errors import TinyhilError
from harness.virtual import wire
from harness.virtual.access import BusError
from harness.virtual.cpu import Stop
from harness.virtual.faults import Faults
from harness.virtual.machine import Machine

# Instructions in a slice: about a millisecond
_NATIVE_SLICE, _PYTHON_SLICE = 250_000, 10_000
_READ_SIZE = 1 << 20


class Server:
    """A machine with the file descriptors of requests and answers."""

    def __init__(self, machine: Machine, faults: Faults, source: int, sink: int) -> None:
        self.machine = machine
        self._faults = faults
        self._source = source
        self._sink = sink
        self._unpacker = wire.Unpacker()
        self._told = 0

    def run(self) -> None:
        """Serves until the client closes its end."""
        machine = self.machine
        slice_size = _NATIVE_SLICE if machine.cpu.native is not None else _PYTHON_SLICE
        while True:
            stop = machine.step_slice(slice_size)
            self._tell_notes()
            if stop in (Stop.LIMIT, Stop.INTERRUPTED):
                machine.terminal.flush()
                waiting = bool(select.select([self._source], [], [], 0)[0])
            else:
                machine.wait([self._source])
                waiting = bool(select.select([self._source], [], [], 0)[0])
            if waiting and not self._listen():
                return

    def _tell_notes(self) -> None:
        for note in self.machine.notes[self._told :]:
            print(f"{self.machine.chip.name}: {note}", file=sys.stderr, flush=True)
        self._told = len(self.machine.notes)

    def _listen(self) -> bool:
        data = os.read(self._source, _READ_SIZE)
        if not data:
            return False
        self._unpacker.feed(data)
        answers = bytearray()
        while (request := self._unpacker.next()) is not None:
            answers += self._answer(*request)
        view = memoryview(answers)
        while view:
            view = view[os.write(self._sink, view) :]
        return True

    def _answer(self, request: dict[str, Any], data: bytes) -> bytes:
        try:
            return self._do(request, data)
        except BusError as error:
            return wire.pack({"error": "bus", "text": str(error)})
        except TinyhilError as error:
            return wire.pack({"error": error.code, "text": error.message, "hint": error.hint})

    def _do(self, request: dict[str, Any], data: bytes) -> bytes:
        machine = self.machine
        match request.get("do"):
            case "read":
                return wire.pack({}, machine.read_memory(int(request["at"]), int(request["length"])))
            case "write":
                self._faults.debugger_write(len(data))
                machine.write_memory(int(request["at"]), data)
            case "load":
                machine.load(Path(str(request["elf"])))
            case "reset":
                machine.reset(bool(request.get("halt", False)), str(request.get("cause", "pin")))
            case "hold":
                machine.hold(bool(request["held"]))
            case "power":
                machine.power_on(halt=False)
            case "fault":
                self._faults.add(str(request["fault"]))
            case "state":
                pass
            case other:
                return wire.pack({"error": "request", "text": f"unknown: {other}"})
        return wire.pack(self.state())

    def state(self) -> dict[str, Any]:
        """The machine's state, see RemoteMachine.state."""
        machine = self.machine
        return {
            "port": machine.uart_pty,
            "native": machine.cpu.native is not None,
            "debug_port": machine.model.debug_port,
            "access_port": machine.model.access_port,
            "control_port": machine.chip.control_port,
            "instructions": machine.instructions,
            "halted": machine.halted,
            "locked_up": machine.locked_up,
            "notes": machine.notes,
            "erased": machine.flash.erased,
            "programmed": machine.flash.programmed,
        }
