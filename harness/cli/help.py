"""Help texts of the command: values of options by their metavar; flags without a value."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup


def _flags_take_nothing(parameters: list[Any]) -> list[Any]:
    for parameter in parameters:
        # Without a metavar typer shows <bool>, as if flags took a value.
        if getattr(parameter, "is_flag", False) and parameter.metavar is None:
            parameter.metavar = ""
    return parameters


class Command(TyperCommand):
    """A command of `tinyhil`."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters, as the help shows them."""
        return _flags_take_nothing(super().get_params(ctx))

    def get_short_help_str(self, limit: int = 0) -> str:
        """The whole first paragraph of the help, for the list of commands."""
        del limit
        return " ".join((self.help or "").partition("\n\n")[0].split())


class Commands(TyperGroup):
    """`tinyhil` itself."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters, as the help shows them."""
        return _flags_take_nothing(super().get_params(ctx))
