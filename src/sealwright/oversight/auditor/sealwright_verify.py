"""Check Sealwright evidence without Sealwright: one file, Python 3.11 or later, and the package `cryptography`.

    python sealwright_verify.py WHAT --trust trust.json [--fingerprint sha256:…] [--request FILE] [--json]
                                [--against CHECKPOINT …] [--witness KEY …]

WHAT is an evidence bundle, a receipt (or an answer that carries one), exported entries (entries.jsonl), or the folder
of a package or of a ledger. A ledger is compared with checkpoints kept elsewhere, which witnesses may have cosigned.
Exit status: 0 it holds, 4 it does not (the first broken link is named), 2 wrong usage.

Answers: did the holders of the keys in trust.json sign exactly this, does every part name the parts it should, and
is it all in the ledger? Does not answer: is what they signed true? Every run ends with what it did not check.

Read it before you run it: it shares no code with what it checks, and every section rests only on those above it.
Whatever nobody signs is compared byte by byte with its one allowed form; what is signed is read for what it says.
"""

# ruff: noqa: T201
# (a program for auditors speaks through its output)

import argparse
import base64
import gzip
import hashlib
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

Json = dict[str, Any]


# ---- 1 Refusing: whatever is unclear does not hold -----------------------------------------------------------------
class Broken(Exception):
    """Something does not hold; `link` says where, from the outside in: "package/statements/gate.json"."""

    link = ""


def need(holds: bool, why: str) -> None:
    """Go on only if this holds."""
    if not holds:
        raise Broken(why)


@contextmanager
def within(link: str) -> Iterator[None]:
    """Name what is being read. Any failure inside, of whatever kind, means that it does not hold."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - hostile input has many ways to fail, and none of them may pass
        why = "is not what its key signed" if isinstance(error, InvalidSignature) else f"cannot be read: {error!r:.200}"
        broken = error if isinstance(error, Broken) else Broken(why)
        broken.link = f"{link}/{broken.link}".rstrip("/")
        raise broken from None


def exact(value: Any, fields: str) -> Json:
    """`value`, if it is an object with exactly these fields."""
    need(isinstance(value, dict) and set(value) == set(fields.split()), f"does not have exactly the fields {fields}")
    return dict(value)


# ---- 2 One spelling of JSON (RFC 8785), so that one value is one sequence of bytes ---------------------------------
def jcs(value: Any) -> str:
    """Canonical JSON: no spaces, keys in the order of their UTF-16 code units, numbers as ECMAScript writes them."""
    if value is None or isinstance(value, (bool, str)):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, (int, float)):
        return number(float(value))
    if isinstance(value, list):
        return "[" + ",".join(map(jcs, value)) + "]"
    keys = sorted(value, key=lambda key: str(key).encode("utf-16-be"))
    return "{" + ",".join(f"{jcs(key)}:{jcs(value[key])}" for key in keys) + "}"


def number(value: float) -> str:
    """ECMA-262 Number::toString: the fewest digits that read back. Python's repr has the same, placed otherwise."""
    need(abs(value) < float("inf"), "holds a number that JSON cannot express")
    if value <= 0:
        return "-" + number(-value) if value else "0"
    mantissa, _, exponent = repr(value).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(digits) - len(fraction) + int(exponent or 0)  # the value is 0.DIGITS times ten to the power of `point`
    digits = digits.rstrip("0")
    if 0 < point <= 21:
        return digits[:point].ljust(point, "0") + ("." + digits[point:] if digits[point:] else "")
    if -6 < point <= 0:
        return "0." + "0" * -point + digits
    return digits[0] + ("." + digits[1:] if digits[1:] else "") + f"e{point - 1:+d}"


def parse(data: bytes) -> Any:
    """JSON in UTF-8, without a key twice in one object, which two readers could take differently."""

    def once(pairs: list[tuple[str, Any]]) -> Json:
        need(len(dict(pairs)) == len(pairs), "has a key twice in one object")
        return dict(pairs)

    return json.loads(data.decode(), object_pairs_hook=once)


def canonical(data: bytes) -> Any:
    """The value of `data`, if `data` is the one spelling of it."""
    value = parse(data)
    need(jcs(value).encode() == data, "is not in canonical JSON (RFC 8785), so it is not as it was written")
    return value


# ---- 3 Digests, keys, and whom to trust ----------------------------------------------------------------------------
PEM, DER, INFO = serialization.Encoding.PEM, serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo


