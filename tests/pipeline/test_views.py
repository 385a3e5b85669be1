"""Looking asks first, too: who holds a role in another project only sees nothing of this one (T-14)."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from acting import operator, person, service
from sealwright.data.consent import ConsentChange, ConsentLedger
from sealwright.kernel import FixedClock, NotFound, VerificationFailed
from sealwright.pipeline import (
    Desk,
    Project,
    Workspace,
    ask_who_can,
    ask_why_not,
    basis_view,
    break_glass_of,
    compare_persons,
    consent_history,
    consents_of,
    create_workspace,
    decide,
    enrol,
    export_bundle,
    holds_of,
    keys_of,
    list_emergencies,
    list_holds,
    list_requests,
    list_versions,
    load_project,
    name_in,
    open_workspace,
    overview,
    people_of,
    permissions_of,
    pointer_history,
    promote,
    reading_ledger,
    reading_ledgers,
    record_of_processing,
    request_named,
    requests_of,
    retention_plan,
    revoke,
    rollback,
)
from sealwright.pipeline.data_card import data_card
from sealwright.pipeline.lineage import lineage_of
from sealwright.pipeline.model_decisions import model_decisions
from sealwright.trust import InsecurePassphraseForTests, PermissionDenied, Principal, Secret

UNLOCK = InsecurePassphraseForTests(Secret("correct horse battery staple"))
EXAMPLE = Path(__file__).parents[2] / "examples" / "german-credit"
HERE, ELSEWHERE = "german-credit", "loans"
ROLES = (
    "data_scientist",
    "ml_engineer",
    "security_officer",
    "compliance_officer",
    "business_owner",
    "reviewer",
    "auditor",
)
View = Callable[[Workspace, Principal], object]


def project() -> Project:
    return load_project(EXAMPLE)


def ledger_of(workspace: Workspace, by: Principal) -> int:
    with reading_ledger(workspace, by) as ledger:
        return ledger.size


def all_ledgers_of(workspace: Workspace, by: Principal) -> int:
    with reading_ledgers(workspace, by) as ledgers:
        return len(ledgers)


OF_ONE_PROJECT: dict[str, tuple[str, View]] = {
    "gate": ("project.view", lambda workspace, by: decide(workspace, project(), by=by)),
    "versions": ("project.view", lambda workspace, by: list_versions(workspace, HERE, by=by)),
    "history": ("project.view", lambda workspace, by: pointer_history(workspace, HERE, channel="live", by=by)),
    "served at": (
        "project.view",
        lambda workspace, by: pointer_history(workspace, HERE, channel="live", by=by, at=workspace.clock()),
    ),
    "lineage": ("project.view", lambda workspace, by: lineage_of(workspace, HERE, by=by)),
    "card": ("project.view", lambda workspace, by: data_card(workspace, HERE, by=by)),
    "basis": ("project.view", lambda workspace, by: basis_view(Desk(workspace, project(), look=True), by=by)),
    "models": ("project.view", lambda workspace, by: model_decisions(workspace, HERE, by=by)),
    "record of processing": ("project.view", lambda workspace, by: record_of_processing(workspace, by=by, project=HERE)),
    "retention": ("project.view", lambda workspace, by: retention_plan(workspace, by=by, project=HERE)),
    "emergencies": ("project.view", lambda workspace, by: list_emergencies(workspace, by=by, project=HERE)),
    "requests": ("requests.view", lambda workspace, by: list_requests(workspace, by=by, project=HERE)),
    "request": ("requests.view", lambda workspace, by: request_named(workspace, a_request(workspace), by=by)),
    "holds": ("requests.view", lambda workspace, by: list_holds(workspace, by=by, project=HERE)),
    "consents": ("consent.view", lambda workspace, by: consent_history(workspace, HERE, a_person(workspace), by=by)),
}  # fmt: skip

OF_ALL_PROJECTS: dict[str, tuple[str, View]] = {
    "models": ("project.view", lambda workspace, by: model_decisions(workspace, by=by)),
    "record of processing": ("project.view", lambda workspace, by: record_of_processing(workspace, by=by)),
    "retention": ("project.view", lambda workspace, by: retention_plan(workspace, by=by)),
    "emergencies": ("project.view", lambda workspace, by: list_emergencies(workspace, by=by)),
    "requests": ("requests.view", lambda workspace, by: list_requests(workspace, by=by)),
    "holds": ("requests.view", lambda workspace, by: list_holds(workspace, by=by)),
    "consents compared": ("ledger.read", lambda workspace, by: compare_persons(workspace, by=by)),
    "ledger": ("ledger.read", ledger_of),
    "all ledgers": ("ledger.read", all_ledgers_of),
}

OF_THE_WORKSPACE: dict[str, tuple[str, View]] = {
    "overview": ("workspace.view", lambda workspace, by: overview(workspace, by=by)),
    "people": ("workspace.view", lambda workspace, by: people_of(workspace, by=by)),
    "keys": ("workspace.view", lambda workspace, by: keys_of(workspace, by=by)),
    "who can": ("permission.view", lambda workspace, by: ask_who_can(workspace, "project.view", HERE, by=by)),
    "why not": ("permission.view", lambda workspace, by: ask_why_not(workspace, "cora", "project.view", HERE, by=by)),
}

EVERYTHING = {
    **{f"{name} of one": view for name, view in OF_ONE_PROJECT.items()},
    **{f"{name} of all": view for name, view in OF_ALL_PROJECTS.items()},
    **OF_THE_WORKSPACE,
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a compliance officer, and a request and a hold in each of two projects."""
    folder = tmp_path_factory.mktemp("made")
    clock = FixedClock(datetime(2026, 3, 2, tzinfo=UTC))
    with create_workspace(folder / "ws", name="Bank", unlock=UNLOCK, clock=clock) as workspace:
        enrol(workspace, "cora", ["compliance_officer"], UNLOCK, by=operator())
        for name in (HERE, ELSEWHERE):
            requests_of(workspace).receive(
                "access", name_in(workspace, name, "p7"), projects=[name], law="gdpr", by="cora"
            )
            holds_of(workspace).add(name, reason="Case 12/26 at the county court", by="cora")
    return folder / "ws"


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "ws")
    return tmp_path / "ws"


