"""The keys of the workspace: look at them, rotate, revoke, split the root among people, recover it, lock it elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sealwright.doors.cli.options import Actor, AsJson, Home, KeyFileOption, PersonKey, acting_at, out

if TYPE_CHECKING:
    from sealwright.doors.settings import Settings
    from sealwright.pipeline import Workspace
    from sealwright.trust import Principal, Share, Unlock

__all__ = ["app"]

app = typer.Typer(help="List, rotate and revoke keys; split, recover and move the root.", no_args_is_help=True)

NewPassphrase = Annotated[
    bool, typer.Option("--passphrase", help="Open the workspace by a typed passphrase from now on.")
]
NewUnlock = Annotated[
    Path | None,
    typer.Option(
        "--unlock",
        help="Open it by the key in a token or service that this TOML file describes from now on.",
        show_default=False,
    ),
]
NewKeyFile = Annotated[
    Path | None,
    typer.Option("--new-key-file", help="Open it by this key file from now on; made if missing.", show_default=False),
]


@app.command(name="list")
def list_keys(
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """List every key: its branch, algorithm, state and age, and where it is.

    A key in a device or service is not asked for here; sealwright doctor does that.
    """
    from dataclasses import asdict

    from sealwright.doors.cli import show
    from sealwright.pipeline import keys_of

    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        found = keys_of(workspace, by=by)
    rows = [
        (
            one.branch,
            one.algorithm,
            one.key[:16],
            one.state,
            "" if one.days is None else str(one.days),
            one.place.partition(", key ")[0],
        )
        for one in found
    ]
    out(
        as_json,
        [asdict(one) for one in found],
        lambda: show.rows(["branch", "algorithm", "key", "state", "days", "place"], rows),
    )


@app.command()
def rotate(
    branch: Annotated[str, typer.Argument(help="A branch, such as statements; see: sealwright keys list")],
    at: Annotated[
        Path | None,
        typer.Option(
            "--at",
            help="TOML file of the token or service that shall hold the new key; left out: a file. The signer reads it.",
            show_default=False,
        ),
    ] = None,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Give a branch a new key. What the old one signed still verifies, what it sealed still opens.

    Everything goes on running. A branch that signs: programs go on with the old key for a day, and follow. tls: both CAs are
    handed out until you revoke the old one. decisions and identity: running servers are handed the new key, and named here. For
    data and subjects there is: sealwright data rotate
    Exit status: 0 done, 1 the token or service does not answer, 2 no such branch, it is refused, or another program holds
    the ledger, 3 not allowed, 4 what a token or service gave does not verify.
    """
    from sealwright.doors.cli import show
    from sealwright.doors.settings import read_settings
    from sealwright.doors.wiring import unlock_of
    from sealwright.pipeline import rotate_key
    from sealwright.trust import SIGNING_BRANCHES

    settings = read_settings(home=home, key_file=key_file, actor=actor)
    unlock = unlock_of(settings)
    with _acting(settings, unlock, person_key) as (workspace, by):
        new = rotate_key(workspace, unlock, branch, by=by, at=at)
    facts = {"branch": branch, "key": new.key, "taken by": new.taken, "not reached": new.missed}
    if branch in SIGNING_BRANCHES:
        facts = {"branch": branch, "key": new.key, "place": "file" if at is None else str(at)}

    def words() -> None:
        show.facts(
            {name: value if isinstance(value, str) else ", ".join(value) for name, value in facts.items() if value}
        )
        if new.missed:
            show.next_step("start again who was not reached: it seals with the older key, which stays to read")
        elif branch == "tls":
            show.next_step(
                "hand out serving/tls/ca.pem, then: sealwright keys revoke tls --reason superseded   (ends the old CA)"
            )
        elif branch in SIGNING_BRANCHES:
            show.next_step(
                "sealwright workspace trust --to trust.json   (hand the new trust root and keys/trust-chain.json out)"
            )

    out(as_json, facts, words)


