"""The slot of a firmware under ASan and UBSan: no bytes that come for it can crash or hang the device."""

import random
import re

import pytest

from harness.compiler.emit.templates import render
from harness.errors import DeviceRefusedError
from harness.link.client import Client
from harness.link.framing import encode
from harness.link.install_reasons import REASONS
from harness.link.wire import Kind
from harness.runtimes.relocatable import FOLDERS
from tests.support.firmware import build, running
from tests.support.noise import NoisyTransport
from tests.support.paths import FIRMWARE
from tests.support.scale import scaled

SLOT, ARENA = 4000, 1024
SANITIZE = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-DHIL_INSTALLS")


@pytest.fixture(scope="module")
def elf(tmp_path_factory):
    folder = tmp_path_factory.mktemp("slot")
    models = folder / "hil_models.c"
    models.write_text(render("slot_models.c.j2", version="0", slot=SLOT, arena=ARENA))
    return build("host", folder / "image", flags=SANITIZE, test_faults=False, models=models, folders=FOLDERS)


@pytest.fixture
def line(elf):
    with running(elf, "host", "pipe") as transport:
        yield transport


def check(line):
    """The device works: it tells of its slot, refuses what is no model, and has none."""
    client = Client(line, timeout_s=60.0)
    assert client.hello().installs
    assert (client.slot().size, client.slot().arena) == (SLOT, ARENA)
    with pytest.raises(DeviceRefusedError, match="it is no relocatable model"):
        client.install(bytes(600))
    assert not client.slot().installed and client.model(0).layers == ()
    with pytest.raises(DeviceRefusedError, match="init of model .* returned status 78"):
        client.init(0)


def test_what_is_no_model_is_refused(line):
    check(line)


def test_a_file_that_is_too_large_is_refused_before_it_lies_there(line):
    client = Client(line)
    client.hello()
    with pytest.raises(DeviceRefusedError, match="refuses PUT: out of range"):
        client.install(bytes(SLOT + 1))
    check(line)


def test_the_bytes_arrive_through_noise(line):
    noisy = NoisyTransport(line, 1)
    client = Client(noisy)
    client.hello()
    for _ in range(10):
        with pytest.raises(DeviceRefusedError, match="it is no relocatable model"):
            client.install(random.Random(0).randbytes(SLOT))
    assert noisy.harmed > 0


def test_any_request_for_the_slot_is_answered(line):
    rng = random.Random(5)
    values = (0, 1, 3, 4, 272, 320, 3999, 4000, 4001, 2**31 - 1, 2**31, 2**32 - 1)
    Client(line).hello()
    for _ in range(scaled(1500, 50_000)):
        kind = rng.choice((Kind.SLOT, Kind.PUT, Kind.INSTALL, Kind.INIT, Kind.MODEL, Kind.INVOKE, Kind.READ))
        body = b"".join(rng.choice(values).to_bytes(4, "little") for _ in range(rng.randrange(5)))
        if kind is Kind.PUT and rng.random() < 0.5:
            body = rng.choice(values).to_bytes(4, "little") + b"THRM\x01\x00" + rng.randbytes(rng.randrange(600))
        line.write(encode(kind, rng.randrange(0x10000), body))
        line.read(0.0)
    check(line)


def test_every_reason_of_the_runtime_has_words():
    text = (FIRMWARE / "relocatable" / "tinyhil_relocatable.h").read_text()
    names = re.findall(r"^\s+(TINYHIL_RELOC_\w+)(?: = (\d+))?,?", text.split("typedef enum {")[1].split("}")[0], re.M)
    number, found = 0, {}
    for name, value in names:
        number = int(value) if value else number + 1
        found[number] = name
    assert set(found) - {0} == set(REASONS)
    assert found[64].endswith("BAD_SIZE") and found[70].endswith("BAD_CORE") and found[78].endswith("NOT_READY")
