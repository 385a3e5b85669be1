"""All verbs of `sealwright data`, put together. Imported when one of them is asked for, not when the program starts."""

import typer

from sealwright.doors.cli.data import (
    basis,
    budget,
    consent,
    contracts,
    deidentify,
    diversity,
    increments,
    keys,
    lineage,
    private,
    quality,
    report,
    requests,
    retention,
    scan,
    subject,
)

__all__ = ["app"]

app = typer.Typer()

for _module in (
    contracts,
    scan,
    basis,
    consent,
    requests,
    retention,
    subject,
    private,
    budget,
    quality,
    deidentify,
    diversity,
    increments,
    keys,
    lineage,
    report,
):
    _module.add_to(app)