@app.command()
def revoke(
    which: Annotated[str, typer.Argument(help="A key id, or a branch: its last key before the one in use.")],
    reason: Annotated[str, typer.Option("--reason", help="compromised, superseded or destroyed.")],
    since: Annotated[
        int | None,
        typer.Option(
            "--since", help="Ledger entry from which it counts for nothing; else from now on.", show_default=False
        ),
    ] = None,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Withdraw a key for good. Rotate its branch first.

    A compromised key counts for nothing wherever no trusted time is known: what it signed must be made anew.
    Exit status: 0 done, 2 no such key, in use, or revoked already, 3 not allowed.
    """
    from sealwright.doors.cli import show
    from sealwright.pipeline import revoke_key

    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        done = revoke_key(workspace, which, reason=reason, by=by, since=since)
    facts = {"key": done.key_id, "branch": done.branch, "reason": done.reason, "since": done.since}
    out(as_json, facts, lambda: show.facts(facts))


@app.command()
def split(
    shares: Annotated[int, typer.Option("--shares", help="How many shares to make, 2 to 255.")],
    needed: Annotated[int, typer.Option("--needed", help="How many of them open the root, at least 2.")],
    to: Annotated[Path, typer.Option("--to", help="Folder to write them to, one 0600 file each.")],
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Split the root of all keys among people. Any NEEDED of them recover it together, fewer learn nothing.

    Give each file to another person, then delete it here. Earlier shares keep working.
    """
    from sealwright.doors.cli import show
    from sealwright.doors.settings import read_settings
    from sealwright.doors.share_files import refuse_existing, write_shares
    from sealwright.doors.wiring import unlock_of
    from sealwright.pipeline import split_keys

    settings = read_settings(home=home, key_file=key_file, actor=actor)
    refuse_existing(to, shares)
    unlock = unlock_of(settings)
    with _acting(settings, unlock, person_key) as (workspace, by):
        made = split_keys(workspace, unlock, needed=needed, count=shares, by=by)
    files = [str(path) for path in write_shares(to, made)]
    facts = {"set": made[0].set_id, "needed": needed, "files": files}
    out(as_json, facts, lambda: show.facts({**facts, "files": ", ".join(files)}))


@app.command()
def recover(
    files: Annotated[
        list[str], typer.Argument(metavar="SHARE...", help="Files with shares; - reads lines that are typed.")
    ],
    passphrase: NewPassphrase = False,
    unlock: NewUnlock = None,
    new_key_file: NewKeyFile = None,
    actor: Actor = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Open the root with shares, and put it under a new key file, passphrase, token or service.

    Exit status: 0 done, 2 shares too few or mixed, 4 a share was made up or the keys were changed.
    """
    from sealwright.doors.cli import show
    from sealwright.doors.settings import read_settings
    from sealwright.doors.share_files import read_shares
    from sealwright.doors.wiring import new_unlock_of
    from sealwright.pipeline import recover_keys

    settings = read_settings(home=home, actor=actor)
    shares: tuple[Share, ...] = read_shares(files)
    lock = new_unlock_of(settings, passphrase=passphrase, unlock_file=unlock, key_file=new_key_file)
    facts = {"workspace": recover_keys(settings.home, shares, lock, by=settings.actor), "shares": len(shares)}

    def words() -> None:
        show.facts(facts)
        show.next_step("sealwright keys list")

    out(as_json, facts, words)


@app.command()
def protect(
    passphrase: NewPassphrase = False,
    unlock: NewUnlock = None,
    new_key_file: NewKeyFile = None,
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Put the root under another lock: a passphrase, a key file, a PKCS#11 token, AWS KMS, Vault or OpenBao.

    Exit status: 0 done, 2 a lock that does not open or close; nothing was changed then.
    """
    from sealwright.doors.cli import show
    from sealwright.doors.settings import read_settings
    from sealwright.doors.wiring import new_unlock_of, unlock_of
    from sealwright.pipeline import protect_keys

    settings = read_settings(home=home, key_file=key_file, actor=actor)
    before = unlock_of(settings)
    after = new_unlock_of(settings, passphrase=passphrase, unlock_file=unlock, key_file=new_key_file)
    with _acting(settings, before, person_key) as (workspace, by):
        protect_keys(workspace, before, after, by=by)
        facts = {"workspace": workspace.id, "opened by": str(unlock or new_key_file or "a passphrase")}
    out(as_json, facts, lambda: show.facts(facts))


@app.command()
def follow(
    trust: Annotated[Path, typer.Argument(help="The trust.json that you trust already.")],
    chain: Annotated[Path, typer.Argument(help="The workspace's trust-chain.json.")],
    to: Annotated[Path, typer.Option("--to", help="Write the newest trust root to this file.")],
    at_least: Annotated[
        int, typer.Option("--at-least", help="The highest number seen before; an older chain is refused.")
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Walk from a trust root you trust to the newest one, step by signed step. Needs no workspace and no key.

    Exit status: 0 done, 2 not readable, 4 a step does not hold, or the chain is older than one seen before.
    """
    from sealwright.doors.cli import show
    from sealwright.doors.cli.options import writable
    from sealwright.kernel import read_limited, write_atomically
    from sealwright.trust import TrustRoot, follow_chain, read_chain

    target = writable(to)
    assert target is not None
    known = TrustRoot.from_bytes(read_limited(trust, 1 << 20))
    newest, number = follow_chain(known, read_chain(chain), at_least=at_least)
    write_atomically(target, newest.to_bytes(), mode=0o644)
    facts = {"number": number, "fingerprint": newest.fingerprint, "file": str(target)}
    out(as_json, facts, lambda: show.facts(facts))


@contextmanager
def _acting(settings: "Settings", unlock: "Unlock", person_key: Path | None) -> "Iterator[tuple[Workspace, Principal]]":
    """The workspace, opened by an unlock that is needed again, and so asked for once; and who acts there."""
    from sealwright.doors.acting import acting
    from sealwright.pipeline import open_workspace

    with open_workspace(settings.home, unlock) as workspace:
        yield workspace, acting(workspace, settings, person_key)
