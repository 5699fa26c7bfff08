"""The pytest plugin's options, hooks and fixtures; collectors, items and class Hil are in items.py.

What collects results and writes them is in controller.py.

Every pytest run loads the plugin if tinyhil is installed. It therefore imports nothing heavy before a card, a model or
one of its fixtures is used, and prints nothing in projects without them.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.pytest_plugin.controller import Blocks, Controller
from harness.pytest_plugin.settings import LIST_SETTINGS, SETTINGS, Settings, is_used, settings, values

if TYPE_CHECKING:
    from harness.pytest_plugin.items import Hil, PluginState

_ITEM = pytest.StashKey[pytest.Item]()  # the test that runs
_STATE = pytest.StashKey[Any]()  # of a PluginState, whose module is imported when it is needed

_STDERR = 2
_LOG = pytest.StashKey[int]()  # standard error, which pytest replaces while tests run; only where it is no terminal


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options, each with its ini value."""
    group = parser.getgroup("tinyhil", "tinyhil: neural networks on microcontrollers")
    for name, (metavar, text) in SETTINGS.items():
        option = f"--{name.replace('_', '-')}"
        about = f"default of {option} (environment: TINYHIL_{name.upper()})"
        if name in LIST_SETTINGS:
            group.addoption(option, action="append", default=None, metavar=metavar, help=text)
            parser.addini(f"hil_{name}", about, type="args", default=[])
        else:
            group.addoption(option, default=None, metavar=metavar, help=text)
            parser.addini(f"hil_{name}", about, type="string", default="")


def pytest_cmdline_main(config: pytest.Config) -> None:
    """Refuses wrong settings before anything runs, and lets xdist keep the checks of one run together."""
    if is_used(config):
        _checked(config)


def pytest_configure(config: pytest.Config) -> None:
    """Registers the marker, and collects the models named by --model."""
    config.addinivalue_line("markers", "hil: a check of a neural network on a board (items of cards and models)")
    with contextlib.suppress(OSError):
        if not os.isatty(_STDERR):
            config.stash[_LOG] = os.dup(_STDERR)
    if hasattr(config, "workerinput"):
        return
    blocks = Blocks()
    config.pluginmanager.register(blocks, "tinyhil-blocks")
    config.pluginmanager.register(Controller(config, blocks), "tinyhil-controller")
    models = [str(config.invocation_params.dir / model) for model in values(config, "model")]
    if not models:
        return
    if config.getoption("model") and config.args_source is not config.ArgsSource.ARGS:
        config.args[:] = models  # `pytest --model M` runs that model, not the whole project as well
    else:
        config.args.extend(models)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Closes what pytest_configure opened, and gives a farm's board back."""
    state = config.stash.get(_STATE, None)
    if state is not None:
        state.close()
    log = config.stash.get(_LOG, None)
    if log is not None:
        del config.stash[_LOG]
        os.close(log)


def _checked(config: pytest.Config) -> None:
    from harness.errors import TinyhilError

    try:
        found = settings(config)
        if not hasattr(config, "workerinput"):
            _check_places(found)
        _check_models(config)
    except TinyhilError as error:
        raise pytest.UsageError(f"tinyhil: {error.message}\n  try: {error.hint}") from None


def _check_places(found: Settings) -> None:
    """Raises TinyhilError where results can be neither written nor compared as asked: before a long run."""
    if found.report is not None:
        from harness.report.bundle import check_folder

        check_folder(found.report)
    if found.history is not None or found.compare is not None:
        from harness.history.store import HistoryStore

        HistoryStore(found.history, create=found.history is not None).close()
    if found.policy is not None:
        from harness.history.policy import load_policy

        load_policy(found.policy)


def _check_models(config: pytest.Config) -> None:
    """Raises ModelFileError for a --model that nothing reads: pytest would only say that it has no tests."""
    from harness.frontends import unreadable

    for model in values(config, "model"):
        path = model if "://" in model else config.invocation_params.dir / model
        error = None if str(path).endswith(".hil.yaml") else unreadable(path)
        if error is not None:
            raise error


