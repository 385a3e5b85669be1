"""Verbs of proof: verify, export."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sealwright.doors.cli.options import Actor, AsJson, Home, KeyFileOption, PersonKey, acting_at, out, say

if TYPE_CHECKING:
    from sealwright.trust import TrustRoot

__all__ = ["add_to", "trust_root_of"]

_PANEL = "Prove"


def add_to(app: typer.Typer) -> None:
    app.command(rich_help_panel=_PANEL)(verify)
    app.command(rich_help_panel=_PANEL)(export)


def verify(
    what: Annotated[str, typer.Argument(help="A file, a folder, or an https:// address.")],
    trust: Annotated[
        Path | None,
        typer.Option(
            "--trust",
            help="The organisation's trust.json. Also SEALWRIGHT_TRUST; else this machine's workspace.",
            show_default=False,
        ),
    ] = None,
    fingerprint: Annotated[
        str | None, typer.Option("--fingerprint", help="Fingerprint the trust root must have.", show_default=False)
    ] = None,
    request: Annotated[
        Path | None, typer.Option("--request", help="For a receipt: the exact request it answers.", show_default=False)
    ] = None,
    proof: Annotated[
        Path | None,
        typer.Option(
            "--proof", help="For a receipt: the proof of its entry, as the server gives it.", show_default=False
        ),
    ] = None,
    ca: Annotated[
        Path | None, typer.Option("--cacert", help="For an address: the CA to believe.", show_default=False)
    ] = None,
    revoked_keys: Annotated[
        Path | None,
        typer.Option(
            "--revoked-keys", help="The organisation's key-revocations.json: keys not to believe.", show_default=False
        ),
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Verify a package, receipt, ledger, snapshot, statement or evidence bundle. Offline; needs no workspace and no key.

    Says what was checked and what was not. Nothing is believed but the trust root you bring.
    Exit status: 0 it holds, 2 nothing to verify with or not evidence, 4 it does not hold.
    """
    from sealwright.doors.cli import show
    from sealwright.kernel import InvalidInput, read_limited, system_clock
    from sealwright.pipeline import verify_bytes, verify_path

    root = trust_root_of(trust, fingerprint, home, revoked_keys)
    sent = read_limited(request, 64 << 20) if request is not None else None
    shown = read_limited(proof, 1 << 20) if proof is not None else None
    if what.startswith(("https://", "http://")):
        from sealwright.doors.fetch import fetch

        found = verify_bytes(fetch(what, ca=ca), root, now=system_clock(), request=sent, proof=shown)
    else:
        path = Path(what)
        if not path.exists():
            raise InvalidInput(f"There is nothing at {path}. Give a file, a folder or an https:// address.")
        found = verify_path(path, root, now=system_clock(), request=sent, proof=shown)

    def words() -> None:
        show.title(f"This {found.kind} holds")
        show.facts(found.facts)
        say("\nChecked:")
        for line in found.checked:
            say(f"  + {show.safe(line)}")
        say("Not checked:")
        for line in found.not_checked:
            say(f"  - {show.safe(line)}")
        for line in found.remarks:
            say(f"  ! {show.safe(line)}")
        show.facts({"trust root": f"{root.workspace}, fingerprint {root.fingerprint}"})

    out(as_json, {**found.to_json(), "trust_root": root.fingerprint}, words)


def export(
    project: Annotated[str, typer.Argument(help="Project name.")],
    number: Annotated[int, typer.Argument(min=1, help="Version number.")],
    to: Annotated[Path, typer.Option("--to", help="Folder to write to.")],
    actor: Actor = None,
    person_key: PersonKey = None,
    home: Home = None,
    key_file: KeyFileOption = None,
    as_json: AsJson = False,
) -> None:
    """Write what an auditor needs: the evidence bundle, the trust root, and a verifier in one file.

    The verifier needs only Python and the package `cryptography`: python sealwright_verify.py BUNDLE --trust trust.json
    """
    from importlib.resources import files

    from sealwright.doors.cli import show
    from sealwright.kernel import InvalidInput, write_atomically
    from sealwright.pipeline import export_bundle

    if to.exists() and not to.is_dir():
        raise InvalidInput(f"{to} is a file. Name a folder to write to.")
    with acting_at(home, key_file, actor, person_key) as (workspace, by):
        bundle = export_bundle(workspace, project, number, to / f"{project}-v{number}.evidence.json", by=by)
        root = workspace.trust_root
    write_atomically(to / "trust.json", root.to_bytes(), mode=0o644)
    verifier = files("sealwright.oversight").joinpath("auditor", "sealwright_verify.py").read_bytes()
    write_atomically(to / "sealwright_verify.py", verifier, mode=0o644)
    facts = {
        "bundle": str(bundle),
        "trust root": str(to / "trust.json"),
        "fingerprint": root.fingerprint,
        "verifier": str(to / "sealwright_verify.py"),
    }

    def words() -> None:
        show.facts(facts)
        say("Tell the auditor the fingerprint by another way than these files.")
        show.next_step(f"sealwright verify {bundle} --trust {to / 'trust.json'}")

    out(as_json, facts, words)


def trust_root_of(
    trust: Path | None, fingerprint: str | None, home: Path | None, revoked_keys: Path | None = None
) -> "TrustRoot":
    """The public keys to believe: named, or those of this machine's workspace; never those beside the evidence."""
    import os

    from sealwright.doors.settings import read_settings
    from sealwright.kernel import Refused, read_limited, system_clock
    from sealwright.pipeline import is_workspace, trust_root_from
    from sealwright.trust import KeyListFile, heed

    named = trust or (Path(os.environ["SEALWRIGHT_TRUST"]) if os.environ.get("SEALWRIGHT_TRUST") else None)
    if named is None:
        settings = read_settings(home=home)
        if not is_workspace(settings.home):
            raise Refused(
                "Whom should this be verified against? Name the organisation's trust root with --trust trust.json,\n"
                "and its fingerprint, learned by another way, with --fingerprint. Keys that lie beside the evidence prove nothing."
            )
        root = trust_root_from(read_limited(settings.home / "keys" / "trust.json", 1 << 20), fingerprint)
        if revoked_keys is None:
            return heed(root, KeyListFile(settings.home).read(root, now=system_clock()))
        named = settings.home / "keys" / "trust.json"
    listed = read_limited(revoked_keys, 1 << 20) if revoked_keys is not None else None
    return trust_root_from(read_limited(named, 1 << 20), fingerprint, listed)
