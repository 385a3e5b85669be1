"""Twenty kinds of secrets, planted in a workspace that a server uses, and looked for everywhere afterwards (T-61).

Looked for as they are, in hex and in base64: in every file of the workspace, in what the server and its signer log, in
refusals, in the arguments and environments of every process. Whoever knows a secret also puts it where it does not belong.
"""

import base64
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pyotp
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from acting import operator
from sealwright.doors.machines import machines_of, token_service_of
from sealwright.engines import Outbound, OutboundRules
from sealwright.pipeline import Workspace, enrol, open_workspace
from sealwright.serving import predict_scope, token_audience
from sealwright.trust import (
    SEALING_BRANCHES,
    Identity,
    IdentityRules,
    KeyFile,
    LedgerAudit,
    OAuthRequest,
    Passphrase,
    Principal,
    RoleGrant,
    Secret,
    TotpCode,
    Webhooks,
    insecure_cost_for_tests,
    open_identity,
)
from sealwright.trust.signing.vault import open_vault

PASSWORD = "kanari velvet 7719 lantern okapi"
PHRASE = "kanari-person 4411 phrase-of-bob"
SOURCE = "192.0.2.7"


def forms(secret: bytes) -> Iterator[bytes]:
    """How a secret could stand in a file: plain, in hex, in base64 at each of the three places it can start."""
    yield from (secret, secret.hex().encode(), secret.hex().upper().encode())
    for shift in range(3):
        for coded in (base64.b64encode, base64.urlsafe_b64encode):
            yield coded(b"\0" * shift + secret)[4 * bool(shift) : -4]


def hits(planted: Mapping[str, bytes], places: Mapping[str, bytes]) -> list[str]:
    return [
        f"{name} in {place}"
        for name, secret in planted.items()
        for wanted in set(forms(secret))
        for place, data in places.items()
        if wanted in data
    ]


def people(workspace: Workspace) -> Iterator[tuple[str, str]]:
    """What people sign in with, made and used: nothing of it may be kept as it is."""
    cost = insecure_cost_for_tests()
    rules = IdentityRules(origin="https://models.example.org", cost=cost, cost_floor=cost)
    grants = {"ada": frozenset({RoleGrant("auditor")})}
    audit = LedgerAudit(workspace.ledger, workspace.keyring)
    identity: Identity = open_identity(
        workspace.db, audit, workspace.keyring, rules, enrolled=grants.get, clock=workspace.clock
    )
    link = identity.links.make("ada", by="root", anywhere=True)
    offer = identity.links.open(link.token.reveal(), source=SOURCE)
    shared = offer.totp.secret.reveal()
    now = workspace.clock()
    codes = identity.links.use(
        link.token.reveal(),
        Secret(PASSWORD),
        (offer.totp.ticket.reveal(), TotpCode(pyotp.TOTP(shared).at(now - timedelta(seconds=30)))),
        source=SOURCE,
    )
    ticket = identity.login.begin("ada", Secret(PASSWORD), source=SOURCE).ticket.reveal()
    signed_in = identity.login.complete(ticket, TotpCode(pyotp.TOTP(shared).at(now)), source=SOURCE)
    yield "password", PASSWORD
    yield "enrolment link", link.token.reveal()
    yield "ticket of an offer", offer.totp.ticket.reveal()
    yield "authenticator secret", shared
    yield "login ticket", ticket
    yield "session cookie", signed_in.new.id.reveal()
    yield from ((f"recovery code {at}", code.reveal()) for at, code in enumerate(codes))
    enrol(workspace, "bob", ["reviewer"], Passphrase(Secret(PHRASE)), by=operator())
    yield "passphrase of a person", PHRASE


def machines(workspace: Workspace) -> Iterator[tuple[str, str]]:
    """What programs call with."""
    found = machines_of(workspace)
    grant = {"scopes": [predict_scope("credit")], "owner": "ada", "by": "ada"}
    secret = found.add_client("till", audiences=[token_audience(workspace.id)], **grant) or ""
    yield "client secret", secret
    _, raw = found.make_api_key("till", project="credit", days=1, **grant)
    yield "API key", raw
    basic = base64.b64encode(f"till:{secret}".encode()).decode()
    form = urlencode({"grant_type": "client_credentials", "scope": predict_scope("credit")}).encode()
    answer = token_service_of(workspace, "https://control.example.org").token(
        OAuthRequest(body=form, authorization=f"Basic {basic}", source=SOURCE, request="req_1")
    )
    assert answer.status == 200, answer
    token = json.loads(answer.body)["access_token"]
    yield "access token", token
    yield "signature of the token", token.rpartition(".")[2]
    rules = OutboundRules(hosts=frozenset({"hooks.example.org"}))
    outbound = Outbound(rules, resolver=lambda _host, _port: ["127.0.0.1"])
    audit = LedgerAudit(workspace.ledger, workspace.keyring)
    hooks = Webhooks(workspace.db, workspace.keyring, outbound, audit, workspace.clock)
    ada = Principal(kind="person", name="ada", proof="session", strong=True)
    yield "webhook secret", hooks.add("siem", "https://hooks.example.org/x", by=ada).reveal()


