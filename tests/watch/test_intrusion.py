"""Every rule sees the attack it is for, and stays silent on a normal day."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from sealwright.trust import Event
from sealwright.watch import RULES, Alert, raise_alerts, seen_in
from sealwright.watch.intrusion.window import Window

from .conftest import DOOR_ORIGIN, ORIGIN, Watched

Attack = Callable[[Watched], None]


def say(watched: Watched, action: str, outcome: str = "done", *, seconds: float = 1, **said: object) -> None:
    watched.clock.forward(seconds=seconds)
    watched.audit.record(Event(action=action, outcome=outcome, **said))  # type: ignore[arg-type]


def wrong_password(watched: Watched, name: str, source: str, seconds: float = 1) -> None:
    say(
        watched,
        "login",
        "refused",
        seconds=seconds,
        resource=f"account:{name}",
        source=source,
        reason="identity.refused",
    )


def guess_one_account(watched: Watched) -> None:
    for number in range(12):
        wrong_password(watched, "ada", f"192.0.2.{number}")


def spray_many_accounts(watched: Watched) -> None:
    for number in range(9):
        wrong_password(watched, f"person-{number}", "192.0.2.9", seconds=50)


def flood_that_was_summarised(watched: Watched) -> None:
    wrong_password(watched, "ada", "192.0.2.9")
    say(watched, "login", "refused", resource="account:ada", reason="identity.refused", detail={"count": 400})


def guess_and_get_in(watched: Watched) -> None:
    for _ in range(6):
        wrong_password(watched, "ada", "192.0.2.9", seconds=60)
    say(watched, "login", resource="account:ada", source="192.0.2.9")


def use_a_revoked_token(watched: Watched) -> None:
    say(watched, "token.use", "refused", resource="token:tok_1", reason="token.revoked", source="192.0.2.1")


def try_many_tokens(watched: Watched) -> None:
    for _ in range(10):
        said = {"count": 12, "sources": {"sub_7": 11, "sub_8": 1}}  # as a prediction server sums them up
        say(watched, "token.use", "refused", reason="token.signature", detail=said)


def use_one_key_everywhere(watched: Watched) -> None:
    for number in range(4):
        say(watched, "api_key.use", resource="api_key:key_1", source=f"198.51.100.{number}")


def try_every_door(watched: Watched) -> None:
    for action in ("model.promote", "model.revoke", "people.enrol", "key.rotate", "data.read", "ledger.export"):
        say(watched, action, "refused", actor="eve", resource="project:credit", reason="permission.denied")


def read_everything(watched: Watched) -> None:
    for number in range(20):
        say(watched, "data.read", actor="eve", resource=f"snapshot:{number}", seconds=60, detail={"rows": 100})


def read_one_huge_thing(watched: Watched) -> None:
    say(watched, "data.extract", actor="eve", resource="snapshot:1", detail={"rows": 250_000})


def copy_the_model(watched: Watched) -> None:
    for _ in range(25):
        say(watched, "predict.usage", seconds=600, detail={"caller": "sub_9", "rows": 1000, "different": 980})


def change_an_installation(watched: Watched) -> None:
    say(watched, "environment.compare", "failed", reason="supply.differs")


def show_two_histories(watched: Watched) -> None:
    say(watched, "checkpoint.witness", "refused", reason="witness.inconsistent")


def give_a_false_signature(watched: Watched) -> None:
    say(watched, "signer.sign", "refused", resource="branch:models", reason="keys.backend_lied")


ATTACKS: list[tuple[str, Attack]] = [
    ("intrusion.brute_force", guess_one_account),
    ("intrusion.brute_force", spray_many_accounts),
    ("intrusion.brute_force", flood_that_was_summarised),
    ("intrusion.brute_force", try_many_tokens),
    ("intrusion.guessed", guess_and_get_in),
    ("intrusion.impossible_token", use_a_revoked_token),
    ("intrusion.impossible_token", use_one_key_everywhere),
    ("intrusion.scope_probing", try_every_door),
    ("intrusion.mass_read", read_everything),
    ("intrusion.mass_read", read_one_huge_thing),
    ("intrusion.extraction", copy_the_model),
    ("intrusion.tampering", change_an_installation),
    ("intrusion.tampering", show_two_histories),
    ("intrusion.tampering", give_a_false_signature),
]


def alerts(watched: Watched) -> list[Alert]:
    return raise_alerts({ORIGIN: watched.ledger}, watched.audit, now=watched.clock())


@pytest.mark.parametrize(("rule", "attack"), ATTACKS, ids=lambda value: getattr(value, "__name__", value))
def test_the_attack_fires_its_rule_and_the_alert_stands_in_the_ledger_t65(
    watched: Watched, rule: str, attack: Attack
) -> None:
    attack(watched)
    raised = alerts(watched)
    assert [alert.rule for alert in raised] == [rule]
    entry = list(watched.ledger.entries())[-1]
    assert (entry.action, entry.detail["reason"], entry.detail["says"]) == ("alert.raise", rule, raised[0].says)
    indices = [int(uid.removeprefix(f"{ORIGIN}/")) for uid in (raised[0].first, raised[0].last)]
    assert indices[0] <= indices[1] < entry.index


def test_a_device_that_does_not_answer_is_an_outage_and_no_attack(watched: Watched) -> None:
    for _ in range(20):
        say(watched, "signer.sign", "failed", resource="branch:models", reason="keys.backend_unavailable")
    assert alerts(watched) == []


@pytest.mark.parametrize(("rule", "attack"), ATTACKS, ids=lambda value: getattr(value, "__name__", value))
def test_an_attack_is_told_once_however_often_one_looks(watched: Watched, rule: str, attack: Attack) -> None:
    attack(watched)
    assert len(alerts(watched)) == 1
    watched.clock.forward(minutes=5)
    assert alerts(watched) == []
    watched.clock.forward(hours=12)
    attack(watched)
    assert [alert.rule for alert in alerts(watched)] == [rule]  # a second attack is a second alert


def test_every_rule_has_an_attack_and_says_which_techniques_it_notices() -> None:
    rules = [make() for make in RULES]
    assert {rule.id for rule in rules} == {rule for rule, _ in ATTACKS}
    assert all(rule.techniques and rule.title for rule in rules)


def test_a_normal_week_raises_nothing(watched: Watched) -> None:
    lots = random.Random(7)
    people = [f"person-{number}" for number in range(25)]
    for _ in range(5):
        for name in people:
            for _ in range(lots.choice((0, 0, 0, 1, 2, 3))):
                wrong_password(watched, name, f"10.0.0.{people.index(name)}", seconds=20)
            say(watched, "login", resource=f"account:{name}", source=f"10.0.0.{people.index(name)}", seconds=30)
            say(watched, "token.issue", actor=name, resource="client:scorer")
            if lots.random() < 0.2:
                say(
                    watched,
                    "model.promote",
                    "refused",
                    actor=name,
                    resource="project:credit",
                    reason="permission.denied",
                )
            for _ in range(lots.randrange(4)):
                say(watched, "data.read", actor=name, resource="snapshot:1", seconds=300, detail={"rows": 50})
        for _ in range(8):
            say(watched, "predict.usage", seconds=900, detail={"caller": "sub_1", "rows": 900, "different": 700})
        for _ in range(60):
            say(watched, "api_key.use", resource="api_key:key_1", source="10.0.1.1", seconds=10)
        assert alerts(watched) == []
        watched.clock.forward(hours=15)


def test_alerts_do_not_feed_the_rules(watched: Watched) -> None:
    for number in range(40):
        say(watched, "alert.raise", "refused", actor="detector", resource=f"x:{number}")
    assert alerts(watched) == []


def test_a_revoked_token_that_is_tried_all_day_is_told_once_an_hour(watched: Watched) -> None:
    for _ in range(180):
        said = {"count": 60, "sources": {"sub_7": 60}}
        say(watched, "token.use", "refused", reason="token.revoked", detail=said, seconds=60)
    told = [alert for alert in alerts(watched) if alert.rule == "intrusion.impossible_token"]
    assert [alert.about for alert in told] == ["sub_7"] * 3


def test_a_client_whose_token_ran_out_is_no_attack(watched: Watched) -> None:
    for _ in range(20):
        say(watched, "token.use", "refused", reason="token.expired", detail={"count": 60, "sources": {"sub_7": 60}})
    assert alerts(watched) == []


def test_refusals_in_one_ledger_and_the_login_in_another_are_one_attack(watched: Watched, door: Watched) -> None:
    for _ in range(6):
        wrong_password(door, "ada", "192.0.2.9")
    say(watched, "login", resource="account:ada", source="192.0.2.9")
    ledgers = {ORIGIN: watched.ledger, DOOR_ORIGIN: door.ledger}
    raised = raise_alerts(ledgers, watched.audit, now=watched.clock())
    assert [alert.rule for alert in raised] == ["intrusion.guessed"]
    assert (raised[0].first, raised[0].last) == (f"{DOOR_ORIGIN}/0", f"{ORIGIN}/0")
    assert raise_alerts(ledgers, watched.audit, now=watched.clock()) == []


def test_a_window_forgets_what_is_old_and_who_came_long_ago(watched: Watched) -> None:
    window = Window(timedelta(minutes=10))
    say(watched, "login")
    seen = seen_in(watched.ledger.entry(0), ORIGIN)
    later = [replace(seen, at=seen.at + timedelta(minutes=3 * step), index=step) for step in range(6)]
    assert [window.add("a", one).events for one in later] == [1, 2, 3, 4, 4, 4]
    assert window.of("a", later[-1].at).first == f"{ORIGIN}/2"
    for number in range(25_000):
        window.add(f"key-{number}", seen)
    assert len(window._of) == 20_000
    assert window.of("a", seen.at).events == 0


def test_entries_of_verbs_without_an_outcome_are_changes_that_were_made(watched: Watched) -> None:
    watched.ledger.append("data.reidentification_refused", "sha256:" + "0" * 64, {})
    watched.ledger.append("data.ingested", "sha256:" + "0" * 64, {})
    assert [seen_in(entry, ORIGIN).outcome for entry in watched.ledger.entries()] == ["refused", "done"]
