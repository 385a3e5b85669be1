"""Where the scored files of a channel are recorded: a ledger beside the one its servers write, and the release that answers.

Answers: which version answers now, and is a batch on record?
Does not answer: what is done with the answers. Whoever asked takes them once `record` has returned.

The release is verified as a server does it, and the newest one that was seen is remembered as a server does. A rollout is not
taken part in: files are answered by the champion, so that all rows of one are answered alike.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from sealwright.kernel import Clock, Refused
from sealwright.serving.book import open_ledger
from sealwright.serving.holder import Holder
from sealwright.serving.places import decision_origin, scored_channel
from sealwright.serving.problems import NotReady
from sealwright.serving.scoring.records import RowAnswers, batch_entry
from sealwright.serving.served import Served
from sealwright.trust import SCORED, Discretion, LedgerEntry, PublicKey, Signer, TrustRoot

__all__ = ["NothingServes", "ScoringPlace"]

_ACTOR = "score"
_MOST_ROWS = 1000  # of what only servers use


class NothingServes(Refused):
    """What was released has expired, or was revoked or changed."""

    code = "scoring.nothing_serves"


class ScoringPlace:
    """One channel's place for scored files, held by one process. Use it in a `with` block."""

    def __init__(
        self,
        *,
        home: Path,
        project: str,
        channel: str,
        trust_root: TrustRoot,
        signer: Signer,
        keys: Sequence[PublicKey],
        sealing_key: bytes,
        discretion: Discretion,
        clock: Clock,
    ) -> None:
        """Open the ledger, and verify and load the release.

        Parameters
        ----------
        signer, keys
            Who signs the ledger's heads, and everybody who may have.
        sealing_key : bytes
            keyring.key("decisions", DECISION_KEY_PURPOSE).
        discretion : Discretion
            Makes a pseudonym of who scores.

        Raises
        ------
        LedgerInUse
            Somebody scores on this channel just now.
        VerificationFailed
            There is no release, or it, the ledger or the state beside it does not hold.
        """
        name = scored_channel(channel)
        self._key, self._place, self._clock = sealing_key, name, clock
        origin = decision_origin(trust_root.workspace, project, name)
        state, self.ledger = open_ledger(home, origin, (project, name), signer, keys, clock, discretion=discretion)
        try:
            self._holder = Holder(
                home=home,
                project=project,
                channel=channel,
                trust_root=trust_root,
                state=state,
                clock=clock,
                most_rows=_MOST_ROWS,
                note=lambda action, subject, detail: self.note(action, subject, detail),
            )
            self._holder.start()
        except BaseException:
            self.ledger.close()
            raise

    def serving(self) -> Served:
        """The version that answers now; whatever changed meanwhile is taken note of first.

        Raises
        ------
        NothingServes
            None may answer: the release has expired, or something was revoked.
        """
        self._holder.refresh()
        try:
            return self._holder.serving()
        except NotReady:
            raise NothingServes(
                f"No version may answer on this channel now: {self._holder.not_ready()}.\n"
                "Put one into service again (sealwright promote), then give the same command: it goes on."
            ) from None

    def sign_with(self, signer: Signer) -> None:
        """Have the ledger's heads signed by the key in use, after a rotation."""
        self.ledger.sign_with(signer)

    def note(self, action: str, subject: str, detail: Mapping[str, object], actor: str = _ACTOR) -> None:
        """Write an event of the scoring itself, durably.

        Raises
        ------
        LedgerUnavailable
            The ledger could not take it.
        """
        self.ledger.append(action, subject, detail, actor=actor)

    def record(self, rows: RowAnswers, *, actor: str) -> int:
        """Put a batch on record; it is on disk and under a signed checkpoint when this returns the index of its entry.

        Raises
        ------
        InvalidInput
            Its records are too large for one entry: take fewer rows at once.
        LedgerUnavailable
            It is not on record: disk full, read-only. Its answers must not be given.
        """
        place = f"{self._place}/{self._clock().date().isoformat()}"
        return self.ledger.submit(batch_entry(rows, self._key, place, actor=actor)).result().index

    def batches_of(self, job: str, after: int) -> Iterator[LedgerEntry]:
        """The entries of a job's batches that stand behind entry `after`."""
        for entry in self.ledger.entries(after + 1):
            if entry.action == SCORED and entry.detail["job"] == job:
                yield entry

    def close(self) -> None:
        """Let the next one in."""
        self.ledger.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
