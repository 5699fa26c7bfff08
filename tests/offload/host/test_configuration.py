"""Vela's configuration file as memories of the NPU; damaged ones are errors that name file and section."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import InputError, OptionError
from harness.ethosu.accelerators import ACCELERATORS
from harness.ethosu.pmu import DEDICATED_SRAM, SHARED_SRAM
from harness.offload.configuration import find_configuration, read_configuration, timing

U55, U65 = "ethos-u55-128", "ethos-u65-256"
BY_NAME = {one.name: one for one in ACCELERATORS}


@pytest.fixture(scope="module")
def own():
    path = find_configuration()
    assert path is not None
    return read_configuration(path)


@pytest.mark.parametrize(("accelerator", "known"), [(U55, SHARED_SRAM), (U65, DEDICATED_SRAM)])
def test_velas_defaults_are_the_memories_that_were_compared_with_it(own, accelerator, known):
    system, mode = own.chosen(accelerator, "", "")
    found = timing(BY_NAME[accelerator], system, mode)
    assert (found.bytes_per_cycle, found.latency) == (known.bytes_per_cycle, known.latency)
    assert {region: found.ports.get(region, 0) for region in range(3)} == {
        region: known.ports.get(region, 0) for region in range(3)
    }


def test_modes_inherit_and_go_only_where_what_is_written_can_be_written(own):
    system = own.systems["Ethos_U65_High_End"]
    assert own.modes["Dedicated_Sram_256KB"].ports == own.modes["Dedicated_Sram"].ports == (1, 1, 0)
    assert own.modes["Dedicated_Sram"].is_for(system)
    with pytest.raises(OptionError, match="OffChipFlash of Ethos_U65_Embedded") as caught:
        own.chosen(U65, "Ethos_U65_Embedded", "Dedicated_Sram")
    assert caught.value.hint == "with it: Sram_Only, Shared_Sram"


def test_another_familys_system_and_unknown_names_are_refused(own):
    with pytest.raises(OptionError, match="Ethos_U65_High_End is not for ethos-u55-128") as caught:
        own.chosen(U55, "Ethos_U65_High_End", "")
    assert "Ethos_U55_Deep_Embedded" in caught.value.hint
    with pytest.raises(OptionError, match="no memory mode 'Nothing'"):
        own.chosen(U55, "", "Nothing")


def test_a_file_of_the_users_own_counts_as_it_says(tmp_path):
    path = tmp_path / "mine.ini"
    path.write_text(
        "[System_Config.Mine]\ncore_clock=100e6\naxi0_port=Sram\naxi1_port=Dram\nDram_clock_scale=0.25\n"
        "Dram_read_latency=7\n[Memory_Mode.All]\nconst_mem_area=Axi1\narena_mem_area=Axi1\ncache_mem_area=Axi0\n"
    )
    found = read_configuration(path)
    system, mode = found.chosen(U55, "Mine", "")
    assert (system.clock_hz, timing(BY_NAME[U55], system, mode).bytes_per_cycle) == (100e6, (8, 2))
    assert timing(BY_NAME[U55], system, mode).latency == (0, 7)
    assert mode.name == "All", "the only mode, as Vela's usual one is not there"
    with pytest.raises(OptionError, match="no system config named"):
        found.chosen(U55, "", "")


SYSTEM = "[System_Config.A]\ncore_clock=1e6\naxi0_port=Sram\naxi1_port=Dram\n"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no section System_Config"),
        ("no ini file", "no section headers"),
        ("\xff\xfe", "no configuration file"),
        ("[System_Config.A]\naxi0_port=Sram\naxi1_port=Dram\n", "core_clock is 'None', no number"),
        ("[System_Config.A]\ncore_clock=1e6\naxi0_port=Sram\n", "has no axi1_port"),
        (SYSTEM.replace("1e6", "nan"), "core_clock is nan"),
        (SYSTEM.replace("1e6", "-1"), "core_clock is -1"),
        (SYSTEM + "Dram_clock_scale=fast\n", "Dram_clock_scale is 'fast'"),
        (SYSTEM + "[Memory_Mode.A]\ninherit=Memory_Mode.A\n", "goes in a circle"),
        (SYSTEM + "[Memory_Mode.A]\ninherit=Memory_Mode.B\n", "is not there"),
        (SYSTEM + "[Memory_Mode.A]\nconst_mem_area=Axi2\n", "const_mem_area is 'axi2'"),
        (SYSTEM + SYSTEM, "already exists"),
    ],
)
def test_damaged_files_are_told(tmp_path, text, why):
    path = tmp_path / "damaged.ini"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match="damaged.ini: no configuration file of Vela") as caught:
        read_configuration(path)
    assert why in caught.value.message


@given(st.binary(max_size=300))
def test_any_bytes_are_a_configuration_or_an_error(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.ini"
    path.write_bytes(SYSTEM.encode() + content)
    try:
        assert read_configuration(path).systems
    except InputError as error:
        assert str(path) in error.message


def test_a_name_that_is_nowhere_is_refused_and_that_of_vela_is_found():
    with pytest.raises(InputError, match="nowhere.ini: no such file"):
        find_configuration("nowhere.ini")
    assert find_configuration("Arm/vela.ini") == find_configuration()
    assert isinstance(find_configuration(), Path)
