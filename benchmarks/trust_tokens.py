"""What verifying a credential costs in the hot path of a prediction server, in microseconds.

    python benchmarks/trust_tokens.py [--rounds 5] [--json]

cold: first seen (for a token, an Ed25519 verification and strict parsing). warm: seen before, under the same access list. The
list holds 1,000 API keys and 1,000 revoked tokens. Medians over rounds of the mean over many calls.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sealwright import trust
from sealwright.kernel import system_clock
from sealwright.serving.access import AccessWatch
from sealwright.serving.problems import Unauthenticated
from sealwright.serving.state import StateFile
from sealwright.serving.tokens import TokenCheck
from sealwright.trust.machines.access_list import ListedKey
from sealwright.trust.machines.api_keys import api_key_digest, make_api_key

ISSUER, AUDIENCE = "urn:sealwright:workspace:ws_1", "urn:sealwright:predict:ws_1"
SIGNER = trust.LocalSigner(trust.ED25519, b"\1" * 32)


def token(subject: str = "till") -> bytes:
    raw = trust.issue_token(
        SIGNER,
        issuer=ISSUER,
        audience=AUDIENCE,
        subject=subject,
        scopes=["predict:credit"],
        lifetime=timedelta(minutes=5),
        now=datetime.now(UTC),
    )
    return f"Bearer {raw}".encode()


def prepared(folder: Path) -> tuple[AccessWatch, list[bytes]]:
    """A watch over a list of realistic size, and the keys in it."""
    made = [make_api_key() for _ in range(1000)]
    listed = {
        name: ListedKey(
            subject="till",
            digest=bytes.fromhex(api_key_digest(raw)),
            scopes=frozenset({"predict:credit"}),
            expires=2**33,
        )
        for name, raw in made
    }
    ends = int(time.time()) + 3600
    found = trust.AccessList(
        sequence=1,
        issued_at=datetime.now(UTC),
        keys=listed,
        tokens={f"tok_{n:024x}": ends for n in range(1000)},
        clients={"gone": ends},
    )
    path = folder / "access.json"
    path.write_bytes(trust.sign_access_list(found, "ws_1", SIGNER))
    state = StateFile(folder / "state.json", "credit", "live")
    watch = AccessWatch(path, lambda: [SIGNER.public()], "ws_1", state=state, clock=system_clock, note=lambda *_: None)
    watch.start()
    return watch, [f"Bearer {raw}".encode() for _, raw in made]


def each(calls: list[Callable[[], object]]) -> float:
    """Mean microseconds of one call."""
    began = time.perf_counter()
    for call in calls:
        call()
    return (time.perf_counter() - began) / len(calls) * 1e6


def refused(check: TokenCheck, header: bytes) -> None:
    try:
        check.caller(header)
    except Unauthenticated:
        return
    raise SystemExit("a revoked token was accepted")


def measured(check: TokenCheck, watch: AccessWatch, keys: list[bytes]) -> dict[str, float]:
    tokens, gone = [token() for _ in range(500)], [token("gone") for _ in range(200)]
    return {
        "token, cold": each([lambda raw=raw: check.caller(raw) for raw in tokens]),
        "token, warm": each([lambda raw=raw: check.caller(raw) for raw in tokens * 20]),
        "API key, cold": each([lambda raw=raw: check.caller(raw) for raw in keys]),
        "API key, warm": each([lambda raw=raw: check.caller(raw) for raw in keys * 10]),
        "revoked token": each([lambda raw=raw: refused(check, raw) for raw in gone]),
        "look at an unchanged list": each([watch.changed] * 5000),
        "read and verify a changed list": each([watch.refresh] * 10),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    taken: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        watch, keys = prepared(Path(name))

        def fresh() -> TokenCheck:
            return TokenCheck(
                lambda: [SIGNER.public()],
                issuer=ISSUER,
                audience=AUDIENCE,
                access=watch,
                clock=system_clock,
                cache_seconds=60,
            )

        for _ in range(asked.rounds):
            results = measured(fresh(), watch, keys)
            for what, value in results.items():
                taken.setdefault(what, []).append(value)
    medians = {what: round(statistics.median(values), 2) for what, values in taken.items()}
    if asked.json:
        print(json.dumps(medians))
        return
    print("| what | microseconds |\n|---|---|")
    for what, value in medians.items():
        print(f"| {what} | {value:,.2f} |")


if __name__ == "__main__":
    main()