def sha256(data: bytes) -> str:
    """A digest, as it is written everywhere."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def from_base64(text: str) -> bytes:
    """The bytes of `text`, if `text` is the one spelling of them."""
    data = base64.b64decode(text, validate=True)
    need(base64.b64encode(data).decode() == text, "holds base64 that is not in its one spelling")
    return data


def read_keys(listed: Sequence[Json]) -> Json:
    """Keys as trust.json and enrolments write them, by id: the SHA-256 of the key itself."""
    loaded = [serialization.load_pem_public_key(one["pem"].encode()) for one in listed]
    keys = {hashlib.sha256(key.public_bytes(DER, INFO)).hexdigest(): key for key in loaded}
    need(list(keys) == [one["key_id"] for one in listed], "has a key whose id is not its own")
    return keys


class Trust(NamedTuple):
    """Whom to believe: the keys of one workspace, by what they may sign. All else is checked against them."""

    workspace: str
    keys: Mapping[str, Json]
    second: Json  # ML-DSA-65; if there are such, one must sign beside each of "statements" and "releases"
    data: bytes


def read_trust(data: bytes, fingerprint: str) -> Trust:
    """trust.json, which must have the fingerprint that came another way, if one was given."""
    need(fingerprint in ("", sha256(data)), f"has the fingerprint {sha256(data)}: do not use it")
    said = exact(canonical(data), "format type workspace keys")
    need((said["format"], said["type"]) == (1, "sealwright.trust_root"), "is not a trust root of format 1")
    keys = {branch: read_keys(listed) for branch, listed in said["keys"].items()}
    need(len(set().union(*keys.values())) == sum(map(len, keys.values())), "uses one key for two purposes")
    return Trust(said["workspace"], keys, keys.get("releases-pq", {}), data)


@dataclass
class Report:
    """What was found so far; every check adds to it."""

    facts: Json
    checked: list[str]
    not_checked: list[str]
    against: Sequence[bytes] = ()  # checkpoints of a ledger that were kept elsewhere
    witnesses: Sequence[str] = ()  # keys of those who must have cosigned one of them


# ---- 4 Signed statements (in-toto Statement v1 in a DSSE envelope), by the workspace and by people -----------------
IN_TOTO, OURS = "application/vnd.in-toto+json", "urn:sealwright:predicate:"
SKEW = timedelta(minutes=5)  # the clocks of two machines may differ this much


class Statement(NamedTuple):
    """One signed fact: what it says about which digests."""

    digest: str
    signers: frozenset[str]  # key ids
    about: Mapping[str, str]  # name -> digest
    said: Json


def pae(payload: bytes) -> bytes:
    """What a DSSE signature is over (DSSE 1.0, pre-authentication encoding)."""
    return b"DSSEv1 %d %b %d %b" % (len(IN_TOTO), IN_TOTO.encode(), len(payload), payload)


def read_statement(envelope: bytes, keys: Json, kind: str, second: Json) -> Statement:
    """The statement in an envelope: signed by `keys`, then `second` if there are such, every byte of it."""
    outer = exact(canonical(envelope), "payload payloadType signatures")
    payload, signatures = from_base64(outer["payload"]), [exact(one, "keyid sig") for one in outer["signatures"]]
    order, known = [one["keyid"] for one in signatures], {**keys, **second}
    signers, first = frozenset(order), [one for one in order if one in keys]
    by_known = 0 < len(signers) == len(signatures) and signers <= set(known)
    need(by_known and outer["payloadType"] == IN_TOTO, "is not signed, or by a key that may not sign it")
    both = (len(first) < len(order)) == bool(second) and order[: len(first)] == first
    need(bool(first) and both, "lacks one of its two signatures, or has them the wrong way round")
    for one in signatures:
        known[one["keyid"]].verify(from_base64(one["sig"]), pae(payload))  # a key of another kind (P-256) fails here
    inner = exact(canonical(payload), "_type subject predicateType predicate")
    need((inner["_type"], inner["predicateType"]) == ("https://in-toto.io/Statement/v1", kind), f"is not a {kind}")
    about = {one["name"]: f"sha256:{exact(one['digest'], 'sha256')['sha256']}" for one in inner["subject"]}
    need(0 < len(about) == len(inner["subject"]), "is about nothing, or about one name twice")
    return Statement(sha256(payload), signers, about, inner["predicate"])


def read_signed_by_person(envelope: bytes, trust: Trust, kind: str) -> Statement:
    """What a person signed, whom the workspace enrolled with that key, in that role, for that time."""
    carried = parse(from_base64(parse(envelope)["payload"]))["predicate"]["enrolment"]  # believed after the next line
    enrolled = read_statement(carried.encode(), trust.keys["statements"], OURS + "person:v1", trust.second)
    name, keys = enrolled.said["name"], read_keys([enrolled.said["public_key"]])
    need(enrolled.about == {name: f"sha256:{''.join(keys)}"}, "carries an enrolment for another key")
    signed = read_statement(envelope, keys, kind, {})  # people have one key
    by, role = signed.said["by"], signed.said["role"]
    held = {one.partition("@")[0] for one in enrolled.said["roles"]}  # here or in some project: `holds` asks which
    need(by == name and role in held, f"is signed by {name}, not by {by} as {role}")
    age = datetime.fromisoformat(signed.said["at"]) - datetime.fromisoformat(enrolled.said["enrolled_at"])
    need(-SKEW <= age < timedelta(days=366), f"is signed outside the year for which {by} was enrolled")
    return signed


def holds(one: Statement, project: str) -> bool:
    """Whether the enrolment inside what a person signed, verified before, has their role in this project."""
    roles = parse(from_base64(parse(one.said["enrolment"].encode())["payload"]))["predicate"]["roles"]
    return not {one.said["role"], f"{one.said['role']}@{project}"}.isdisjoint(roles)


# ---- 5 The package: a folder of plain files, signed as a whole -----------------------------------------------------
GONE = re.compile(rb"(?:erased|moved:[0-9A-Za-z_-]{1,64})\.*")  # what stands where an attachment was
SIGSTORE = "application/vnd.dev.sigstore.bundle.v0.3+json"
PLAIN = {"model.sig", "model.onnx", "interface.json", "card.md", "bom.cdx.json"}
MAY_BE = {"explainer.json", "answering.json"}  # what reasons need besides the model; how answers are checked
BY_PEOPLE = re.compile(r"statements/(approval|attestation)-[1-9][0-9]?\.json")
STATEMENT = re.compile(r"statements/(?!approval-|attestation-)[a-z][a-z0-9_-]*\.json")
KINDS = {name: f"{OURS}{name}:v1" for name in ("charter", "snapshot", "approval", "attestation")}
KINDS |= {"gate": "https://slsa.dev/verification_summary/v1", "provenance": "https://slsa.dev/provenance/v1"}
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"  # every other statement


def check_package(files: Mapping[str, bytes], trust: Trust, report: Report) -> dict[str, Statement]:
    """One signature over all files, every statement about this model, and a gate that let exactly this pass."""
    # (1) The files of a package, all of them and no others, under the model signature.
    for name in sorted({*files, *PLAIN, "statements/charter.json", "statements/gate.json"}):
        with within(name):
            known = name in PLAIN | MAY_BE or BY_PEOPLE.fullmatch(name) or STATEMENT.fullmatch(name)
            need(name in files and bool(known), "is missing, or has no place in a package")
    digests = {name: sha256(data) for name, data in files.items() if name != "model.sig"}
    with within("model.sig"):
        check_model_signature(files["model.sig"], digests, trust.keys["models"])
    # (2) The package digest covers what was judged: not the gate's verdict and the approvals, which name it.
    late = {name for name in digests if name == "statements/gate.json" or name.startswith("statements/approval-")}
    package = sha256(jcs([[name, digests[name]] for name in sorted(digests.keys() - late)]).encode())
    # (3) The statements, each by whoever signs its kind.
    signed: dict[str, Statement] = {}
    for name in sorted(digests.keys() - PLAIN - MAY_BE):
        person, short = BY_PEOPLE.fullmatch(name), Path(name).stem
        with within(name):
            if person:
                signed[short] = read_signed_by_person(files[name], trust, KINDS[person[1]])
            else:
                keys, kind = trust.keys["statements"], KINDS.get(short, TEST_RESULT)
                signed[short] = read_statement(files[name], keys, kind, trust.second)
    # (4) And each about this package, its model, or the data the model was made from.
    model, project = digests["model.onnx"], signed["charter"].said["project"]
    data = set(signed["snapshot"].about.values()) if "snapshot" in signed else set()
    for name in sorted(digests.keys() - PLAIN - MAY_BE - {"statements/charter.json", "statements/snapshot.json"}):
        measured = STATEMENT.fullmatch(name) and Path(name).stem not in KINDS  # of the model, or of its data
        wanted = {package} if name in late else {model} | data if measured else {model}
        with within(name):
            one = signed[Path(name).stem]
            need(bool(wanted & set(one.about.values())), "is about something else")
            need("enrolment" not in one.said or holds(one, project), "is signed in a role of another project")
    if "provenance" in signed and data:
        with within("statements/provenance.json"):
            used = signed["provenance"].said["buildDefinition"]["resolvedDependencies"]
            found = {f"sha256:{one['digest'].get('sha256')}" for one in used}
            need(bool(data & found), "says the model was made from other data")
    with within("interface.json"):
        need(canonical(files["interface.json"])["project"] == project, "is of another project than the charter")
    report.facts |= {"project": project, "package": package, "model": model}
    with within("statements/gate.json"):
        check_gate(signed, report)
    # (5) In words.
    people = [f"{one.said['by']} as {one.said['role']}" for one in signed.values() if "enrolment" in one.said]
    report.checked += [
        f"the model signature covers exactly these {len(files)} files",
        f"{len(signed)} statements are signed by those who may, and about this model: {', '.join(signed)}",
        "the gate's signed verdict is PASSED, for exactly this package and on exactly these statements",
        f"people, enrolled for these roles, signed for it: {', '.join(people) or 'none, and none was asked for'}",
    ]
    report.not_checked += [
        "whether model.onnx opens and computes what was measured: `sealwright verify` looks into it",
        "the training data: only its digest is here; card.md and the .json files beside the model: signed, not read",
        "whether an approver trained the model or was struck off: the gate asked, and its verdict is signed",
    ]
    return signed


def check_model_signature(bundle: bytes, digests: Mapping[str, str], keys: Json) -> None:
    """OpenSSF Model Signing v1.0 with a key, over exactly these files."""
    said = canonical(bundle)
    payload, signature = said["dsseEnvelope"]["payload"], said["dsseEnvelope"]["signatures"][0]["sig"]
    hint = said["verificationMaterial"]["publicKey"]["hint"]
    material = {"publicKey": {"hint": hint}, "tlogEntries": []}
    envelope = {"payload": payload, "payloadType": IN_TOTO, "signatures": [{"keyid": "", "sig": signature}]}
    form = {"mediaType": SIGSTORE, "verificationMaterial": material, "dsseEnvelope": envelope}
    hints = {hashlib.sha256(key.public_bytes(PEM, INFO)).hexdigest(): key for key in keys.values()}
    need(said == form and hint in hints, "is of another form, or by an unknown key")
    hints[hint].verify(from_base64(signature), pae(from_base64(payload)), ec.ECDSA(hashes.SHA256()))
    statement = parse(from_base64(payload))
    need(statement["predicateType"] == "https://model_signing/signature/v1.0", "does not sign a model")
    listed = {one["name"]: f"{one['algorithm']}:{one['digest']}" for one in statement["predicate"]["resources"]}
    other = sorted(name for name in {*digests, *listed} if digests.get(name) != listed.get(name))
    need(not other, f"is over other files; changed, added or removed since: {', '.join(other)[:200]}")


# ---- 6 The gate: its verdict, what it rests on, and the approvals behind it ----------------------------------------
OPEN = {"pass", "attested", "not_applicable"}  # the outcomes of a check that do not stand in the way
POLICY_CHANGE = {"people": 1, "distinct_roles": False, "roles": ["compliance_officer"], "max_age_days": 90}


def check_gate(signed: Mapping[str, Statement], report: Report) -> None:
    """PASSED, for this package, on what lies beside it, with enough people behind it."""
    said, ours = signed["gate"].said, signed["gate"].said["sealwright"]
    need((ours["format"], said["verifier"]["id"]) == (1, "urn:sealwright:gate:v1"), "is by another kind of gate")
    need(all(ours[name] == report.facts[name] for name in ("package", "model", "project")), "is about something else")
    closed = [f"{one['check']} {one['outcome']}" for one in ours["results"] if one["outcome"] not in OPEN]
    words = (said["verificationResult"], "FAILED" in said["verifiedLevels"], ours["passed"], bool(ours["results"]))
    need(words == ("PASSED", False, True, True) and not closed, f"does not say PASSED: {', '.join(closed)[:200]}")
    decided = datetime.fromisoformat(ours["decided_at"])
    need(decided <= datetime.now(UTC) + SKEW, "is dated in the future")
    # What lies here was looked at (of how the model was made only what was used), and what was used lies here.
    here = {one.digest for short, one in signed.items() if short != "gate" and not short.startswith("approval-")}
    made = {signed[short].digest for short in ("snapshot", "provenance") if short in signed}
    seen = {f"sha256:{one['digest']['sha256']}" for one in said["inputAttestations"]}
    used = {instance["statement"] for result in ours["results"] for instance in result["instances"]} - {""}
    need(here - made <= seen and used <= here, "did not judge exactly the statements beside it")
    # Who approved: exactly those the gate counted, for this package and policy, and enough of them.
    approvals = [one for short, one in signed.items() if short.startswith("approval-")]
    counted = sorted(one["statement"] for one in ours["approvals"])
    need(counted == sorted(one.digest for one in approvals), "counted other approvals than lie beside it")
    bound = {"package": ours["package"], "policy": ours["policy"]}
    meant = all(one.about == bound == {name: one.said[name] for name in bound} for one in approvals)
    need(meant, "counted an approval of another package or policy")
    rules = {"release": ours["approvals_required"]}
    rules |= {"policy_change": POLICY_CHANGE} if ours["below_class"] or ours["loosened"] else {}
    for purpose, rule in rules.items():
        given = [one for one in approvals if one.said["purpose"] == purpose]
        for one in given:
            need(one.said["role"] in rule["roles"], f"counted an approval in the role {one.said['role']}")
            age = decided - datetime.fromisoformat(one.said["at"])
            need(-SKEW <= age <= timedelta(days=rule["max_age_days"]), f"counted {one.said['by']} out of time")
        enough = any(are_different(group, rule["distinct_roles"]) for group in combinations(given, rule["people"]))
        need(enough, f"lacks approvals: {rule['people']} for {purpose}, {len(given)} given")
    report.facts["asked for less in"] = ", ".join(one["what"] for one in ours["below_class"] + ours["loosened"])
    report.facts["people vouch for"] = ", ".join(
        one["check"] for one in ours["results"] if one["outcome"] == "attested"
    )


def are_different(group: Sequence[Statement], in_roles: bool) -> bool:
    """Whether different people with different keys signed these and, where asked, in different roles."""
    sides = [{one.said["by"] for one in group}, {one.signers for one in group}]
    sides += [{one.said["role"] for one in group}] if in_roles else []
    return all(len(side) == len(group) for side in sides)


# ---- 7 The ledger: a chain of entries under a Merkle tree (RFC 9162) whose root is signed again and again ----------
def node_hash(right: bytes, left: bytes) -> bytes:
    """The hash over two subtrees; the right one comes first because trees are folded from their right edge."""
    return hashlib.sha256(b"\x01" + left + right).digest()


NUMBER = "0|[1-9][0-9]{0,17}"


def read_checkpoint(note: bytes, trust: Trust) -> tuple[str, int, bytes]:
    """Log, size and root in a checkpoint (c2sp.org/tlog-checkpoint) that a key of this log signed."""
    origin, size, root = note.decode().rpartition("\n\n")[0].split("\n")
    need(bool(re.fullmatch(NUMBER, size)) and len(from_base64(root)) == 32, "is not a checkpoint")
    open_note(note, origin, trust)
    return origin, int(size), from_base64(root)


def open_note(note: bytes, origin: str, trust: Trust) -> None:
    """The note (c2sp.org/signed-note) is signed by a key of this log, which is one of the workspace."""
    text, _, line = note.decode().rpartition("\n\n")
    prefix = f"sealwright/{trust.workspace}/"
    need(origin == f"{prefix}ledger" or origin.startswith(f"{prefix}decisions/"), f"is of another log: {origin[:100]}")
    keys = trust.keys["checkpoints" if origin == f"{prefix}ledger" else "decision-checkpoints"].values()
    known = {hashlib.sha256(f"{origin}\n\x01".encode() + key.public_bytes_raw()).digest()[:4]: key for key in keys}
    mark = f"\N{EM DASH} {origin} "
    mine = [one for one in line.split("\n") if one.startswith(mark)]  # others are by witnesses
    need(len(mine) == 1 and line.endswith("\n"), "is not a signed note")
    signature = from_base64(mine[0][len(mark) :])
    need(signature[:4] in known, "is not signed by a key of this log")
    known[signature[:4]].verify(signature[4:], f"{text}\n".encode())


def check_witness(vkey: str, notes: Sequence[bytes]) -> str:
    """When this witness cosigned one of the checkpoints (c2sp.org/tlog-cosignature, Ed25519), in words."""
    name, _, rest = vkey.partition("+")
    key = from_base64(rest.partition("+")[2])
    need(len(key) == 33 and key[0] == 4, "is not the key of a witness")
    own = hashlib.sha256(f"{name}\n".encode() + key).digest()[:4]
    need(own.hex() == rest.partition("+")[0], "is not the key of a witness")
    for note in notes:
        text, _, lines = note.decode().rpartition("\n\n")
        for line in lines.split("\n"):
            blob = from_base64(line.rpartition(" ")[2]) if line.startswith(f"\N{EM DASH} {name} ") else b""
            if blob[:4] == own:
                at = int.from_bytes(blob[4:12], "big")
                signed = f"cosignature/v1\ntime {at}\n{text}\n".encode()
                ed25519.Ed25519PublicKey.from_public_bytes(key[1:]).verify(blob[12:], signed)
                return f"{name} cosigned {text.split()[1]} entries at {datetime.fromtimestamp(at, UTC).isoformat()}"
    raise Broken("cosigned none of the checkpoints given")


def read_entry(leaf: bytes, index: int) -> Json:
    """The fields of the entry at `index`."""
    said = canonical(leaf)
    need(said["i"] == index, f"says that it is entry {said['i']}: one is missing, repeated or moved")
    return exact(said, "action actor at detail i prev subject" + " sealed" * ("sealed" in said))


def read_checkpoints(files: Mapping[str, bytes], trust: Trust) -> tuple[str, dict[int, bytes], int]:
    """The log, its signed roots by size, and how many bytes of an unfinished checkpoint follow."""
    with within("checkpoints.log"):
        notes = re.findall(rb"[^\n]+\n[^\n]+\n[^\n]+\n\n[^\n]+\n\n", files["checkpoints.log"])
        need(files["checkpoints.log"].startswith(b"".join(notes)), "holds something else between its checkpoints")
        heads = [read_checkpoint(note[:-1], trust) for note in notes]
        need(len({origin for origin, _, _ in heads}) == 1, "holds no checkpoint, or those of several logs")
        sizes, roots = [size for _, size, _ in heads], {size: root for _, size, root in heads}
        need(sizes == sorted(sizes) and len(roots) == len({*heads}), "goes back, or has two roots for one size: a fork")
    with within("checkpoint"):
        newest = read_checkpoint(files.get("checkpoint", notes[-1][:-1]), trust)
        need(newest in heads, "is not in checkpoints.log: its end was cut off, or the history was forked")
    return heads[0][0], roots, len(files["checkpoints.log"]) - len(b"".join(notes))


def check_ledger(files: Mapping[str, bytes], trust: Trust, report: Report) -> tuple[str, set[tuple[Any, ...]], bool]:
    """A ledger; returns its name, the statements, versions and revocations in it, and whether all of it is signed."""
    origin, roots, loose = read_checkpoints(files, trust)
    *lines, torn = files["entries.log"].split(b"\n")
    for place, note in enumerate(report.against):
        with within(f"against/{place}"):
            elsewhere, size, root = read_checkpoint(note, trust)
            known = elsewhere == origin and roots.setdefault(size, root) == root
            need(known, "is of another log, or of another history of this one")
    for vkey in report.witnesses:
        with within(f"witness/{vkey.partition('+')[0]}"):
            report.checked.append(check_witness(vkey, report.against))
    last, before, at, sure, attached = max(roots), "sha256:" + "0" * 64, "", 0, 0
    need(len(lines) >= last, f"ends before entry {len(lines)}, but {last} were signed: cut off, or an older state")
    edge: list[bytes] = []  # of the tree so far: one hash for each whole subtree, the largest first
    recorded: set[tuple[Any, ...]] = set()
    for index, line in enumerate(lines):
        with within(f"entry {index}"):
            leaf, tab, attachment = line.partition(b"\t")
            said = read_entry(leaf, index)
            need(said["prev"] == before, "does not follow from the entry before: one of the two was changed")
            need(said["at"] >= at or said["action"] == "ledger.clock_set_back", "is dated before the entry before it")
            need(bool(tab) == ("sealed" in said), "lost its attachment, or has one that it does not name")
            if tab and not GONE.fullmatch(attachment):
                need(sha256(from_base64(attachment.decode())) == said["sealed"], "has another attachment than it names")
                attached += 1
            if said["action"] in ("statement.filed", "version.registered", "package.revoked"):
                recorded.add((said["action"], said["subject"], said["detail"].get("number")))
        before, at = sha256(leaf), said["at"]
        edge.append(hashlib.sha256(b"\x00" + leaf).digest())
        size = index
        while size & 1:  # a subtree of the same size has waited for this one, its right half
            edge.append(node_hash(edge.pop(), edge.pop()))
            size >>= 1
        if index + 1 in roots:
            with within(f"entries {sure} to {index}"):
                need(reduce(node_hash, reversed(edge)) == roots[index + 1], "are not what was signed")
            sure = index + 1
    log = origin.split("/", 2)[2]
    report.facts[f"entries of {log}"] = last
    report.checked += [
        f"{log}: each entry names the one before, and {len(roots)} signed checkpoints are over exactly these entries",
        f"{log}: {attached} attachments have the digest that their entry names; others were erased, moved or left out",
    ]
    if report.against:
        report.checked.append(f"{log}: {len(report.against)} checkpoints kept elsewhere are of this very history")
    else:
        report.not_checked.append(f"{log}: whether others saw another end of it: compare a checkpoint kept elsewhere")
    whole = len(lines) == last and not torn and not loose  # a server that is writing leaves an unsigned end
    rest = f"{log}: {len(lines) - last} entries and {len(torn) + loose} bytes at its end are not signed yet"
    report.not_checked += [] if whole else [rest]
    return origin, recorded, whole


# ---- 8 Receipts: one answer, one entry of the ledger ---------------------------------------------------------------
def climb(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root of a tree of `size` leaves with this hash at `index`: RFC 9162 section 2.1.3.1, read backwards."""
    need(0 <= index < size and (size > 1) == bool(path), "is a proof of another shape than its tree")
    if size == 1:
        return leaf
    half = 1 << (size - 1).bit_length() - 1  # leaves under the left half
    if index < half:
        return node_hash(path[-1], climb(leaf, index, half, path[:-1]))
    return node_hash(climb(leaf, index - half, size - half, path[:-1]), path[-1])


