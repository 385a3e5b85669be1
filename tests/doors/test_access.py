"""Whoever lets programs in or shuts them out is asked first, and nobody hands out what they do not have (T-14, T-17)."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from acting import operator, person
from sealwright.doors import access, access_views
from sealwright.doors.machines import Told, machines_of
from sealwright.doors.serving import issue
from sealwright.kernel import InvalidInput, NotFound, Refused
from sealwright.pipeline import Workspace, ask_why_not, certificates_of, create_workspace, enrol
from sealwright.trust import InsecurePassphraseForTests, PermissionDenied, Principal, Secret

UNLOCK = InsecurePassphraseForTests(Secret("correct horse battery staple"))
Act = Callable[[Workspace, Principal, Path], object]


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with create_workspace(tmp_path / "ws", name="Bank", unlock=UNLOCK) as made:
        yield made


@pytest.fixture
def staffed(workspace: Workspace) -> Workspace:
    """Somebody is enrolled for each of these, so that whoever opens the workspace does them no longer."""
    for name, role in (("mia", "ml_engineer"), ("sofia", "security_officer"), ("ada", "administrator")):
        enrol(workspace, name, [role], UNLOCK, by=operator())
    return workspace


def client(workspace: Workspace, by: Principal, *projects: str, scopes: tuple[str, ...] = ()) -> str | None:
    return access.add_client(workspace, "till", projects=projects, audiences=[], scopes=scopes, by=by)


DOINGS: dict[str, Act] = {
    "client.register": lambda workspace, by, _: client(workspace, by, "credit"),
    "client.remove": lambda workspace, by, _: access.remove_client(workspace, "front", reason="gone", by=by),
    "token.revoke": lambda workspace, by, _: access.revoke_tokens(workspace, "front", reason="stolen", by=by),
    "api_key.make": lambda workspace, by, _: access.make_api_key(workspace, "till", project="credit", days=1, by=by),
    "api_key.revoke": lambda workspace, by, _: access.revoke_api_key(
        workspace, machines_of(workspace).api_keys()[0].id, reason="leaked", by=by
    ),
    "certificate.issue": lambda workspace, by, to: access.issue_certificate(
        workspace, "till", "client", to / "made", names=[], days=1, by=by
    ),
    "certificate.revoke": lambda workspace, by, _: access.revoke_certificate(
        workspace, certificates_of(workspace).certificates()[0].serial, reason="lost", by=by
    ),
    "token.issue": lambda workspace, by, _: access.hand_out_control_token(
        workspace, "watcher", ["workspace.view"], hours=1, by=by
    ),
}


@pytest.fixture
def furnished(workspace: Workspace, tmp_path: Path) -> Workspace:
    """A client, a key and a certificate of before, made while nobody was enrolled."""
    by = operator()
    access.add_client(workspace, "front", projects=["credit"], audiences=[], scopes=[], by=by)
    access.make_api_key(workspace, "front", project="credit", days=1, by=by)
    access.issue_certificate(workspace, "front", "client", tmp_path / "front", names=[], days=1, by=by)
    return workspace


TAKEN_BACK = ("client.remove", "token.revoke", "api_key.revoke")


@pytest.mark.parametrize("action", TAKEN_BACK)
def test_who_opens_the_workspace_takes_access_back_at_any_time(
    furnished: Workspace, staffed: Workspace, tmp_path: Path, action: str
) -> None:
    DOINGS[action](furnished, operator(), tmp_path)
    last = furnished.ledger.entry(furnished.ledger.size - 1)
    assert (last.action, last.detail["policies"]) == (action, ["operator.runs"])


@pytest.mark.parametrize("action", sorted(set(DOINGS) - set(TAKEN_BACK)))
def test_who_opens_the_workspace_lets_programs_in_only_while_nobody_is_enrolled_for_it(
    furnished: Workspace, staffed: Workspace, tmp_path: Path, action: str
) -> None:
    machines, services = machines_of(furnished), certificates_of(furnished)
    before = (machines.clients(), machines.api_keys(), services.certificates())
    with pytest.raises(PermissionDenied):
        DOINGS[action](furnished, operator(), tmp_path)
    assert (machines.clients(), machines.api_keys(), services.certificates()) == before
    last = furnished.ledger.entry(furnished.ledger.size - 1)
    assert (last.action, last.detail["outcome"]) == (action, "refused")


@pytest.mark.parametrize("action", DOINGS)
def test_a_role_for_it_lets_them_do_it_and_the_entry_names_the_policy(
    furnished: Workspace, staffed: Workspace, tmp_path: Path, action: str
) -> None:
    officer = action.startswith("certificate")
    mia = person("mia", "ml_engineer") if not officer else person("sofia", "security_officer")
    DOINGS[action](furnished, mia, tmp_path)
    last = furnished.ledger.entry(furnished.ledger.size - 1)
    assert (last.action, last.detail["outcome"]) == (action, "done")
    assert last.detail["policies"] == [f"role.{'security_officer' if officer else 'ml_engineer'}"]


def test_a_role_in_one_project_lets_no_program_into_another_t14(furnished: Workspace, staffed: Workspace) -> None:
    there = person("dan", "ml_engineer@loans")
    client(furnished, there, "loans")
    for projects, scopes in ((("credit",), ()), (("loans", "credit"), ()), (("loans",), ("control:ledger.read",))):
        with pytest.raises(PermissionDenied):
            access.add_client(furnished, "other", projects=projects, audiences=[], scopes=scopes, by=there)
    for action in ("client.remove", "token.revoke", "api_key.make", "api_key.revoke", "token.issue"):
        with pytest.raises(PermissionDenied):
            DOINGS[action](furnished, there, Path())
    access.remove_client(furnished, "till", reason="gone", by=there)
    assert [(one.id, one.state) for one in machines_of(furnished).clients()] == [
        ("front", "active"), ("till", "removed")
    ]  # fmt: skip


@pytest.mark.parametrize("project", ["credit", ""])
def test_the_next_step_of_a_refusal_asks_about_the_same_program(furnished: Workspace, project: str) -> None:
    """The command it names, for somebody who may in another project: it must not say that they can."""
    there = person("dan", "ml_engineer@loans")
    enrol(furnished, "dan", ["ml_engineer@loans"], UNLOCK, by=operator())
    with pytest.raises(PermissionDenied) as refused:
        access.add_client(
            furnished, "till", projects=[project] if project else [], audiences=["urn:x"], scopes=[] if project else ["x"], by=there
        )  # fmt: skip
    named = str(refused.value).rpartition("sealwright why-not dan client.register ")[2].split()[0]
    assert named == ("credit/till" if project else "till")
    found = ask_why_not(furnished, "dan", "client.register", named, by=operator())
    assert not found.decision.allowed


def test_whole_answers_are_handed_out_by_who_may_judge_the_model(furnished: Workspace, staffed: Workspace) -> None:
    """Digits that a project holds back help whoever copies its model; a role that registers programs is not enough."""
    mia, dan = person("mia", "ml_engineer"), person("dan", "ml_engineer@loans")
    _, raw = access.make_api_key(furnished, "desk", project="credit", days=1, by=mia, told="full")
    assert raw
    assert machines_of(furnished).api_keys()[-1].scopes == ("predict:credit", "full:credit")
    with pytest.raises(PermissionDenied, match=r"model\.assess"):
        access.allow_full(furnished, ["full:credit"], by=person("ada", "administrator"))
    with pytest.raises(PermissionDenied):
        access.add_client(furnished, "x", projects=["loans"], audiences=[], scopes=["full:credit"], by=dan)


@pytest.mark.parametrize(
    ("told", "scopes"),
    [("labels", ("label:credit",)), ("usual", ("predict:credit",)), ("full", ("predict:credit", "full:credit"))],
)
def test_how_much_a_program_is_told_is_what_its_scopes_say(
    workspace: Workspace, told: Told, scopes: tuple[str, ...]
) -> None:
    access.add_client(workspace, "till", projects=["credit"], audiences=[], scopes=[], by=operator(), told=told)
    (made,) = access_views.list_clients(workspace, by=operator(), project="credit")
    assert made.scopes == scopes
    access.remove_client(workspace, "till", reason="gone", by=operator())
    token = issue(workspace, "credit", subject="till", hours=1, by=operator(), told=told)
    assert token
    last = workspace.ledger.entry(workspace.ledger.size - 1)
    assert tuple(last.detail["scopes"]) == scopes


def test_nobody_hands_a_program_what_they_may_not_do_themselves(furnished: Workspace, staffed: Workspace) -> None:
    """An engineer may issue tokens, and not read the ledger: nor may a program of theirs."""
    mia = person("mia", "ml_engineer")
    with pytest.raises(PermissionDenied, match=r"ledger\.read"):
        access.hand_out_control_token(furnished, "watcher", ["workspace.view", "ledger.read"], hours=1, by=mia)
    with pytest.raises(PermissionDenied, match=r"ledger\.read"):
        client(furnished, mia, scopes=("control:ledger.read",))
    both = person("mia", "ml_engineer", "auditor")
    access.add_client(furnished, "watcher", projects=[], audiences=["urn:x"], scopes=["control:ledger.read"], by=both)
    assert access.hand_out_control_token(furnished, "watcher", ["ledger.read"], hours=1, by=both)


@pytest.mark.parametrize(
    ("actions", "error"), [([], InvalidInput), (["no.such"], InvalidInput), (["keys.rotate"], Refused)]
)
def test_a_control_token_names_what_the_server_has(
    workspace: Workspace, actions: list[str], error: type[Exception]
) -> None:
    with pytest.raises(error):
        access.hand_out_control_token(workspace, "watcher", actions, hours=1, by=operator())


def test_reasons_of_people_are_sealed(furnished: Workspace) -> None:
    access.remove_client(furnished, "front", reason="Frau Margarethe left", by=operator())
    access.revoke_certificate(
        furnished, certificates_of(furnished).certificates()[0].serial, reason="Frau Margarethe left", by=operator()
    )
    entries = list(furnished.ledger.entries())[-2:]
    assert all(b"Margarethe" not in one.leaf for one in entries)
    assert [furnished.discretion.words_of(one) for one in entries] == ["Frau Margarethe left"] * 2


def test_what_is_not_there_is_said(workspace: Workspace) -> None:
    with pytest.raises(NotFound, match="no API key"):
        access.revoke_api_key(workspace, "nothing", reason="x", by=operator())
