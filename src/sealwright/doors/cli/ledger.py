"""The ledger: look into it, hand out proofs, verify it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sealwright.doors.cli import ledger_anchors
from sealwright.doors.cli.options import (
    Actor,
    AsJson,
    Home,
    KeyFileOption,
    PersonKey,
    acting_at,
    out,
    say,
    writable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sealwright.pipeline import LedgerChecked, Sought, Told

__all__ = ["app"]

app = typer.Typer(help="Look into the ledger, hand out proofs, verify it, anchor it.", no_args_is_help=True)
ledger_anchors.add_to(app)

_FILES = ("entries.log", "checkpoint", "checkpoints.log")  # one is enough to be a ledger, whole or not
_MOST_SHOWN = 10_000
_MOST_HOURS = 876_000.0  # a hundred years

Log = Annotated[
    str, typer.Option("--log", help="Which ledger: control, or PROJECT/CHANNEL for the decisions of a channel.")
]
ActorOption = Annotated[str, typer.Option("--actor", help="Who acted: a name, or a pseudonym.", show_default=False)]
Action = Annotated[
    str, typer.Option("--action", help='What was done: "login", or "data." for all that begin so.', show_default=False)
]
Subject = Annotated[
    str,
    typer.Option("--subject", help='About what: a digest, an id, or "kind:name".', show_default=False),
]
Outcome = Annotated[str, typer.Option("--outcome", help="done, refused or failed.", show_default=False)]
Since = Annotated[
    str | None, typer.Option("--since", help="From this day or time on, e.g. 2026-03-01.", show_default=False)
]
Until = Annotated[str | None, typer.Option("--until", help="Before this day or time.", show_default=False)]
Text = Annotated[str, typer.Option("--text", help="In the reason, or in what somebody wrote.", show_default=False)]


@app.command()
def show(
    last: Annotated[int, typer.Option("--last", min=1, max=_MOST_SHOWN, help="How many entries.")] = 20,
    log: Log = "control",
    by: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Show the newest entries, with the names of who acted."""
    from sealwright.pipeline import Sought, find_entries, reading_ledger

    with acting_at(home, key_file, by, person_key) as (workspace, who), reading_ledger(workspace, who, log) as ledger:
        found = list(find_entries(workspace, ledger, Sought(), start=max(0, ledger.size - last), names=_us()))
        size = ledger.size
    _tell({"log": log, "size": size}, found, as_json=as_json)


@app.command()
def search(
    actor: ActorOption = "",
    action: Action = "",
    subject: Subject = "",
    outcome: Outcome = "",
    since: Since = None,
    until: Until = None,
    text: Text = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=_MOST_SHOWN, help="Stop after so many.")] = 100,
    log: Log = "control",
    by: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Find entries. Reads from the beginning; with --since, what is older is passed over."""
    from itertools import islice

    from sealwright.doors.cli import show as shown
    from sealwright.pipeline import find_entries, reading_ledger

    wanted = _sought(actor, action, subject, outcome, since, until, text)
    with (
        acting_at(home, key_file, by, person_key) as (workspace, who),
        reading_ledger(workspace, who, log) as ledger,
        shown.progress(quiet=as_json) as progress,
    ):
        found = list(islice(find_entries(workspace, ledger, wanted, names=_us(), progress=progress), limit + 1))
        size = ledger.size
    _tell({"log": log, "size": size, "more": len(found) > limit}, found[:limit], as_json=as_json)


@app.command()
def export(
    to: Annotated[Path, typer.Option("--to", help="Folder to write to.")],
    actor: ActorOption = "",
    action: Action = "",
    subject: Subject = "",
    outcome: Outcome = "",
    since: Since = None,
    until: Until = None,
    text: Text = "",
    log: Log = "control",
    by: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Write entries with proofs for somebody outside: JSON lines, the trust root, and a verifier in one file.

    Each line is an entry as it is signed, and the proof that it is in the ledger. Actors stay pseudonyms, words stay sealed.
    Check it with: python sealwright_verify.py entries.jsonl --trust trust.json
    """
    from importlib.resources import files

    from sealwright.doors.cli import show as shown
    from sealwright.kernel import InvalidInput, write_atomically
    from sealwright.pipeline import export_entries, reading_ledger

    wanted = _sought(actor, action, subject, outcome, since, until, text)
    if to.exists() and not to.is_dir():
        raise InvalidInput(f"{to} is a file. Name a folder to write to.")
    with (
        acting_at(home, key_file, by, person_key) as (workspace, who),
        reading_ledger(workspace, who, log, action="ledger.export") as ledger,
        shown.progress(quiet=as_json) as progress,
    ):
        to.mkdir(parents=True, exist_ok=True)
        count = _write_lines(to / "entries.jsonl", export_entries(workspace, ledger, wanted, progress=progress))
        root, checkpoint = workspace.trust_root, ledger.checkpoint()
    verifier = files("sealwright.oversight").joinpath("auditor", "sealwright_verify.py").read_bytes()
    beside = {"trust.json": root.to_bytes(), "checkpoint": checkpoint, "sealwright_verify.py": verifier}
    for name, data in beside.items():
        write_atomically(to / name, data, mode=0o644)
    facts = {"entries": count, "file": str(to / "entries.jsonl"), "fingerprint": root.fingerprint}

    def words() -> None:
        shown.facts(facts)
        say("Tell whoever gets it the fingerprint by another way than these files.")
        shown.next_step(f"python {to / 'sealwright_verify.py'} {to / 'entries.jsonl'} --trust {to / 'trust.json'}")

    out(as_json, facts, words)


