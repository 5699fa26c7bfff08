"""Which link a run takes, what is checked over another one, and how little a vector costs on the line."""

from __future__ import annotations

import io
from collections import Counter

import pytest
from rich.console import Console

from harness import frontends
from harness.boards import find_board, open_session
from harness.boards.session import open_client
from harness.build import BuildOptions, build_image
from harness.compiler.compile import compile_graph
from harness.compiler.emit.package import emit
from harness.errors import ProtocolError
from harness.link.client import Client
from harness.link.wire import Kind
from harness.report import console, rows
from harness.report.bundle import Invocation, results_document
from harness.report.document import run_document
from harness.report.html import render
from harness.validate import measurement
from harness.validate import vectors as vector_files
from harness.validate.card import RandomVectors, load_card
from harness.validate.expected import expected_layers
from harness.validate.link_check import LinkCheck
from harness.validate.measurement import measure
from harness.validate.options import Options
from harness.validate.workbench import Workbench
from tests.support.counting import Counting
from tests.support.kws import kws_graph
from tests.support.paths import FIXTURES
from tests.support.sabotage import right_tensors

VECTORS = 4


def validate(board, link=None):
    options = Options(opinions=()) if link is None else Options(link=link, opinions=())
    return Workbench().validate(load_card(FIXTURES / "digits.hil.yaml"), board, options)


@pytest.mark.parametrize(
    ("board", "link", "used", "checked"),
    [
        ("mps2-an386", None, "semihost", True),
        ("mps2-an386", "auto", "semihost", True),
        ("mps2-an386", "fast", "semihost", False),
        ("mps2-an386", "uart", "uart", False),
        ("host", None, "pipe", False),
    ],
)
def test_emulated_boards_take_their_fastest_link_and_check_the_uart(board, link, used, checked):
    outcome = validate(board, link)
    assert outcome.passed and outcome.link == outcome.image.link == used
    assert outcome.link_check == (LinkCheck("uart", 1, len(outcome.plan.layers)) if checked else None)
    document = run_document(outcome)
    said = f"link {used}" + ("; uart checked with the first vector: same outputs and 9 layers" if checked else "")
    assert rows.link(document) == said
    page = render(results_document([document], Invocation([], {})))
    assert said in page
    shown = Console(file=io.StringIO(), width=200)
    console.show(shown, console.validation([document]))
    assert said in shown.file.getvalue()


def test_a_uart_that_gives_something_else_is_told(monkeypatch):
    sound = measurement.run_once

    def broken(*arguments, **named):
        outputs, layers = sound(*arguments, **named)
        wrong = outputs[0].copy()
        wrong.flat[3] ^= 1
        return (wrong,), layers

    monkeypatch.setattr(measurement, "run_once", broken)
    with pytest.raises(ProtocolError, match="over the UART than over semihost") as caught:
        validate("mps2-an386")
    assert caught.value.hint


def traffic(board_name, link, *, compare):
    """Of 4 vectors and of 8 the difference, by vector: (bytes sent, bytes received, requests)."""
    board = find_board(board_name)
    package = emit(compile_graph(kws_graph(), core=board.core, name="kws"))
    given = vector_files.load(RandomVectors(random=2 * VECTORS, seed=1), package.plan.graph, FIXTURES).inputs
    expected = expected_layers(package.plan, right_tensors(package.plan, given)) if compare else None
    image = build_image([package], board, BuildOptions(link=link))
    counted = []
    with open_session(board, image) as session:
        line = Counting(session.stream())
        client = Client(line)
        client.hello(image.build_id)
        for count in (VECTORS, 2 * VECTORS):
            before = (line.sent, line.received, Counter(line.requests))
            part = None if expected is None else expected[:count]
            measure(session, image, package, given[:count], layers=True, expected=part, profile=False, client=client)
            counted.append((line.sent - before[0], line.received - before[1], line.requests - before[2]))
    less, more = counted
    return (more[0] - less[0]) / VECTORS, (more[1] - less[1]) / VECTORS, more[2] - less[2]


def test_a_vector_costs_its_inputs_and_one_round_trip():
    sent, received, requests = traffic("mps2-an386", "fast", compare=True)
    assert requests == {Kind.INVOKE: VECTORS}
    # 490 bytes of input, 4 for each of the 12 layers, a key; and 12 bytes of outputs
    assert sent < 600 and received < 100
    sent, received, requests = traffic("mps2-an386", "fast", compare=False)
    assert received > 70_000 and sum(requests.values()) > 40 * VECTORS


def test_figures_do_not_depend_on_how_layers_were_looked_at():
    """Ticks of layers, of the inference, stack and arena, of a run that compared and of one that did not."""
    board = find_board("mps2-an500")
    graph = frontends.load(FIXTURES / "digits.tflite")
    package = emit(compile_graph(graph, core=board.core, name="digits"))
    given = vector_files.load(RandomVectors(random=2, seed=1), graph, FIXTURES).inputs
    expected = expected_layers(package.plan, right_tensors(package.plan, given))
    image = build_image([package], board, BuildOptions(link="fast"))
    figures = []
    with open_session(board, image) as session:
        client = open_client(session, image)
        for wanted in (None, expected):
            made = measure(session, image, package, given, layers=True, expected=wanted, client=client)
            figures.append((made.total, made.layer_ticks, made.stack_high, made.arena_high, made.arena_untouched))
        client.init(0)
        data = [array.tobytes() for array in given[0]]
        ticks = client.infer(data, profile=True).layer_ticks
        compared = client.infer(data, profile=True, layers=True, expected=expected[0])
    assert figures[0] == figures[1]
    assert compared.fetched == 0 and compared.total_ticks is None
    assert compared.layer_ticks == pytest.approx(ticks, abs=1)
