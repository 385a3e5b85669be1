"""Taking new checkpoints to the anchors: on time and on count, again after a failure, and never twice in vain.

Answers: which ledger is anchored up to where, what is behind, and did an anchor contradict us?
Does not answer: what to do when one does. Whoever runs this hears of it (`told`) and raises the alarm.

It only reads the ledgers, so it runs beside whatever writes them. An idle ledger is taken to the witnesses again every
`refresh`: they sign the same tree with a new time, which shows an auditor that it is no old state.
What happens here is no entry of the ledger: each entry would make the next checkpoint, and that the next entry.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from sealwright.kernel import Clock, SealwrightError, VerificationFailed, system_clock
from sealwright.pipeline.anchor_settings import AnchorSettings, BucketAt, StamperAt, WitnessAt, read_anchors
from sealwright.pipeline.workspace import ledger_origin, read_trust_root
from sealwright.serving import decision_origin
from sealwright.trust import (
    AnchorStore,
    Checkpoint,
    Ledger,
    PublicKey,
    TrustRoot,
    WitnessDisagrees,
    ask_witness,
    cosignatures_of,
    request_timestamp,
    verify_timestamp,
)

__all__ = ["Anchoring", "LedgerAt", "Taken", "door_log", "ledgers_of"]

_Kind = Literal["witness", "timestamp", "bucket", "ledger"]  # "ledger": it could not even be read
_Known = tuple[_Kind, int, datetime | None]  # entries it has seen, and when
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 600.0  # seconds between tries that fail
_LOOK_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class LedgerAt:
    """One ledger of a workspace."""

    folder: Path
    origin: str
    branch: str  # of the keys that sign it


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What came of taking a ledger to an anchor."""

    ledger: str  # origin
    kind: _Kind
    anchor: str
    size: int  # entries of the ledger now
    anchored: int  # entries under the newest anchored checkpoint; 0: none
    at: datetime | None  # when it was anchored, by the anchor's clock
    outcome: Literal["done", "fresh", "later", "failed", "disagrees"]
    why: str = ""

    @property
    def behind(self) -> int:
        """Entries no anchor of this kind has seen."""
        return self.size - self.anchored


def door_log(home: Path, workspace: str) -> LedgerAt:
    """Where the control server records what it refused at its door (docs/adr/0014)."""
    return LedgerAt(home / "serving" / "control-ledger", f"sealwright/{workspace}/control", "checkpoints")


def ledgers_of(home: Path, trust_root: TrustRoot) -> Iterator[LedgerAt]:
    """The control ledger, that of the control server's door, and that of every served channel."""
    workspace = trust_root.workspace
    yield LedgerAt(home / "ledger", ledger_origin(workspace), "checkpoints")
    door = door_log(home, workspace)
    if (door.folder / "checkpoints.log").is_file():
        yield door
    serving = home / "serving"
    for project in sorted(serving.iterdir()) if serving.is_dir() else ():
        for channel in sorted(project.iterdir()) if project.is_dir() else ():
            if (channel / "ledger" / "checkpoints.log").is_file():
                origin = decision_origin(workspace, project.name, channel.name)
                yield LedgerAt(channel / "ledger", origin, "decision-checkpoints")


