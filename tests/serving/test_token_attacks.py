"""Forged, confused and misdirected credentials against the running server: 401, on record, and nobody is called (T-01 to T-04, T-20)."""

import ast
import contextlib
import hashlib
import hmac
import json
import re
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sealwright import trust
from sealwright.kernel import new_id
from sealwright.serving import decision_ledger_folder, decision_origin, token_audience, token_issuer
from sealwright.trust.signing.vault import open_vault
from sealwright.trust.strict_base64 import encode_base64url

_SOURCE = Path(__file__).resolve().parents[2] / "src" / "sealwright"


def recorded(house: Any) -> dict[str, int]:
    """How often credentials were refused, by reason, as the server's ledger has it."""
    ledger = trust.Ledger.open(
        decision_ledger_folder(house.home, house.project, "live"),
        origin=decision_origin("ws_1", house.project, "live"),
        signer=None,
        keys=house.keyring.trust_root.keys_of("decision-checkpoints"),
    )
    found: dict[str, int] = {}
    with contextlib.closing(ledger):
        for entry in ledger.entries():
            if entry.action == "token.use":
                assert entry.detail["outcome"] == "refused"
                reason = str(entry.detail["reason"])
                found[reason] = found.get(reason, 0) + int(str(entry.detail["count"]))
    return found


class Attack:
    """Sends credentials and counts what came of them."""

    def __init__(self, client: Any, row: Any) -> None:
        self.client, self.row = client, row
        self.before = recorded(client.house)
        self.sent = 0

    @property
    def header(self) -> dict[str, Any]:
        return {"alg": "Ed25519", "typ": "at+jwt", "kid": self.client.house.keyring.signer("tokens").key_id}

    @property
    def claims(self) -> dict[str, Any]:
        now = int(datetime.now(UTC).timestamp())
        return {
            "iss": token_issuer("ws_1"),
            "aud": token_audience("ws_1"),
            "sub": "till",
            "client_id": "till",
            "scope": f"predict:{self.client.house.project}",
            "iat": now,
            "exp": now + 300,
            "jti": new_id("tok"),
        }

    def made(self, header: Any = None, claims: Any = None, signature: bytes | None = None) -> str:
        """Honestly signed by the workspace's key, whatever it says, unless another signature is given."""
        parts = [self.header if header is None else header, self.claims if claims is None else claims]
        message = ".".join(encode_base64url(json.dumps(part).encode()) for part in parts)
        if signature is None:
            signature = self.client.house.stolen("tokens").sign(message.encode())
        return f"{message}.{encode_base64url(signature)}"

    def refused(self, raw: str) -> None:
        reply = self.client.predict(self.row, Authorization=f"Bearer {raw}")
        assert (reply.status, reply.headers.get("www-authenticate")) == (401, "Bearer"), raw[:200]
        self.sent += 1

    def on_record(self) -> dict[str, int]:
        """Wait until every refusal stands in the ledger; returns them by reason."""
        end = time.monotonic() + 10
        while True:
            now = recorded(self.client.house)
            fresh = {reason: count - self.before.get(reason, 0) for reason, count in now.items()}
            fresh = {reason: count for reason, count in fresh.items() if count}
            if sum(fresh.values()) >= self.sent:
                assert sum(fresh.values()) == self.sent
                return fresh
            assert time.monotonic() < end, f"refusals are missing in the ledger: {fresh}, sent {self.sent}"
            time.sleep(0.1)


@pytest.fixture
def attack(client: Any, row: dict[str, Any]) -> Iterator[Attack]:
    """An attack, after which a good token still works: so that each refusal is for the one thing it changes."""
    made = Attack(client, row)
    assert client.predict(row, Authorization=f"Bearer {made.made()}").status == 200
    yield made
    assert client.predict(row, Authorization=f"Bearer {made.made()}").status == 200


def test_alg_none_in_every_spelling_is_refused_t01(attack: Attack) -> None:
    for alg in ("none", "None", "NONE", "nOnE", "", [], ["none"], ["Ed25519"], None):
        raw = attack.made({**attack.header, "alg": alg})
        head = raw.rsplit(".", 1)[0]
        for forged in (raw, f"{head}.", head):
            attack.refused(forged)
    header = {name: value for name, value in attack.header.items() if name != "alg"}
    attack.refused(attack.made(header))
    assert set(attack.on_record()) == {"token.header", "token.form"}


