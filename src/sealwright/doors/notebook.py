"""The Python API: the same verbs as the command line, on objects.

import sealwright as sw

sw.init("credit", data="german_credit.csv", target="outcome", positive="good")
ws = sw.open("my-workspace", create=True)
snapshot = ws.ingest("credit")
model = ws.train("credit")
suites = ws.assess("credit")
decision = ws.gate("credit")
version = ws.seal("credit")
"""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from sealwright.data import FileSource, S3Source, SqlSource
from sealwright.doors.acting import acting
from sealwright.doors.asked import risk_class_named, writable
from sealwright.doors.reports import write_report
from sealwright.doors.served import served_at
from sealwright.doors.settings import Settings, person_unlock, read_settings
from sealwright.doors.wiring import open_or_create, open_workspace_at, spread_of
from sealwright.evidence import GateDecision
from sealwright.kernel import Progress, read_limited, silent, system_clock
from sealwright.pipeline import (
    Approved,
    Assessed,
    Attested,
    Begun,
    Comparison,
    Enrolled,
    Ingested,
    Scored,
    Sealed,
    Trained,
    Verified,
    Way,
    begin_project,
    comparison_kind,
    enrol,
    export_bundle,
    is_workspace,
    list_versions,
    load_project,
    pointer_history,
    receipt_of_row,
    run_way,
    trust_root_from,
    verify_path,
)
from sealwright.pipeline import Workspace as OpenedWorkspace
from sealwright.pipeline import approve as approve_package
from sealwright.pipeline import assess as assess_model
from sealwright.pipeline import attest as attest_check
from sealwright.pipeline import decide as ask_gate
from sealwright.pipeline import ingest as ingest_data
from sealwright.pipeline import promote as promote_version
from sealwright.pipeline import revoke as revoke_version
from sealwright.pipeline import rollback as roll_back
from sealwright.pipeline import score as score_source
from sealwright.pipeline import seal as seal_package
from sealwright.pipeline import train as train_model
from sealwright.registry import PointerFacts, Version
from sealwright.trust import Principal

if TYPE_CHECKING:
    from sealwright.doors.notebook_decisions import Decisions
    from sealwright.doors.notebook_rollout import Rollout

__all__ = ["Workspace", "init", "open", "verify"]


