"""A workspace: one organisation's home, opened once and handed to the verbs.

Answers: where do keys, ledger, evidence, snapshots and packages live, and do they belong together?
Does not answer: what to do with them. The steps beside this file do.
"""

import contextlib
import errno
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qsl, urlsplit

from sealwright.engines import Database, open_database
from sealwright.kernel import (
    Clock,
    Conflict,
    InvalidInput,
    NotFound,
    SealwrightError,
    VerificationFailed,
    canonical_json,
    fsync_folder,
    new_id,
    private_folder,
    read_limited,
    rfc3339,
    strict_json,
    system_clock,
    write_atomically,
)
from sealwright.registry import Registry
from sealwright.trust import (
    BackendUnavailable,
    Discretion,
    Event,
    KeyListFile,
    Keyring,
    Ledger,
    LedgerAudit,
    LedgerInUse,
    Signer,
    TrustRoot,
    Unlock,
    create_keyring,
    heed,
    open_keyring,
)

if TYPE_CHECKING:
    from sealwright.evidence import Standing

__all__ = ["Workspace", "create_workspace", "is_workspace", "ledger_origin", "open_workspace", "read_trust_root"]

_ABOUT = "workspace.json"
_FOLDERS = ("snapshots", "packages", "pointers", "serving", "reports", "runs", "people")
_PATIENCE_SECONDS = 5.0  # most commands hold the ledger for less than one
_LOOK_AGAIN_SECONDS = 0.1


