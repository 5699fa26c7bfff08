"""Measurements on the host board: what is refused before a byte is sent, and what is told of memory."""

import numpy as np
import pytest

from harness.boards import find_board, open_session
from harness.boards.session import open_client
from harness.build import build_image
from harness.errors import VectorsError, WrongImageError
from harness.validate.measurement import measure
from tests.support.tiny import tiny_package

GOOD = np.zeros((1, 4, 4, 2), np.int8)


@pytest.fixture(scope="module")
def package():
    return tiny_package(core="host")


@pytest.fixture(scope="module")
def image(package):
    return build_image([package], find_board("host"))


@pytest.mark.parametrize(
    ("vectors", "said"),
    [
        ([], "no vectors"),
        ([[GOOD], []], "vector 1 has 0 arrays"),
        ([[GOOD, GOOD]], "takes 1 inputs"),
        ([[GOOD.astype(np.uint8)]], r"vector 0, input 0: uint8.*int8\[1, 4, 4, 2\]"),
        ([[GOOD[:, :3]]], r"int8\[1, 3, 4, 2\]"),
    ],
)
def test_vectors_that_do_not_fit_are_refused_before_a_byte_is_sent(image, package, vectors, said):
    session = open_session(find_board("host"), image)
    with pytest.raises(VectorsError, match=said):
        measure(session, image, package, vectors, layers=False)


def test_a_model_that_is_not_the_one_in_the_image_is_refused(image):
    other = tiny_package(core="host", seed=1)
    from dataclasses import replace

    renamed = replace(other, plan=replace(other.plan, graph=replace(other.plan.graph, sha256="1" * 64)))
    with open_session(find_board("host"), image) as session, pytest.raises(WrongImageError, match="111111111111"):
        measure(session, image, renamed, [[GOOD]], layers=False)


def test_progress_counts_vectors(image, package):
    told = []
    with open_session(find_board("host"), image) as session:
        measure(
            session, image, package, [[GOOD]] * 3, layers=False, profile=False, progress=lambda *step: told.append(step)
        )
    assert told == [("run", 1, 3), ("run", 2, 3), ("run", 3, 3)]


def test_a_client_can_be_kept_for_several_measurements(image, package):
    with open_session(find_board("host"), image) as session:
        client = open_client(session, image)
        first = measure(session, image, package, [[GOOD]], layers=True, client=client)
        second = measure(session, image, package, [[GOOD]], layers=True, client=client)
    assert np.array_equal(first.outputs[0][0], second.outputs[0][0])
    assert [len(layer) for layer in first.layer_outputs[0]] == [len(layer.outputs) for layer in package.plan.layers]
    assert len(first.layer_quantities) == len(package.plan.layers)


def test_memory_that_a_model_reads_but_never_wrote_is_told(package):
    """The generated first layer is made to read behind its input, where only paint lies."""
    from dataclasses import replace

    name = "tiny.c"
    text = package.files[name]
    place = text.index("(arena + ", text.index("tiny_layer_00"))
    end = text.index(")", place)
    changed = text[:place] + f"(arena + {package.plan.arena_size}" + text[end:]
    broken = replace(package, files={**package.files, name: changed})
    big = tiny_big_arena()
    image = build_image([broken, big], find_board("host"))
    with open_session(find_board("host"), image) as session:
        sound = measure(session, image, big, [[np.zeros((1, 32, 32, 2), np.int8)]], layers=False, profile=False)
        measured = measure(session, image, broken, [[GOOD]], layers=False, profile=False)
    assert measured.reads_unwritten
    assert not sound.reads_unwritten


def tiny_big_arena():
    """A second model whose arena is larger, so that behind the first one's there is room that is painted."""
    from harness.compiler.compile import compile_graph
    from harness.compiler.emit.package import emit
    from tests.support.graphs import Builder

    b = Builder()
    return emit(compile_graph(b.graph(b.conv(b.input(1, 32, 32, 2), 2, size=1), name="big"), core="host", name="big"))