@pytest.fixture
def workspace(home: Path) -> Iterator[Workspace]:
    """Opened anew, so that nothing of it is held yet."""
    with open_workspace(home, UNLOCK, clock=FixedClock(datetime(2026, 3, 3, tzinfo=UTC))) as opened:
        yield opened


def a_request(workspace: Workspace, name: str = HERE) -> str:
    return next(one.id for one in requests_of(workspace, look=True).all() if one.projects == (name,))


def a_person(workspace: Workspace) -> str:
    return name_in(workspace, HERE, "p7")


def seen(view: View, workspace: Workspace, by: Principal) -> None:
    """Looked at; that there is nothing to be seen yet is an answer, too."""
    with suppress(NotFound):
        view(workspace, by)


def last_entry(workspace: Workspace) -> tuple[str, object, object]:
    entry = list(workspace.ledger_to_read().entries())[-1]
    return entry.action, entry.detail.get("outcome"), entry.detail.get("reason")


@pytest.mark.parametrize("name", OF_ONE_PROJECT)
def test_who_holds_roles_in_another_project_only_sees_nothing_of_this_one_t14(workspace: Workspace, name: str) -> None:
    action, view = OF_ONE_PROJECT[name]
    there = person("dan", *(f"{role}@{ELSEWHERE}" for role in ROLES))
    before = workspace.ledger_to_read().size
    with pytest.raises(PermissionDenied, match="dan holds no role there"):
        view(workspace, there)
    assert last_entry(workspace) == (action, "refused", "permission.denied")
    assert workspace.ledger.size == before + 1
    here = person("dan", *(f"{role}@{HERE}" for role in ROLES))
    seen(view, workspace, here)
    assert workspace.ledger.size == before + 1