@dataclass(slots=True, kw_only=True)
class Workspace:
    """An opened workspace. Use it in a `with` block: keys are dropped and the ledger released at the end."""

    home: Path
    id: str
    name: str
    keyring: Keyring
    db: Database
    clock: Clock
    _ledger: Ledger | None = field(default=None, repr=False)
    _registry: Registry | None = field(default=None, repr=False)
    _signing: Signer | None = field(default=None, repr=False)  # who signs the ledger's checkpoints
    _registry_root: TrustRoot | None = field(default=None, repr=False)
    _discretion: Discretion | None = field(default=None, repr=False)
    _reader: Ledger | None = field(default=None, repr=False)
    known_people: "tuple[int, Mapping[str, Standing]] | None" = field(default=None, repr=False)  # of `permission` alone

    @property
    def trust_root(self) -> TrustRoot:
        """Every key there ever was: for what the ledger has, whose order is a time we trust."""
        return self.keyring.trust_root

    @property
    def standing_root(self) -> TrustRoot:
        """Without the keys that were withdrawn as compromised: for what is signed now, and for what leaves the house.

        Raises
        ------
        VerificationFailed
            The list of revoked keys is missing, older than one seen before, or not ours.
        """
        return heed(self.trust_root, KeyListFile(self.home).read(self.trust_root, now=self.clock()))

    @property
    def ledger(self) -> Ledger:
        """The control ledger, opened at first use: only one program may write to it at a time."""
        return self.hold_ledger()

    def hold_ledger(self) -> Ledger:
        """The control ledger, held from now on. A short command of another program is waited for.

        Raises
        ------
        LedgerInUse
            Another program is at work here for longer than that.
        """
        until, signer = time.monotonic() + _PATIENCE_SECONDS, self.keyring.signer("checkpoints")
        if self._ledger is not None and signer is not self._signing:
            self._ledger.sign_with(signer)  # its key was replaced since
        self._signing = signer
        while self._ledger is None:
            try:
                self._ledger = Ledger.open(
                    self.home / "ledger",
                    origin=ledger_origin(self.id),
                    signer=signer,
                    clock=self.clock,
                    discretion=self.discretion,
                    keys=self.trust_root.keys_of("checkpoints"),  # an earlier one may have signed the newest checkpoint
                )
                self.keyring.on_refusal(self._record_refusal)
            except LedgerInUse:
                if time.monotonic() >= until:
                    raise
                time.sleep(_LOOK_AGAIN_SECONDS)
        return self._ledger

    def _record_refusal(self, branch: str, reason: str) -> None:
        """What the signer did not sign is in the ledger, as far as there is one at hand."""
        if self._ledger is not None:
            event = Event(
                action="signer.sign",
                outcome="failed" if reason == BackendUnavailable.code else "refused",
                resource=f"branch:{branch}",
                reason=reason,
            )
            with contextlib.suppress(SealwrightError):  # the caller hears of the refusal in any case
                LedgerAudit(self._ledger, self.keyring).record(event)

    @property
    def discretion(self) -> Discretion:
        """What keeps names and words of people out of the ledger's lines, and tells them to whoever has the keys."""
        if self._discretion is None:
            self._discretion = Discretion(self.keyring)
        return self._discretion

    def ledger_to_read(self) -> Ledger:
        """The control ledger to look at: the one that is held, else as of its newest checkpoint, which holds nobody up."""
        if self._ledger is not None:
            return self._ledger
        if self._reader is not None:
            self._reader.close()
        self._reader = self.ledger_as_of_now()
        return self._reader

    def ledger_as_of_now(self) -> Ledger:
        """The control ledger as of its newest checkpoint, for the caller to close; also while the key that signs it is replaced.

        Raises
        ------
        VerificationFailed
            It is not what was signed.
        """
        root = self.trust_root
        try:
            return self._opened_to_read(root)
        except VerificationFailed:
            newer = self.trust_root
            if newer is root:
                raise
            return self._opened_to_read(newer)  # its key was replaced between one look and the other

    def _opened_to_read(self, root: TrustRoot) -> Ledger:
        return Ledger.open(
            self.home / "ledger",
            origin=ledger_origin(self.id),
            signer=None,
            clock=self.clock,
            keys=root.keys_of("checkpoints"),
        )

    @property
    def registry(self) -> Registry:
        """Versions, pointers and revocations; it reads the ledger once, and again when a key was replaced."""
        root = self.trust_root
        if self._registry is None or self._registry_root is not root:
            self._registry_root = root
            self._registry = Registry(
                db=self.db, home=self.home, keyring=self.keyring, ledger=self.ledger, clock=self.clock
            )
        return self._registry

    @property
    def registry_to_read(self) -> Registry:
        """Versions, pointers and revocations to look at; it changes nothing and holds nobody up."""
        return Registry(
            db=self.db, home=self.home, keyring=None, ledger=None, clock=self.clock, trust_root=self.trust_root
        )

    def folder(self, name: str) -> Path:
        """One of the workspace's folders, e.g. "snapshots"."""
        return self.home / name

    @contextlib.contextmanager
    def beside(self) -> Iterator["Workspace"]:
        """The same workspace for a job of this process: what it records it records in a ledger that is let go at the end."""
        own = replace(self, _ledger=None, _registry=None, _registry_root=None, _signing=None, _reader=None)
        try:
            yield own
        finally:
            own.let_go()

    def let_go(self) -> None:
        """Let go of the ledgers; what comes next opens them again."""
        if self._ledger is not None:
            self.keyring.on_refusal(None)
            self._ledger.close()
            self._ledger = self._registry = None
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def close(self) -> None:
        self.let_go()
        self.db.close()
        self.keyring.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def ledger_origin(workspace: str) -> str:
    """The name under which the control ledger signs its checkpoints."""
    return f"sealwright/{workspace}/ledger"


def is_workspace(home: Path) -> bool:
    return (home / _ABOUT).is_file()


def create_workspace(
    home: Path, *, name: str, unlock: Unlock, clock: Clock = system_clock, database: str | None = None
) -> Workspace:
    """Make a new workspace, complete or not at all, and open it.

    Parameters
    ----------
    home : Path
        The folder to make; it must not exist, or be empty.
    name : str
        The organisation's name, for people.
    unlock : Unlock
        What will open its keys from now on.
    database : str, optional
        URL of a PostgreSQL database; left out: a SQLite file in the workspace. Its password, if it needs
        one, belongs in the environment or a pgpass file: the URL is stored.

    Raises
    ------
    Conflict
        There is something at `home` already, or the database is that of another workspace.
    InvalidInput
        An unusable name, key file or database URL.
    OperationFailed
        The database does not answer.
    """
    if is_workspace(home):
        raise Conflict(f"{home} is a workspace already. Use it, or choose another folder with --home.")
    if home.exists() and any(home.iterdir()):
        raise Conflict(f"{home} is not empty. Choose an empty or new folder with --home.")
    if not name.strip() or not name.isprintable() or len(name) > 200:
        raise InvalidInput("A workspace needs a name of 1 to 200 printable characters.")
    if database is not None:
        _refuse_password(database)
    workspace = new_id("ws")
    home.parent.mkdir(parents=True, exist_ok=True)
    with _draft_of(home) as draft:
        if database is not None:
            _take_empty(database)
        create_keyring(draft / "keys", workspace, unlock).close()
        for folder in (*_FOLDERS, "ledger"):
            private_folder(draft / folder)
        about = {"format": 1, "id": workspace, "name": name, "created_at": rfc3339(clock()), "database": database}
        with open_keyring(draft / "keys", unlock) as ring:
            ledger = Ledger.open(
                draft / "ledger",
                origin=ledger_origin(workspace),
                signer=ring.signer("checkpoints"),
                clock=clock,
                create=True,
            )
            ledger.append("workspace.created", ring.trust_root.fingerprint, {"workspace": workspace})
            ledger.close()
        write_atomically(draft / _ABOUT, canonical_json(about))
    return open_workspace(home, unlock, clock=clock)


