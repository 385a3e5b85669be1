"""An endpoint is checked when it is registered and at each delivery; every attempt is in the ledger before it leaves."""

from datetime import timedelta

import pytest

from loopback import answer, serving
from sealwright.engines import Database, OutboundRefused
from sealwright.kernel import Conflict, InvalidInput, NotFound, VerificationFailed
from sealwright.trust import RecentDeliveries, Secret, WebhookMessage, WebhookRefused, pause_before, verify_webhook

NAME = "hooks.example.org"
PUBLIC = "93.184.216.34"


def url(port: int) -> str:
    return f"https://{NAME}:{port}/services/T0/s3cr3t-path"


def test_a_delivery_arrives_and_verifies(desk, tls, ada) -> None:
    with serving(lambda _: answer(204), tls=tls) as receiver:
        it = desk(receiver.port)
        secret = it.webhooks.add("alerts", url(receiver.port), by=ada)
        message = WebhookMessage.about("alert.raise", {"rule": "drift"}, at=it.clock())
        sent = it.webhooks.send("alerts", message)
        assert (sent.status, sent.arrived) == (204, True)
        (request,) = receiver.requests
        got = verify_webhook(request.headers, request.body, [secret], now=it.clock(), seen=RecentDeliveries())
        assert (got.id, got.data) == (message.id, {"rule": "drift"})
        assert it.events() == [("webhook.add", "done", ""), ("webhook.send", "done", "")]


def test_a_second_attempt_has_the_same_id_and_a_new_signature(desk, tls, ada) -> None:
    with serving(lambda _: answer(503), tls=tls) as receiver:
        it = desk(receiver.port)
        secret = it.webhooks.add("alerts", url(receiver.port), by=ada)
        message = WebhookMessage.about("alert.raise", {}, at=it.clock())
        seen = RecentDeliveries()
        assert it.webhooks.send("alerts", message).reason == "webhook.status"
        it.clock.advance(timedelta(hours=1))
        it.webhooks.send("alerts", message)
        first, second = receiver.requests
        verify_webhook(first.headers, first.body, [secret], now=it.clock() - timedelta(hours=1), seen=seen)
        with pytest.raises(WebhookRefused, match="accepted before"):
            verify_webhook(second.headers, second.body, [secret], now=it.clock(), seen=seen)
        assert it.events()[-1] == ("webhook.send", "failed", "webhook.status")


def test_tries_end() -> None:
    pauses = [pause_before(attempt) for attempt in range(2, 9)]
    assert pauses[:5] == sorted(filter(None, pauses))
    assert pauses[5:] == [None, None]


def test_a_secret_is_changed_without_a_lost_delivery(desk, tls, ada) -> None:
    with serving(lambda _: answer(200), tls=tls) as receiver:
        it = desk(receiver.port)
        old = it.webhooks.add("alerts", url(receiver.port), by=ada)
        new = it.webhooks.rotate("alerts", by=ada)
        assert old.reveal() != new.reveal()

        def verifies(secret: Secret) -> bool:
            it.webhooks.send("alerts", WebhookMessage.about("x", {}, at=it.clock()))
            got = receiver.requests[-1]
            try:
                verify_webhook(got.headers, got.body, [secret], now=it.clock(), seen=RecentDeliveries())
            except WebhookRefused:
                return False
            return True

        assert verifies(old)
        assert verifies(new)
        with pytest.raises(Conflict, match="already"):
            it.webhooks.rotate("alerts", by=ada)
        it.webhooks.end_rotation("alerts", by=ada)
        assert verifies(new)
        assert not verifies(old)


@pytest.mark.parametrize(
    "bad", ["http://127.0.0.1/", "https://169.254.169.254/latest", "https://10.0.0.1/", "https://0x7f.1/", "https://u@x.org/",
            "https://x.example.org:22/", "https://[::1]/", "ftp://x.example.org/"],
)  # fmt: skip
def test_an_inner_address_is_refused_when_registered_t33(desk, ada, canary, bad: str) -> None:
    it = desk(canary.port)
    with pytest.raises(OutboundRefused):
        it.webhooks.add("alerts", bad, by=ada)
    assert it.webhooks.names() == []
    ((action, outcome, reason),) = it.events()
    assert (action, outcome) == ("webhook.add", "refused")
    assert reason.startswith("outbound.")


