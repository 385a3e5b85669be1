"""Secrets stay where they belong, and what is over goes away."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from house import AWAY, WORDS, House

import sealwright.trust.identity as room
from sealwright.trust import LoginRefused, RecoveryCode, TotpCode

SOURCES = sorted(Path(room.__file__).parent.glob("*.py"))
SECRETS = (
    "password",
    "secret",
    "code",
    "token",
    "ticket",
    "cookie",
    "digest",
    "tag",
    "mac",
    "hash",
    "expected",
    "challenge",
    "device",
)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_no_secret_is_compared_with_equals_t20(path: Path) -> None:
    """Comparing stops at the first difference, and its time tells where that was."""
    found = [
        line.strip()
        for line in path.read_text().splitlines()
        if re.search(
            rf"\b(?:\w+_)?(?:{'|'.join(SECRETS)})(?:\.\w+\(\))?\s*[=!]= |[=!]= (?:\w+_)?(?:{'|'.join(SECRETS)})\b", line
        )
        and not line.lstrip().startswith(("#", '"', "tx.run"))
    ]
    assert not [line for line in found if line not in _PUBLIC], found


_PUBLIC = {  # compares what is no secret
    'if claims["iss"] != expected.issuer:',
    "if party != expected.client_id and (party is not None or len(audiences) != 1):",
    "if old.reveal() == new.reveal():",  # both given by the same person, just now
    "if statement is not None and said.digest != statement:",
    'if isinstance(proof, TotpCode) == "totp":',
}


def test_no_secret_stands_in_the_database_the_ledger_or_a_text_of_ours(house: House, tmp_path: Path) -> None:
    house.person()
    needed = house.identity.login.begin("ada", __import__("sealwright.trust").trust.Secret(WORDS), source=AWAY)
    code = house.code()
    signed = house.identity.login.complete(needed.ticket.reveal(), TotpCode(code), source=AWAY)
    cookie, device = signed.new.id.reveal(), signed.device.reveal()
    link = house.identity.links.make("ada", by="root")
    offer = house.identity.totp.offer(cookie)
    canaries = [WORDS, cookie, device, needed.ticket.reveal(), link.token.reveal(), offer.secret.reveal()]
    canaries += [house.secrets["ada"], *house.codes["ada"], *[one.replace("-", "") for one in house.codes["ada"]]]
    written = "".join(repr(one) for one in (needed, signed, link, offer, TotpCode(code), RecoveryCode("aaaa-bbbb")))
    with house.db.read() as tx:
        for rows in (
            tx.run("SELECT * FROM identity_accounts"),
            tx.run("SELECT * FROM identity_totp"),
            tx.run("SELECT * FROM identity_recovery_codes"),
            tx.run("SELECT * FROM identity_links"),
            tx.run("SELECT * FROM identity_challenges"),
            tx.run("SELECT * FROM identity_sessions"),
            tx.run("SELECT * FROM identity_devices"),
            tx.run("SELECT * FROM identity_throttles"),
            tx.run("SELECT * FROM identity_floods"),
        ):
            written += "".join(str(bytes(v) if isinstance(v, memoryview) else v) for row in rows for v in row.values())
    with pytest.raises(LoginRefused) as refused:
        house.identity.login.complete(house.begin(), TotpCode(code), source=AWAY)
    written += str(refused.value)
    house.ledger.close()
    on_disk = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"enrol.use" in on_disk
    for canary in canaries:
        assert canary not in written
        assert canary.encode() not in on_disk


def test_no_name_and_no_address_is_counted_in_the_clear(house: House) -> None:
    house.person()
    house.begin(name="nobody-we-know")
    with house.db.read() as tx:
        kept = str(tx.run("SELECT * FROM identity_throttles")) + str(tx.run("SELECT * FROM identity_floods"))
    for canary in ("ada", "nobody-we-know", AWAY):
        assert canary not in kept


def test_what_is_over_goes_away(house: House) -> None:
    house.person()
    house.cookie()
    house.begin()
    house.identity.links.make("ada", by="root")
    house.clock.advance(timedelta(days=100))
    house.identity.tidy()
    with house.db.read() as tx:
        for rows in (
            tx.run("SELECT id FROM identity_sessions"),
            tx.run("SELECT id FROM identity_challenges"),
            tx.run("SELECT id FROM identity_links"),
            tx.run("SELECT id FROM identity_devices"),
            tx.run("SELECT id FROM identity_throttles"),
            tx.run("SELECT id FROM identity_floods"),
        ):
            assert rows == []


def test_what_an_older_key_sealed_still_opens(house: House) -> None:
    """After a rotation of the branch "identity": sessions, codes and passwords go on, and new rows use the new key."""
    from sealwright.trust import SEALING_BRANCHES, Keyring
    from sealwright.trust.sealing_branches import SealingBranches

    house.person()
    cookie, ring = house.cookie(), house.ring
    versions = {name: dict(ring._branches.of(name)) for name in SEALING_BRANCHES}
    versions["identity"][2] = b"n" * 32
    house.ring = Keyring(ring._followed, SealingBranches(Path("nowhere"), versions), ring._link)
    house.identity = house.opened()
    assert house.alive(cookie)
    assert house.alive(house.cookie())
    assert house.identity.recovery.use("ada", house.codes["ada"][0])