def open_workspace(home: Path, unlock: Unlock, *, clock: Clock = system_clock) -> Workspace:
    """Open a workspace with its passphrase or key file.

    Raises
    ------
    NotFound
        There is no workspace at `home`.
    Refused, WrongUnlock, KeyFileUnsafe
        Others can enter the folder; the wrong passphrase or key; a key file others can read.
    VerificationFailed
        Keys and workspace do not belong together, or a file was changed.
    """
    about = _about(home)
    private_folder(home)
    keyring = open_keyring(home / "keys", unlock)
    try:
        if keyring.trust_root.workspace != about["id"]:
            raise VerificationFailed(
                f"{_ABOUT} says {about['id']}, the keys are those of {keyring.trust_root.workspace}.\n"
                "One of the two was replaced; restore the whole workspace from one backup.",
                link=_ABOUT,
            )
        db = open_database(about["database"] or f"sqlite:///{home.resolve() / 'db.sqlite'}")
    except BaseException:
        keyring.close()
        raise
    return Workspace(home=home, id=about["id"], name=about["name"], keyring=keyring, db=db, clock=clock)


def read_trust_root(home: Path) -> TrustRoot:
    """Every public key of a workspace, without opening its secret ones."""
    _about(home)
    return TrustRoot.from_bytes(read_limited(home / "keys" / "trust.json", 1 << 20))


def _about(home: Path) -> dict[str, str]:
    if not is_workspace(home):
        raise NotFound(
            f"There is no workspace at {home}.\n"
            "Make one with: sealwright workspace create   (or name one with --home or SEALWRIGHT_HOME)"
        )
    about = strict_json(read_limited(home / _ABOUT, 1 << 16), what=_ABOUT)
    if not isinstance(about, dict) or about.get("format") != 1 or not {"id", "name", "database"} <= set(about):
        raise VerificationFailed(f"{home / _ABOUT} is not a workspace file of format 1.", link=_ABOUT)
    return about


def _refuse_password(url: str) -> None:
    """The URL is stored and shown; a secret in it would be, too."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise InvalidInput("--database is not a URL. Give one like postgresql+psycopg://user@host/name.") from None
    asked = {name.lower() for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    if parts.password is not None or asked & {"password", "sslpassword"}:
        raise InvalidInput(
            "The database URL holds a password. Put it in PGPASSWORD or a pgpass file: the URL is stored."
        )


def _take_empty(url: str) -> None:
    """See that the database answers and holds nothing of another workspace, before anything is made."""
    db = open_database(url)
    try:
        with db.read() as tx:
            taken = tx.run("SELECT 1 AS n FROM statements LIMIT 1") or tx.run("SELECT 1 AS n FROM runs LIMIT 1")
    finally:
        db.close()
    if taken:
        raise Conflict(
            "This database holds the facts of another workspace. Give this one a database or schema of its own."
        )


@contextlib.contextmanager
def _draft_of(home: Path) -> Iterator[Path]:
    """A private folder beside `home` that takes its place when all went well, and vanishes otherwise."""
    draft = private_folder(home.with_name(f".{home.name}.{secrets.token_hex(4)}.draft"))
    try:
        yield draft
        try:
            if home.exists():
                home.rmdir()
            os.rename(draft, home)  # noqa: PTH104 - refuses a folder that is not empty, which is what we rely on
        except OSError as error:
            if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
                raise
            raise Conflict(
                f"Somebody put something into {home} at the same moment. Look at it, then try again."
            ) from None
        fsync_folder(home.parent)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
