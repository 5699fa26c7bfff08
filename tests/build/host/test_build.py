"""Images: what they are made of, sizes that add up, and what is compiled again when something changes."""

import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace

import pytest

from harness import resources
from harness.boards import find_board
from harness.build import BuildOptions, build_image, toolchain
from harness.build.cache import BuildCache
from harness.build.image import cached_image, make_image
from harness.build.plan import plan_build
from harness.errors import BuildError, DoesNotFitError, ToolchainMissingError
from tests.support.paths import REPOSITORY
from tests.support.tiny import tiny_package

BOARD = "mps2-an500"


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def package():
    return tiny_package()


@pytest.fixture(scope="module")
def image(cache, package):
    return build_image([package], find_board(BOARD), cache_dir=cache)


def test_a_second_build_compiles_nothing(cache, package, image):
    again = build_image([package], find_board(BOARD), cache_dir=cache)
    assert image.compiled > 0
    assert again == replace(image, compiled=0, seconds=again.seconds)


def test_the_image_says_what_it_was_built_from(image):
    assert (image.board, image.core, image.link, image.packages) == (BOARD, "cortex-m7", "uart", ("tiny",))
    assert len(image.build_id) == 16 and int(image.build_id, 16) >= 0
    assert image.build_id.encode() in image.elf.read_bytes()
    assert "gcc" in image.toolchain
    assert image.stack_size == find_board(BOARD).stack_size


def test_sizes_add_up_to_what_the_elf_says(image):
    done = subprocess.run(["arm-none-eabi-size", "-A", str(image.elf)], capture_output=True, text=True, check=True)
    sections = {line.split()[0]: int(line.split()[1]) for line in done.stdout.splitlines() if line.startswith(".")}
    loaded = (".vectors", ".text", ".rodata", ".ARM.exidx", ".data")
    total = image.sizes.total
    assert total.flash == sum(sections.get(name, 0) for name in loaded)
    ram = sum(sections.get(name, 0) for name in (".bss", ".arena", ".handler_stack", ".data"))
    assert total.ram == ram
    assert image.sizes.stack == sections[".stack"]
    assert sum(s.flash for s in image.sizes.objects.values()) == total.flash
    assert sum(s.ram for s in image.sizes.objects.values()) == total.ram


def test_bytes_are_counted_where_they_belong(image, package):
    of_model = image.sizes.models["tiny"]
    assert of_model["kernels"].text > 0 and of_model["kernels"].rodata == 0
    # weights, multipliers and shifts of 3 channels each, and the shapes of the calls
    assert of_model["model"].rodata >= 3 * 2 + 3 * 3 + 2 * (3 * 4 + 3)
    assert 0 < of_model["model"].text < of_model["kernels"].text
    assert image.sizes.arena >= package.plan.arena_size
    assert image.sizes.groups["model"].bss == of_model["model"].bss + image.sizes.arena
    assert image.sizes.objects["runtime/hil_frame.c"].text > 0


def test_another_model_leaves_the_runtime_in_the_cache(cache, image):
    other = build_image([tiny_package("other", seed=5)], find_board(BOARD), cache_dir=cache)
    assert other.build_id != image.build_id
    assert 1 < other.compiled < image.compiled
    assert other.compiled <= 5, "the package's files, its glue, the list of models, build_id.c"


def test_several_models_share_an_image(cache, package):
    image = build_image([package, tiny_package("other", seed=5)], find_board(BOARD), cache_dir=cache)
    assert image.packages == ("tiny", "other")
    assert image.index_of("other") == 1
    assert set(image.sizes.models) == {"tiny", "other"}
    with pytest.raises(BuildError, match="third"):
        image.index_of("third")


def test_a_unity_build_has_the_same_model_in_fewer_objects(cache, package, image):
    at_once = build_image([package], find_board(BOARD), BuildOptions(unity=True), cache_dir=cache)
    assert at_once.compiled <= 2
    assert "tiny/tiny_unity.c" in at_once.sizes.objects
    assert at_once.sizes.models["tiny"]["kernels"].text > 0
    assert at_once.build_id != image.build_id
    changed = replace(package, files={**package.files, "tiny_weights.c": package.files["tiny_weights.c"] + "/* */\n"})
    assert build_image([changed], find_board(BOARD), BuildOptions(unity=True), cache_dir=cache).compiled == 2


