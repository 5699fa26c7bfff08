"""The commands `tinyhil farm ...`: set-up, agents, and what a farm is doing."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli import terminal
from harness.cli.help import Command
from harness.cli.options import JsonOption
from harness.errors import FarmError, FarmFullError, FarmLostError, TinyhilError

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.farm.overview import Overview

farm = typer.Typer(help="Boards of a farm: serve them, see who has them, take them out and give them back.")

AddressArgument = Annotated[
    str, typer.Argument(metavar="FARM", envvar="TINYHIL_FARM", help="HOST:PORT of the coordinator, or a .yaml file.")
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
        str | None, typer.Option(metavar="NAME", help="Name of this host for `ssh`. Default: its own.", show_default=False)
    ] = None,
    state: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of images and records.", show_default=False)
    ] = None,
) -> None:
    """Serve the boards of this host: the agent and labgrid's exporter. Runs until it is interrupted."""
    from harness.farm.agent import Agent
    from harness.farm.bench import load_bench
    from harness.farm.member import Member

    folder = _state_folder(state)
    agent = Agent(load_bench(bench), folder, port=port)
    member = Member(agent, coordinator, folder, publish=publish or socket.gethostname())
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


__all__ = ["farm"]
_ = (contextlib, time, Any, FarmFullError, FarmLostError, TinyhilError)
if TYPE_CHECKING:
    _unused: Callable[[Overview], None]
