"""Every verb asks before it does anything, and what it asks is answered from what was signed."""

import ast
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import sealwright
from acting import operator, person, service
from sealwright.kernel import FixedClock, InvalidInput, NotFound, Refused, VerificationFailed
from sealwright.pipeline import (
    Workspace,
    allow,
    break_glass_of,
    create_workspace,
    data_of_project,
    end_enrolment,
    enrol,
    enrolled_members,
    people_of,
    permissions_of,
    proven_by_key,
    renew_enrolment,
    requests_for,
)
from sealwright.trust import (
    AccountResource,
    ClientResource,
    DatasetResource,
    InsecurePassphraseForTests,
    NotProven,
    PermissionDenied,
    RoleGrant,
    Secret,
    create_person,
    open_person,
)
from sealwright.trust.permissions.permissions import as_principal

UNLOCK = InsecurePassphraseForTests(Secret("correct horse battery staple"))
SOURCE = Path(sealwright.__path__[0])


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 3, 2, tzinfo=UTC))


@pytest.fixture
def workspace(db_url: str, tmp_path: Path, clock: FixedClock) -> Iterator[Workspace]:
    with create_workspace(tmp_path / "ws", name="Bank", unlock=UNLOCK, clock=clock, database=db_url) as made:
        yield made


def verbs() -> Iterator[tuple[str, ast.FunctionDef]]:
    doors = [SOURCE / "doors" / name for name in ("serving.py", "access.py", "access_views.py")]
    for path in [*sorted((SOURCE / "pipeline").glob("*.py")), *doors]:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and path.name != "permission.py":
                told = [*node.args.args, *node.args.kwonlyargs]
                if any(
                    one.arg == "by" and ast.unparse(one.annotation or ast.Constant("")) == "Principal" for one in told
                ):
                    yield f"{path.stem}.{node.name}", node


def test_every_verb_that_is_told_who_acts_asks_before_it_uses_that() -> None:
    found = dict(verbs())
    assert len(found) > 60
    assert found.keys() >= {"let_through.decide", "released.list_versions", "lineage.lineage_of", "people.overview"}
    for name, node in found.items():
        uses = [one for one in ast.walk(node) if isinstance(one, ast.Name) and one.id == "by"]
        first = min(uses, key=lambda one: (one.lineno, one.col_offset))
        asked = [
            call
            for call in ast.walk(node)
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "allow"
        ]
        assert any(first in call.args for call in asked), f"{name} uses `by` before it asks"


def test_no_door_hands_a_bare_name_to_a_verb() -> None:
    for path in (SOURCE / "doors").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "settings.actor, " not in text or path.name in {"acting.py", "settings.py"}, path
        assert "by=settings.actor" not in text or path.name == "keys.py", path  # who recovers proves it by shares
        assert "read_settings(actor=actor).actor" not in text, path
        assert "registry.promote(" not in text, path
        assert "registry.rollback(" not in text, path
        assert "registry.revoke(" not in text, path


def test_no_door_gathers_what_it_shows_past_the_verbs_that_ask() -> None:
    """What reads without asking is for verbs that asked already."""
    past = re.compile(r"\.registry\.|registry_to_read|gate_of|\b(consents|requests|holds|suppressions)_of\(|\.all\(\)")
    for path in (SOURCE / "doors").rglob("*.py"):
        if "control" not in path.relative_to(SOURCE / "doors").parts[:-1]:  # its gate asks before a route is reached
            assert not past.search(path.read_text(encoding="utf-8")), path


def test_a_refusal_stands_in_the_ledger_before_it_is_heard_of(workspace: Workspace) -> None:
    enrol(workspace, "mia", ["ml_engineer"], UNLOCK, by=operator())
    with pytest.raises(PermissionDenied, match="takes the role ml_engineer"):
        allow(workspace, operator(), "token.issue", ClientResource(name="till", project="credit"))
    last = list(workspace.ledger.entries())[-1]
    assert (last.action, last.detail["outcome"], last.detail["reason"]) == (
        "token.issue",
        "refused",
        "permission.denied",
    )
    assert last.actor.startswith("sub_")


def test_a_role_in_another_project_gives_nothing_here_t14(workspace: Workspace) -> None:
    there = person("dan", "compliance_officer@loans")
    with pytest.raises(PermissionDenied, match="dan holds no role there"):
        requests_for(workspace, there, project="credit")
    requests_for(workspace, there, project="loans")
    with pytest.raises(PermissionDenied):
        requests_for(workspace, there)  # those of all projects


