"""The readers of ELF files, held against GNU binutils, and that no other room opens one."""

from __future__ import annotations

import ast
import re
import subprocess

import pytest

from harness.build import toolchain
from harness.elf.lines import LineRow, read_lines
from harness.elf.reader import is_elf
from harness.elf.sections import read_sections
from harness.elf.segments import loadable_segments, read_segments
from harness.elf.symbols import Symbols, read_symbols, symbol_address
from harness.errors import ImageFileError
from tests.support.imports import modules

SOURCE = """\
static const char words[] = "constant";
int counter = 7;
int zeroed[5];
static int twice(int value) { return 2 * value; }
__attribute__((noinline)) int weigh(int value)
{
    return twice(value) + words[value & 7];
}
int start(void)
{
    zeroed[1] = weigh(counter);
    return zeroed[1] + 1;
}
"""
SCRIPT = """\
ENTRY(start)
MEMORY { FLASH (rx) : ORIGIN = 0x08000000, LENGTH = 64K
         RAM (rw) : ORIGIN = 0x20000000, LENGTH = 16K }
SECTIONS {
    .text : { *(.text*) } > FLASH
    .rodata : { *(.rodata*) } > FLASH
    .ARM.exidx : { *(.ARM.exidx*) } > FLASH
    .data : { *(.data*) } > RAM AT> FLASH
    .bss (NOLOAD) : { *(.bss*) } > RAM
    limit = 0x1234;
}
"""


def _tool(name):
    cc = toolchain.find("arm").cc
    return cc.with_name(cc.name.replace("gcc", name))


def _said(name, *arguments):
    command = [_tool(name), *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


@pytest.fixture(scope="module", params=["-gdwarf-4", "-gdwarf-5"])
def image(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("elf")
    (folder / "source.c").write_text(SOURCE)
    (folder / "script.ld").write_text(SCRIPT)
    elf = folder / "image.elf"
    command = [toolchain.find("arm").cc, "-mcpu=cortex-m4", "-mthumb", "-Og", request.param, "-nostdlib"]
    command += ["-Wl,--no-warn-rwx-segments", "-T", folder / "script.ld", folder / "source.c", "-o", elf]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return elf


def test_segments_are_those_that_readelf_lists(image):
    listed = re.findall(r"LOAD +0x(\w+) 0x(\w+) 0x(\w+) 0x(\w+) 0x(\w+)", _said("readelf", "-lW", image))
    content = image.read_bytes()
    expected = [tuple(int(number, 16) for number in row) for row in listed]
    segments = read_segments(image)
    assert len(segments) > 1
    assert [(s.address, s.load_address, len(s.data), s.size) for s in segments] == [row[1:] for row in expected]
    assert [s.data for s in segments] == [content[row[0] : row[0] + row[3]] for row in expected]


def test_what_is_loaded_lies_in_flash_in_its_order(image):
    segments = loadable_segments(image)
    places = [segment.load_address for segment in segments]
    assert places == sorted(places) and all(0x0800_0000 <= place < 0x0801_0000 for place in places)
    data = next(segment for segment in segments if segment.address >= 0x2000_0000)
    assert data.load_address < 0x0801_0000 and data.data[:4] == (7).to_bytes(4, "little")
    assert all(segment.data for segment in segments)


def test_sections_have_kinds_and_the_sizes_that_readelf_lists(image):
    row = r"\[ *(\d+)\] (\.\S+) +\w+ +([0-9a-f]{8}) [0-9a-f]{6} ([0-9a-f]{6}) \d\d +[WXMSILOGTC]*A"
    listed = {
        name: (int(number), int(address, 16), int(size, 16))
        for number, name, address, size in re.findall(row, _said("readelf", "-SW", image))
        if int(size, 16)
    }
    sections = read_sections(image)
    assert {s.name: (s.number, s.address, s.size) for s in sections} == listed
    kinds = {section.name: section.kind for section in sections}
    kinds.pop(".ARM.exidx", None)  # of some compilers
    assert kinds == {".text": "text", ".rodata": "rodata", ".data": "data", ".bss": "bss"}
    assert all(len(section.data) == (0 if section.kind == "bss" else section.size) for section in sections)


def test_symbols_are_those_that_nm_lists(image):
    listed = [line.split() for line in _said("nm", image).splitlines()]
    expected = {name: int(address, 16) for address, _, name in listed}
    symbols = {symbol.name: symbol for symbol in read_symbols(image)}
    assert {name: symbols[name].address for name in expected} == expected  # nm leaves the Thumb bit out as well
    text = next(section.number for section in read_sections(image) if section.name == ".text")
    weigh, counter, words, limit = (symbols[name] for name in ("weigh", "counter", "words", "limit"))
    assert (weigh.kind, weigh.section, weigh.file) == ("function", text, "") and weigh.size > 4
    assert (counter.kind, counter.size, counter.file) == ("object", 4, "")
    assert (words.kind, words.file) == ("object", "source.c")
    assert (limit.kind, limit.section, limit.address) == ("other", None, 0x1234)
    assert symbol_address(image, "weigh") == weigh.address and symbol_address(image, "nobody") is None


def test_lines_are_those_that_addr2line_tells(image):
    rows = read_lines(image)
    assert rows == tuple(sorted(rows))
    table = Symbols(image)
    weigh = next(symbol for symbol in read_symbols(image) if symbol.name == "weigh")
    for address in range(weigh.address, weigh.address + weigh.size, 2):
        function, place = _said("addr2line", "-f", "-e", image, hex(address)).splitlines()
        line = int(re.search(r":(\d+)", place)[1])
        found = table.at(address | 1)
        # twice() is in line, so that its name is addr2line's to tell and its line ours as well
        assert found.function == "weigh" and function in ("weigh", "twice")
        assert (found.offset, found.file, found.line) == (address - weigh.address, "source.c", line)
        assert any(row.start <= address < row.end and row.line == line for row in rows)


def test_an_address_outside_of_functions_has_no_place(image):
    assert Symbols(image).at(0x2000_0000) is None
    assert Symbols(image).at(0) is None
    assert LineRow(0, 2, "a.c", 1) < LineRow(2, 4, "a.c", 1)


READERS = (read_segments, loadable_segments, read_sections, read_symbols, read_lines)


@pytest.mark.parametrize("read", READERS)
def test_what_is_no_image_is_refused_by_name(read, tmp_path):
    text, gone = tmp_path / "text.elf", tmp_path / "gone.elf"
    text.write_text("no image")
    assert not is_elf(text)
    for path in (text, gone):
        with pytest.raises(ImageFileError, match=re.escape(str(path))) as caught:
            read(path)
        assert caught.value.hint and caught.value.code == "image-file"
    assert symbol_address(text, "start") is None and Symbols(gone).at(0x0800_0000) is None


@pytest.mark.parametrize("read", READERS)
def test_an_image_that_is_cut_short_is_read_or_refused(read, image, tmp_path):
    assert is_elf(image)
    content, cut = image.read_bytes(), tmp_path / "cut.elf"
    refused = 0
    for size in range(0, len(content), max(1, len(content) // 97)):
        cut.write_bytes(content[:size])
        try:
            read(cut)
        except ImageFileError:
            refused += 1
    assert refused


def test_no_other_room_opens_images():
    opening = {
        name
        for name, path in modules().items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("elftools"))
        or (isinstance(node, ast.Import) and any(alias.name.startswith("elftools") for alias in node.names))
    }
    assert opening and all(name.startswith("harness.elf.") for name in opening)
