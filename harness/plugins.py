"""Tables of what a name may stand for: those built in, and those that installed packages add by entry points.

    RUNTIMES: Table[Runtime] = Table("runtime", "tinyhil.runtimes", {"tinyhil": "harness.runtimes.tinyhil:RUNTIME"})
    RUNTIMES.get("tinyhil")

Nothing is imported before it is asked for by its name, and the metadata of installed packages is read only for a name
that is not built in, or for all names.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from harness.errors import OptionError, PluginError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

T = TypeVar("T")


class Table(Generic[T]):
    """Name -> thing of one kind.

    Attributes:
        kind: what messages call one of them, such as "runtime".
        group: the group of entry points that adds to the table.
    """

    def __init__(self, kind: str, group: str, builtin: Mapping[str, str]) -> None:
        """`builtin` maps names to "module:attribute"; no entry point can replace one of these."""
        self.kind = kind
        self.group = group
        self._builtin = dict(builtin)

    def names(self) -> tuple[str, ...]:
        """All names: those built in as they were listed, then those of entry points, sorted."""
        return (*self._builtin, *sorted(set(self._entry_points()) - set(self._builtin)))

    def __contains__(self, name: object) -> bool:
        return name in self._builtin or name in self._entry_points()

    def get(self, name: str) -> T:
        """What is registered under `name`; imports it.

        Raises:
            OptionError: nothing is.
            PluginError: an entry point is, but it cannot be loaded, or several packages claim the name.
        """
        if name in self._builtin:
            module, attribute = self._builtin[name].split(":")
            return cast(T, getattr(import_module(module), attribute))
        found = self._entry_points().get(name)
        if not found:
            raise OptionError(f"no {self.kind} is named '{name}'", hint=f"one of: {', '.join(self.names())}")
        if len(found) > 1:
            packages = ", ".join(sorted(_distribution(point) for point in found))
            raise PluginError(
                f"{self.kind} '{name}' is registered by several packages: {packages}", hint="uninstall all but one"
            )
        (point,) = found
        try:
            return cast(T, point.load())
        except Exception as error:  # whatever the package's code raises when it is imported
            raise PluginError(
                f"{self.kind} '{name}' of {_distribution(point)} cannot be loaded from {point.value}: "
                f"{type(error).__name__}: {error}",
                hint=f"reinstall or uninstall {_distribution(point)}; it adds to {self.group}",
            ) from error

    def unknown(self, name: str) -> str:
        """A sentence for a name that is not in the table, with all that are."""
        return f"no {self.kind} is named '{name}'; there are {', '.join(self.names())}"

    def _entry_points(self) -> dict[str, list[EntryPoint]]:
        from importlib import metadata

        found: dict[str, list[EntryPoint]] = {}
        for point in metadata.entry_points(group=self.group):
            found.setdefault(point.name, []).append(point)
        return found


def _distribution(point: EntryPoint) -> str:
    """The package that an entry point is of."""
    return point.dist.name if point.dist is not None else "a package without metadata"