def check_proof(entry: bytes, proof: str, trust: Trust) -> tuple[str, int, int, Json]:
    """The entry is under a signed checkpoint: the log, its size there, the entry's place, and what the entry says."""
    with within("proof"):
        index, path, note = read_path(proof, "c2sp.org/tlog-proof@v1")
        origin, size, root = read_checkpoint(note, trust)
        found = climb(hashlib.sha256(b"\x00" + entry).digest(), index, size, path)
        need(found == root, "does not lead from the entry to the signed root")
    with within("entry"):
        return origin, size, index, read_entry(entry, index)


def check_promise(entry: bytes, promise: str, trust: Trust) -> tuple[str, str, int, Json]:
    """A key of the log promised the entry: the log, whether it was on disk, the entry's place, and what it says."""
    with within("promise"):
        place, path, note = read_path(promise, "sealwright-promise@v1")
        head, first, count, root, state = note.decode().rpartition("\n\n")[0].split("\n")
        origin = head.removesuffix(" promise")
        need(origin != head and state in ("taken", "kept"), "is not a promise of a log")
        need(all(re.fullmatch(NUMBER, number) for number in (first, count)), "is not a promise of a log")
        open_note(note, origin, trust)
        found = climb(hashlib.sha256(b"\x00" + entry).digest(), place, int(count), path)
        need(found == from_base64(root), "does not lead from the entry to the signed root")
    with within("entry"):
        return origin, state, int(first) + place, read_entry(entry, int(first) + place)