def keys(workspace: Workspace, key: Path) -> Iterator[tuple[str, bytes]]:
    """What opens and signs everything else."""
    yield "key file", key.read_bytes().strip()
    for name, signer in open_vault(workspace.home / "keys", KeyFile(key)).signers.items():
        private = signer._private
        if isinstance(private, EllipticCurvePrivateKey):
            yield f"signing key {name}", private.private_numbers().private_value.to_bytes(32, "big")
        else:  # Ed25519; of ML-DSA the seed
            yield f"signing key {name}", private.private_bytes_raw()
    yield from ((f"sealing key {name}", workspace.keyring._branches.of(name)[1]) for name in SEALING_BRANCHES)
    yield "identity key", workspace.keyring.key("identity", "sealwright/totp/v1")


@pytest.fixture(scope="module")
def planted(place: Any) -> dict[str, bytes]:
    """Everything planted, before the server starts."""
    with open_workspace(place.home, KeyFile(place.key)) as workspace:
        texts = [*people(workspace), *machines(workspace), ("token for the control server", place.token)]
        found = {name: text.encode() for name, text in texts} | dict(keys(workspace, place.key))
    found |= {f"half of {name}": found[name][: len(found[name]) // 2] for name in ("API key", "client secret")}
    assert len(found) >= 20
    assert min(map(len, found.values())) >= 12
    return found


def processes(parent: int) -> set[int]:
    """A process and all that came from it."""
    found = {parent}
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            line = next(line for line in status.read_text().splitlines() if line.startswith("PPid:"))
        except (OSError, StopIteration):
            continue
        if int(line.split()[1]) == parent:
            found |= processes(int(status.parent.name))
    return found


def of_process(pid: int) -> Iterator[tuple[str, bytes]]:
    for what in ("cmdline", "environ", "comm"):
        try:
            yield f"/proc/{pid}/{what}", Path(f"/proc/{pid}/{what}").read_bytes()
        except PermissionError:
            yield f"/proc/{pid}/{what}", b""  # closed to others, which is the aim
    limits = Path(f"/proc/{pid}/limits").read_text()
    core = next(line.split() for line in limits.splitlines() if line.startswith("Max core file size"))
    assert core[4:6] == ["0", "0"], f"process {pid} may leave a core file"


def misplaced(control: Any, secret: str) -> Iterator[bytes]:
    """A secret where it does not belong: in addresses, headers, bodies. What strangers are told is looked at, too."""
    header = secret.replace("\n", " ")
    for path in (
        f"/{quote(secret, safe='')}",
        f"/ledger?token={quote(secret)}",
        f"/api/v1/ledger/entries/{quote(secret, safe='')}",
    ):
        yield control.ask("GET", path, None, {"Authorization": f"Bearer {header}x"}).body
        yield control.program("GET", path).body
    yield control.ask("GET", "/", None, {"Cookie": f"__Host-session={quote(secret)}", "User-Agent": header}).body
    yield control.ask("GET", "/", None, {"Host": "localhost", "Referer": f"https://x/{quote(secret)}"}).body
    yield control.ask("POST", "/ledger/verify", f"form_token={quote(secret)}".encode(), {"Content-Type": "application/x-www-form-urlencoded"}).body  # fmt: skip
    yield control.program(
        "POST", "/api/v1/things", b'{"name": "%b", "count": "%b"}' % (secret.encode(), secret.encode())
    ).body


def test_no_planted_secret_is_found_anywhere_t61(
    planted: dict[str, bytes], control: Any, place: Any, logs: Path
) -> None:
    texts = {
        name: secret.decode() for name, secret in planted.items() if secret.isascii() and secret.decode().isprintable()
    }
    assert len(texts) >= 18
    replies = {
        f"a reply about {name} {at}": body
        for name, text in texts.items()
        for at, body in enumerate(misplaced(control, text))
    }
    assert control.ask("GET", "/api/v1/fault", None, {"Authorization": f"Bearer {place.token}"}).status == 500
    assert control.program("GET", "/api/v1/ledger").status == 200
    places = {"the server's log": (logs / "control").read_bytes()} | replies
    for pid in processes(control.process.pid) | {os.getpid()}:
        places |= dict(of_process(pid)) if pid != os.getpid() else {}
    places |= {str(path.relative_to(place.home)): path.read_bytes() for path in place.home.rglob("*") if path.is_file()}
    assert any(name.startswith("keys/") for name in places)
    assert any("control-ledger" in name for name in places)
    assert hits(planted, places) == []


def test_the_search_finds_what_is_there() -> None:
    secret = secrets.token_bytes(24)
    for form in (secret, secret.hex().encode(), base64.b64encode(b"xy" + secret + b"z")):
        assert hits({"it": secret}, {"a file": b"..." + form + b"..."}) != []
