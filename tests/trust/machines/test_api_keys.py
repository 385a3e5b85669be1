"""An API key has one spelling, is found by scanners, is kept as a hash only, and stops when it should."""

import re
import zlib
from datetime import timedelta
from typing import Any

import pytest

from sealwright.kernel import InvalidInput, NotFound
from sealwright.trust import API_KEY_PATTERN, TokenRefused, identify_service
from sealwright.trust.machines.api_keys import api_key_id, make_api_key

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
AUDIENCE, ISSUER = "urn:sealwright:predict:ws_1", "urn:sealwright:workspace:ws_1"


def made(desk: Any, **changes: Any) -> tuple[Any, str]:
    values = {"project": "credit", "scopes": ["predict:credit"], "owner": "ada", "days": 90.0, "by": "ada"}
    return desk.machines.make_api_key("till", **(values | changes))  # type: ignore[no-any-return]


def identified(desk: Any, raw: str) -> Any:
    keys = desk.keyring.trust_root.keys_of("tokens")
    return identify_service(f"Bearer {raw}", desk.machines, keys, issuer=ISSUER, audience=AUDIENCE)


def test_a_key_is_ours_by_shape_and_checksum() -> None:
    identity, raw = make_api_key()
    assert re.fullmatch(API_KEY_PATTERN, raw)
    assert api_key_id(raw) == identity
    assert make_api_key()[1] != raw
    number = 0
    for digit in raw[-6:]:
        number = number * 62 + BASE62.index(digit)
    assert number == zlib.crc32(raw[:-6].encode())


def test_every_changed_character_is_noticed_before_any_look_up() -> None:
    _, raw = make_api_key()
    for at in range(len(raw)):
        for other in "Aa0_z":
            if raw[at] != other:
                with pytest.raises(TokenRefused):
                    api_key_id(raw[:at] + other + raw[at + 1 :])
    for wrong in ("", "sw_", raw + "x", raw[:-1], " " + raw, raw + "\n", raw.upper()):
        with pytest.raises(TokenRefused):
            api_key_id(wrong)


def test_the_whole_range_of_secrets_fits_its_width() -> None:
    """base62 of 256 bits needs 43 digits; a shorter field would lose the highest ones."""
    _, low = make_api_key(lambda n: bytes(n))
    _, high = make_api_key(lambda n: b"\xff" * n)
    assert len(low) == len(high) == 69
    assert low.split("_")[2][:43] == "0" * 43
    number = 0
    for digit in high.split("_")[2][:43]:
        number = number * 62 + BASE62.index(digit)
    assert number == 2**256 - 1


def test_a_key_speaks_for_its_service_until_it_ends(desk: Any) -> None:
    _, raw = made(desk, days=1.0)
    who = identified(desk, raw)
    assert (who.kind, who.name, who.proof, who.scopes) == ("service", "till", "api_key", {"predict:credit"})
    desk.clock.advance(timedelta(days=1))
    with pytest.raises(TokenRefused) as refused:
        identified(desk, raw)
    assert refused.value.status == 401


def test_a_revoked_key_is_refused_here_at_once(desk: Any) -> None:
    key, raw = made(desk)
    identified(desk, raw)
    desk.machines.revoke_api_key(key.id, by="ada", reason="leaked")
    with pytest.raises(TokenRefused):
        identified(desk, raw)
    with pytest.raises(NotFound):
        desk.machines.revoke_api_key(key.id, by="ada", reason="again")


def test_another_secret_under_a_known_id_is_refused(desk: Any) -> None:
    key, raw = made(desk)
    forged = raw[:20] + make_api_key()[1][20:-6]
    from sealwright.trust.machines.api_keys import _checksum

    forged += _checksum(forged)
    assert api_key_id(forged) == key.id
    with pytest.raises(TokenRefused) as refused:
        identified(desk, forged)
    assert refused.value.reason == "api_key.unknown"


def test_nothing_of_a_secret_is_kept_anywhere(desk: Any, db_url: str) -> None:
    _, raw = made(desk)
    secret = desk.add()
    stored = b"".join(path.read_bytes() for path in desk.folder.rglob("*") if path.is_file())
    with desk.db.read() as tx:
        rows = str(tx.run("SELECT * FROM machine_api_keys")) + str(tx.run("SELECT * FROM machine_clients"))
    for part in (raw, raw.split("_")[2], raw.split("_")[2][:43], secret):
        assert part.encode() not in stored
        assert part not in rows
        assert part not in repr(desk.machines.api_keys()) + repr(desk.machines.clients())


def test_last_use_is_known_to_the_hour_only(desk: Any) -> None:
    _, raw = made(desk)
    identified(desk, raw)
    (found,) = desk.machines.api_keys()
    assert found.last_used == desk.clock().replace(minute=0, second=0, microsecond=0)


def test_making_and_revoking_are_events_that_name_no_secret(desk: Any) -> None:
    key, raw = made(desk)
    desk.machines.revoke_api_key(key.id, by="ada", reason="leaked")
    make, revoke = desk.events("api_key.make"), desk.events("api_key.revoke")
    assert [entry.detail["outcome"] for entry in make + revoke] == ["done", "done"]
    assert b"leaked" not in revoke[0].leaf  # what somebody wrote is sealed beside it
    assert raw not in str([entry.detail for entry in desk.events()])


@pytest.mark.parametrize("days", [0.0, -1.0, 367.0])
def test_no_key_lives_forever(desk: Any, days: float) -> None:
    with pytest.raises(InvalidInput, match="366 days"):
        made(desk, days=days)
