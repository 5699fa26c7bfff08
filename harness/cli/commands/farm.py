"""The commands `tinyhil farm ...`: set-up, agents, and what a farm is doing."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli import terminal
from harness.cli.help import Command
from harness.cli.options import JsonOption
from harness.errors import Category, FarmError, TinyhilError

if TYPE_CHECKING:
    from harness.farm.address import FarmAddress
    from harness.farm.overview import BoardView, Overview

farm = typer.Typer(help="Boards of a farm: serve them, see who has them, take them out and give them back.")

AddressOption = Annotated[
    str,
    typer.Option(
        "--farm", metavar="FARM", envvar="TINYHIL_FARM", help="HOST:PORT of the coordinator, or this host's .yaml file."
    ),
]
BoardArgument = Annotated[str, typer.Argument(metavar="BOARD", help="A board's name in the farm.", show_default=False)]


@farm.command(cls=Command)
def setup(as_json: JsonOption = False) -> None:
    """Make the environment that labgrid runs in: of its own, since it would replace pyserial."""
    from harness.farm.environment import make_environment

    place = make_environment()
    if as_json:
        terminal.print_json({"kind": "farm-setup", "environment": str(place)})
    else:
        terminal.print_lines(f"labgrid is ready in {place}")


@farm.command(cls=Command)
def coordinator(
    listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="Where to listen.")] = "127.0.0.1:20408",
    state: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder of its state.", show_default=False)] = None,
) -> None:
    """Run labgrid's coordinator. It lets everybody in who reaches it: loopback, or a network that you trust."""
    import os

    from harness.farm.environment import labgrid_command

    command = labgrid_command("labgrid.remote.coordinator", "-l", listen)
    folder = _state_folder(state)
    os.chdir(folder)
    os.execv(command[0], command)


@farm.command(cls=Command)
def serve(
    bench: Annotated[Path, typer.Argument(metavar="BENCH", help="The .yaml file with this host's boards.")],
    coordinator: Annotated[
        str, typer.Option("--coordinator", metavar="HOST:PORT", help="labgrid's coordinator.")
    ] = "127.0.0.1:20408",
    port: Annotated[int, typer.Option(metavar="N", min=0, max=65535, help="Port on loopback; 0 for any.")] = 0,
    publish: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Name of this host for `ssh`. Default: its own.", show_default=False),
    ] = None,
    reap: Annotated[
        float, typer.Option(metavar="S", min=1.0, help="Free boards whose holder has been gone for so many seconds.")
    ] = 6.0,
    state: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of images and records.", show_default=False)
    ] = None,
) -> None:
    """Serve the boards of this host: the agent and labgrid's exporter. Runs until it is interrupted."""
    import socket  # slow to import, and needed here alone

    from harness.farm.agent import Agent
    from harness.farm.bench import load_bench
    from harness.farm.member import Member

    folder = _state_folder(state)
    agent = Agent(load_bench(bench), folder, port=port)
    member = Member(agent, coordinator, folder, publish=publish or socket.gethostname(), reap_s=reap)
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    threading.Thread(target=agent.serve, name="tinyhil-agent", daemon=True).start()
    terminal.say(f"agent of bench {agent.bench.name}: {len(agent.bench.boards)} boards, 127.0.0.1:{agent.port}")
    while not over.wait(1.0):
        pass
    member.close()
    agent.close()


def _state_folder(state: Path | None) -> Path:
    import platformdirs

    from harness.files.private import private_folder

    folder = state or Path(platformdirs.user_data_dir("tinyhil")) / "farm"
    try:
        private_folder(folder)
    except OSError as error:
        raise FarmError(f"{folder}: {error.strerror or error}", hint="name a folder of your own with --state") from None
    return folder.absolute()


# --- looking and acting ----------------------------------------------------------------------------------------------


@farm.command(cls=Command)
def status(farm: AddressOption = "127.0.0.1:20408", as_json: JsonOption = False) -> None:
    """List the boards of a farm: who has them, what they did, what is wrong with them; and the queue."""
    from dataclasses import asdict

    from harness.farm.overview import look

    seen = look(_address(farm))
    if as_json:
        boards = [asdict(board) for board in seen.boards]
        terminal.print_json({"kind": "farm", "boards": boards, "queue": list(seen.queue)})
        return
    _show(seen)


@farm.command(cls=Command)
def quarantine(
    board: BoardArgument,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why, for those who wonder.")] = "by hand",
    farm: AddressOption = "127.0.0.1:20408",
    as_json: JsonOption = False,
) -> None:
    """Take a board out of work; who has it keeps it until it is done."""
    _act(_address(farm), board, "quarantine", as_json, f"{board} is in quarantine: {reason}", reason=reason)


@farm.command(cls=Command)
def release(
    board: BoardArgument,
    lease: Annotated[bool, typer.Option("--lease", help="Take it from its holder instead, whoever that is.")] = False,
    farm: AddressOption = "127.0.0.1:20408",
    as_json: JsonOption = False,
) -> None:
    """Give a board that is in quarantine back to work, or with --lease take it from its holder."""
    if lease:
        _act(_address(farm), board, "end", as_json, f"{board} is free")
    else:
        _act(_address(farm), board, "release", as_json, f"{board} is given to workers again")


