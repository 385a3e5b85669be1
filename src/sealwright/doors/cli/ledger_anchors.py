"""Anchors of the ledger: witnesses, time stamps and buckets, what they have seen, and what is behind."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sealwright.doors.cli.options import Actor, AsJson, Home, KeyFileOption, PersonKey, acting_at, out, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sealwright.pipeline import BucketAt, StamperAt, Taken, WitnessAt

__all__ = ["add_to"]

Remove = Annotated[
    str | None, typer.Option("--remove", help="Take this one out, by the name shown.", show_default=False)
]


def add_to(app: typer.Typer) -> None:
    for command in (anchor, witnesses, stamps, buckets):
        app.command()(command)


def anchor(
    every: Annotated[
        float | None,
        typer.Option("--every", min=1.0, help="Go on, at most so many seconds behind.", show_default=False),
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Take the newest checkpoints to witnesses, time-stamping authorities and buckets. Needs no key.

    Exit status: 0 all have it, 1 one could not be reached, 4 a witness saw another history.
    """
    from sealwright.doors.cli import show
    from sealwright.doors.settings import read_settings
    from sealwright.pipeline import Anchoring

    place = read_settings(home=home).home
    if every is not None:
        _go_on(place, every)
        return
    done = Anchoring(place).round(now=True)
    table = [_row(one) for one in done]

    def words() -> None:
        if not done:
            say("This workspace has no anchor yet.")
            show.next_step("sealwright ledger witnesses --add ADDRESS --key KEY")
            return
        headings = ["ledger", "anchor", "entries", "anchored", "at", "outcome"]
        show.rows(headings, [tuple(row[name] for name in headings) for row in table])

    out(as_json, {"anchors": table}, words)
    _refuse(done)


def witnesses(
    add: Annotated[
        str | None,
        typer.Option("--add", help="Where a further witness answers, e.g. http://10.0.0.7:7475.", show_default=False),
    ] = None,
    key: Annotated[str | None, typer.Option("--key", help="Its key, as it prints it.", show_default=False)] = None,
    remove: Remove = None,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Show the witnesses of this workspace and how far behind they are; add or remove one."""
    from sealwright.kernel import InvalidInput
    from sealwright.pipeline import WitnessAt

    if (add is None) != (key is None):
        raise InvalidInput("Give both --add ADDRESS and --key KEY; the witness prints them when it starts.")
    new = WitnessAt(add, key) if add is not None and key is not None else None
    _change_or_tell("witness", new, remove, actor, person_key, home, key_file, as_json=as_json)


def stamps(
    add: Annotated[
        str | None,
        typer.Option("--add", help="Where a time-stamping authority answers (RFC 3161).", show_default=False),
    ] = None,
    certificate: Annotated[
        Path | None,
        typer.Option("--certificate", help="PEM: its own certificate, then those above it.", show_default=False),
    ] = None,
    policy: Annotated[
        str, typer.Option("--policy", help="The policy it must stamp under, e.g. 1.2.3.4.", show_default=False)
    ] = "",
    remove: Remove = None,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Show the time-stamping authorities of this workspace and what they last stamped; add or remove one."""
    from sealwright.kernel import InvalidInput, read_limited
    from sealwright.pipeline import StamperAt

    if (add is None) != (certificate is None):
        raise InvalidInput("Give both --add ADDRESS and --certificate FILE: whose stamps count is for you to say.")
    new = None
    if add is not None and certificate is not None:
        new = StamperAt(add, read_limited(certificate, 1 << 18).decode("ascii", "replace"), policy)
    _change_or_tell("timestamp", new, remove, actor, person_key, home, key_file, as_json=as_json)


def buckets(
    add: Annotated[str | None, typer.Option("--add", help="A bucket with S3 Object Lock.", show_default=False)] = None,
    prefix: Annotated[str, typer.Option("--prefix", help="Where in it.")] = "sealwright",
    days: Annotated[int, typer.Option("--days", min=1, help="How long a checkpoint cannot be removed.")] = 400,
    endpoint: Annotated[str, typer.Option("--endpoint", help="Of a store other than AWS.", show_default=False)] = "",
    remove: Remove = None,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Show the buckets that checkpoints are locked away in; add or remove one."""
    from sealwright.pipeline import BucketAt

    new = BucketAt(add, prefix, days, endpoint) if add is not None else None
    _change_or_tell("bucket", new, remove, actor, person_key, home, key_file, as_json=as_json)


def _change_or_tell(
    kind: str,
    new: "WitnessAt | StamperAt | BucketAt | None",
    remove: str | None,
    actor: str | None,
    person_key: Path | None,
    home: Path | None,
    key_file: Path | None,
    *,
    as_json: bool,
) -> None:
    from sealwright.doors.cli import show
    from sealwright.doors.settings import read_settings
    from sealwright.pipeline import Anchoring, add_anchor, remove_anchor

    settings = read_settings(home=home, actor=actor)
    if new is not None or remove is not None:
        with acting_at(home, key_file, actor, person_key) as (workspace, by):
            if new is not None:
                add_anchor(workspace, new, by=by)
            if remove is not None:
                remove_anchor(workspace, remove, by=by)
    table = [_row(one) for one in Anchoring(settings.home).look() if one.kind == kind]

    def words() -> None:
        headings = ["ledger", "anchor", "entries", "anchored", "behind", "at"]
        show.rows(headings, [tuple(row[name] for name in headings) for row in table])
        if new is not None:
            show.next_step("sealwright ledger anchor")

    out(as_json, {"anchors": table}, words)


def _row(one: "Taken") -> dict[str, Any]:
    from sealwright.kernel import rfc3339

    return {
        "ledger": one.ledger,
        "kind": one.kind,
        "anchor": one.anchor,
        "entries": one.size,
        "anchored": one.anchored,
        "behind": one.behind,
        "at": rfc3339(one.at) if one.at else "never",
        "outcome": one.outcome,
        "why": one.why,
    }


def _refuse(done: "Sequence[Taken]") -> None:
    """The worst of what happened, as an error with its exit status."""
    from sealwright.kernel import OperationFailed
    from sealwright.trust import WitnessDisagrees

    for one in done:
        if one.outcome == "disagrees":
            raise WitnessDisagrees(one.why, link=f"{one.kind} {one.anchor}".strip())
    failed = [f"{one.anchor}: {one.why}" for one in done if one.outcome == "failed"]
    if failed:
        raise OperationFailed("\n".join(failed))


def _go_on(home: Path, every: float) -> None:
    """Until it is stopped; each failure is a line on standard error, a contradiction ends it."""
    import signal
    import threading

    from sealwright.doors.cli import show
    from sealwright.pipeline import Anchoring

    stop, wrong = threading.Event(), []

    def told(one: "Taken") -> None:
        say(show.safe(f"{one.ledger} {one.kind} {one.anchor}: {one.outcome} at {one.size} {one.why}"), err=True)
        if one.outcome == "disagrees":
            wrong.append(one)
            stop.set()

    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: stop.set())
    Anchoring(home, seconds=every, told=told).run(stop)
    _refuse(wrong)