def test_two_models_of_one_name_are_refused(cache, package):
    with pytest.raises(BuildError, match="named tiny"):
        build_image([package, package], find_board(BOARD), cache_dir=cache)


def test_a_damaged_image_is_built_again(cache, package, image):
    good = image.elf.read_bytes()
    image.elf.write_bytes(good[:-100] + bytes(100))
    again = build_image([package], find_board(BOARD), cache_dir=cache)
    assert again.elf.read_bytes() == good
    assert again.compiled == 0, "the objects were still good"


def test_a_damaged_object_is_compiled_again(tmp_path, package):
    image = build_image([package], find_board(BOARD), cache_dir=tmp_path)
    victim = sorted(tmp_path.rglob("*.o"))[0]
    victim.write_bytes(b"")
    image.elf.unlink()
    again = build_image([package], find_board(BOARD), cache_dir=tmp_path)
    assert again.compiled == 1
    assert again.build_id == image.build_id


def test_objects_do_not_depend_on_where_they_are_made(tmp_path, package, image):
    elsewhere = build_image([package], find_board(BOARD), cache_dir=tmp_path / "a longer way" / "to the cache")
    assert elsewhere.elf.read_bytes() == image.elf.read_bytes()


@pytest.fixture
def own_firmware(tmp_path, monkeypatch):
    copy = tmp_path / "firmware"
    shutil.copytree(resources.firmware(), copy)
    monkeypatch.setattr(resources, "firmware", lambda: copy)
    return copy


def test_a_changed_header_compiles_its_users_again(own_firmware, tmp_path, package):
    cache = tmp_path / "cache"
    first = build_image([package], find_board(BOARD), cache_dir=cache)
    (own_firmware / "runtime" / "hil_model.h").open("a").write("/* changed */\n")
    second = build_image([package], find_board(BOARD), cache_dir=cache)
    assert second.build_id != first.build_id
    assert 0 < second.compiled < first.compiled, "the model's own files see nothing of the runtime"


def test_a_changed_linker_script_links_again(own_firmware, tmp_path, package):
    cache = tmp_path / "cache"
    first = build_image([package], find_board(BOARD), cache_dir=cache)
    (own_firmware / "ports" / "cortexm" / "sections.ld").open("a").write("/* changed */\n")
    second = build_image([package], find_board(BOARD), cache_dir=cache)
    assert second.build_id != first.build_id
    assert second.compiled == 1, "build_id.c"


def test_a_compiler_error_brings_the_compilers_words(own_firmware, tmp_path, package):
    (own_firmware / "runtime" / "hil_frame.c").write_text("int hil_frame(void) { int unused; return 0; }\n")
    with pytest.raises(BuildError, match=r"runtime/hil_frame\.c does not compile") as caught:
        build_image([package], find_board(BOARD), cache_dir=tmp_path / "cache")
    assert "unused variable" in caught.value.details
    assert list((tmp_path / "cache" / "work").iterdir()) == []


def test_a_missing_function_is_a_link_error(own_firmware, tmp_path, package):
    (own_firmware / "ports" / "mps2" / "uart.c").write_text("typedef int nothing;\n")
    with pytest.raises(BuildError, match="does not link") as caught:
        build_image([package], find_board(BOARD), cache_dir=tmp_path / "cache")
    assert "undefined reference" in caught.value.details
    assert not isinstance(caught.value, DoesNotFitError)


def test_too_large_an_image_names_the_region_and_the_bytes_over(cache, package, image):
    board = find_board(BOARD)
    stack = board.memory_total("ram") - package.plan.arena_size - 64  # enough but for the test harness
    over = image.sizes.total.ram - package.plan.arena_size - 64 + 8
    with pytest.raises(DoesNotFitError, match=r"region SRAM overflows by ([\d,]+) bytes") as caught:
        build_image([package], replace(board, stack_size=stack), cache_dir=cache)
    told = int(re.search(r"by ([\d,]+)", caught.value.message)[1].replace(",", ""))
    assert abs(told - over) < 64, "alignment"
    assert caught.value.hint


