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

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from sealwright.charter import RiskClass
from sealwright.doors.reports import write_report
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
    Sealed,
    Trained,
    Verified,
    Way,
    begin_project,
    comparison_kind,
    enrol,
    export_bundle,
    is_workspace,
    load_project,
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
from sealwright.pipeline import seal as seal_package
from sealwright.pipeline import train as train_model
from sealwright.registry import PointerFacts, Version

if TYPE_CHECKING:
    from sealwright.assurance import Spread
    from sealwright.data.contracts import Contract, ContractReport
    from sealwright.doors.assessment import Assessment
    from sealwright.doors.explanations import Explanations

__all__ = ["Workspace", "assess", "check_data", "explain", "init", "open", "verify"]


class Workspace:
    """An opened workspace. `project` is always the folder that holds `sealwright.yaml`, or that file."""

    def __init__(self, opened: OpenedWorkspace, settings: Settings, progress: Progress) -> None:
        self._opened = opened
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
        return ingest_data(self._opened, load_project(Path(project)), by=self._settings.actor, progress=self._progress)

    def train(self, project: str | Path) -> Trained:
        """Train in a confined child process, to ONNX with measured parity."""
        return train_model(self._opened, load_project(Path(project)), by=self._settings.actor, progress=self._progress)

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

        found = comparison_of(
            self._opened,
            load_project(Path(project)),
            what,
            only=only,
            by=self._settings.actor,
            progress=self._progress,
        )
        if to is not None:
            write_comparison(found, comparison_kind(what), self._opened.clock(), Path(to))
        return found

    def gate(self, project: str | Path) -> GateDecision:
        """Ask the policy; the decision carries every reason. It does not raise."""
        return ask_gate(self._opened, load_project(Path(project))).decision

    def enrol(self, name: str, roles: Sequence[str], *, person_key: str | Path | None = None) -> Enrolled:
        """Enrol a person with a key of their own; without `person_key` a passphrase is asked."""
        unlock = person_unlock(name, Path(person_key) if person_key else None, new=True)
        return enrol(self._opened, name, roles, unlock, by=self._settings.actor)

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
        return seal_package(self._opened, load_project(Path(project)), by=self._settings.actor)

    def run(self, project: str | Path, *, fresh: bool = False) -> Way:
        """Every step that is still to do, up to a registered version or the reasons why not."""
        return run_way(
            self._opened,
            load_project(Path(project)),
            by=self._settings.actor,
            fresh=fresh,
            progress=self._progress,
            spread=spread_of(),
        )

    def report(self, project: str | Path, to: str | Path | None = None) -> Path:
        """Write the report as one HTML file; returns its path."""
        return write_report(self._opened, load_project(Path(project)), Path(to) if to else None)

    def versions(self, name: str) -> list[Version]:
        """Registered versions of a project, by its name."""
        return self._opened.registry.versions(name)

    def promote(self, name: str, number: int, *, reason: str, channel: str = "live", days: int = 7) -> PointerFacts:
        """Put a version into service by a signed pointer."""
        return self._opened.registry.promote(
            name, number, channel=channel, by=self._settings.actor, reason=reason, days=days
        )

    def rollback(self, name: str, to: int, *, reason: str, channel: str = "live", days: int = 7) -> PointerFacts:
        """Go back to an earlier version by a newer pointer."""
        return self._opened.registry.rollback(name, channel, to, by=self._settings.actor, reason=reason, days=days)

    def revoke(self, name: str, number: int, *, reason: str) -> None:
        """Withdraw a version for good."""
        package = self._opened.registry.version(name, number).package
        self._opened.registry.revoke(package, by=self._settings.actor, reason=reason)

    def history(self, name: str, *, channel: str = "live") -> list[PointerFacts]:
        """What served when: every pointer of a channel."""
        return list(self._opened.registry.history(name, channel))

    def token(self, name: str, *, client: str, hours: float = 1.0) -> str:
        """A bearer token that may ask one project's model; shown once."""
        from sealwright.doors.serving import issue

        return issue(self._opened, name, subject=client, hours=hours, by=self._settings.actor)

    def export(self, name: str, number: int, to: str | Path) -> Path:
        """Write the evidence of a version into one file."""
        return export_bundle(self._opened, name, number, Path(to))

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
        Who acts, for the record.

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
    if create and not is_workspace(settings.home):
        return Workspace(open_or_create(settings, tell=_tell_nobody), settings, progress)
    return Workspace(open_workspace_at(settings), settings, progress)


def init(
    folder: str | Path,
    *,
    data: str | Path,
    target: str,
    risk: str = "minimal",
    positive: str | None = None,
    name: str | None = None,
) -> Begun:
    """Look at a data file and write a commented sealwright.yaml."""
    return begin_project(
        Path(folder), data=Path(data), target=target, risk=RiskClass(risk), positive=positive, name=name
    )


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


def check_data(
    data: Any,
    contract: "Contract | Mapping[str, Any] | str | Path",
    *,
    at_most_share: float | None = None,
    show_values: bool = False,
    progress: Progress = silent,
) -> "ContractReport":
    """Hold any table against a contract. Needs no workspace and no project.

    Parameters
    ----------
    data : path, pyarrow table, polars or pandas data frame
        Every row is looked at; a file is streamed.
    contract : path, mapping or Contract
        A contract file, a project (folder or sealwright.yaml), or the same as plain values.
    at_most_share : float, optional
        Largest share of rows that may break it, instead of what the contract says.
    show_values : bool
        Also report a few broken values, of columns with class public or internal only.

    Returns
    -------
    ContractReport
        `passed`, `breaches`, `to_json()`; `raise_for_breach()` stops a pipeline.

    Raises
    ------
    InvalidInput
        The data is no table, or the contract says something a contract cannot.
    """
    from sealwright.data.contracts import as_contract, check_contract

    wanted = as_contract(contract)
    return check_contract(data, wanted, at_most_share=at_most_share, show_values=show_values, progress=progress)


