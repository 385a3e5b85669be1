"""`serving.limits` of a project file. What is left out has a default; nothing can be switched off."""

from collections.abc import Iterator
from typing import Annotated

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from sealwright.serving.budgets.limits import PER_CLIENT, PER_PRINCIPAL, BudgetLimits, CallerLimits, Level

__all__ = ["LevelSpec", "LevelsSpec", "LimitsSpec"]

_MOST_CALLERS = 100  # with limits of their own

_Subject = Annotated[str, Field(min_length=1, max_length=200)]


class LevelSpec(BaseModel):
    """One level. Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows_per_second: Annotated[
        float | None,
        Field(ge=0.001, le=1_000_000_000, description="Rows that come back each second. 10,000 when left out."),
    ] = None
    burst_rows: Annotated[
        int | None,
        Field(ge=1, le=1_000_000_000, description="Rows at once, after a pause. 20,000 when left out."),
    ] = None
    concurrent: Annotated[
        int | None,
        Field(ge=1, le=1_000_000, description="Requests under way at once. 128 a client, 256 a principal."),
    ] = None
    rows_per_day: Annotated[
        int | None,
        Field(ge=1, le=10**12, description="Rows from midnight to midnight, UTC. 50,000,000 when left out."),
    ] = None
    different_rows_per_day: Annotated[
        int | None,
        Field(
            ge=1,
            le=10**12,
            description="Rows a day this caller had not asked before: what copying a model takes. 100,000 when left out.",
        ),
    ] = None

    def over(self, level: Level) -> Level:
        """`level`, with what is said here."""
        return msgspec.structs.replace(level, **self.model_dump(exclude_none=True))


class LevelsSpec(BaseModel):
    """Both levels. Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    per_client: Annotated[LevelSpec, Field(description="For each token and each API key.")] = LevelSpec()
    per_principal: Annotated[
        LevelSpec, Field(description="For everything one caller's tokens and API keys ask together.")
    ] = LevelSpec()

    def over(self, limits: CallerLimits) -> CallerLimits:
        """`limits`, with what is said here."""
        return CallerLimits(
            per_client=self.per_client.over(limits.per_client),
            per_principal=self.per_principal.over(limits.per_principal),
        )


class LimitsSpec(LevelsSpec):
    """For everybody, and for callers that need other ones."""

    callers: Annotated[
        dict[_Subject, LevelsSpec],
        Field(
            max_length=_MOST_CALLERS,
            description="Limits of single callers, by the subject of their credentials; the rest is as for everybody.",
        ),
    ] = {}

    def resolved(self) -> BudgetLimits:
        """The numbers."""
        everybody = self.over(CallerLimits(per_client=PER_CLIENT, per_principal=PER_PRINCIPAL))
        return BudgetLimits(
            everybody=everybody, callers={subject: levels.over(everybody) for subject, levels in self.callers.items()}
        )

    def check_fits(self, most_rows: int) -> None:
        """A request the server takes must be one a full budget can pay.

        Raises
        ------
        ValueError
            A burst is smaller than the rows one request may hold.
        """
        for where, level in _levels(self.resolved()):
            if level.burst_rows < most_rows:
                raise ValueError(
                    f"{where}: burst_rows is {level.burst_rows:,}, but a request may hold {most_rows:,} rows and could "
                    "never be paid. Raise burst_rows, or lower serving.most_rows."
                )


def _levels(limits: BudgetLimits) -> Iterator[tuple[str, Level]]:
    for name, both in (
        ("limits", limits.everybody),
        *((f"limits.callers.{who}", one) for who, one in limits.callers.items()),
    ):
        yield f"{name}.per_client", both.per_client
        yield f"{name}.per_principal", both.per_principal