def read_path(text: str, title: str) -> tuple[int, list[bytes], bytes]:
    """Index, path and signed note of a proof with this title."""
    head, _, note = text.partition("\n\n")
    found, place, *path = head.split("\n")
    index = int(place.removeprefix("index "))
    need((found, place) == (title, f"index {index}"), f"is not a {title}")
    return index, [from_base64(one) for one in path], note.encode()


def check_entries(lines: Sequence[bytes], trust: Trust, report: Report) -> None:
    """Exported entries: each line an entry and its proof, all of one log, in order."""
    seen: list[tuple[str, int]] = []
    for place, line in enumerate(lines):
        with within(f"line {place + 1}"):
            said = exact(canonical(line), "entry proof")
            origin, _size, index, _said = check_proof(said["entry"].encode(), said["proof"], trust)
            need(not seen or (origin == seen[-1][0] and index > seen[-1][1]), "is of another log, or out of order")
            seen.append((origin, index))
    need(bool(seen), "holds no entry")
    report.facts |= {"log": seen[0][0], "entries": len(seen), "first": seen[0][1], "last": seen[-1][1]}
    report.checked.append("each line is an entry of the signed ledger, at the place it names")
    report.not_checked.append("whether entries were left out between these: that takes the whole ledger")


def row_in_batch(said: Json, entry: Json) -> Json:
    """What the entry of a scored batch records of one row: its leaf, at its place under the root in the entry."""
    row, batch = said["row"].encode(), entry["detail"]
    with within("row"):
        need(entry["action"] == "decisions.scored", "goes with an entry of no batch")
        leaf = exact(canonical(row), "answer decision request")
        place, path, rest = read_path(said["path"], "sealwright-row@v1")
        root = climb(hashlib.sha256(b"\x00" + row).digest(), place, batch["rows"], path)
        need(f"sha256:{root.hex()}" == batch["root"] and not rest, "is not under the root of this batch")
        need(leaf["decision"] == f"{batch['batch']}_{place}", "is of another batch, or of another place in it")
    return leaf | {"model": batch["model"]}


