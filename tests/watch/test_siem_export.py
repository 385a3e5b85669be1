"""Everything in the ledger reaches the receiver, in order, whatever happens to the receiver on the way."""

import json
from pathlib import Path

import pytest

from sealwright.kernel import InvalidInput, VerificationFailed
from sealwright.trust import Event
from sealwright.watch import ENCODERS, CursorFile, Exporter, Receiver, SendFailed, TlsSender

from .conftest import ORIGIN, Collector, Watched


def receiver(folder: Path, port: int, **said: object) -> Receiver:
    usual = {
        "host": "localhost",
        "port": port,
        "ca": folder / "ca.pem",
        "certificate": folder / "sender.pem",
        "key": folder / "sender.key",
        "seconds": 5.0,
    }
    return Receiver(**(usual | said))  # type: ignore[arg-type]


def exporter(cursor: Path, where: Receiver) -> Exporter:
    return Exporter(
        CursorFile(cursor, ORIGIN), lambda: TlsSender(where), origin=ORIGIN, host="here", encode=ENCODERS["ocsf"]
    )


def sequences(collector: Collector) -> list[int]:
    return [json.loads(message.split(b"\xef\xbb\xbf", 1)[1])["metadata"]["sequence"] for message in collector.messages]


def fill(watched: Watched, number: int) -> None:
    for _ in range(number):
        watched.audit.record(Event(action="login", outcome="refused", actor="ada", reason="identity.wrong_password"))


@pytest.fixture
def collector(certificates: Path):
    made = Collector(certificates)
    yield made
    made.stop()


def test_what_waits_is_sent_once_and_the_lag_is_told(
    watched: Watched, certificates: Path, collector: Collector, tmp_path: Path
) -> None:
    fill(watched, 30)
    out = exporter(tmp_path / "cursor.json", receiver(certificates, collector.port))
    assert (out.lag(watched.ledger).waiting, out.lag(watched.ledger).oldest) == (30, "2026-11-26T09:00:00.000Z")
    assert out.send_what_waits(watched.ledger) == 30
    assert out.send_what_waits(watched.ledger) == 0
    fill(watched, 5)
    again = exporter(tmp_path / "cursor.json", receiver(certificates, collector.port))  # as after a restart
    assert again.send_what_waits(watched.ledger) == 5
    assert sequences(collector) == list(range(35))
    assert again.lag(watched.ledger).waiting == 0


@pytest.mark.parametrize("after", [1, 3_000, 20_000])
def test_a_receiver_that_dies_in_the_middle_loses_nothing_t60(
    watched: Watched, certificates: Path, collector: Collector, tmp_path: Path, after: int
) -> None:
    fill(watched, 60)
    collector.after = after
    out = exporter(tmp_path / "cursor.json", receiver(certificates, collector.port))
    with pytest.raises(SendFailed):
        out.send_what_waits(watched.ledger)
    assert out.lag(watched.ledger).arrived == 0
    assert out.send_what_waits(watched.ledger) == 60
    assert sequences(collector) == list(range(60))


def test_without_a_farewell_nothing_counts_as_arrived_t60(
    watched: Watched, certificates: Path, collector: Collector, tmp_path: Path
) -> None:
    fill(watched, 10)
    collector.farewell = False
    out = exporter(tmp_path / "cursor.json", receiver(certificates, collector.port))
    with pytest.raises(SendFailed, match="did not end the connection properly"):
        out.send_what_waits(watched.ledger)
    assert out.lag(watched.ledger).arrived == 0
    collector.farewell = True
    assert out.send_what_waits(watched.ledger) == 10
    assert sequences(collector) == [*range(10), *range(10)]  # twice, and never not at all


def test_a_receiver_that_is_down_takes_no_memory_and_is_told_t60(
    watched: Watched, certificates: Path, collector: Collector, tmp_path: Path
) -> None:
    fill(watched, 3)
    port = collector.port
    collector.stop()
    out = exporter(tmp_path / "cursor.json", receiver(certificates, port))
    with pytest.raises(SendFailed, match="does not answer"):
        out.send_what_waits(watched.ledger)
    assert out.lag(watched.ledger).waiting == 3


def test_a_receiver_that_cannot_be_proven_gets_nothing(
    watched: Watched, certificates: Path, collector: Collector, tmp_path: Path
) -> None:
    fill(watched, 3)
    for wrong in ({"ca": certificates / "other-ca.pem"}, {"host": "127.0.0.1"}):
        with pytest.raises(SendFailed, match="could not be proven"):
            exporter(tmp_path / "cursor.json", receiver(certificates, collector.port, **wrong)).send_what_waits(
                watched.ledger
            )
    assert collector.messages == []


def test_a_sender_the_receiver_does_not_know_gets_nothing_through(
    watched: Watched, certificates: Path, collector: Collector, tmp_path: Path
) -> None:
    fill(watched, 3)
    stranger = receiver(
        certificates, collector.port, certificate=certificates / "stranger.pem", key=certificates / "stranger.key"
    )
    out = exporter(tmp_path / "cursor.json", stranger)
    with pytest.raises(SendFailed):
        out.send_what_waits(watched.ledger)
    assert (collector.messages, out.lag(watched.ledger).arrived) == ([], 0)


def test_files_that_are_missing_or_do_not_fit_are_refused_before_anything_is_sent(certificates: Path) -> None:
    with pytest.raises(InvalidInput, match="no file"):
        receiver(certificates, 1, ca=certificates / "none.pem")
    with pytest.raises(InvalidInput, match="cannot be used together"):
        receiver(certificates, 1, key=certificates / "stranger.key").context()
    with pytest.raises(InvalidInput, match="oldest TLS"):
        receiver(certificates, 1, oldest_tls="1.0")


def test_another_history_of_the_ledger_is_noticed_and_not_sent_t57(
    watched: Watched, certificates: Path, collector: Collector, tmp_path: Path
) -> None:
    fill(watched, 4)
    out = exporter(tmp_path / "cursor.json", receiver(certificates, collector.port))
    out.send_what_waits(watched.ledger)
    kept = json.loads((tmp_path / "cursor.json").read_text())
    for changed, words in (
        ({"last": "sha256:" + "0" * 64}, "history was replaced"),
        ({"next": 9}, "cut off"),
        ({"origin": "other/log"}, "cursor.json is of"),
    ):
        (tmp_path / "cursor.json").write_text(json.dumps(kept | changed))
        with pytest.raises(VerificationFailed, match=words):
            out.send_what_waits(watched.ledger)
    for junk in (b"", b"{}", b"\xff", b'{"format":1}'):
        (tmp_path / "cursor.json").write_bytes(junk)
        with pytest.raises(VerificationFailed, match="cannot be read"):
            out.send_what_waits(watched.ledger)