@pytest.mark.parametrize("names", [("code", "ram", "arena"), ("9k", "vectors", "hot"), ("flash", "data-1", "text")])
def test_regions_have_any_name(names, cache):
    """Also names that linker scripts have for something else."""
    board = find_board("nucleo-l4r5")
    assert board.placement is not None
    new = dict(zip([region.name for region in board.memory], names, strict=False))
    memory = tuple(replace(region, name=new.get(region.name, region.name)) for region in board.memory)
    placement = replace(board.placement, **{part: new.get(at, at) for part, at in asdict(board.placement).items()})
    board = replace(board, memory=memory, placement=placement)
    package = tiny_package(core=board.core)
    assert build_image([package], board, cache_dir=cache).elf.is_file()
    small = replace(board, stack_size=8 << 20)
    with pytest.raises(DoesNotFitError, match=rf"{placement.stack} overflows by .*\(.*stack"):
        build_image([package], small, cache_dir=cache)


def test_sanitizers_are_for_the_host_only(cache, package):
    with pytest.raises(BuildError, match="sanitizers"):
        build_image([package], find_board(BOARD), BuildOptions(sanitize=True), cache_dir=cache)


def test_an_unknown_link_is_refused_with_the_known_ones(cache, package):
    with pytest.raises(BuildError, match="smoke-signals") as caught:
        build_image([package], find_board(BOARD), BuildOptions(link="smoke-signals"), cache_dir=cache)
    assert "semihost" in caught.value.hint


@pytest.mark.parametrize(("board", "link"), [("mps2-an385", "semihost"), ("mps3-an547", "semihost"), ("host", "pipe")])
def test_fast_means_the_quickest_link_of_the_port(cache, board, link):
    core = find_board(board).core
    fast = BuildOptions(link="fast")
    assert build_image([tiny_package(core=core)], find_board(board), fast, cache_dir=cache).link == link


def test_no_compiler_is_a_tool_error(cache, package, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("TINYHIL_ARM_GCC", raising=False)
    monkeypatch.setattr(toolchain, "USUAL_PLACES", ())
    with pytest.raises(ToolchainMissingError):
        build_image([package], find_board(BOARD), cache_dir=cache)


def test_builders_at_once_make_one_image(tmp_path, package):
    with ThreadPoolExecutor(4) as pool:
        images = list(pool.map(lambda _: build_image([package], find_board(BOARD), cache_dir=tmp_path), range(4)))
    assert len({image.elf for image in images}) == 1
    assert sorted(image.compiled > 0 for image in images) == [False, False, False, True]


INTERRUPTED = """
import sys
from pathlib import Path
from harness.boards import find_board
from harness.build import BuildOptions, build_image
from tests.support.tiny import tiny_package
def progress(what, done, total):
    if done == 3:
        raise KeyboardInterrupt
build_image([tiny_package()], find_board("mps2-an500"), cache_dir=Path(sys.argv[1]), progress=progress)
"""


def test_an_interrupted_build_leaves_nothing_half_done(tmp_path, package, image):
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, str(tmp_path)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )
    assert "KeyboardInterrupt" in done.stderr
    assert list((tmp_path / "work").iterdir()) == []
    again = build_image([package], find_board(BOARD), cache_dir=tmp_path)
    assert 0 < again.compiled < image.compiled


def test_progress_is_told(tmp_path, package):
    told = []
    build_image([package], find_board(BOARD), cache_dir=tmp_path, progress=lambda *step: told.append(step))
    total = told[0][2]
    assert [step for step in told if step[0] == "compile"] == [("compile", done, total) for done in range(total + 1)]
    assert told[-1] == ("link", 1, 1)


def test_a_plan_tells_the_image_before_anything_is_made(tmp_path, package):
    board = find_board(BOARD)
    plan = plan_build([package], board, BuildOptions())
    cache = BuildCache(tmp_path / "cache")
    assert cached_image(plan, cache) is None and not (tmp_path / "cache").exists()
    image = make_image(plan, cache)
    assert image.build_id == plan.build_id == build_image([package], board).build_id
    found = cached_image(plan, cache)
    assert found is not None and (found.elf, found.compiled) == (image.elf, 0)
    assert image.compiled == len(plan.jobs) + 1


@pytest.mark.parametrize("change", [{"link": "semihost"}, {"unity": True}, {"test_faults": True}, {"model_list": "x"}])
def test_every_option_changes_the_key(package, change):
    board = find_board("mps2-an385")
    assert plan_build([package], board, BuildOptions(**change)).key != plan_build([package], board, BuildOptions()).key