@pytest.mark.parametrize("name", OF_ALL_PROJECTS)
def test_what_is_of_all_projects_takes_a_role_in_every_one_t14(workspace: Workspace, name: str) -> None:
    action, view = OF_ALL_PROJECTS[name]
    for project_name in (ELSEWHERE, HERE):
        with pytest.raises(PermissionDenied, match="in every project; dan holds no role there"):
            view(workspace, person("dan", *(f"{role}@{project_name}" for role in ROLES)))
        assert last_entry(workspace) == (action, "refused", "permission.denied")
    view(workspace, person("dan", *ROLES))


@pytest.mark.parametrize("name", EVERYTHING)
def test_a_program_sees_nothing_whatever_its_scopes(workspace: Workspace, name: str) -> None:
    action, view = EVERYTHING[name]
    with pytest.raises(PermissionDenied, match="no scope of the program till"):
        view(workspace, service("till", f"predict:{HERE}", "predict:*", acting_for="cora", strong=True))
    assert last_entry(workspace)[:2] == (action, "refused")


@pytest.mark.parametrize("name", EVERYTHING)
def test_a_name_of_somebody_enrolled_that_nobody_proved_sees_nothing(workspace: Workspace, name: str) -> None:
    action, view = EVERYTHING[name]
    with pytest.raises(PermissionDenied, match="nobody proved to be them"):
        view(workspace, operator("cora"))
    assert last_entry(workspace)[:2] == (action, "refused")


@pytest.mark.parametrize("name", {**OF_ONE_PROJECT, **OF_ALL_PROJECTS})
def test_an_administrator_says_who_holds_which_role_and_sees_nothing_else(workspace: Workspace, name: str) -> None:
    for _, view in (one[name] for one in (OF_ONE_PROJECT, OF_ALL_PROJECTS) if name in one):
        with pytest.raises(PermissionDenied, match="zoe holds administrator there"):
            view(workspace, person("zoe", "administrator"))


@pytest.mark.parametrize("name", EVERYTHING)
def test_looking_leaves_no_entry_and_goes_on_while_another_program_writes(
    home: Path, workspace: Workspace, name: str
) -> None:
    with open_workspace(home, UNLOCK) as another:
        size = another.hold_ledger().size
        seen(EVERYTHING[name][1], workspace, person("cora", "compliance_officer"))
        assert another.ledger.size == size


@pytest.mark.parametrize("name", EVERYTHING)
def test_what_whoever_opens_the_workspace_may_see_and_what_persons_said_they_may_not(
    workspace: Workspace, name: str
) -> None:
    action, view = EVERYTHING[name]
    if action == "consent.view":  # a compliance officer is enrolled
        with pytest.raises(PermissionDenied):
            view(workspace, operator())
    else:
        seen(view, workspace, operator())


def test_a_refusal_says_the_same_of_a_project_there_is_and_of_one_there_is_not_t14(workspace: Workspace) -> None:
    there, said = person("dan", f"auditor@{ELSEWHERE}"), []
    for name in (HERE, "nothing-here"):
        with pytest.raises(PermissionDenied) as refused:
            list_versions(workspace, name, by=there)
        said.append(str(refused.value).replace(name, "PROJECT"))
    assert said[0] == said[1]


@pytest.mark.parametrize(
    "act",
    [
        lambda workspace, by: promote(workspace, HERE, 999, channel="live", by=by, reason="Look whether", days=1),
        lambda workspace, by: rollback(workspace, HERE, 999, channel="live", by=by, reason="Look whether", days=1),
        lambda workspace, by: revoke(workspace, HERE, 999, by=by, reason="Look whether"),
        lambda workspace, by: export_bundle(workspace, HERE, 999, to=Path(), by=by),
    ],
    ids=["promote", "rollback", "revoke", "export"],
)
def test_a_refusal_does_not_tell_which_versions_there_are_t14(workspace: Workspace, act: Any) -> None:
    with pytest.raises(PermissionDenied, match=r"project\.view"):
        act(workspace, person("dan", f"ml_engineer@{ELSEWHERE}", f"security_officer@{ELSEWHERE}"))
    with pytest.raises(NotFound):
        act(workspace, operator())