def test_somebody_enrolled_for_one_project_acts_in_that_one_alone_t14(workspace: Workspace) -> None:
    enrolled = enrol(workspace, "dan", ["compliance_officer@loans", "auditor"], UNLOCK, by=operator())
    assert enrolled.roles == ("compliance_officer@loans", "auditor")
    (member,) = enrolled_members(workspace)
    dan = as_principal(member)
    with pytest.raises(PermissionDenied):
        allow(workspace, dan, "data.erase", data_of_project("credit"))
    allow(workspace, dan, "data.erase", data_of_project("loans"))
    allow(workspace, operator(), "data.erase", data_of_project("credit"))  # nobody is enrolled for it there
    with pytest.raises(PermissionDenied):
        allow(workspace, operator(), "data.erase", data_of_project("loans"))


def test_whoever_opens_it_does_what_nobody_is_enrolled_for_and_no_longer_when_somebody_is(
    workspace: Workspace, clock: FixedClock
) -> None:
    erase, data = "data.erase", data_of_project("credit")
    allow(workspace, operator(), erase, data)
    enrol(workspace, "cora", ["compliance_officer"], UNLOCK, by=operator())
    with pytest.raises(PermissionDenied):
        allow(workspace, operator(), erase, data)
    end_enrolment(workspace, "cora", reason="left the company", by=operator())
    allow(workspace, operator(), erase, data)


def test_an_enrolment_that_ran_out_counts_for_nothing(workspace: Workspace, clock: FixedClock) -> None:
    enrol(workspace, "cora", ["compliance_officer"], UNLOCK, by=operator())
    assert [one.name for one in enrolled_members(workspace)] == ["cora"]
    clock.advance(timedelta(days=367))
    assert enrolled_members(workspace) == []


def test_an_enrolment_is_renewed_with_the_key_that_is_there_and_other_roles(
    workspace: Workspace, clock: FixedClock
) -> None:
    before = enrol(workspace, "cora", ["compliance_officer"], UNLOCK, by=operator())
    clock.advance(timedelta(days=400))
    assert enrolled_members(workspace) == []
    after = renew_enrolment(workspace, "cora", by=operator())
    assert (after.key_id, after.roles, after.state) == (before.key_id, before.roles, "enrolled")
    assert after.until > before.until
    (member,) = enrolled_members(workspace)
    signer = open_person(workspace.folder("people"), "cora", UNLOCK)
    assert proven_by_key(workspace, signer).grants == member.grants
    renew_enrolment(workspace, "cora", ["auditor", "reviewer@loans"], by=operator())
    assert proven_by_key(workspace, signer).grants == {RoleGrant("auditor"), RoleGrant("reviewer", "loans")}
    with pytest.raises(InvalidInput, match="Give at least one"):
        renew_enrolment(workspace, "cora", ["king"], by=operator())


def test_a_pair_of_ones_own_in_the_files_of_somebody_enrolled_proves_nobody(
    workspace: Workspace, tmp_path: Path
) -> None:
    """Whoever can write people/ puts a pair of theirs in the place of dan's, and gets nothing of his, in an emergency either."""
    enrol(workspace, "dan", ["data_scientist"], UNLOCK, by=operator())
    create_person(tmp_path / "theirs", "dan", ["data_scientist"], UNLOCK)
    for file in (tmp_path / "theirs").iterdir():
        shutil.copy(file, workspace.folder("people") / file.name)
    with pytest.raises(NotProven, match="not enrolled here with this key"):
        proven_by_key(workspace, open_person(workspace.folder("people"), "dan", UNLOCK))
    last = list(workspace.ledger.entries())[-1]
    assert (last.action, last.detail["outcome"], last.detail["reason"]) == ("login", "refused", NotProven.code)


def test_whose_enrolment_ended_their_key_proves_nobody(workspace: Workspace) -> None:
    enrol(workspace, "dan", ["data_scientist"], UNLOCK, by=operator())
    signer = open_person(workspace.folder("people"), "dan", UNLOCK)
    assert proven_by_key(workspace, signer).strong
    end_enrolment(workspace, "dan", reason="left the company", by=operator())
    with pytest.raises(NotProven, match="not enrolled here with this key"):
        proven_by_key(workspace, signer)


