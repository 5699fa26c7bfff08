"""Help texts of the command: what an option takes is named in the user's words, and a flag takes nothing."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup


def _flags_take_nothing(parameters: list[Any]) -> list[Any]:
    for parameter in parameters:
        # Without a name of its own typer shows <bool>, as if `--json true` were meant.
        if getattr(parameter, "is_flag", False) and parameter.metavar is None:
            parameter.metavar = ""
    return parameters


class Command(TyperCommand):
    """A command of `tinyhil`."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters, as the help shows them."""
        return _flags_take_nothing(super().get_params(ctx))


class Commands(TyperGroup):
    """`tinyhil` itself."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters, as the help shows them."""
        return _flags_take_nothing(super().get_params(ctx))
