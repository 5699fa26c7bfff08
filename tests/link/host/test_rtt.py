"""RTT's rings, with a device made of bytes."""

import random

import pytest

from harness.errors import BoardError, BoardLostError
from harness.link import rtt
from harness.link.rtt import IDENTIFICATION, RttTransport, erase_block
from tests.support.patience import ends

BLOCK, UP, DOWN = 0x100, 0x400, 0x600


class Device:
    """Memory with a control block, and the device's side of both rings."""

    def __init__(self, up=16, down=11, ready_after=0):
        self.ram = bytearray(0x800)
        self.reads = 0
        self.ready_after = ready_after
        self.up_size, self.down_size = up, down
        self.echo = False
        self.received = bytearray()
        self.pending = bytearray()
        self.set_up()

    def set_up(self):
        words = [1, 1, 0, UP, self.up_size, 0, 0, 2, 0, DOWN, self.down_size, 0, 0, 2]
        self.ram[BLOCK + 16 : BLOCK + 72] = b"".join(word.to_bytes(4, "little") for word in words)

    def word(self, at, value=None):
        if value is not None:
            self.ram[at : at + 4] = value.to_bytes(4, "little")
        return int.from_bytes(self.ram[at : at + 4], "little")

    def run(self):
        """What the firmware does between two accesses: a few bytes each way."""
        up, down = BLOCK + 24, BLOCK + 48
        for _ in range(random.randrange(5)):
            write, read = self.word(down + 12), self.word(down + 16)
            if write != read:
                byte = self.ram[DOWN + read]
                self.received.append(byte)
                if self.echo:
                    self.pending.append(byte)
                self.word(down + 16, (read + 1) % self.down_size)
            write, read = self.word(up + 12), self.word(up + 16)
            if self.pending and (write + 1) % self.up_size != read:
                self.ram[UP + write] = self.pending.pop(0)
                self.word(up + 12, (write + 1) % self.up_size)

    def read(self, address, length):
        self.reads += 1
        if self.reads == self.ready_after + 1:
            self.ram[BLOCK : BLOCK + 16] = IDENTIFICATION
        self.run()
        return bytes(self.ram[address : address + length])

    def write(self, address, data):
        self.ram[address : address + len(data)] = data

    def write_word(self, address, value):
        self.word(address, value)
        self.run()


def test_bytes_of_any_length_pass_both_ways_around_the_rings():
    device = Device()
    device.echo = True
    transport = RttTransport(device, BLOCK)
    rng = random.Random(1)
    sent = got = b""
    for size in [1, 10, 11, 16, 100, 300, *(rng.randrange(1, 60) for _ in range(40))]:
        data = rng.randbytes(size)
        transport.write(data)
        sent += data
        while len(got) < len(sent):
            got += transport.read(1.0)
    assert got == sent == bytes(device.received)


def test_the_firmware_may_take_its_time():
    assert RttTransport(Device(ready_after=20), BLOCK).read(0.0) == b""


def test_no_control_block_is_told_in_time(monkeypatch):
    monkeypatch.setattr(rtt, "START_TIMEOUT_S", 0.2)
    with ends(), pytest.raises(BoardError, match="no RTT control block at 0x00000100"):
        RttTransport(Device(ready_after=10**9), BLOCK)


def test_an_old_control_block_is_erased():
    device = Device()
    RttTransport(device, BLOCK)
    erase_block(device, BLOCK)
    assert device.read(BLOCK, 16) == bytes(16)


@pytest.mark.parametrize("size", [0, 1, 1 << 24])
def test_a_ring_of_no_meaning_is_refused(size):
    device = Device(up=size)
    with pytest.raises(BoardError, match=f"no meaning: {size} bytes"):
        RttTransport(device, BLOCK)


def test_damaged_offsets_lose_the_board():
    device = Device()
    transport = RttTransport(device, BLOCK)
    device.word(BLOCK + 24 + 12, 99)
    with pytest.raises(BoardLostError, match="damaged: offsets 99"):
        transport.read(0.1)


def test_a_device_that_takes_nothing_is_told(monkeypatch):
    monkeypatch.setattr(rtt, "WRITE_TIMEOUT_S", 0.2)
    device = Device()
    transport = RttTransport(device, BLOCK)
    device.run = lambda: None
    with ends(), pytest.raises(BoardLostError, match="took no bytes"):
        transport.write(bytes(100))


def test_a_closed_stream_says_so():
    transport = RttTransport(Device(), BLOCK)
    transport.close()
    with pytest.raises(BoardLostError, match="closed"):
        transport.read(0.0)
