"""What is counted about the data when a model is made from it is counted on the rows, and the gate asks for it."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from acting import operator
from sealwright.data.basis import column_groups
from sealwright.data.consent import ConsentState
from sealwright.evidence import class_policy
from sealwright.kernel import FixedClock
from sealwright.pipeline import Workspace, create_workspace, ingest, load_project, name_in, require_basis
from sealwright.pipeline.data_basis import Cleared
from sealwright.pipeline.desk import Desk
from sealwright.pipeline.governance_facts import governance_predicate
from sealwright.pipeline.take_in import snapshot_of
from sealwright.pipeline.withholding import Withholding, withholding
from sealwright.trust import InsecurePassphraseForTests, Secret

UNLOCK = InsecurePassphraseForTests(Secret("correct horse battery staple"))
MODEL = f"sha256:{'ab' * 32}"
BASIS = {
    "dataset": "applications",
    "controller": {"name": "Example Bank AG", "contact": "privacy@bank.example"},
    "source": {"from": "branches"},
    "lawful_basis": "contract",
    "purposes": {"credit-decision": "Decide on an application."},
    "subjects": ["applicants"],
    "recipients": [],
    "transfers": [],
    "retention": {"keep": "3 years", "counts_from": "ingested"},
}
SPEC: dict[str, Any] = {
    "format": 1,
    "project": "loans",
    "charter": {
        "purpose": "Estimate who repays.",
        "purpose_id": "credit-decision",
        "owner": "Head of credit",
        "risk_class": "limited",
    },
    "data": {
        "source": "loans.csv",
        "target": "repaid",
        "positive": "yes",
        "subject": "person",
        "basis": BASIS,
        "columns": {
            "person": {"type": "text", "class": "personal", "role": "identifier"},
            "sex": {"type": "category", "categories": ["f", "m"], "class": "personal", "role": "sensitive"},
            "income": {"type": "integer", "class": "personal"},
            "repaid": {"type": "category", "categories": ["yes", "no"]},
        },
    },
}
Facts = dict[str, Any]


class Data:
    """One project with its data taken in, and what is counted about it."""

    def __init__(self, workspace: Workspace, folder: Path, clock: FixedClock, changes: dict[str, Any]) -> None:
        value = yaml.safe_load(yaml.safe_dump(SPEC))
        for path, new in changes.items():
            *way, last = path.split(".")
            at = value
            for name in way:
                at = at[name]
            at.pop(last) if new is None else at.__setitem__(last, new)
        lines = [f"p{n % 20},{'f' if n % 10 == 0 else 'm'},{1000 + n},{'yes' if n % 3 else 'no'}" for n in range(60)]
        (folder / "loans.csv").write_text("person,sex,income,repaid\n" + "\n".join(lines) + "\n")
        (folder / "sealwright.yaml").write_text(yaml.safe_dump(value, sort_keys=False))
        self.clock = clock
        self.desk = Desk(workspace, load_project(folder))
        self.snapshot = ingest(workspace, self.desk.project, by=operator("ada")).snapshot

    def predicate(self, *, cleared: Cleared | None = None, out: Withholding | None = None) -> dict[str, Any]:
        cleared = cleared or require_basis(self.desk, by="ada")
        snapshot = snapshot_of(self.desk, self.snapshot.digest, by="ada", purpose="test")
        return governance_predicate(
            self.desk,
            snapshot,
            snapshot.read(),
            model=MODEL,
            cleared=cleared,
            out=out or withholding(self.desk, cleared),
            at=self.clock(),
        )

    def facts(self, *, out: Withholding | None = None) -> Facts:
        """Check -> its value; a word where there is none."""
        block = self.predicate(out=out)["sealwright"]
        gaps = {
            one["check"]: "not performed" if one.get("applicable", True) else "not applicable"
            for one in block["not_performed"]
        }
        return {one["check"].removeprefix("governance."): one["value"] for one in block["findings"]} | {
            check.removeprefix("governance."): word for check, word in gaps.items()
        }

    def named(self, persons: Sequence[str]) -> list[str]:
        return [name_in(self.desk.workspace, "loans", one) for one in persons]


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))


@pytest.fixture
def workspace(tmp_path: Path, clock: FixedClock) -> Iterator[Workspace]:
    with create_workspace(tmp_path / "ws", name="Bank", unlock=UNLOCK, clock=clock) as made:
        yield made


@pytest.fixture
def data(workspace: Workspace, tmp_path: Path, clock: FixedClock) -> Callable[..., Data]:
    folder = tmp_path / "loans"
    folder.mkdir()
    return lambda changes=None: Data(workspace, folder, clock, changes or {})


def test_data_in_order_counts_nothing_against_it(data: Callable[..., Data]) -> None:
    assert data().facts() == {
        "columns_without_basis": 0,
        "columns_of_other_purpose": 0,
        "suppressed_rows": 0,
        "days_past_limit": 0,
        "rows_without_consent": "not applicable",
        "groups_short": "not performed",
    }


def test_columns_nobody_named_a_basis_for_are_counted(data: Callable[..., Data]) -> None:
    facts = data({"data.basis": None}).facts()
    assert facts["columns_without_basis"] == 3
    assert facts["days_past_limit"] == "not performed"


def test_a_charter_without_a_purpose_cannot_be_held_against_the_data(data: Callable[..., Data]) -> None:
    made = data({"charter.purpose_id": None, "data.basis": None})
    assert made.facts()["columns_of_other_purpose"] == "not performed"


def test_columns_of_another_purpose_are_counted_unless_a_record_allows_them(data: Callable[..., Data]) -> None:
    """Training stops before; here what it would have used is counted, with and without the record."""
    made = data()
    spec = made.desk.project.spec.data
    assert spec.basis is not None
    other = spec.basis.model_copy(update={"purposes": {"marketing": "Send offers."}})
    groups = tuple(column_groups(other, spec.columns))
    record = f"sha256:{'cd' * 32}"
    without = made.predicate(cleared=Cleared(groups=groups, compatibility=None, consent_for=None))
    assert finding(without, "columns_of_other_purpose")["value"] == 3
    allowed = made.predicate(cleared=Cleared(groups=groups, compatibility=record, consent_for=None))
    assert finding(allowed, "columns_of_other_purpose")["value"] == 0
    assert record in finding(allowed, "columns_of_other_purpose")["note"]


def finding(predicate: dict[str, Any], check: str) -> dict[str, Any]:
    return next(one for one in predicate["sealwright"]["findings"] if one["check"] == f"governance.{check}")


def test_rows_of_persons_who_stay_out_are_counted(data: Callable[..., Data]) -> None:
    made = data()
    names = made.named([f"p{n}" for n in range(20)])
    consent = ConsentState(
        project="loans",
        purpose="credit-decision",
        at="2026-03-02T09:00:00.000Z",
        given=frozenset(names[:18]),
        withdrawn=frozenset(names[18:19]),
    )
    out = Withholding(suppressed={names[0]: "suppressed_object"}, consent=consent)
    facts = made.facts(out=out)
    assert facts["suppressed_rows"] == 3
    assert facts["rows_without_consent"] == 6  # one person withdrew, one never agreed; three rows each
    assert names[0] not in str(made.predicate(out=out))


def test_days_past_the_limit_are_counted(data: Callable[..., Data], clock: FixedClock) -> None:
    made = data()
    clock.advance(timedelta(days=3 * 365 + 11))
    assert made.facts()["days_past_limit"] == 10  # 2028 has a day more


def test_declared_groups_that_are_short_are_counted(data: Callable[..., Data]) -> None:
    made = data({"data.diversity": {"attributes": ["sex"], "at_least": 10}})
    assert made.facts()["groups_short"] == 1  # six rows of f


@pytest.mark.parametrize("risk", ["limited", "high"])
def test_a_policy_asks_that_nobody_who_stays_out_is_in(risk: str) -> None:
    asked = {one.check: one for one in class_policy(risk).requirements}
    for check in ("columns_without_basis", "rows_without_consent", "suppressed_rows"):
        assert asked[f"governance.{check}"].at_most == 0