def assess(
    model: Any,
    rows: Any,
    truth: Any,
    *,
    groups: Any = None,
    learned_from: tuple[Any, Any] | None = None,
    task: str | None = None,
    positive: Any = None,
    classes: Sequence[Any] | None = None,
    layout: str | None = None,
    settings: Mapping[str, Any] | None = None,
    policy: str = "limited",
    title: str | None = None,
    seed: int = 0,
    engine: str = "auto",
    workers: int | None = None,
    progress: Progress = silent,
) -> "Assessment":
    """Judge any model on any rows, without a workspace: how good, fair, robust and explainable, and how sure that is.

    Parameters
    ----------
    model : object
        An estimator with predict_proba or predict, a torch module, a function of the rows that returns probabilities or
        values, the path of an ONNX file, or its bytes.
    rows : array of shape (n, features), data frame, pa.Table, or mapping of columns
        Rows the model did not learn from, as it takes them. Also: a list, array or series of n texts
        (documents), or an array of n images, shape (n, h, w), (n, h, w, c) or (n, c, h, w), uint8 or floats from 0 to 1.
    truth : sequence of n outcomes
    groups : optional
        Names of columns of `rows`, or a data frame, mapping or series beside them that the model is not given.
    learned_from : (rows, truth), optional
        What the model was trained on. Without it, checks that compare with it are not performed.
    task, positive, classes : optional
        Where the model and the truth do not say it: binary, multiclass or regression; the outcome that ranks; the outcomes
        in the order of the model's answers.
    layout : str, optional
        Images: nhw, nhwc or nchw, where the shape leaves it open.
    settings : mapping, optional
        As the `assurance:` section of a project file, e.g. {"suites": ["fairness"], "budget": {"rows": 20_000}}.
    policy : str
        The risk class whose limits the findings are held against: minimal, limited or high.
    engine : str
        Where the checks of an ONNX file are carried out: auto, local, processes, ray or ray://HOST:PORT. Every other model
        is code, and is asked in this process only.
    workers : int, optional
        How many; left out: one for each core.

    Returns
    -------
    Assessment
        `find(check)`, `value(check)`, `limits()`, `require(policy)`, `html()`, `save(path)`, `junit()`, `to_json()`.

    Raises
    ------
    InvalidInput
        Rows, truth, groups, settings or model cannot be read, or do not fit together.
    UnusablePredictions
        What the model answers is no prediction.
    """
    return judged_anywhere(
        model,
        rows,
        truth,
        groups=groups,
        learned_from=learned_from,
        task=task,
        positive=positive,
        classes=classes,
        layout=layout,
        settings=settings,
        policy=policy,
        title=title,
        seed=seed,
        progress=progress,
        spread=spread_of(engine, workers),
    )


def judged_anywhere(
    model: Any, rows: Any, truth: Any, *, policy: str, title: str | None, spread: "Spread | None", **asked: Any
) -> "Assessment":
    """As `assess`, for a caller that has chosen where the checks are carried out."""
    from sealwright.assurance import judge
    from sealwright.doors.assessment import Assessment, risk_class_named

    risk_class_named(policy)  # before minutes of work, not after
    results = judge(model, rows, truth, spread=spread, **asked)
    name = title or (Path(model).name if isinstance(model, (str, Path)) else type(model).__name__)
    return Assessment(
        title=name,
        results=tuple(results),
        policy=policy,
        explainer=partial(
            explain,
            model,
            learned_from=asked.get("learned_from") or (rows, truth),
            fixed=[groups] if isinstance(groups := asked.get("groups"), str) else _names(groups),
            **{name: asked[name] for name in ("task", "positive", "classes", "settings", "seed") if name in asked},
        ),
    )


def explain(
    model: Any,
    rows: Any,
    *,
    learned_from: tuple[Any, Any],
    fixed: Sequence[str] = (),
    wanted: Any = None,
    task: str | None = None,
    positive: Any = None,
    classes: Sequence[Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    seed: int = 0,
) -> "Explanations":
    """Explain single rows to any model: contributions, the cheapest change, the nearest prototype, a local line.

    Parameters
    ----------
    model : object
        As for `assess`.
    rows : one row or several
        A mapping of column to value, a series, or whatever `assess` takes as rows; at most 1,000.
    learned_from : (rows, truth)
        Rows that stand for an unknown value, show what occurs, and give the prototypes: best what the model was trained on.
    fixed : sequence of str
        Columns nobody can change, such as an age. More is said under `constraints` in the settings.
    wanted : optional
        The outcome a change is to lead to; left out: the favourable one, else the positive class.

    Returns
    -------
    Explanations
        A sequence; a notebook shows tables, `text()` and `to_json()` give the rest. It is personal data, and filed nowhere.

    Raises
    ------
    InvalidInput
        The rows do not have the columns learned from, or no explanation adds up to the model's answers.
    """
    from sealwright.assurance import explain_given
    from sealwright.doors.explanations import Explanations

    return Explanations(
        explain_given(
            model,
            rows,
            learned_from=learned_from,
            fixed=fixed,
            wanted=wanted,
            task=task,
            positive=positive,
            classes=classes,
            settings=settings,
            seed=seed,
        )
    )


def _names(groups: Any) -> list[str]:
    """Groups that are named columns of the rows; others stand beside them, and the model is not given those."""
    named = isinstance(groups, Sequence) and all(isinstance(one, str) for one in groups)
    return list(groups) if named else []


def _tell_nobody(_line: str) -> None:
    """A notebook sees the folder it asked for; there is nothing to add."""
