"""What the policies come to, cell by cell, against a file that was read by eye (T-14, T-15).

Write it anew with: SEALWRIGHT_UPDATE_GOLDEN=1 pytest tests/trust/permissions/test_matrix.py
"""

import os
from pathlib import Path

from sealwright.trust import ROLES
from sealwright.trust.permissions.matrix import lines, matrix
from sealwright.trust.permissions.policy_files import actions

GOLDEN = Path(__file__).parent / "golden_matrix.txt"
HEAD = """\
# Who may do what. One line for each role and action at a stage where anything at all is allowed; every other cell is a no.
# strong: only with a second factor or the person's own key. Where a role is held: in every project, in the project of the
# thing, or in another one. The operator is whoever opens the workspace: where nobody / where somebody enrolled could do it.
"""


def text() -> str:
    said = [HEAD]
    for line in lines():
        if set(line.places.values()) != {"-"}:
            cells = "  ".join(f"{where.split()[0]}={answer}" for where, answer in line.places.items())
            said.append(f"{line.action:<20} {line.stage:<11}{line.who:<19}{cells}\n")
    said.append("\n# Allowed to nobody in the matrix\n")
    possible = {(line.action, line.stage) for line in lines()}
    allowed = {(line.action, line.stage) for line in lines() if set(line.places.values()) != {"-"}}
    said += [f"{action:<20} {stage}\n".replace(" \n", "\n") for action, stage in sorted(possible - allowed)]
    return "".join(said)


def test_the_matrix_is_the_one_that_was_read_t15() -> None:
    made = text()
    if os.environ.get("SEALWRIGHT_UPDATE_GOLDEN"):
        GOLDEN.write_text(made, encoding="utf-8")
    assert made == GOLDEN.read_text(encoding="utf-8")


def test_the_matrix_covers_every_role_and_every_action() -> None:
    cells = list(matrix())
    assert {cell.action for cell in cells} == set(actions())
    assert {cell.who for cell in cells} == {*ROLES, "service", "operator"}
    assert {cell.stage for cell in cells if cell.action == "model.promote"} == {
        "candidate",
        "registered",
        "live",
        "revoked",
    }


def test_a_role_in_another_project_gives_nothing_here_t14() -> None:
    for cell in matrix():
        if cell.where == "foreign project" and cell.action not in {"workspace.view", "permission.view"}:
            assert not cell.allowed, cell


def test_a_role_in_one_project_gives_nothing_over_what_belongs_to_all_of_them_t14() -> None:
    beyond = {"key", "ledger", "person"}
    for cell in matrix():
        if cell.where == "own project" and actions()[cell.action].kind in beyond:
            assert not cell.allowed, cell


def test_a_second_factor_never_takes_a_right_away() -> None:
    for line in lines():
        assert set(line.places.values()) <= {"-", "yes", "strong"}
    weak = {(c.who, c.action, c.stage, c.where) for c in matrix() if c.allowed and not c.strong and c.who != "operator"}
    strong = {(c.who, c.action, c.stage, c.where) for c in matrix() if c.allowed and c.strong}
    assert weak <= strong


def test_an_auditor_changes_nothing() -> None:
    looking = {"view", "read", "export", "read_clear"}
    assert {
        c.action for c in matrix() if c.who == "auditor" and c.allowed and c.action.split(".")[1] not in looking
    } == set()


def test_a_program_can_do_nothing_but_predict() -> None:
    assert {c.action for c in matrix() if c.who == "service" and c.allowed} == {"predict.call"}