@app.command()
def proof(
    index: Annotated[int, typer.Argument(min=0, help="Number of the entry.")],
    to: Annotated[
        Path | None, typer.Option("--to", help="File to write the proof to; else it is printed.", show_default=False)
    ] = None,
    cosigned: Annotated[
        bool, typer.Option("--cosigned", help="Under the newest checkpoint that witnesses cosigned.")
    ] = False,
    log: Log = "control",
    by: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Prove one entry: a text (c2sp.org/tlog-proof) that shows to anybody that it is in the ledger."""
    from sealwright.kernel import write_atomically
    from sealwright.pipeline import ledger_at, prove_entry, reading_ledger

    target = writable(to)
    with acting_at(home, key_file, by, person_key) as (workspace, who), reading_ledger(workspace, who, log) as ledger:
        leaf, found = prove_entry(ledger, ledger_at(workspace, log).folder, index, cosigned=cosigned)
    if target is not None:
        write_atomically(target, found, mode=0o644)
    facts = {"index": index, "entry": leaf.decode(), "proof": found.decode()}
    out(as_json, facts, lambda: say(found.decode() if target is None else f"{leaf.decode()}\n{target}", nl=False))


@app.command()
def verify(
    folder: Annotated[
        Path | None,
        typer.Argument(help="Folder of a ledger; left out: this workspace's control ledger.", show_default=False),
    ] = None,
    against: Annotated[
        list[Path] | None,
        typer.Option("--against", help="A checkpoint that was kept elsewhere; repeat for more.", show_default=False),
    ] = None,
    witness: Annotated[
        list[str] | None,
        typer.Option("--witness", help="The key of a witness you trust; repeat for more.", show_default=False),
    ] = None,
    need: Annotated[int, typer.Option("--need", min=1, help="How many of them must have cosigned.")] = 1,
    stamped_by: Annotated[
        list[Path] | None,
        typer.Option(
            "--stamped-by", help="Certificates (PEM) of a time-stamping authority you trust.", show_default=False
        ),
    ] = None,
    policy: Annotated[
        str | None, typer.Option("--policy", help="The policy it must stamp under, e.g. 1.2.3.4.", show_default=False)
    ] = None,
    max_age: Annotated[
        float | None,
        typer.Option(
            "--max-age", min=0.0, max=_MOST_HOURS, help="Hours since an anchor last spoke, at most.", show_default=False
        ),
    ] = None,
    newest_signature: Annotated[
        bool,
        typer.Option(
            "--newest-signature", help="Check the newest checkpoint's signature only; all roots are compared."
        ),
    ] = False,
    trust: Annotated[
        Path | None,
        typer.Option("--trust", help="The organisation's trust.json; else this workspace's.", show_default=False),
    ] = None,
    fingerprint: Annotated[
        str | None, typer.Option("--fingerprint", help="Fingerprint the trust root must have.", show_default=False)
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Verify a whole ledger: entries, chain, checkpoints, attachments; with what you bring, its anchors, too.

    Needs no key. Exit status: 0 it holds, 2 wrong usage, 4 it does not hold.
    """
    from datetime import timedelta

    from sealwright.doors.cli import show as shown
    from sealwright.doors.cli.evidence_verbs import trust_root_of
    from sealwright.doors.settings import read_settings
    from sealwright.kernel import InvalidInput, read_limited, system_clock
    from sealwright.pipeline import check_ledger
    from sealwright.trust import TimestampAuthority, WitnessKey, WitnessPolicy

    root = trust_root_of(trust, fingerprint, home)
    keys = tuple(WitnessKey.parse(one) for one in witness or ())
    authorities = [TimestampAuthority.from_pem(read_limited(one, 1 << 20), policy) for one in stamped_by or ()]
    if folder is not None and not any((folder / name).exists() for name in _FILES):
        raise InvalidInput(f"There is no ledger at {folder}. Give the folder that holds {_FILES[0]} and {_FILES[1]}.")
    place = folder if folder is not None else read_settings(home=home).home / "ledger"
    with shown.progress(quiet=as_json) as progress:
        found = check_ledger(
            place,
            root,
            now=system_clock(),
            against=[read_limited(one, 256 * 1024) for one in against or ()],
            policy=WitnessPolicy(keys, need) if keys else None,
            authorities=authorities,
            most_age=timedelta(hours=max_age) if max_age is not None else None,
            every_signature=not newest_signature,
            progress=progress,
        )
    out(as_json, {**found.to_json(), "trust_root": root.fingerprint}, lambda: _tell_checked(found, root.fingerprint))


def _us() -> list[str]:
    """Who acts here by default: a name the workspace may not know."""
    from sealwright.doors.settings import read_settings

    return [read_settings().actor]


def _tell_checked(found: "LedgerChecked", fingerprint: str) -> None:
    from sealwright.doors.cli import show as shown

    report = found.report
    shown.title("This ledger holds")
    shown.facts({"log": report.origin, "entries": f"{report.size:,}", "root": report.root})
    say("\nChecked:")
    for line in report.checked:
        say(f"  + {shown.safe(line)}")
    say("Not checked:")
    for line in report.not_checked:
        say(f"  - {shown.safe(line)}")
    for line in report.remarks:
        say(f"  ! {shown.safe(line)}")
    shown.facts({"trust root fingerprint": fingerprint})


def _sought(
    actor: str, action: str, subject: str, outcome: str, since: str | None, until: str | None, text: str
) -> "Sought":
    from sealwright.doors.cli.data.when import moment_of
    from sealwright.kernel import InvalidInput
    from sealwright.pipeline import Sought

    if outcome not in ("", "done", "refused", "failed"):
        raise InvalidInput(f"An outcome is done, refused or failed; got {outcome[:40]!r}.")
    return Sought(
        actor=actor, action=action, subject=subject, outcome=outcome, since=moment_of(since), until=moment_of(until), text=text
    )  # fmt: skip


def _tell(facts: dict[str, Any], found: "list[Told]", *, as_json: bool) -> None:
    from sealwright.doors.cli import show as shown

    def words() -> None:
        headings = ["entry", "when", "who", "what", "outcome", "about", "reason"]
        shown.rows(headings, [
            (one.index, one.at[:19], one.actor[:36], one.action, one.outcome, _short(one.subject), one.reason[:200])
            for one in found
        ])  # fmt: skip
        if facts.get("more"):
            shown.next_step("there are more; narrow the search, or raise --limit")

    out(as_json, {**facts, "entries": [one.to_json() for one in found]}, words)


def _short(subject: str) -> str:
    """Enough to tell what an entry is about from others; the whole digest is in --json."""
    return subject.removeprefix("sha256:")[:12] if subject.startswith("sha256:") else subject[:24]


def _write_lines(path: Path, lines: "Iterator[bytes]") -> int:
    """Write line by line into a draft that takes its place when all is there."""
    draft, count = path.with_name(f".{path.name}.draft"), 0
    try:
        with draft.open("wb") as stream:
            for line in lines:
                stream.write(line)
                count += 1
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return count
