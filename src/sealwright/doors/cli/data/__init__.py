"""`sealwright data …`: the verbs around data. Each module adds its own in `verbs`; heavy imports wait inside the verbs."""

from collections.abc import Mapping
from typing import Any

import typer
from typer.core import TyperGroup

__all__ = ["app"]


class _WhenAsked(TyperGroup):
    """A group whose verbs are put together when one is asked for: forty of them would slow every start."""

    _whole: bool = False

    @property
    def commands(self) -> dict[str, Any]:
        if not self._whole:
            self._whole = True
            from sealwright.doors.cli.data.verbs import app as verbs

            self._verbs.update(typer.main.get_group(verbs).commands)
        return self._verbs

    @commands.setter
    def commands(self, value: Mapping[str, Any]) -> None:
        self._verbs: dict[str, Any] = dict(value)
        self._whole = False


app = typer.Typer(
    cls=_WhenAsked,
    help="Look after data: check it, find personal data, answer for it, release numbers from it.",
    no_args_is_help=True,
)


@app.callback()
def _root() -> None:
    """Look after data: check it, find personal data, answer for it, release numbers from it."""
