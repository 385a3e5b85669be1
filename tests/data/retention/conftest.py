"""A ledger and a clock that stands still until told, over each database."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sealwright.kernel import FixedClock
from sealwright.trust import Discretion, InsecurePassphraseForTests, Keyring, Ledger, Secret, create_keyring


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))  # a Monday


@pytest.fixture
def keyring(tmp_path: Path) -> Iterator[Keyring]:
    """Keys of this test alone: a signer signs no second beginning of a ledger."""
    unlock = InsecurePassphraseForTests(Secret("correct horse battery staple"))
    with create_keyring(tmp_path / "keys", "ws_test", unlock) as ring:
        yield ring


@pytest.fixture
def ledger(tmp_path: Path, keyring: Keyring, clock: FixedClock) -> Iterator[Ledger]:
    signer = keyring.signer("checkpoints")
    with Ledger.open(
        tmp_path / "ledger",
        origin="sealwright/ws_test/ledger",
        signer=signer,
        clock=clock,
        discretion=Discretion(keyring),
        create=True,
    ) as one:
        yield one