def check_receipt(receipt: Any, trust: Trust, request: bytes | None, report: Report) -> None:
    """The entry is in a signed ledger of decisions, and it is about this answer, and this request if there is one."""
    proved = isinstance(receipt, dict) and "proof" in receipt
    beside = " row path" if proved and "row" in receipt else ""  # of a row of a scored batch
    said = exact(receipt, "type decision entry salt answer " + ("proof" if proved else "promise") + beside)
    need(said["type"] == "urn:sealwright:receipt:v2", "is not a receipt")
    if proved:
        origin, size, index, entry = check_proof(said["entry"].encode(), said["proof"], trust)
        told = f"entry {index} of {size} in {origin}, signed, recorded"
    else:
        origin, state, index, entry = check_promise(said["entry"].encode(), said["promise"], trust)
        told = f"a key of {origin} promised that entry {index}, which was {state}, records"
        report.not_checked.append("whether the ledger has that entry: put its proof into the receipt")
    with within("proof" if proved else "promise"):
        need("/decisions/" in origin, "is not of a log of decisions")
    detail = row_in_batch(said, entry) if beside else entry["detail"]
    with within("entry"):
        detail, salt = exact(detail, "answer decision model request"), bytes.fromhex(said["salt"])
        need(salt.hex() == said["salt"] and len(salt) == 32, "goes with a salt of another form")
    for name, given in {"answer": said["answer"].encode(), "request": request}.items():
        with within(name):
            need(given is None or sha256(salt + given) == detail[name], f"is not the {name} that was recorded")
    with within("decision"):
        need(said["decision"] == detail["decision"], "is not the decision that was recorded")
    report.facts |= {"decision": said["decision"], "package": entry["subject"], "answer": said["answer"]}
    report.checked.append(f"{told} just this at {entry['at']}")
    (report.not_checked if request is None else report.checked).append("the request is the one that was answered")
    report.not_checked.append("the package that answered: check its folder or its bundle")


