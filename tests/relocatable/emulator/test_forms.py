"""The form relocatable on emulated boards: exact at three addresses, at its price; in a running firmware's slot."""

from __future__ import annotations

import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from harness.boards import open_session, resolve
from harness.boards.session import open_client
from harness.build import BuildOptions
from harness.compiler.compile import compile_graph
from harness.cycles.targets import target_of_run
from harness.errors import DeviceRefusedError, DoesNotFitError, OptionError, RelocatableError
from harness.hardware.placement import assign_regions
from harness.relocatable.make import make_relocatable
from harness.report.addresses import addresses, layers
from harness.report.document import run_document
from harness.runtimes.slot import SlotSizes, own_sizes, slot_image
from harness.validate.card import RandomVectors, card_of
from harness.validate.installing import find_card, install_and_validate, load_installable
from harness.validate.options import Options
from harness.validate.workbench import Workbench
from tests.support.moved import CORES, NAMES, everything, moved, price_of
from tests.support.paths import FIXTURES
from tests.support.scale import scaled

MOST_SHARE, MOST_FLASH = 0.005, 1000
FEW = Options(link="fast", opinions=(), vectors=RandomVectors(random=2), forms=("relocatable",))
EVERYTHING = [(name, core) for name in (*NAMES, "digits", "residual", "stream") for core in CORES]
SMALLEST = [("residual", core) for core in CORES]
SMALL = 300_000
"""Instructions of models whose layers are so short that entering them is more than 0.5 %."""


@pytest.mark.parametrize(("name", "core"), scaled(random.Random(16).sample(SMALLEST, 1), EVERYTHING))
def test_a_model_is_exact_at_three_addresses_and_at_its_price(name, core, tmp_path):
    models = {model.name: model for model in everything(tmp_path)}
    if name not in models:
        pytest.skip(f"no {name} beside this checkout")
    outcome = moved(Workbench(), models[name], core)
    assert outcome.passed, outcome.explain()
    price = price_of(outcome)
    assert price.addresses == 3
    assert price.share <= MOST_SHARE or price.static < SMALL
    assert price.flash - price.library - price.tables <= MOST_FLASH


def test_the_m0plus_runs_it_and_the_report_tells_what_has_no_room():
    outcome = Workbench().validate(card_of(FIXTURES / "residual.tflite"), "microbit", FEW)
    assert outcome.passed, outcome.explain()
    assert [run.name for run in outcome.places] == ["flash", "flash, 4 mod 8"]
    told = "not run at the address 'RAM': ram of microbit has 16,384 bytes"
    assert any(note.startswith(told) for note in outcome.notes)
    document = run_document(outcome)
    assert document["form"] == "relocatable" and [place["same"] for place in document["addresses"]] == [True, True]
    assert [row[0] for row in addresses(document).rows] == ["static", "flash", "flash, 4 mod 8"]
    assert len(layers(document).rows) == len(document["layers"]) + 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with digits.bin and residual.bin for the Cortex-M4, and the models that they were made of."""
    made = tmp_path_factory.mktemp("bins")
    bench = Workbench()
    for name in ("digits", "residual"):
        model = Path(shutil.copy(FIXTURES / f"{name}.tflite", made))
        plan = compile_graph(bench.graph(model), core=target_of_run(resolve("mps2-an386")), name=name)
        (made / f"{name}.bin").write_bytes(make_relocatable(plan).file)
    return made


def installed(path, **more):
    options = Options(link="fast", opinions=(), vectors=RandomVectors(random=2))
    installable = load_installable(path, **more)
    card = find_card(installable, None)
    return install_and_validate(Workbench(), installable, card, "mps2-an386", options, lambda *_: None)


def test_a_file_is_installed_and_validated(folder):
    outcome = installed(folder / "residual.bin")
    assert outcome.passed, outcome.explain()
    assert [check.name for check in outcome.verdict.checks] == ["outputs", "layers", "memory"]
    assert outcome.form == "installed" and outcome.measurement.total


def test_what_does_not_belong_is_refused_by_name(folder, tmp_path):
    data = bytearray((folder / "digits.bin").read_bytes())
    data[400] ^= 1
    (tmp_path / "digits.bin").write_bytes(data)
    with pytest.raises(RelocatableError, match="digits.bin is damaged: its hash"):
        load_installable(tmp_path / "digits.bin")
    (tmp_path / "digits.bin").write_bytes((folder / "digits.bin").read_bytes())
    installable = load_installable(tmp_path / "digits.bin")
    with pytest.raises(OptionError, match="no model with SHA-256"):
        find_card(installable, None)
    bench, tell = Workbench(), lambda *_: None
    card = card_of(FIXTURES / "digits.tflite")
    with pytest.raises(RelocatableError, match="made for cortex-m4, and mps2-an385 has cortex-m3"):
        install_and_validate(bench, installable, card, "mps2-an385", Options(), tell)
    with pytest.raises(RelocatableError, match="made of another model"):
        install_and_validate(bench, installable, card_of(FIXTURES / "residual.tflite"), "mps2-an386", Options(), tell)
    with pytest.raises(DoesNotFitError, match="the slot of the firmware for mps2-an386 1,000"):
        installed(folder / "digits.bin", sizes=SlotSizes(1000, 100_000))


def test_a_running_firmware_takes_one_file_after_the_other_and_refuses_damaged_ones(folder):
    """On one session: digits, a damaged one, nothing, residual."""
    resolved = resolve("mps2-an386")
    board = resolved.runs_on
    options = BuildOptions(link="fast", placement=assign_regions(board, {}))
    image = replace(slot_image(board, options, own_sizes(board)), packages=("slot",))
    with open_session(resolved, image) as session:
        client = open_client(session, image)
        digits, residual = ((folder / f"{name}.bin").read_bytes() for name in ("digits", "residual"))
        client.install(digits)
        assert client.slot().installed and client.model(0).name == "digits"
        client.init(0)
        first = client.infer([bytes(client.model(0).inputs[0])]).outputs
        rng = random.Random(1)
        for _ in range(scaled(20, 1000)):
            damaged = bytearray(digits)
            damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
            with pytest.raises(DeviceRefusedError, match="does not install the model"):
                client.install(bytes(damaged))
            assert not client.slot().installed
        with pytest.raises(DeviceRefusedError, match="fewer bytes|CRC|header"):
            client.install(digits[:-4])
        client.install(residual)
        assert client.model(0).name == "residual"
        client.install(digits)
        client.init(0)
        assert client.infer([bytes(client.model(0).inputs[0])]).outputs == first