@farm.command(cls=Command)
def power(
    board: BoardArgument,
    action: Annotated[str, typer.Argument(metavar="ACTION", help="on, off, cycle or get.")],
    farm: AddressOption = "127.0.0.1:20408",
    as_json: JsonOption = False,
) -> None:
    """Switch a board's supply through its power port, while nobody has the board."""
    from harness.farm.overview import power as switch

    state = switch(_address(farm), board, action)
    if as_json:
        terminal.print_json({"kind": "farm-power", "board": board, "action": action, "state": state})
    else:
        terminal.print_lines(f"{board}: {action}{'' if state == 'None' else f': {state}'}")


@farm.command(cls=Command)
def health(
    reference: Annotated[Path, typer.Argument(metavar="TARGET", help="A model or card that all boards get right.")],
    board: Annotated[
        list[str] | None, typer.Option("--only", metavar="BOARD", help="A board's name in the farm. Repeatable.")
    ] = None,
    vectors: Annotated[str, typer.Option(metavar="VECTORS", help="As of `tinyhil validate`.")] = "2",
    farm: AddressOption = "127.0.0.1:20408",
    as_json: JsonOption = False,
) -> None:
    """Run a reference model on every board that is ready, and quarantine those that fail it."""
    from harness.farm.overview import look

    address = _address(farm)
    ready = [each for each in look(address).boards if each.state != "quarantined"]
    boards = [each for each in ready if not board or each.name in board]
    unknown = set(board or ()) - {each.name for each in boards}
    if unknown or not boards:
        raise FarmError(f"no board to check: {', '.join(sorted(unknown)) or 'none'}", hint="see `tinyhil farm status`")
    found = []
    for each in boards:
        with terminal.progress(as_json, f"{reference.stem} on {each.name}"):
            found.append({"board": each.name, **_check(address, each, reference, vectors)})
    if as_json:
        terminal.print_json({"kind": "farm-health", "boards": found})
    else:
        terminal.show_rows(("board", "health", "what"), [(e["board"], e["health"], e["what"]) for e in found])
    raise typer.Exit(0 if all(each["health"] == "good" for each in found) else Category.INFRASTRUCTURE.value)


def _check(farm: FarmAddress, view: BoardView, reference: Path, vectors: str) -> dict[str, str]:
    """Whether a board gets the reference model right; one that does not is quarantined."""
    from harness.farm.overview import manage
    from harness.farm.source import FarmBoards
    from harness.validate.card import card_of, parse_vectors
    from harness.validate.options import Options
    from harness.validate.workbench import Workbench

    options = Options(vectors=parse_vectors(vectors, Path.cwd()), opinions=())
    with FarmBoards(farm, attempts=1) as boards:
        boards.want(prefer=view.name)
        try:
            outcome = Workbench(boards=boards).validate(card_of(reference), view.board, options)
        except TinyhilError as error:
            if error.category is not Category.INFRASTRUCTURE:
                raise
            return {"health": "error", "what": f"{error.message} [{error.code}]"}
    if outcome.passed:
        return {"health": "good", "what": ""}
    manage(farm, view.name, "trouble", code="reference", text=f"it fails the reference model {outcome.card.name}")
    return {"health": "quarantined", "what": "it fails the reference model"}


def _address(text: str) -> FarmAddress:
    from harness.farm.address import parse_farm

    return parse_farm(text)


def _act(farm: FarmAddress, board: str, do: str, as_json: bool, said: str, **arguments: Any) -> None:
    from harness.farm.overview import manage

    answer = manage(farm, board, do, **arguments)
    if as_json:
        terminal.print_json({"kind": "farm-board", "board": board, **answer})
    else:
        terminal.print_lines(said)


def _show(seen: Overview) -> None:
    columns = ("board", "type", "bench", "kind", "state", "jobs", "troubles", "busy", "up", "holder", "why")
    right = frozenset({"jobs", "troubles", "busy", "up"})
    drop = ("holder", "bench", "kind", "up", "busy")
    terminal.show_rows(columns, [_row(each) for each in seen.boards], right=right, drop=drop)
    for each in seen.queue:
        wanted = ", ".join(f"{key}={value}" for key, value in each["filter"].items() if key != "state")
        priority = f", priority {each['priority']:g}" if each["priority"] else ""
        terminal.print_lines(f"waiting for {each['waits_s']:.0f} s: {each['owner']} for {wanted}{priority}")


def _row(view: BoardView) -> tuple[str, ...]:
    record = view.record
    known = bool(record)
    why = view.problem or record.get("quarantined", "") or record.get("last", "")
    share = record["busy_s"] / max(time.time() - record["since_start"], 1.0) if known else None
    return (
        view.name, view.board, view.bench, view.kind, view.state,
        str(record["jobs"]) if known else "-", str(record["troubles"]) if known else "-",
        "-" if share is None else f"{min(share, 1.0):.0%}", "-" if view.up_s is None else f"{view.up_s / 3600:.1f} h",
        view.holder, why,
    )  # fmt: skip