# ---- 9 The bundle: all of the above, and that it belongs together --------------------------------------------------
LOGS = r"(entries\.log|checkpoints\.log|checkpoint)"
PLACES = rf"package/.+|(ledger|decisions/[^/]+)/{LOGS}|(pointers/[^/]+|revocations|trust)\.json|report\.html"


def check_bundle(bundle: bytes, trust: Trust, report: Report) -> None:
    """One version with its ledgers, pointers and revocations."""
    said = exact(canonical(bundle), "type project version files")
    need(said["type"] == "urn:sealwright:bundle:v1" and type(said["version"]) is int, "is not a bundle")
    files = {name: from_base64(text) for name, text in said["files"].items()}
    need(all(re.fullmatch(PLACES, name) for name in files), "holds a file that has no place in it")
    with within("trust.json"):
        need(files["trust.json"] == trust.data, "names other public keys than the one you brought")

    def folder(name: str) -> dict[str, bytes]:
        return {path.removeprefix(f"{name}/"): data for path, data in files.items() if path.startswith(f"{name}/")}

    with within("package"):
        signed = check_package(folder("package"), trust, report)
        package, project = report.facts["package"], report.facts["project"]
        need(project == said["project"], f"is not of the project {said['project']}")
    with within("ledger"):
        origin, recorded, whole = check_ledger(folder("ledger"), trust, report)
        need(origin == f"sealwright/{trust.workspace}/ledger" and whole, f"is not the whole ledger, but of {origin}")
        for short, one in signed.items():
            need(("statement.filed", one.digest, None) in recorded, f"does not have the statement {short}")
        need(("version.registered", package, said["version"]) in recorded, "does not have this version")
    revoked = ("package.revoked", package, None) in recorded
    report.facts |= {"version": said["version"], "revoked": "YES" if revoked else "no, as of this ledger"}
    report.checked.append("every statement of the package is an entry of the ledger, and so is its version number")
    for name in sorted({str(Path(path).parent) for path in files if path.startswith("decisions/")}):
        with within(name):
            origin, _, whole = check_ledger(folder(name), trust, report)
            wanted = f"sealwright/{trust.workspace}/decisions/{project}/{name.removeprefix('decisions/')}"
            need(origin == wanted and whole, f"is not the whole of {wanted}, but of {origin}")
    for name, envelope in sorted(folder("pointers").items()):
        place = f"{project}/{name.removesuffix('.json')}"
        with within(f"pointers/{name}"):
            one = read_statement(envelope, trust.keys["releases"], OURS + "pointer:v1", trust.second)
            named = f"{one.said['project']}/{one.said['channel']}"
            need([*one.about] == [place] == [named], f"is for {named}")
        what = "this package" if one.about[place] == package else "another package"
        report.checked.append(f"signed pointer: {what} serves at {place} until {one.said['expires']}")
    if "revocations.json" in files:
        with within("revocations.json"):
            listed = files["revocations.json"]
            one = read_statement(listed, trust.keys["releases"], OURS + "revocation:v1", trust.second)
            need(one.about == {"revocations": sha256(jcs(one.said["revoked"]).encode())}, "is about another list")
            need((package in [item["package"] for item in one.said["revoked"]]) == revoked, "contradicts the ledger")
        report.checked.append(f"the list of revoked packages of {one.said['issued_at']} is signed")
    report.not_checked.append("sealed records of decisions; report.html, which nobody signs: read the statements")