class Anchoring:
    """Takes the ledgers of one workspace to its anchors. One at a time; `run` is for a thread of its own."""

    def __init__(
        self,
        home: Path,
        *,
        seconds: float = 60.0,
        entries: int = 1000,
        refresh: timedelta = timedelta(hours=1),
        stamps: timedelta = timedelta(hours=1),
        clock: Clock = system_clock,
        monotonic: Callable[[], float] = time.monotonic,
        told: Callable[[Taken], None] = lambda _taken: None,
    ) -> None:
        """Look after the workspace at `home`.

        Parameters
        ----------
        seconds, entries : float, int
            A new checkpoint is taken to witnesses and buckets after so long, or once it has so many new entries.
        refresh : timedelta
            How old a witness's word on an idle ledger may get.
        stamps : timedelta
            How often a time stamp is asked for, at most; none for a ledger that did not grow.
        told : callable
            Hears of every outcome but "fresh" and "later".
        """
        self._home, self._clock, self._monotonic, self._told = home, clock, monotonic, told
        self._seconds, self._entries, self._refresh, self._stamps = seconds, entries, refresh, stamps
        self._locked: dict[tuple[str, str], tuple[int, datetime | None]] = {}  # ledger, bucket -> size, when
        self._tried: dict[tuple[str, str], tuple[float, float]] = {}  # ledger, anchor -> not before, next pause

    def run(self, stop: threading.Event) -> None:
        """Go round until `stop`, every few seconds; a look at which nothing is due costs a look at some files."""
        while not stop.wait(min(_LOOK_SECONDS, self._seconds)):
            try:
                self.round()
            except (SealwrightError, OSError) as error:  # the settings or the public keys could not be read
                self._told(_unread("", error))

    def round(self, *, now: bool = False) -> list[Taken]:
        """Go to every anchor that is due, or with `now` to every one that has not seen the newest checkpoint.

        An anchor that fails never keeps the others from being asked; failures are in what is returned.
        """
        settings = read_anchors(self._home)
        if not settings.all:
            return []
        trust_root = read_trust_root(self._home)
        done: list[Taken] = []
        for place in ledgers_of(self._home, trust_root):
            for one in self._of_ledger(settings, place, trust_root.keys_of(place.branch), now=now):
                done.append(one)
                if one.outcome not in ("fresh", "later"):
                    self._told(one)
        return done

    def look(self) -> list[Taken]:
        """What each anchor has seen of each ledger, as far as it is kept here; nobody is asked."""
        settings, trust_root = read_anchors(self._home), read_trust_root(self._home)
        done: list[Taken] = []
        for place in ledgers_of(self._home, trust_root):
            with Ledger.open(
                place.folder, origin=place.origin, signer=None, keys=trust_root.keys_of(place.branch)
            ) as ledger:
                done += [self._state(one, AnchorStore(place.folder), place.origin, ledger.size) for one in settings.all]
        return done

    def _of_ledger(
        self, settings: AnchorSettings, place: LedgerAt, keys: Sequence[PublicKey], *, now: bool
    ) -> Iterator[Taken]:
        try:
            with Ledger.open(place.folder, origin=place.origin, signer=None, keys=keys) as ledger:
                yield from self._each(settings, place, ledger, now=now)
        except (SealwrightError, OSError) as error:
            yield _unread(place.origin, error)

    def _each(self, settings: AnchorSettings, place: LedgerAt, ledger: Ledger, *, now: bool) -> Iterator[Taken]:
        store = AnchorStore(place.folder)
        for one in settings.all:
            state = self._state(one, store, place.origin, ledger.size)
            due = now or self._is_due(state)
            fresh = state.behind == 0 and state.at is not None and (state.kind != "witness" or not due)
            held = not now and self._monotonic() < self._tried.get((place.origin, one.name), (0.0, 0.0))[0]
            if fresh or held or not due:
                yield replace(state, outcome="fresh" if fresh else "later")
            else:
                yield self._take(one, state, store, ledger)

    def _is_due(self, state: Taken) -> bool:
        if state.at is None:
            return True
        age = self._clock() - state.at
        if state.behind < 0:
            return True
        if state.kind == "timestamp":
            return state.behind > 0 and age >= self._stamps
        if state.behind > 0:
            return age >= timedelta(seconds=self._seconds) or state.behind >= self._entries
        return state.kind == "witness" and age >= self._refresh

    def _state(self, one: WitnessAt | StamperAt | BucketAt, store: AnchorStore, origin: str, size: int) -> Taken:
        """What this anchor has seen of a ledger, as far as it is kept here."""
        kind, before, at = self._known(one, store, origin)
        return Taken(ledger=origin, kind=kind, anchor=one.name, size=size, anchored=before, at=at, outcome="fresh")

    def _known(self, one: WitnessAt | StamperAt | BucketAt, store: AnchorStore, origin: str) -> _Known:
        if isinstance(one, WitnessAt):
            for note in store.cosigned():
                said = cosignatures_of(note, [one.key]).get(one.name)
                if said is not None:
                    return "witness", Checkpoint.parse_note(note).size, said.at
            return "witness", 0, None
        if isinstance(one, StamperAt):
            last = store.last_stamp(one.authority.fingerprint)
            if last is None:
                return "timestamp", 0, None
            return "timestamp", last.size, verify_timestamp(last.token, last.note, one.authority)
        size, when = self._locked.get((origin, one.name), (0, None))
        return "bucket", size, when

    def _take(self, one: WitnessAt | StamperAt | BucketAt, taken: Taken, store: AnchorStore, ledger: Ledger) -> Taken:
        note, place = ledger.checkpoint(), (taken.ledger, one.name)
        try:
            at = self._clock()
            if taken.behind < 0:
                raise WitnessDisagrees(
                    f"{one.name} has seen {taken.anchored} entries of {taken.ledger}; here are {taken.size}: the end was cut"
                    " off, or an older state was restored. Restore the newest state.",
                    link=f"{taken.kind} at size {taken.anchored}",
                )
            if isinstance(one, WitnessAt):
                before = store.cosigned_at(ledger.size)  # others may have signed it already; their lines stay
                shown = before if before is not None and before.startswith(note) else note
                cosigned = ask_witness(one.address, one.key, shown, ledger.consistency, old=taken.anchored)
                store.keep_cosigned(cosigned)
                at = cosignatures_of(cosigned, [one.key])[one.name].at
            elif isinstance(one, StamperAt):
                token = request_timestamp(one.address, note, one.authority, clock=self._clock)
                store.keep_stamp(note, one.authority.fingerprint, token)
            else:
                one.store.put(note, now=at)
                self._locked[place] = (ledger.size, at)
        except (SealwrightError, OSError) as error:
            pause = max(_FIRST_PAUSE, self._tried.get(place, (0.0, 0.0))[1])
            self._tried[place] = (self._monotonic() + pause, min(2 * pause, _LONGEST_PAUSE))
            outcome: Literal["failed", "disagrees"] = "disagrees" if isinstance(error, WitnessDisagrees) else "failed"
            return replace(taken, outcome=outcome, why=str(error))
        self._tried.pop(place, None)
        return replace(taken, outcome="done", anchored=ledger.size, at=at)


def _unread(ledger: str, error: Exception) -> Taken:
    """A ledger that could not be read, or not as what was signed."""
    return Taken(
        ledger=ledger, kind="ledger", anchor="", size=0, anchored=0, at=None, why=str(error),
        outcome="disagrees" if isinstance(error, VerificationFailed) else "failed",
    )  # fmt: skip
