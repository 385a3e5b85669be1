"""What a witness keeps: its own key, the logs it knows, and per log the last checkpoint it cosigned.

witness.json     name and private key, made at the first start (0600)
logs/            trust.json of each workspace it knows, as `<workspace>.trust.json`
seen/            per log the newest cosigned checkpoint, as `<sha256 of the origin>.checkpoint`
conflicts/       checkpoints a log signed that contradict each other: proof of a fork
lock             held by the one process that cosigns

Answers: what has this witness seen?
Does not answer: what it should cosign (`service`).
"""

from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from sealwright.kernel import (
    Conflict,
    InvalidInput,
    NotFound,
    VerificationFailed,
    canonical_json,
    private_folder,
    read_limited,
    strict_json,
    write_atomically,
)
from sealwright.trust.ledger_file import LedgerInUse, hold_lock
from sealwright.trust.public_keys import ED25519, PublicKey
from sealwright.trust.signers import LocalSigner, new_secret
from sealwright.trust.trust_root import TrustRoot
from sealwright.trust.witness.cosignature import Cosigner

__all__ = ["WitnessState"]

_MOST_TRUST, _MOST_NOTE, _MOST_CONFLICTS = 256 * 1024, 256 * 1024, 100
_TYPE = "sealwright.witness"


class WitnessState:
    """The folder of a witness."""

    def __init__(self, folder: Path) -> None:
        self.folder = private_folder(folder)
        for name in ("logs", "seen", "conflicts"):
            private_folder(folder / name)

    def cosigner(self, name: str = "") -> Cosigner:
        """The witness's own key; made at the first call, under `name`.

        Raises
        ------
        Conflict
            It exists under another name.
        VerificationFailed
            The file is not one we wrote.
        """
        path = self.folder / "witness.json"
        if not path.exists():
            called, secret = name or "sealwright-witness", new_secret(ED25519)
            Cosigner(called, LocalSigner(ED25519, secret))  # refuses a name that cannot be one
            fields = {"format": 1, "type": _TYPE, "name": called, "secret": secret.hex()}
            write_atomically(path, canonical_json(fields))
        try:
            said = strict_json(read_limited(path, 4096), what="witness.json")
            if set(said) != {"format", "type", "name", "secret"} or (said["format"], said["type"]) != (1, _TYPE):
                raise InvalidInput("other fields")
            cosigner = Cosigner(said["name"], LocalSigner(ED25519, bytes.fromhex(said["secret"])))
        except (InvalidInput, ValueError, TypeError, AttributeError):
            raise VerificationFailed(f"{path} is not as a witness wrote it.", link="witness.json") from None
        if name and cosigner.key.name != name:
            raise Conflict(f"This witness is called {cosigner.key.name}. A witness keeps its name; leave --name out.")
        return cosigner

    def hold(self) -> int:
        """Take the lock of the one process that cosigns.

        Raises
        ------
        LedgerInUse
            Another process has it.
        """
        try:
            return hold_lock(self.folder / "lock")
        except LedgerInUse:
            raise LedgerInUse(f"Another witness is running from {self.folder}. Only one may.") from None

    # ---- logs it knows

    def add(self, trust: bytes) -> TrustRoot:
        """Know the logs of a workspace by its trust.json; a newer one of the same workspace takes the place of the old.

        Raises
        ------
        VerificationFailed
            Not a trust root.
        Conflict
            A known key of the workspace's logs is missing in it: that is another workspace, or an older file.
        """
        root = TrustRoot.from_bytes(trust)
        path = self.folder / "logs" / f"{root.workspace}.trust.json"
        if path.exists():
            before = TrustRoot.from_bytes(read_limited(path, _MOST_TRUST))
            for branch in ("checkpoints", "decision-checkpoints"):
                if not set(before.keys.get(branch, ())) <= set(root.keys.get(branch, ())):
                    raise Conflict(
                        f"This trust.json lacks a key of {root.workspace} that was known before. Add the newest one;"
                        f" if the workspace was made anew on purpose, remove {path.name} first."
                    )
        write_atomically(path, trust)
        return root

    def keys_for(self, origin: str) -> tuple[PublicKey, ...]:
        """Keys that may sign for the log `origin`; none if it is unknown."""
        for root in self.known():
            prefix = f"sealwright/{root.workspace}/"
            if origin == f"{prefix}ledger":
                return root.keys.get("checkpoints", ())
            if origin.startswith(f"{prefix}decisions/"):
                return root.keys.get("decision-checkpoints", ())
        return ()

    def known(self) -> Iterator[TrustRoot]:
        """The workspaces it knows, read anew: `add` may come while it runs."""
        for path in sorted((self.folder / "logs").glob("*.trust.json")):
            yield TrustRoot.from_bytes(read_limited(path, _MOST_TRUST))

    # ---- what it saw

    def seen(self, origin: str) -> bytes | None:
        """The newest checkpoint it cosigned for a log."""
        path = self._path(origin)
        return read_limited(path, _MOST_NOTE) if path.exists() else None

    def keep(self, origin: str, note: bytes) -> None:
        """Remember a cosigned checkpoint; on disk when this returns."""
        write_atomically(self._path(origin), note)

    def all_seen(self) -> list[bytes]:
        """The newest cosigned checkpoint of every log."""
        return [read_limited(path, _MOST_NOTE) for path in sorted((self.folder / "seen").glob("*.checkpoint"))]

    def newest(self, origin: str) -> bytes:
        """As `seen`.

        Raises
        ------
        NotFound
            It never cosigned for that log.
        """
        found = self.seen(origin)
        if found is None:
            raise NotFound(f"This witness has cosigned nothing for the log {origin[:200]!r}.")
        return found

    def keep_conflict(self, origin: str, note: bytes) -> None:
        """Keep what contradicts a cosigned checkpoint: whoever signed both has forked the log."""
        folder = self.folder / "conflicts"
        path = folder / f"{sha256(origin.encode()).hexdigest()[:16]}-{sha256(note).hexdigest()[:16]}.checkpoint"
        with suppress(OSError):  # evidence, not a condition: the answer is no either way
            if not path.exists() and len(list(folder.iterdir())) < _MOST_CONFLICTS:
                write_atomically(path, note)

    def _path(self, origin: str) -> Path:
        return self.folder / "seen" / f"{sha256(origin.encode()).hexdigest()}.checkpoint"