class Workspace:
    """An opened workspace. `project` is always the folder that holds `sealwright.yaml`, or that file."""

    def __init__(
        self, opened: OpenedWorkspace, settings: Settings, progress: Progress, person_key: Path | None = None
    ) -> None:
        self._opened = opened
        self._person_key = person_key
        self._settings = settings
        self._progress = progress

    @property
    def home(self) -> Path:
        """The workspace's folder."""
        return self._opened.home

    @property
    def fingerprint(self) -> str:
        """What verifiers compare the trust root with."""
        return self._opened.trust_root.fingerprint

    @property
    def trust(self) -> bytes:
        """The public keys, as trust.json holds them."""
        return self._opened.trust_root.to_bytes()

    def ingest(self, project: str | Path) -> Ingested:
        """Take the data into an encrypted snapshot; rows that break the contract go to quarantine."""
        return ingest_data(self._opened, load_project(Path(project)), by=self._by(), progress=self._progress)

    def train(self, project: str | Path) -> Trained:
        """Train in a confined child process, to ONNX with measured parity."""
        return train_model(self._opened, load_project(Path(project)), by=self._by(), progress=self._progress)

    def assess(
        self, project: str | Path, *, full: bool = False, engine: str = "auto", workers: int | None = None
    ) -> Assessed:
        """Judge the model: one signed statement per suite.

        Parameters
        ----------
        full : bool
            Also the checks that take minutes, as `assurance.depth: full` asks for.
        engine : str
            Where checks are carried out: auto, local, processes, ray or ray://HOST:PORT. The statements are the same.
        workers : int, optional
            How many; left out: one for each core.
        """
        wanted = load_project(Path(project))
        return assess_model(
            self._opened,
            wanted.at_full_depth() if full else wanted,
            by=self._by(),
            progress=self._progress,
            spread=spread_of(engine, workers),
        )

    def compare(
        self,
        project: str | Path,
        what: str = "fairness",
        *,
        only: Sequence[str] | None = None,
        to: str | Path | None = None,
    ) -> Comparison:
        """Train other ways to make the model and judge them on the same rows; nothing is filed. `to`: also write a page."""
        from sealwright.doors.comparing import comparison_of, write_comparison

        target = writable(Path(to)) if to is not None else None
        found = comparison_of(
            self._opened,
            load_project(Path(project)),
            what,
            only=only,
            by=self._by(),
            progress=self._progress,
        )
        if target is not None:
            write_comparison(found, comparison_kind(what), self._opened.clock(), target)
        return found

    def gate(self, project: str | Path) -> GateDecision:
        """Ask the policy; the decision carries every reason. It raises only where you may not see the project."""
        return ask_gate(self._opened, load_project(Path(project)), by=self._by()).decision

    def enrol(self, name: str, roles: Sequence[str], *, person_key: str | Path | None = None) -> Enrolled:
        """Enrol a person with a key of their own; without `person_key` a passphrase is asked."""
        unlock = person_unlock(name, Path(person_key) if person_key else None, new=True)
        return enrol(self._opened, name, roles, unlock, by=self._by())

    def approve(
        self,
        project: str | Path,
        *,
        person: str,
        role: str,
        reason: str,
        person_key: str | Path | None = None,
        policy_change: bool = False,
    ) -> Approved:
        """Sign, as a person, for exactly the package of the last run; or that its policy may ask for less."""
        unlock = person_unlock(person, Path(person_key) if person_key else None, new=False)
        return approve_package(
            self._opened,
            load_project(Path(project)),
            person=person,
            unlock=unlock,
            role=role,
            reason=reason,
            policy_change=policy_change,
        )

    def attest(
        self,
        project: str | Path,
        check: str,
        *,
        person: str,
        role: str,
        reason: str,
        person_key: str | Path | None = None,
    ) -> Attested:
        """Give a person's word for a check that could not be measured."""
        unlock = person_unlock(person, Path(person_key) if person_key else None, new=False)
        return attest_check(
            self._opened,
            load_project(Path(project)),
            person=person,
            unlock=unlock,
            check=check,
            role=role,
            reason=reason,
        )

    def seal(self, project: str | Path) -> Sealed:
        """Seal and register, if the gate lets it through; else raises `GateBlocked` with every reason."""
        return seal_package(self._opened, load_project(Path(project)), by=self._by())

    def run(self, project: str | Path, *, fresh: bool = False) -> Way:
        """Every step that is still to do, up to a registered version or the reasons why not."""
        return run_way(
            self._opened,
            load_project(Path(project)),
            by=self._by(),
            fresh=fresh,
            progress=self._progress,
            spread=spread_of(),
        )

    def report(self, project: str | Path, to: str | Path | None = None) -> Path:
        """Write the report as one HTML file; returns its path. InvalidInput where `to` cannot be written."""
        target = writable(Path(to) if to else None)
        return write_report(self._opened, load_project(Path(project)), target, by=self._by())

    def versions(self, name: str) -> list[Version]:
        """Registered versions of a project, by its name."""
        return [one.version for one in list_versions(self._opened, name, by=self._by())]

    def promote(self, name: str, number: int, *, reason: str, channel: str = "live", days: int = 7) -> PointerFacts:
        """Put a version into service by a signed pointer."""
        return promote_version(self._opened, name, number, channel=channel, by=self._by(), reason=reason, days=days)

    def rollback(self, name: str, to: int, *, reason: str, channel: str = "live", days: int = 7) -> PointerFacts:
        """Go back to an earlier version by a newer pointer."""
        return roll_back(self._opened, name, to, channel=channel, by=self._by(), reason=reason, days=days)

    def revoke(self, name: str, number: int, *, reason: str) -> None:
        """Withdraw a version for good."""
        revoke_version(self._opened, name, number, by=self._by(), reason=reason)

    def history(self, name: str, *, channel: str = "live") -> list[PointerFacts]:
        """What served when: every pointer of a channel."""
        return pointer_history(self._opened, name, channel=channel, by=self._by())

    def rollout(self, project: str, *, channel: str | None = None) -> "Rollout":
        """The rollout of a project's channel: start, status, watch, run, advance, promote, back, stop, outcomes.

        `project` is a name, or a folder with sealwright.yaml, whose channel and days then count.
        """
        from sealwright.doors.notebook_rollout import Rollout

        name, spec = served_at(project, channel)
        return Rollout(self._opened, name, spec, self._by)

    def decisions(self, project: str) -> "Decisions":
        """What was decided for a project: list, show, seal, keep, end, check. `project` as for `rollout`."""
        from sealwright.doors.notebook_decisions import Decisions

        name, spec = served_at(project, None)
        return Decisions(self._opened, name, spec, self._by)

    def token(
        self, name: str, *, client: str, hours: float = 1.0, told: Literal["labels", "usual", "full"] = "usual"
    ) -> str:
        """A bearer token that may ask one project's model, and is told so much of its answers; shown once."""
        from sealwright.doors.serving import issue

        return issue(self._opened, name, subject=client, hours=hours, by=self._by(), told=told)

    def score(
        self,
        name: str,
        source: str | Path | FileSource | SqlSource | S3Source,
        *,
        out: str | Path,
        channel: str = "live",
        person: str = "",
        keys: Sequence[str] = (),
        batch_rows: int = 10_000,
        stop_on_refused: bool = False,
        anew: bool = False,
    ) -> Scored:
        """Have every row of a file or query answered by the version in service, on record; the same call goes on after a kill.

        Parameters
        ----------
        out : path
            New file for the answers: .jsonl, .csv, .parquet or .arrow.
        person : str
            Column that says whom a row is about.
        keys : sequence of str
            Columns that are repeated in the answers.
        """
        return score_source(
            self._opened,
            str(source) if isinstance(source, Path) else source,
            project=name,
            out=writable(Path(out)) or Path(out),
            by=self._by(),
            channel=channel,
            person=person,
            keys=keys,
            batch_rows=batch_rows,
            stop_on_refused=stop_on_refused,
            anew=anew,
            progress=self._progress,
        )

    def receipt(self, name: str, out: str | Path, row: int) -> bytes:
        """The receipt of one row of a scored output."""
        return receipt_of_row(self._opened, name, Path(out), row, by=self._by())

    def export(self, name: str, number: int, to: str | Path) -> Path:
        """Write the evidence of a version into one file; its folder is made where there is none."""
        target = writable(Path(to), make=True) or Path(to)
        return export_bundle(self._opened, name, number, target, by=self._by())

    def _by(self) -> Principal:
        """Who acts: proven by their own key, or whoever opened the workspace."""
        return acting(self._opened, self._settings, self._person_key)

    def close(self) -> None:
        """Drop the keys and let go of the ledger."""
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Workspace({str(self.home)!r}, id={self._opened.id!r})"