# ---- 10 The command ------------------------------------------------------------------------------------------------
def read_folder(folder: Path) -> dict[str, bytes]:
    """Every file of a folder by its relative name; a package holds plain files only."""
    paths = sorted(folder.rglob("*"))
    odd = [path.name for path in paths if path.is_symlink() or not (path.is_file() or any(path.iterdir()))]
    need(not odd, f"holds a link or an empty folder: {', '.join(odd)[:200]}")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths if path.is_file()}


def whole_entries(ledger: Path, entries: bytes) -> bytes:
    """All bytes of entries.log: those it begins with may stand compressed in packed/, and it has a hole there."""
    early = b""
    for path in sorted((ledger / "packed").glob("*.gz")):
        with gzip.open(path) as stream:
            early += stream.read(len(entries) - len(early))
    return early + entries[len(early) :]


def check(what: Path, trust: Trust, request: bytes | None, report: Report) -> str:
    """Check it as what it is; returns what that is."""
    if (what / "entries.log").exists():
        with within("ledger"):
            logs = {path.name: path.read_bytes() for path in what.iterdir() if re.fullmatch(LOGS, path.name)}
            check_ledger(logs | {"entries.log": whole_entries(what, logs["entries.log"])}, trust, report)
        return "ledger"
    if what.is_dir():
        with within("package"):
            check_package(read_folder(what), trust, report)
        return "package"
    if what.suffix == ".jsonl":
        with within("entries"):
            check_entries(what.read_bytes().splitlines(), trust, report)
        return "extract"
    with within("file"):
        said = parse(data := what.read_bytes())
        kind, beside = "bundle" if "files" in said else "receipt", set(said) == {"answer", "receipt"}
    with within(kind):
        if kind == "bundle":
            check_bundle(data, trust, report)
        else:
            check_receipt(said["receipt"] if beside else said, trust, request, report)
        if beside:
            need(jcs(parse(report.facts["answer"].encode())) == jcs(said["answer"]), "records another answer than this")
    return kind


