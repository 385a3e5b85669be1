"""Who can do what, and why not."""

from typing import TYPE_CHECKING, Annotated

import typer

from sealwright.doors.cli.options import Actor, AsJson, Home, KeyFileOption, PersonKey, acting_at, out, say

if TYPE_CHECKING:
    from sealwright.trust import WhoCan, WhyNot

__all__ = ["add_to"]

_PANEL = "Who may do what"
Action = Annotated[str, typer.Argument(help="Such as model.promote. All of them: docs/reference/permissions.md")]
What = Annotated[
    str,
    typer.Argument(
        help="What it is done to: a project folder or name, PROJECT/NUMBER, or the name of a key, person, client or case.",
        show_default=False,
    ),
]


def add_to(app: typer.Typer) -> None:
    app.command("who-can", rich_help_panel=_PANEL)(who_can)
    app.command("why-not", rich_help_panel=_PANEL)(why_not)


def who_can(
    action: Action,
    resource: What = "",
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """List who can do ACTION, through which role, and what each would still need.

    Exit status: 0 listed, 2 no such action or thing.
    """
    from sealwright.pipeline import ask_who_can

    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        found = ask_who_can(workspace, action, resource, by=by)
    out(as_json, found.to_json(), lambda: _tell_who(found))


def why_not(
    person: Annotated[str, typer.Argument(help="Somebody enrolled.")],
    action: Action,
    resource: What = "",
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Say every condition that stands between PERSON and ACTION, and who could do it instead.

    Exit status: 0 they can, 2 nobody of that name or no such thing, 3 they cannot.
    """
    from sealwright.pipeline import ask_why_not

    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        found = ask_why_not(workspace, person, action, resource, by=by)
    out(as_json, found.to_json(), lambda: _tell_why(found, person))
    raise typer.Exit(0 if found.decision.allowed else 3)


def _tell_who(found: "WhoCan") -> None:
    from sealwright.doors.cli import show
    from sealwright.trust import roles_in_words

    show.title(f"{found.action}: {found.meaning}")
    show.facts({"on": found.resource, "roles": roles_in_words(found.roles) or "none by itself"})
    lines = [
        (one.name, ", ".join(one.roles), "yes" if one.may else "no", "; ".join((*one.barred, *one.needs)) or "nothing")
        for one in found.people
    ]
    if lines:
        show.rows(["person", "through", "can", "needs, or what speaks against it"], lines)
    if found.operator and not found.staffed:
        say("Not yet staffed: nobody enrolled holds a role for it, so whoever opens the workspace may do it.")
    elif found.operator:
        say("Whoever opens the workspace may do it, too.")
    elif not any(one.may for one in found.people):
        say("Nobody enrolled can do it as things are.")
        show.next_step("sealwright people add NAME --role ROLE")


def _tell_why(found: "WhyNot", person: str) -> None:
    from sealwright.doors.cli import show

    can = "can" if found.decision.allowed else "cannot"
    show.title(f"{person} {can} do {found.decision.action} on {found.decision.resource}")
    for one in found.conditions:
        say(show.safe(f"  - {one.words} ({one.code})"))
    if found.decision.allowed:
        show.facts({"by policy": ", ".join(found.decision.policies)})
    else:
        show.facts({"who could": ", ".join(found.others) or "nobody enrolled"})