def test_our_public_key_is_no_hmac_secret_t02(attack: Attack) -> None:
    public = attack.client.house.keyring.signer("tokens").public()
    jwk = json.dumps(trust.jwks_document([public])["keys"][0]).encode()
    for secret in (public.pem.encode(), public.pem.strip().encode(), public.raw(), jwk, b""):
        for header in ({**attack.header, "alg": "HS256"}, attack.header, {**attack.header, "alg": "HS512"}):
            message = attack.made(header).rsplit(".", 1)[0]
            for digest in (hashlib.sha256, hashlib.sha512):
                attack.refused(f"{message}.{encode_base64url(hmac.digest(secret, message.encode(), digest))}")
    assert set(attack.on_record()) == {"token.header", "token.signature"}


def test_no_header_brings_a_key_and_nobody_is_called_t03(attack: Attack) -> None:
    """The attacker signs with a key of their own, and the header says where to find it: on a server that listens."""
    evil = trust.LocalSigner(trust.ED25519, b"\7" * 32)
    jwk = trust.jwks_document([evil.public()])["keys"][0]
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.3)
        url = f"https://127.0.0.1:{listening.getsockname()[1]}/keys"
        extras: list[dict[str, Any]] = [
            {"jwk": jwk},
            {"jku": url},
            {"x5u": url},
            {"x5c": ["AA=="]},
            {"jwk": jwk, "kid": evil.key_id},
            {"crit": ["exp"]},
            {"crit": []},
            {"crit": ["b64"], "b64": False},
            {"cty": "JWT"},
            {"zip": "DEF"},
            {"kid": evil.key_id},
        ]
        for extra in extras:
            header = {**attack.header, **extra}
            message = attack.made(header).rsplit(".", 1)[0]
            attack.refused(f"{message}.{encode_base64url(evil.sign(message.encode()))}")
            if extra != {"kid": evil.key_id}:
                attack.refused(attack.made(header))  # even where our own key signed it
        with pytest.raises(TimeoutError):
            listening.accept()
    assert set(attack.on_record()) <= {"token.header", "token.key"}


def test_a_kid_is_looked_up_among_our_keys_and_nowhere_else_t03(attack: Attack, tmp_path: Path) -> None:
    kids: list[Any] = [
        "../../../../../../dev/null",
        "/dev/null",
        "../keys/trust.json",
        "file:///etc/passwd",
        "' OR '1'='1",
        "x' UNION SELECT 'AAAA' --",
        '"; DROP TABLE machine_clients; --',
        f"$(touch {tmp_path}/canary)",
        f"|touch {tmp_path}/canary",
        "\u0000",
        "a" * 5000,
        "",
        None,
        0,
        [],
        {"$ne": ""},
    ]
    for kid in kids:
        message = attack.made({**attack.header, "kid": kid}).rsplit(".", 1)[0]
        attack.refused(f"{message}.{encode_base64url(hmac.digest(b'', message.encode(), 'sha256'))}")
        attack.refused(attack.made({**attack.header, "kid": kid}))
    assert not (tmp_path / "canary").exists()
    assert set(attack.on_record()) <= {"token.key", "token.form", "token.header"}


def test_another_type_audience_or_issuer_is_refused_t04(attack: Attack) -> None:
    for typ in ("refresh+jwt", "JWT", "id+jwt", "logout+jwt", "application/at+jwt", None):
        attack.refused(attack.made({**attack.header, "typ": typ}))
    ours = attack.claims["aud"]
    for aud in (
        [ours],
        [ours, "urn:other"],
        [],
        "urn:sealwright:control:ws_1",
        "urn:sealwright:predict:ws_2",
        ours + "/",
        None,
    ):
        attack.refused(attack.made(claims={**attack.claims, "aud": aud}))
    for iss in ("urn:sealwright:workspace:ws_2", "https://evil.example", "", [attack.claims["iss"]], None):
        attack.refused(attack.made(claims={**attack.claims, "iss": iss}))
    assert set(attack.on_record()) == {"token.header", "token.audience", "token.claims"}


def test_another_tenants_token_is_refused_t04(attack: Attack, tmp_path: Path) -> None:
    """A whole other workspace, with keys of its own, that issues a token saying it is ours."""
    unlock = trust.InsecurePassphraseForTests(trust.Secret("a passphrase for tests"))
    trust.create_keyring(tmp_path / "keys", "ws_2", unlock).close()
    other = open_vault(tmp_path / "keys", unlock).signers["tokens"]
    for header in ({**attack.header, "kid": other.key_id}, attack.header):
        message = attack.made(header).rsplit(".", 1)[0]
        attack.refused(f"{message}.{encode_base64url(other.sign(message.encode()))}")
    for branch in ("statements", "releases", "checkpoints"):  # our own keys of other purposes
        own = attack.client.house.stolen(branch)
        message = attack.made({**attack.header, "kid": own.key_id}).rsplit(".", 1)[0]
        attack.refused(f"{message}.{encode_base64url(own.sign(message.encode()))}")
    assert set(attack.on_record()) == {"token.key", "token.signature"}


