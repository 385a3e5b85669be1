"""How long signing in takes, on this machine, with the cost of passwords that ships.

    python benchmarks/trust_login.py [--json] [--rounds 40] [--fips]

A workspace on SQLite with a real ledger: every step is on disk when it returns. The passkey is a software one, whose own
time is not counted. Promised: a login, both halves, in 300 ms (p50).
"""

import argparse
import hashlib
import json
import os
import platform
import statistics
import struct
import sys
import tempfile
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import cbor2
import pyotp
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from sealwright.engines import open_database
from sealwright.kernel import FixedClock, system_clock
from sealwright.trust import (
    ARGON2ID,
    PBKDF2,
    HashCost,
    Identity,
    IdentityRules,
    InsecurePassphraseForTests,
    Ledger,
    LedgerAudit,
    PasskeyAnswer,
    RoleGrant,
    Secret,
    TotpCode,
    create_keyring,
    open_identity,
)

WORDS = Secret("lantern okapi velvet 7 rivers")
GRANTS = frozenset({RoleGrant("security_officer")})
Figures = dict[str, tuple[float, float]]  # name -> (p50, p95) in ms


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


class Key:
    """A passkey in software: P-256, counting."""

    def __init__(self) -> None:
        self.key, self.id, self.count = ec.generate_private_key(ec.SECP256R1()), os.urandom(32), 0

    def make(self, options: Any) -> dict[str, Any]:
        numbers = self.key.public_key().public_numbers()
        x, y = (value.to_bytes(32, "big") for value in (numbers.x, numbers.y))
        attested = bytes(16) + struct.pack(">H", 32) + self.id + cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        data = self.data(options["rp"]["id"], 0x45) + attested
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self.client("webauthn.create", options["challenge"])
        return self.answer({"clientDataJSON": b64(client), "attestationObject": b64(attestation)})

    def get(self, options: Any) -> dict[str, Any]:
        self.count += 1
        data, client = self.data(options["rpId"], 0x05), self.client("webauthn.get", options["challenge"])
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        parts = {"clientDataJSON": client, "authenticatorData": data, "signature": signature}
        return self.answer({name: b64(part) for name, part in parts.items()})

    def data(self, rp_id: str, flags: int) -> bytes:
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + struct.pack(">I", self.count)

    def client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": "https://models.example.org"}).encode()

    def answer(self, response: dict[str, Any]) -> dict[str, Any]:
        return {"id": b64(self.id), "rawId": b64(self.id), "type": "public-key", "response": response}


def milliseconds(work: Callable[[], Any], into: list[float]) -> Any:
    start = time.perf_counter()
    result = work()
    into.append((time.perf_counter() - start) * 1000)
    return result


def p50_p95(found: list[float]) -> tuple[float, float]:
    return statistics.median(found), sorted(found)[int(len(found) * 0.95)]


def enrol(identity: Identity, clock: FixedClock, key: Key) -> str:
    """One person with an app and a passkey; returns the secret of the app."""
    link = identity.links.make("ada", by="root").token.reveal()
    offer = identity.links.open(link, source="127.0.0.1")
    app = pyotp.TOTP(offer.totp.secret.reveal())
    code = TotpCode(app.at(clock()))
    identity.links.use(link, WORDS, (offer.totp.ticket.reveal(), code), source="127.0.0.1")
    clock.advance(timedelta(minutes=1))
    ticket = identity.login.begin("ada", WORDS, source="127.0.0.1").ticket.reveal()
    cookie = identity.login.complete(ticket, TotpCode(app.at(clock())), source="127.0.0.1").new.id.reveal()
    identity.passkeys.add(cookie, key.make(identity.passkeys.offer(cookie)), label="key")
    return offer.totp.secret.reveal()


