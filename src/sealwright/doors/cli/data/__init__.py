"""`sealwright data …`: the verbs around data. Each module adds its own; heavy imports wait inside the verbs."""

import typer

from sealwright.doors.cli.data import (
    basis,
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

app = typer.Typer(
    help="Look after data: check it, find personal data, answer for it, release numbers from it.",
    no_args_is_help=True,
)

for _module in (
    contracts,
    scan,
    basis,
    consent,
    requests,
    retention,
    subject,
    private,
    quality,
    deidentify,
    diversity,
    increments,
    keys,
    lineage,
    report,
):
    _module.add_to(app)
