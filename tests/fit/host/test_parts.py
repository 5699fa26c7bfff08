"""The microcontrollers that ship, and files of parts and prices that users write."""

from __future__ import annotations

from collections import Counter

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import OptionError, PartsError
from harness.fit.catalogue import find_part, known_parts, read_parts, shipped_parts
from harness.fit.prices import read_prices
from harness.hardware.boards_file import known_board
from harness.hardware.cores import CORES, NOT_COMPILED_FOR
from harness.resources import data, has_package

PARTS = shipped_parts()
GOOD = {"vendor": "Lab", "core": "cortex-m4", "fpu": "single", "clock_mhz": 48, "flash_kib": 64,
        "ram_kib": {"sram": 8}, "source": "a sheet"}  # fmt: skip

SEEN_BY_PYOCD = {
    "ama3b1kk": "ama3b1kk_kbr", "cc3220sf": "cc3220sf", "cy8c624a": "cy8c6xxa", "cy8c6247": "cy8c6xx7_nosmif",
    "lpc1768": "lpc1768", "lpc4088": "lpc4088", "lpc54608": "lpc54608", "lpc55s69": "lpc55s69",
    "mk22fn512": "k22f", "mk64fn1m0": "k64f", "mk66fn2m0": "k66f18", "mke18f512": "ke18f16", "mkl25z128": "kl25z",
    "mkl46z256": "kl46z", "nrf52832": "nrf52832", "nrf52833": "nrf52833", "nrf52840": "nrf52840",
    "nrf54l15": "nrf54l", "nrf9160": "nrf91", "rp2040": "rp2040", "stm32f103re": "stm32f103rc",
    "stm32f412zg": "stm32f412xg", "stm32f429zi": "stm32f429xi", "stm32f767zi": "stm32f767zi",
    "stm32h723zg": "stm32h723xx", "stm32h743zi": "stm32h743xx", "stm32h750vb": "stm32h750xx",
    "stm32l031k6": "stm32l031x6", "stm32l432kc": "stm32l432kc",
    "stm32l476rg": "stm32l475xg",
}  # fmt: skip
"""Part -> the target of pyOCD with the same memory."""

LEFT_OUT_BY_PYOCD = {
    "flash": {"lpc55s69", "ama3b1kk"},  # parts of the flash that boot loader and settings take
    "ram": {"stm32f429zi", "stm32h723zg", "stm32h743zi", "stm32h750vb", "lpc4088", "cy8c624a", "cy8c6247"},  # regions
}


def test_there_are_many_parts_of_many_families():
    assert len(PARTS) >= 60
    vendors = Counter(part.vendor for part in PARTS.values())
    assert set(vendors) >= {"ST", "Nordic", "Raspberry Pi", "NXP", "Renesas", "Microchip", "Infineon", "Ambiq",
                            "Silicon Labs", "TI"}  # fmt: skip
    for family in ("f0", "f1", "f2", "f3", "f4", "f7", "g0", "g4", "h5", "h7", "l0", "l4", "l5", "u5", "wb", "wl"):
        assert any(name.startswith(f"stm32{family}") for name in PARTS), family


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS.keys())
def test_every_part_is_plausible_and_has_a_source(part):
    assert part.core in CORES or part.core in NOT_COMPILED_FOR
    assert 20_000_000 <= part.clock_hz <= 1_000_000_000
    assert 16 << 10 <= part.bytes_of("flash") <= (16 << 20 if not part.external_flash else 256 << 20)
    assert 4 << 10 <= part.bytes_of("ram") <= 8 << 20
    assert part.source.split()[0] in (part.vendor, "Raspberry", "Silicon", "Atmel-11057")
    assert len(part.source.split()) >= 2 or part.source.startswith("Atmel-")
    names = [region.name for region in part.memory]
    assert len(set(names)) == len(names)
    single = part.core in ("cortex-m4", "cortex-m33")
    if part.core in ("cortex-m0", "cortex-m0plus", "cortex-m3"):
        assert part.fpu == "none"
    elif single:
        assert part.fpu in ("none", "single")
    else:
        assert part.fpu in ("single", "double")
    assert not part.refusal, "the core, or another, has kernels for it"
    if part.memory_like:
        board = known_board(part.memory_like)
        assert board is not None
        assert board.core == part.core
    assert part.placement is not None
    assert part.placement.arena == max((r for r in part.memory if r.kind == "ram"), key=lambda r: r.size).name


