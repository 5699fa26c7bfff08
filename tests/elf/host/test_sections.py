"""Link maps and the sizes that are counted from them."""

from harness.elf.link_map import PADDING, InputSection, parse_map
from harness.elf.sizes import SectionSizes, Sizes

MAP = """
Archive member included to satisfy reference by file (symbol)

libc.a(memcpy.o)              a.o (memcpy)

Discarded input sections

 .text          0x00000000        0x0 a.o
 .text.unused   0x00000000       0x40 a.o

Memory Configuration

Name             Origin             Length             Attributes
CODE             0x00000000         0x00400000         xr

Linker script and memory map

LOAD a.o
                0x00002000                HIL_STACK_SIZE = 0x2000

.vectors        0x00000000       0x48
 *(.vectors)
 .vectors       0x00000000       0x48 boot.o
                0x00000000                vectors

.text           0x00000048      0x100
 *(.text .text.*)
 .text.short    0x00000048       0x20 a.o
                0x00000048                short
 .text.a_function_with_a_long_name
                0x00000068       0x30 /with space/a.o
                0x00000068                a_function_with_a_long_name
 *fill*         0x00000098        0x8 ff
 .text          0x000000a0       0x10 libc.a(memcpy.o)
 .rodata.str1.4
                0x000000b0       0x0c a.o
                                 0x10 (size before relaxing)
                0x000000bc                . = ALIGN (0x8)

.bss            0x20000000       0x10
 COMMON         0x20000000       0x10 a.o
"""


def test_a_link_map_is_read():
    assert list(parse_map(MAP)) == [
        InputSection(".vectors", ".vectors", 0x48, "boot.o"),
        InputSection(".text", ".text.short", 0x20, "a.o"),
        InputSection(".text", ".text.a_function_with_a_long_name", 0x30, "/with space/a.o"),
        InputSection(".text", PADDING, 8, ""),
        InputSection(".text", ".text", 0x10, "libc.a(memcpy.o)"),
        InputSection(".text", ".rodata.str1.4", 0xC, "a.o"),
        InputSection(".bss", "COMMON", 0x10, "a.o"),
    ]


def test_no_map_has_no_parts():
    assert list(parse_map("")) == []


def test_flash_and_ram_count_initial_values_twice():
    sizes = SectionSizes(text=1, rodata=2, data=4, bss=8)
    assert (sizes.flash, sizes.ram) == (7, 12)
    assert sizes + sizes == SectionSizes(2, 4, 8, 16)


def test_sizes_survive_json():
    sizes = Sizes({"model": SectionSizes(1)}, {"a": {"kernels": SectionSizes(2)}}, {"a.o": SectionSizes(bss=3)}, 4, 5)
    assert Sizes.from_dict(sizes.as_dict()) == sizes
    assert sizes.total == SectionSizes(1)