def _state(config: pytest.Config) -> PluginState:
    if _STATE not in config.stash:
        from harness.pytest_plugin.items import PluginState

        log = config.stash.get(_LOG, None)
        config.stash[_STATE] = PluginState(settings(config), None if log is None else _writer(log))
    state: PluginState = config.stash[_STATE]
    return state


def _writer(descriptor: int) -> Callable[[str], None]:
    def write(line: str) -> None:
        with contextlib.suppress(OSError):  # nobody reads it any more
            os.write(descriptor, f"{line}\n".encode(errors="backslashreplace"))

    return write


# --- collection ------------------------------------------------------------------------------------------------------


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collects cards in all folders, and models that the command line names."""
    if file_path.name.endswith(".hil.yaml"):
        from harness.pytest_plugin.items import CardFile

        return CardFile.from_parent(parent, path=file_path, state=_state(parent.config))
    if file_path.suffix != ".py" and parent.session.isinitpath(file_path):
        from harness.frontends import is_model

        if is_model(file_path):
            from harness.pytest_plugin.items import ModelFile

            return ModelFile.from_parent(parent, path=file_path, state=_state(parent.config))
    return None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Runs tests that use the fixture `board` on every board, and those that use `hil_model` with every model."""
    if _is_ours(metafunc, "board"):
        metafunc.parametrize("board", settings(metafunc.config).boards, indirect=True, scope="session")
    if _is_ours(metafunc, "hil_model"):
        models = [metafunc.config.invocation_params.dir / model for model in values(metafunc.config, "model")]
        ids = [model.name for model in models]
        metafunc.parametrize("hil_model", models, indirect=True, scope="session", ids=ids)


def _is_ours(metafunc: pytest.Metafunc, name: str) -> bool:
    """Whether the test uses this plugin's fixture, and not one of the same name that the project defines."""
    found = metafunc._arg2fixturedefs.get(name, ()) if name in metafunc.fixturenames else ()
    return bool(found) and found[-1].func.__module__ == __name__


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With xdist's default distribution, all checks of one model on one board go to one worker, which runs it once."""
    if config.getoption("dist", "no") != "load" or not is_used(config):
        return None
    from harness.pytest_plugin.items import scheduler

    return scheduler(config, log)


# --- fixtures --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def board(request: pytest.FixtureRequest) -> str:
    """Name of the board that the test runs on; one test per board given with --board."""
    return str(request.param)


@pytest.fixture(scope="session")
def hil_model(request: pytest.FixtureRequest) -> Path:
    """Path of a model given with --model; one test per model, skipped when there is none."""
    return Path(request.param)


@pytest.fixture(scope="session")
def hil(board: str, pytestconfig: pytest.Config) -> Hil:
    """Runs models on `board`: `hil.validate(model)`, `hil.run(model, inputs)`; see harness.pytest_plugin.items.Hil."""
    from harness.pytest_plugin.items import Hil
    from harness.pytest_plugin.paths import folders_of

    def folders() -> Sequence[Path]:
        return folders_of(pytestconfig.stash.get(_ITEM, None), pytestconfig)

    return Hil(_state(pytestconfig), board, folders)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Notes which test runs, for the fixture `hil`, which outlives it: paths are looked for beside the test's file."""
    item.config.stash[_ITEM] = item


# --- reporting -------------------------------------------------------------------------------------------------------


def pytest_report_header(config: pytest.Config) -> Sequence[str] | None:
    """Boards, stand-ins and tools, when tinyhil is used."""
    if not is_used(config):
        return None
    from harness.pytest_plugin.items import header

    return header(settings(config))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attaches the documents of a test's runs to its report, which xdist sends from its workers."""
    report = yield
    state = item.config.stash.get(_STATE, None)
    if state is not None:
        state.explain(item, call, report)
        state.attach(item, report)
    return report