@pytest.mark.skipif(not has_package("pyocd"), reason="pyocd is not installed")
@pytest.mark.parametrize(("name", "target"), SEEN_BY_PYOCD.items())
def test_flash_and_ram_are_what_pyocd_knows_of_the_chip(name, target):
    from pyocd.target.builtin import BUILTIN_TARGETS

    regions = BUILTIN_TARGETS[target].MEMORY_MAP.regions
    part = PARTS[name]
    flash = sum(r.length for r in regions if r.type.name == "FLASH" and r.length > 8 << 10)
    if name.startswith("lpc55"):  # each twice, secure and not
        flash //= 2
    aliases = {"code_ram", "nscoderam", "scoderam", "sram", "sram0_3_alias", "usbram"}
    ram = [r.length for r in regions if r.type.name == "RAM" and (r.name not in aliases or name in ("ama3b1kk",))]
    if name == "lpc55s69":
        ram = [r.length for r in regions if r.name in ("nsram", "nscoderam")]
    if name.startswith("stm32h7"):
        ram = [r.length for r in regions if r.type.name == "RAM" and r.start != 0 and r.name != "backup_sram"]
    if name.startswith("mk66"):
        ram = [r.length for r in regions if r.name == "ram"]
    if name in LEFT_OUT_BY_PYOCD["flash"]:
        assert 0.9 * part.bytes_of("flash") < flash <= part.bytes_of("flash")
    elif name.startswith("cy8c62"):
        assert part.bytes_of("flash") in {r.length for r in regions if r.type.name == "FLASH"}
    elif not part.external_flash:
        assert part.bytes_of("flash") == flash
    if name in LEFT_OUT_BY_PYOCD["ram"]:
        assert part.bytes_of("ram") >= sum(ram)
    elif not name.startswith(("stm32l432", "stm32l476")):
        assert part.bytes_of("ram") == sum(ram)
    else:
        assert {r.size for r in part.memory if r.kind == "ram"} == {r.length for r in regions if r.type.name == "RAM"}


def test_boards_come_along_and_a_users_file_adds_and_replaces(tmp_path):
    file = tmp_path / "own.yaml"
    file.write_text(yaml.safe_dump({"lab-1": GOOD, "rp2040": {**GOOD, "flash_kib": 1}}))
    known = known_parts(file)
    assert known["nucleo-h743"].is_board
    assert not known["nucleo-h743"].emulated
    assert known["mps2-an500"].emulated
    assert "host" not in known
    assert known["lab-1"].bytes_of("flash") == 64 << 10
    assert known["rp2040"].bytes_of("flash") == 1 << 10
    assert known_parts()["rp2040"].external_flash


def test_names_are_found_in_large_letters_and_as_full_order_codes():
    known = known_parts()
    assert find_part("STM32F446RE", known).name == "stm32f446re"
    for wrong, meant in (("stm32f446ret6", "stm32f446re"), ("nrf5284", "nrf52840"), ("zzz", "lists all")):
        with pytest.raises(OptionError) as caught:
            find_part(wrong, known)
        assert meant in caught.value.hint


WRONG = {
    "core": ("cortex-m99", "no core"),
    "clock_mhz": (-1, "clock_mhz"),
    "flash_kib": (True, "flash_kib"),
    "ram_kib": ({}, "ram_kib"),
    "fpu": ("half", "fpu"),
    "source": ("", "source"),
    "memory_like": ("nucleo-h743", "no board named"),
    "unheard": (1, "unheard"),
    "vendor": (None, "vendor"),
}


@pytest.mark.parametrize("key", WRONG)
def test_a_wrong_entry_is_named_by_file_part_and_key(key, tmp_path):
    value, told = WRONG[key]
    file = tmp_path / "own.yaml"
    file.write_text(yaml.safe_dump({"fine": GOOD, "wrong-1": {**GOOD, key: value}}))
    with pytest.raises(PartsError) as caught:
        read_parts(file)
    assert str(file) in caught.value.message
    assert "wrong-1" in caught.value.message
    assert told in caught.value.message


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00", b"a: [", b"- 1\n- 2\n", b"a: 1\na: 2\n", b"1: {}\n", b"a: 5\n", b"A B: {}\n", b"\0"]
)
@pytest.mark.parametrize("read", [read_parts, read_prices])
def test_a_damaged_file_is_one_error(content, read, tmp_path):
    file = tmp_path / "own.yaml"
    file.write_bytes(content)
    with pytest.raises(PartsError) as caught:
        read(file)
    assert str(file) in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("read", [read_parts, read_prices])
def test_what_is_no_file_is_one_error(read, tmp_path):
    for path in (tmp_path, tmp_path / "missing.yaml"):
        with pytest.raises(PartsError):
            read(path)


def test_prices_are_read_by_small_letters_and_wrong_ones_refused(tmp_path):
    file = tmp_path / "prices.yaml"
    file.write_text("currency: EUR\nprices: {STM32F446RE: 5.1, rp2040: 1}\n")
    prices = read_prices(file)
    assert prices.currency == "EUR"
    assert prices.by_part == {"stm32f446re": 5.1, "rp2040": 1.0}
    for wrong in ("-1", ".nan", ".inf", "'5'", "[1]", "true"):
        file.write_text(f"currency: EUR\nprices: {{rp2040: {wrong}}}\n")
        with pytest.raises(PartsError, match="rp2040"):
            read_prices(file)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(st.sampled_from([*GOOD, "dsp", "external", "run", "memory_like", "x"]), _VALUES))
def test_whatever_an_entry_holds_is_a_part_or_one_error(tmp_path_factory, fields):
    file = tmp_path_factory.mktemp("parts") / "own.yaml"
    file.write_text(yaml.safe_dump({"lab": {**GOOD, **fields}}, allow_unicode=True), encoding="utf-8")
    try:
        assert read_parts(file)["lab"].clock_hz > 0
    except PartsError as error:
        assert str(file) in error.message


def test_the_data_file_names_each_part_once():
    text = data("parts.yaml").read_text(encoding="utf-8")
    assert text.count("vendor:") == len(PARTS)