def open(  # noqa: A001 - the verb people guess; used as sw.open
    home: str | Path | None = None,
    *,
    create: bool = False,
    key_file: str | Path | None = None,
    actor: str | None = None,
    person_key: str | Path | None = None,
    progress: Progress = silent,
) -> Workspace:
    """Open a workspace; with `create`, make it on first use, opened by a new random key file.

    Parameters
    ----------
    home : path, optional
        The folder; left out: SEALWRIGHT_HOME, else ~/.sealwright.
    key_file : path, optional
        What opens it; left out: SEALWRIGHT_KEY_FILE, else ~/.config/sealwright/root.key.
    actor : str, optional
        Who acts. Somebody enrolled must prove it, by `person_key` or a session of the command line.
    person_key : path, optional
        Key file that opens their own key.

    Raises
    ------
    NotFound
        There is none and `create` was not asked for.
    WrongUnlock, KeyFileUnsafe
        The key does not open it, or others can read the key.
    """
    settings = read_settings(
        home=Path(home) if home else None, key_file=Path(key_file) if key_file else None, actor=actor
    )
    own = Path(person_key) if person_key else None
    if create and not is_workspace(settings.home):
        return Workspace(open_or_create(settings, tell=_tell_nobody), settings, progress, own)
    return Workspace(open_workspace_at(settings), settings, progress, own)


def init(
    folder: str | Path,
    *,
    data: str | Path,
    target: str,
    risk: str = "minimal",
    positive: str | None = None,
    name: str | None = None,
) -> Begun:
    """Look at a data file and write a commented sealwright.yaml.

    Raises
    ------
    InvalidInput
        The file, the target or the risk class cannot be used.
    """
    wanted = risk_class_named(risk)
    return begin_project(Path(folder), data=Path(data), target=target, risk=wanted, positive=positive, name=name)


def verify(
    path: str | Path, *, trust: str | Path, fingerprint: str | None = None, request: bytes | None = None
) -> Verified:
    """Verify a package, receipt, ledger, snapshot, statement or bundle, offline.

    Raises
    ------
    VerificationFailed
        It does not hold; `link` names the first broken link.
    """
    root = trust_root_from(read_limited(Path(trust), 1 << 20), fingerprint)
    return verify_path(Path(path), root, now=system_clock(), request=request)


def _tell_nobody(_line: str) -> None:
    """A notebook sees the folder it asked for; there is nothing to add."""