def test_one_person_with_the_database_is_not_two_in_an_emergency(workspace: Workspace) -> None:
    for name, role in (("sofia", "security_officer"), ("cora", "compliance_officer"), ("dan", "data_scientist")):
        enrol(workspace, name, [role], UNLOCK, by=operator())
    sofia, cora = (person(name, role) for name, role in (("sofia", "security_officer"), ("cora", "compliance_officer")))
    glass = break_glass_of(workspace)

    def ask() -> str:
        why = "Mia is in hospital and version 3 answers wrongly"
        terms = {"project": "credit", "beneficiary": "dan", "roles": ["ml_engineer"], "reason": why}
        return glass.request(permissions_of(workspace), sofia, **terms).id  # type: ignore[arg-type]

    honest, hers = ask(), ask()
    assert glass.confirm(permissions_of(workspace), cora, honest).state == "open"
    with workspace.db.write() as tx:
        tx.run("UPDATE break_glass SET requested_by = 'cora' WHERE id = :id", id=hers)
    with pytest.raises(VerificationFailed, match="not what was asked for on record"):
        glass.confirm(permissions_of(workspace), sofia, hers)


def test_who_may_not_enrol_renews_nobody_and_nobody_renews_themselves(workspace: Workspace) -> None:
    enrol(workspace, "ada", ["administrator"], UNLOCK, by=operator())
    enrol(workspace, "cora", ["reviewer"], UNLOCK, by=person("ada", "administrator"))
    for by, name in (
        (operator(), "cora"),
        (person("cora", "reviewer"), "cora"),
        (person("ada", "administrator"), "ada"),
    ):
        with pytest.raises(PermissionDenied):
            renew_enrolment(workspace, name, ["compliance_officer"], by=by)
    assert {one.name: one.roles for one in people_of(workspace, by=operator())}["cora"] == ("reviewer",)


def test_an_ended_enrolment_and_an_unknown_name_are_not_renewed(workspace: Workspace) -> None:
    enrol(workspace, "cora", ["reviewer"], UNLOCK, by=operator())
    end_enrolment(workspace, "cora", reason="left the company", by=operator())
    with pytest.raises(Refused, match="was revoked"):
        renew_enrolment(workspace, "cora", by=operator())
    with pytest.raises(NotFound, match="Nobody called"):
        renew_enrolment(workspace, "dan", by=operator())


def test_somebody_taken_out_of_the_database_is_missed_t85(workspace: Workspace) -> None:
    enrol(workspace, "cora", ["compliance_officer"], UNLOCK, by=operator())
    with workspace.db.write() as tx:
        tx.run("DELETE FROM people")
    workspace.known_people = None  # as in another program
    with pytest.raises(VerificationFailed, match="not on file any more"):
        allow(workspace, operator(), "data.erase", data_of_project("credit"))


def test_somebody_whose_statement_is_gone_as_well_is_missed_t85(workspace: Workspace) -> None:
    enrol(workspace, "cora", ["compliance_officer"], UNLOCK, by=operator())
    with workspace.db.write() as tx:
        tx.run("DELETE FROM people")
        tx.run("DELETE FROM statements")
    workspace.known_people = None
    with pytest.raises(VerificationFailed, match="not on file any more"):
        permissions_of(workspace)


def test_people_are_read_again_when_the_ledger_has_news_of_them(workspace: Workspace) -> None:
    assert enrolled_members(workspace) == []
    enrol(workspace, "cora", ["compliance_officer"], UNLOCK, by=operator())
    workspace.ledger.append("note", "", {})
    assert [one.name for one in enrolled_members(workspace)] == ["cora"]


def test_a_program_is_refused_at_the_verbs_t17(workspace: Workspace) -> None:
    for program in (service("ci", "predict:credit"), service("ci", acting_for="cora", strong=True)):
        with pytest.raises(PermissionDenied, match="no scope of the program ci"):
            allow(workspace, program, "people.enrol", AccountResource(name="ben"))
        with pytest.raises(PermissionDenied):
            allow(workspace, program, "data.dispose", DatasetResource(name="all"))


def test_the_roster_needs_no_lock_of_the_ledger(workspace: Workspace, tmp_path: Path) -> None:
    """A server starts while a training holds the ledger."""
    from sealwright.pipeline import open_workspace

    enrol(workspace, "cora", ["compliance_officer"], UNLOCK, by=operator())
    workspace.hold_ledger()
    with open_workspace(tmp_path / "ws", UNLOCK) as second:
        assert [one.name for one in enrolled_members(second)] == ["cora"]