def main(arguments: Sequence[str] | None = None) -> int:
    """Check, and say in words or in JSON what was found."""
    parser = argparse.ArgumentParser(description="Check Sealwright evidence. Exit: 0 it holds, 4 it does not, 2 usage.")
    parser.add_argument("what", type=Path, help="a bundle, a receipt, or the folder of a package or ledger")
    parser.add_argument("--trust", type=Path, required=True, help="the organisation's trust.json")
    parser.add_argument("--fingerprint", default="", help="what trust.json must have; learn it by another way")
    parser.add_argument("--request", type=Path, help="for a receipt: the exact request it answers")
    parser.add_argument(
        "--against", type=Path, action="append", default=[], help="a checkpoint that was kept elsewhere"
    )
    parser.add_argument("--witness", action="append", default=[], help="key of a witness who cosigned it")
    parser.add_argument("--json", action="store_true", help="answer in JSON")
    given = parser.parse_args(arguments)
    if given.fingerprint and not re.fullmatch("sha256:[0-9a-f]{64}", given.fingerprint):
        parser.error("a fingerprint is sha256: and 64 hex digits; a part of it proves nothing")
    if missing := [
        path for path in (given.what, given.trust, given.request, *given.against) if path and not path.exists()
    ]:
        parser.error(f"there is no {missing[0]}")
    if given.witness and not given.against:
        parser.error("--witness says who cosigned what --against names")
    report = Report({}, [], [], [path.read_bytes() for path in given.against], given.witness)
    try:
        with within("trust.json"):
            trust = read_trust(given.trust.read_bytes(), given.fingerprint)
        kind = check(given.what, trust, given.request and given.request.read_bytes(), report)
        report.facts["keys"] = f"of {trust.workspace}, fingerprint {sha256(trust.data)}"
        report.not_checked += [] if given.fingerprint else ["whose keys these are: ask them for their fingerprint"]
        report.not_checked += ["the request: only a receipt answers one"] if given.request and kind != "receipt" else []
        if given.against and kind != "ledger":
            report.not_checked.append("--against: only a ledger is compared with a checkpoint")
        report.not_checked.append("whether what was signed is true")
        said = {"facts": report.facts, "checked": report.checked, "not_checked": report.not_checked}
        outcome = {"holds": True, "kind": kind, **said}
        lines = [f"This {kind} holds.", *(f"  {name}: {value or 'nothing'}" for name, value in report.facts.items())]
        lines += ["Checked:", *(f"  + {line}" for line in report.checked)]
        lines += ["Not checked:", *(f"  - {line}" for line in report.not_checked)]
    except OSError as error:
        parser.error(str(error))
    except Broken as broken:
        outcome = {"holds": False, "link": broken.link, "why": str(broken)}
        lines = ["This does not hold. The first broken link:", f"  {broken.link} {broken}"]
    plain = [
        re.sub("[^ -~]", "?", line.encode("ascii", "backslashreplace").decode()) for line in lines
    ]  # no control codes
    print(json.dumps(outcome, indent=2) if given.json else "\n".join(plain))
    return 0 if outcome["holds"] else 4


if __name__ == "__main__":
    sys.exit(main())