def measure(identity: Identity, clock: FixedClock, rounds: int) -> Figures:
    key = Key()
    app = pyotp.TOTP(enrol(identity, clock, key))
    times: dict[str, list[float]] = {
        name: []
        for name in (
            "the hash alone",
            "password step",
            "unknown person",
            "TOTP step",
            "passkey step",
            "step-up",
            "session lookup",
        )
    }
    cookie, hasher, worked = "", identity.login._hasher, []
    for n in range(rounds):
        source = f"198.51.100.{n}"
        clock.advance(timedelta(minutes=1))
        milliseconds(lambda s=source: identity.login.begin("nobody", WORDS, source=s), times["unknown person"])  # type: ignore[misc]
        milliseconds(lambda: hasher.hash(WORDS), times["the hash alone"])
        began = time.process_time()
        needed = milliseconds(lambda s=source: identity.login.begin("ada", WORDS, source=s), times["password step"])  # type: ignore[misc]
        ticket = needed.ticket.reveal()
        if n % 2:
            answer = PasskeyAnswer(key.get(identity.login.passkey_options(ticket)))
            done = milliseconds(
                lambda t=ticket, a=answer: identity.login.complete(t, a, source="x"),  # type: ignore[misc]
                times["passkey step"],
            )
        else:
            code = TotpCode(app.at(clock()))
            done = milliseconds(
                lambda t=ticket, c=code: identity.login.complete(t, c, source="x"),  # type: ignore[misc]
                times["TOTP step"],
            )
        worked.append((time.process_time() - began) * 1000)
        cookie = done.new.id.reveal()
        for _ in range(20):
            milliseconds(lambda c=cookie: identity.sessions.principal(c), times["session lookup"])  # type: ignore[misc]
        answer = PasskeyAnswer(key.get(identity.step_up.passkey_options(cookie)))
        milliseconds(lambda c=cookie, a=answer: identity.step_up.prove(c, a), times["step-up"])  # type: ignore[misc]
    figures = {name: p50_p95(found) for name, found in times.items()}
    password, code_step = figures["password step"], figures["TOTP step"]
    figures["login end to end (password and TOTP)"] = (password[0] + code_step[0], password[1] + code_step[1])
    figures["of it processor time, all cores"] = p50_p95(worked)
    return figures


def opened(folder: Path, cost: HashCost) -> tuple[Identity, FixedClock, Ledger]:
    ring = create_keyring(
        folder / "keys", "ws_bench", InsecurePassphraseForTests(Secret("a passphrase for benchmarks"))
    )
    clock = FixedClock(system_clock())
    ledger = Ledger.open(
        folder / "ledger", origin="sealwright/ws_bench/ledger", signer=ring.signer("checkpoints"), create=True
    )
    rules = IdentityRules(origin="https://models.example.org", cost=cost)
    database = open_database(f"sqlite:///{folder / 'db.sqlite'}")
    audit = LedgerAudit(ledger, ring)
    enrolled = {"ada": GRANTS}.get
    return open_identity(database, audit, ring, rules, enrolled=enrolled, clock=clock), clock, ledger


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--rounds", type=int, default=40, help="logins that are timed")
    parser.add_argument("--fips", action="store_true", help="PBKDF2-HMAC-SHA256 instead of Argon2id")
    parser.add_argument("--folder", type=Path, help="measure on this disk (default: the temporary folder)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        identity, clock, ledger = opened(Path(folder), PBKDF2 if options.fips else ARGON2ID)
        figures = measure(identity, clock, options.rounds)
        ledger.close()
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    if options.json:
        rows = {name: {"p50": p50, "p95": p95, "unit": "ms"} for name, (p50, p95) in figures.items()}
        json.dump({"benchmark": "trust_login", "machine": machine, "figures": rows}, sys.stdout, indent=2)
        print()
        return
    print(f"trust_login on {machine}, {'PBKDF2' if options.fips else 'Argon2id'}")
    for name, (p50, p95) in figures.items():
        print(f"  {name:<40} p50 {p50:>8.2f} ms   p95 {p95:>8.2f} ms")


if __name__ == "__main__":
    main()