def test_of_a_project_only_what_is_its_own_is_listed_t14(workspace: Workspace) -> None:
    there = person("dan", f"compliance_officer@{ELSEWHERE}")
    assert [one.projects for one in list_requests(workspace, by=there, project=ELSEWHERE)] == [(ELSEWHERE,)]
    assert [one.project for one in list_holds(workspace, by=there, project=ELSEWHERE)] == [ELSEWHERE]
    assert len(list_requests(workspace, by=operator())) == len(list_holds(workspace, by=operator())) == 2
    assert request_named(workspace, a_request(workspace, ELSEWHERE), by=there).projects == (ELSEWHERE,)


def test_a_request_about_two_projects_is_seen_by_who_may_see_both_t14(workspace: Workspace) -> None:
    both = requests_of(workspace).receive(
        "erase", a_person(workspace), projects=[HERE, ELSEWHERE], law="gdpr", by="cora"
    )
    for role in (f"auditor@{ELSEWHERE}", f"auditor@{HERE}"):
        dan = person("dan", role)
        assert both.id not in [one.id for one in list_requests(workspace, by=dan, project=role.split("@")[1])]
        with pytest.raises(PermissionDenied):
            request_named(workspace, both.id, by=dan)
    assert request_named(workspace, both.id, by=person("dan", "auditor")) == both
    assert both in list_requests(workspace, by=person("dan", "auditor"))


def test_what_ended_is_listed_when_asked_for_and_only_where_one_may_look_t14(workspace: Workspace) -> None:
    requests_of(workspace).end(a_request(workspace), "answered", outcome="A copy was sent", by="cora")
    there = person("dan", f"auditor@{ELSEWHERE}")
    assert len(list_requests(workspace, by=there, project=ELSEWHERE, everything=True)) == 1
    assert len(list_requests(workspace, by=operator())) == 1
    assert [one.state for one in list_requests(workspace, by=operator(), everything=True)] == ["open", "answered"]


def test_emergencies_of_another_project_are_not_listed_t14(workspace: Workspace) -> None:
    officer = person("sofia", "security_officer")
    for name in (HERE, ELSEWHERE):
        break_glass_of(workspace).request(
            permissions_of(workspace), officer, project=name, beneficiary="cora", roles=["ml_engineer"],
            reason="Mia is ill and it answers wrongly",
        )  # fmt: skip
    there = person("dan", f"reviewer@{ELSEWHERE}")
    assert [one.project for one in list_emergencies(workspace, by=there, project=ELSEWHERE)] == [ELSEWHERE]
    assert len(list_emergencies(workspace, by=person("dan", "reviewer"))) == 2


def test_a_consent_given_while_they_are_compared_is_no_false_alarm(
    home: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes between the ledger, which is opened first, and the table. Where the ledger is held nothing comes between."""
    compare, given = ConsentLedger.compare, []

    def somebody_writes_before(opened: ConsentLedger) -> int:
        if not given:
            with open_workspace(home, UNLOCK, clock=workspace.clock) as another:
                given.append(give_consent(another))
        return compare(opened)

    monkeypatch.setattr(ConsentLedger, "compare", somebody_writes_before)
    assert compare_persons(workspace, by=operator()) == {"consents": 1, "suppressions": 0}
    assert len(given) == 1


def test_a_consent_that_was_taken_out_is_missed(workspace: Workspace) -> None:
    give_consent(workspace)
    assert compare_persons(workspace, by=operator())["consents"] == 1
    with workspace.db.write() as tx:
        tx.run("DELETE FROM consents")
    with pytest.raises(VerificationFailed, match="differ"):
        compare_persons(workspace, by=operator())


def give_consent(workspace: Workspace) -> ConsentChange:
    return consents_of(workspace).give(
        HERE, a_person(workspace), "research", text_version="1", text=b"yes", channel="web", by="cora"
    )