def test_an_address_that_became_an_inner_one_is_refused_at_the_next_delivery_t33(desk, ada, canary) -> None:
    """The name was public when it was registered; now it says link-local, then loopback of a host that is not listed."""
    it = desk(canary.port)
    it.addresses[:] = [PUBLIC]
    it.webhooks.add("alerts", f"https://moves.example.org:{canary.port}/", by=ada)
    for inner in ("169.254.169.254", "127.0.0.1", "::ffff:127.0.0.1"):
        it.addresses[:] = [inner]
        with pytest.raises(OutboundRefused, match="kind"):
            it.webhooks.send("alerts", WebhookMessage.about("x", {}, at=it.clock()))
        assert it.events()[-1] == ("webhook.send", "refused", "outbound.address")


def test_a_receiver_that_redirects_inside_gets_nowhere_t33(desk, tls, ada, canary) -> None:
    there = f"http://127.0.0.1:{canary.port}/"
    with serving(lambda _: answer(307, Location=there), tls=tls) as receiver:
        it = desk(receiver.port)
        it.webhooks.add("alerts", url(receiver.port), by=ada)
        assert it.webhooks.send("alerts", WebhookMessage.about("x", {}, at=it.clock())).reason == "outbound.redirect"


def test_a_receiver_that_is_gone_or_unknown_to_the_name_server_is_a_failed_attempt(desk, tls, ada) -> None:
    with serving(lambda _: answer(200), tls=tls) as receiver:
        it = desk(receiver.port)
        it.webhooks.add("alerts", url(receiver.port), by=ada)
    message = WebhookMessage.about("x", {}, at=it.clock())
    assert it.webhooks.send("alerts", message).reason == "outbound.connect"
    it.addresses.clear()
    assert it.webhooks.send("alerts", message).reason == "outbound.resolve"
    assert [event[2] for event in it.events()[2:]] == ["outbound.connect", "outbound.resolve"]


def test_without_the_ledger_nothing_leaves(desk, tls, ada) -> None:
    with serving(lambda _: answer(200), tls=tls) as receiver:
        it = desk(receiver.port)
        it.webhooks.add("alerts", url(receiver.port), by=ada)
        it.ledger.close()
        for attempt in (
            lambda: it.webhooks.send("alerts", WebhookMessage.about("x", {}, at=it.clock())),
            lambda: it.webhooks.add("more", url(receiver.port), by=ada),
            lambda: it.webhooks.rotate("alerts", by=ada),
            lambda: it.webhooks.remove("alerts", by=ada),
        ):
            with pytest.raises(Exception, match="closed"):
                attempt()
        assert receiver.requests == []
        assert it.webhooks.names() == ["alerts"]


def test_address_and_secret_stand_nowhere_in_clear(desk, tls, ada, db: Database, tmp_path) -> None:
    with serving(lambda _: answer(500), tls=tls) as receiver:
        it = desk(receiver.port)
        secret = it.webhooks.add("alerts", url(receiver.port), by=ada)
        it.webhooks.send("alerts", WebhookMessage.about("x", {}, at=it.clock()))
        with db.read() as tx:
            rows = repr([dict(row) for row in tx.run("SELECT * FROM webhook_endpoints")])
        files = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
        for canary in (secret.reveal(), "s3cr3t-path"):
            assert canary not in rows
            assert canary.encode() not in files


def test_an_endpoint_moved_to_another_name_does_not_open(desk, ada, db: Database) -> None:
    it = desk(443)
    it.addresses[:] = [PUBLIC]
    it.webhooks.add("one", "https://one.example.org/", by=ada)
    with db.write() as tx:
        tx.run("UPDATE webhook_endpoints SET name = :name", name="two")
    with pytest.raises(VerificationFailed):
        it.webhooks.send("two", WebhookMessage.about("x", {}, at=it.clock()))


def test_names_are_unique_and_plain_and_unknown_ones_are_said(desk, ada) -> None:
    it = desk(443)
    it.addresses[:] = [PUBLIC]
    it.webhooks.add("alerts", "https://one.example.org/", by=ada)
    with pytest.raises(Conflict, match="already"):
        it.webhooks.add("alerts", "https://two.example.org/", by=ada)
    with pytest.raises(InvalidInput):
        it.webhooks.add("../x", "https://two.example.org/", by=ada)
    it.webhooks.remove("alerts", by=ada)
    for attempt in (it.webhooks.remove, it.webhooks.rotate, it.webhooks.end_rotation):
        with pytest.raises(NotFound, match="no webhook alerts"):
            attempt("alerts", by=ada)
