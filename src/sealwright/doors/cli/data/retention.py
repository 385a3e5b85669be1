"""`sealwright data retention` and `data hold …`: what has to go, what has to stay, and the proof."""

from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sealwright.doors.cli.options import Actor, AsJson, Home, KeyFileOption, PersonKey, acting_at, out, say

if TYPE_CHECKING:
    from sealwright.data.retention import Hold
    from sealwright.pipeline import Disposed, Retained

__all__ = ["add_to"]

group = typer.Typer(help="Legal holds: what must stay although its time has come.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    app.command()(retention)
    for verb, name in ((add, "add"), (lift, "lift"), (list_holds, "list")):
        group.command(name=name)(verb)
    app.add_typer(group, name="hold")


def retention(
    apply: Annotated[
        bool, typer.Option("--apply", help="Dispose of what is past its limit. Without it: only look.")
    ] = False,
    project: Annotated[
        str | None, typer.Option("--project", help="Only this project; else all.", show_default=False)
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 3 when something is past its limit, or has none.")
    ] = False,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Find what is past its retention limit; with --apply, dispose of it and enter the proof into the ledger.

    Honours legal holds. Records of requests whose 24 months are over go as well. Nothing past its limit stays silently.
    Exit status: 0 done, 3 with --strict when something is left that should not be, or you may not see or dispose of it.
    """
    from sealwright.doors.cli import show
    from sealwright.pipeline import dispose_past_limit, requests_for, retention_plan

    gone: list[Disposed] = []
    records = 0
    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        if apply:
            with show.progress(quiet=as_json) as progress:
                gone = dispose_past_limit(workspace, by=by, project=project, progress=progress)
            records = requests_for(workspace, by, project=project).dispose(by=by.counts_as, project=project)
        plan = retention_plan(workspace, by=by, project=project)
    value = {**plan.to_json(), "disposed": [one.to_json() for one in gone], "request_records_disposed": records}
    out(as_json, value, lambda: _tell(plan, gone, records, applied=apply))
    if strict and plan.findings:
        raise typer.Exit(3)


def add(
    project: Annotated[str, typer.Argument(help="Project name.")],
    reason: Annotated[str, typer.Option("--reason", help="Why: a case or order. No names; it goes into the ledger.")],
    snapshot: Annotated[
        str | None, typer.Option("--snapshot", help="Only this snapshot: its digest.", show_default=False)
    ] = None,
    person: Annotated[
        str | None,
        typer.Option("--subject", help="Only this person: their identifier or pseudonym.", show_default=False),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--until", help="Last day, e.g. 2027-06-30; else until it is lifted.", show_default=False),
    ] = None,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Keep a project, a snapshot or a person's rows from being disposed of.

    Exit status: 0 on hold, 2 there is no such project or snapshot, or an option is not usable.
    """
    from sealwright.doors.cli import show
    from sealwright.doors.cli.data.when import day_of
    from sealwright.kernel import InvalidInput
    from sealwright.pipeline import holds_for, name_in, refuse_unknown_project, refuse_unknown_snapshot

    if snapshot is not None and person is not None:
        raise InvalidInput("A hold is on a snapshot or on a person, not on both. Add two.")
    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        if snapshot is None:
            refuse_unknown_project(workspace, project, asker=by)
        else:
            refuse_unknown_snapshot(workspace, project, snapshot, asker=by)
        target = name_in(workspace, project, person) if person is not None else snapshot or ""
        hold = holds_for(workspace, by, project=project).add(
            project,
            scope="subject" if person is not None else "snapshot" if snapshot is not None else "project",
            target=target,
            reason=reason,
            by=by.counts_as,
            until=day_of(until),
        )
    facts = _facts(hold)
    out(as_json, facts, lambda: show.facts({name: value for name, value in facts.items() if value}))


def lift(
    hold: Annotated[str, typer.Argument(help="Id of the hold, from: sealwright data hold list")],
    reason: Annotated[str, typer.Option("--reason", help="Why it ends. Goes into the ledger.")],
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """End a hold.

    Exit status: 0 lifted, 2 there is none, or it was lifted before.
    """
    from sealwright.pipeline import holds_for

    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        holds_for(workspace, by, hold=hold).lift(hold, reason=reason, by=by.counts_as)
    out(as_json, {"id": hold, "lifted": True}, lambda: say(f"{hold} is lifted."))


def list_holds(
    everything: Annotated[bool, typer.Option("--all", help="Also those that have ended.")] = False,
    project: Annotated[
        str | None, typer.Option("--project", help="Only this project; else all.", show_default=False)
    ] = None,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """List the holds that stand.

    Exit status: 0 listed, 3 you may not see them.
    """
    from sealwright.doors.cli import show
    from sealwright.pipeline import list_holds as listed

    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        today = workspace.clock().date()
        found = listed(workspace, by=by, project=project, everything=everything)
    facts = [{**_facts(one), "state": _state(one, today)} for one in found]

    def words() -> None:
        if not facts:
            say("Nothing is on hold.")
            return
        show.rows(
            ["hold", "project", "what", "why", "by", "state"],
            [
                (
                    f["id"],
                    f["project"],
                    f["target"] or "everything",
                    f["reason"],
                    f["held_by"],
                    f"stands until {f['until']}" if f["state"] == "stands" and f["until"] else f["state"],
                )
                for f in facts
            ],
        )

    out(as_json, facts, words)


def _state(hold: "Hold", today: date) -> str:
    if hold.lifted_at is not None:
        return f"lifted {hold.lifted_at.date()}"
    return "stands" if hold.until is None or hold.stands(today) else f"over since {hold.until + timedelta(days=1)}"


def _facts(hold: "Hold") -> dict[str, Any]:
    from sealwright.kernel import rfc3339

    return {
        "id": hold.id,
        "project": hold.project,
        "scope": hold.scope,
        "target": hold.target,
        "reason": hold.reason,
        "held_by": hold.held_by,
        "since": rfc3339(hold.since),
        "until": hold.until.isoformat() if hold.until else None,
        "lifted_at": rfc3339(hold.lifted_at) if hold.lifted_at else None,
    }


def _tell(plan: "Retained", gone: "list[Disposed]", records: int, *, applied: bool) -> None:
    from sealwright.doors.cli import show

    words = {"keep": "keep", "dispose": "past its limit", "held": "past its limit, on hold", "no_limit": "NO LIMIT"}
    for one in gone:
        proof = one.receipt
        what = (
            f"{len(proof.files)} files, {proof.bytes:,} bytes, {proof.keys} key{'' if proof.keys == 1 else 's'}"
            if proof
            else "was gone already"
        )
        show.facts({"disposed of": one.item.digest, "removed": what, "ledger entry": one.ledger_index})
        if one.item.models:
            show.facts({"models made from it": ", ".join(one.item.models)})
    if records:
        say(f"{records} records of requests are past their 24 months and gone.")
    if plan.judged:
        show.rows(
            ["what", "project", "limit", "days left", "state"],
            [
                (
                    f"{one.item.kind} {one.item.digest[:19]}…",
                    one.item.project,
                    one.item.limit or one.item.note,
                    "" if one.days_left is None else one.days_left,
                    words[one.verdict] + (f" ({', '.join(one.held_by)})" if one.held_by else ""),
                )
                for one in plan.judged
            ],
        )
    elif not gone:
        say("No data lies here.")
    if plan.due and not applied:
        show.next_step("sealwright data retention --apply")