def test_an_assertion_of_a_client_is_no_access_token_t04(attack: Attack) -> None:
    now = int(datetime.now(UTC).timestamp())
    claims = {"iss": "till", "sub": "till", "aud": token_audience("ws_1"), "exp": now + 60, "jti": "jti-00001"}
    attack.refused(attack.made({**attack.header, "typ": "JWT"}, claims))
    attack.refused(attack.made(claims=claims))
    attack.on_record()


def test_forged_api_keys_are_refused_and_recorded(attack: Attack) -> None:
    from sealwright.trust.machines.api_keys import make_api_key

    raw = make_api_key()[1]
    for forged in (raw, raw[:-1] + ("A" if raw[-1] != "A" else "B"), "sw_", "sw_' OR 1=1", raw.lower(), raw + "x"):
        attack.refused(forged)
    assert set(attack.on_record()) == {"api_key.unknown", "api_key.form"}


def test_a_refusal_on_record_names_no_address_and_no_credential(attack: Attack) -> None:
    raw = attack.made({**attack.header, "alg": "none"})
    attack.refused(raw)
    attack.on_record()
    folder = decision_ledger_folder(attack.client.house.home, attack.client.house.project, "live")
    kept = b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())
    assert raw.split(".")[1].encode() not in kept
    assert b"127.0.0.1" not in kept


def test_a_flood_of_bad_tokens_costs_few_entries(client: Any, row: dict[str, Any], house: Any) -> None:
    """Each is counted; a stranger cannot fill the disk with them."""
    path = decision_ledger_folder(house.home, house.project, "live") / "entries.log"
    attack = Attack(client, row)
    before = path.stat().st_size
    for _ in range(150):
        attack.refused("x")
    assert attack.on_record() == {"token.form": 150}
    assert path.stat().st_size - before < 150 * 100


# ---- T-20: secrets are compared in constant time

_SECRET = re.compile(r"secret|digest|passw|signature|api_?key\b|\bmac\b|\btag\b|hash", re.IGNORECASE)
_FILES = [*sorted((_SOURCE / "trust" / "machines").glob("*.py")), _SOURCE / "serving" / "tokens.py"]


def compared_plainly(code: str) -> list[str]:
    """Comparisons with == or != in which a name speaks of a secret."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Compare) and any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops):
            sides = [ast.unparse(side) for side in (node.left, *node.comparators)]
            constant = any(isinstance(side, ast.Constant) for side in (node.left, *node.comparators))
            if not constant and any(_SECRET.search(side) for side in sides):
                found.append(ast.unparse(node))
    return found


def test_no_secret_is_compared_with_equals_t20() -> None:
    assert compared_plainly("if found.secret == given: pass") == ["found.secret == given"]
    assert compared_plainly("ok = digest != kept") == ["digest != kept"]
    for path in _FILES:
        assert compared_plainly(path.read_text()) == [], path
    import inspect

    from sealwright.trust.machines.api_keys import same_digest

    assert "hmac.compare_digest(" in inspect.getsource(same_digest)


def test_an_unknown_key_takes_as_long_as_a_wrong_secret_t20() -> None:
    """A name that exists cannot be told from one that does not by waiting: medians of interleaved tries."""
    import statistics

    from sealwright.trust.machines.access_list import AccessList, ListedKey
    from sealwright.trust.machines.api_keys import api_key_digest, make_api_key

    known, unknown = make_api_key(), make_api_key()
    entry = ListedKey(subject="till", digest=b"\1" * 32, scopes=frozenset({"predict:x"}), expires=2**33)
    found = AccessList(sequence=1, issued_at=datetime.now(UTC), keys={known[0]: entry})
    took: dict[str, list[int]] = {known[1]: [], unknown[1]: []}
    now = datetime.now(UTC)
    for _ in range(4000):
        for raw, times in took.items():
            digest = bytes.fromhex(api_key_digest(raw))
            began = time.perf_counter_ns()
            with contextlib.suppress(trust.TokenRefused):
                found.key(raw, digest, now)
            times.append(time.perf_counter_ns() - began)
    medians = [statistics.median(times) for times in took.values()]
    assert abs(medians[0] - medians[1]) < 0.25 * max(medians), medians
