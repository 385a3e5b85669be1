"""Verify anything Sealwright made, offline and without a workspace: one entry for every kind of evidence.

Answers: what is this, does it hold, what was checked and what was not?
Does not answer: is the trust root the right one? Whoever verifies brings it, or compares its fingerprint.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sealwright.evidence import verify_attestation
from sealwright.kernel import InvalidInput, Refused, SealwrightError, VerificationFailed, read_limited, strict_json
from sealwright.pipeline.bundle import BUNDLE_TYPE, Bundle, read_bundle
from sealwright.registry import VerifiedPackage, read_pointer, verify_files, verify_package, verify_revocations
from sealwright.serving import decision_origin
from sealwright.trust import (
    RECEIPT_TYPE,
    LedgerReport,
    TrustRoot,
    heed,
    proved_anew,
    verify_key_revocations,
    verify_ledger,
    verify_receipt,
)

__all__ = ["Verified", "trust_root_from", "verify_bytes", "verify_path"]

_MOST_PROOF = 1 << 20
_MOST_BYTES = 1 << 30
_LEDGER_FILES = ("entries.log", "checkpoints.log", "checkpoint")
_SNAPSHOT_FILES = ("statement.json", "keys.json")
_PACKAGE_FILES = (
    "model.onnx",
    "model.sig",
    "interface.json",
    "bom.cdx.json",
    "statements",
)  # of a package; the registry knows them all
_MARKS = (b'"payload', b'"receipt"', b'"promise"', b'"proof"', b'"keys"', b"urn:sealwright:", b"sealwright.trust_root")
_FILED, _REVOKED = "statement.filed", "package.revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What held. `facts` are worth reading; `not_checked` is as important as `checked`."""

    kind: str
    facts: Mapping[str, Any]
    checked: Sequence[str]
    not_checked: Sequence[str]
    remarks: Sequence[str] = field(default=())

    def to_json(self) -> dict[str, Any]:
        return {
            "verified": self.kind,
            "facts": dict(self.facts),
            "checked": list(self.checked),
            "not_checked": list(self.not_checked),
            "remarks": list(self.remarks),
        }


def verify_path(
    path: Path, trust_root: TrustRoot, *, now: datetime, request: bytes | None = None, proof: bytes | None = None
) -> Verified:
    """Verify a package, ledger or snapshot folder, or a receipt, answer, bundle or statement file.

    Parameters
    ----------
    trust_root : TrustRoot
        The public keys to believe.
    request : bytes, optional
        For a receipt: the exact request it answers.
    proof : bytes, optional
        For a receipt that holds a promise: the proof of its entry, as the server's address `proofs` gives it.

    Raises
    ------
    VerificationFailed
        Something does not hold; `link` names the first.
    InvalidInput
        Nothing we know how to verify, or a request or proof for what is no receipt.
    """
    if path.is_dir() and not path.is_symlink():
        return _not_a_receipt(_folder(path, trust_root, now), request, proof)
    return verify_bytes(read_limited(path, _MOST_BYTES), trust_root, now=now, request=request, proof=proof)


def verify_bytes(
    data: bytes, trust_root: TrustRoot, *, now: datetime, request: bytes | None = None, proof: bytes | None = None
) -> Verified:
    """Verify a document by its content: a receipt, an answer that holds one, a bundle, or a signed statement.

    Raises
    ------
    VerificationFailed, InvalidInput
        As for `verify_path`.
    """
    try:
        value = strict_json(data, what="this file", most_bytes=_MOST_BYTES)
    except InvalidInput as error:
        if not _pretends(data):
            raise _no_evidence("This") from None
        raise VerificationFailed(
            f"{error}\nExpected evidence as Sealwright wrote it, byte for byte.", link="file"
        ) from None
    if isinstance(value, dict):
        if value.get("type") == RECEIPT_TYPE:
            return _receipt(data, None, trust_root, request, proof)
        if "receipt" in value and "answer" in value:
            return _answer(value, trust_root, request, proof)
        if value.get("type") == BUNDLE_TYPE:
            return _not_a_receipt(_bundle(data, trust_root, now), request, proof)
        if {"payload", "payloadType", "signatures"} <= set(value):
            return _not_a_receipt(_statement(data, trust_root), request, proof)
    raise _no_evidence("This")


def _pretends(data: bytes) -> bool:
    """Whether bytes that are not JSON may once have been evidence: changed, cut or damaged, which must not pass for a slip."""
    return data.lstrip()[:1] == b"{" or any(mark in data for mark in _MARKS)


def _no_evidence(what: str) -> InvalidInput:
    return InvalidInput(
        f"{what} is nothing Sealwright verifies.\n"
        "Give a package, ledger or snapshot folder, or a receipt, an answer with one, a bundle or a statement."
    )


def _not_a_receipt(found: Verified, request: bytes | None, proof: bytes | None) -> Verified:
    """Nobody shall believe that what they brought was looked at. What does not hold was said before."""
    if request is not None or proof is not None:
        raise InvalidInput(f"--request and --proof are for a receipt; this is a {found.kind}. Leave them out.")
    return found


def _folder(path: Path, trust_root: TrustRoot, now: datetime) -> Verified:
    """What a folder is by the files in it, and how it is verified. One file is enough: what others lack is found then."""
    if _holds(path, _LEDGER_FILES):
        return _ledger(path, trust_root, None)
    if _holds(path, _SNAPSHOT_FILES):
        return _snapshot(path, trust_root)
    if _holds(path, _PACKAGE_FILES):
        return _package(verify_package(path, trust_root, now=now))
    raise _no_evidence(f"The folder {path}")


def _holds(folder: Path, names: Sequence[str]) -> bool:
    return any((folder / name).exists() for name in names)


def _package(package: VerifiedPackage) -> Verified:
    return Verified(
        kind="package",
        facts={
            "project": package.project,
            "package": package.digest,
            "model": package.model,
            "risk class": package.statements["charter"].predicate["charter"]["risk_class"],
            "approved by": ", ".join(f"{one.by} ({one.role.replace('_', ' ')})" for one in package.approvals)
            or "nobody; the policy asks for none",
        },
        checked=package.checked,
        not_checked=package.not_checked,
        remarks=_remarks(package),
    )


def _remarks(package: VerifiedPackage) -> list[str]:
    """What holds and should still be seen: where less was asked, and where a word stands in for a measurement."""
    said = package.gate.predicate["sealwright"]
    less = [
        *(("than the risk class", one) for one in said["below_class"]),
        *(("than before the results", one) for one in said["loosened"]),
    ]
    return [
        *(f"asks for less {than}: {one['what']}, {one['before']} became {one['after']}" for than, one in less),
        *(f"{one['check']}: {one['found']}" for one in said["results"] if one["outcome"] == "attested"),
    ]


def _ledger(ledger: Path | Mapping[str, bytes], trust_root: TrustRoot, origin: str | None) -> Verified:
    report = _ledger_report(ledger, trust_root, origin)
    return Verified(
        kind="ledger",
        facts={"log": report.origin, "entries": report.size, "root": report.root},
        checked=report.checked,
        not_checked=report.not_checked,
        remarks=report.remarks,
    )


def _ledger_report(ledger: Path | Mapping[str, bytes], trust_root: TrustRoot, origin: str | None) -> LedgerReport:
    """The control ledger and those of decisions have keys of their own; the log's name says which it is."""
    prefix = f"sealwright/{trust_root.workspace}/"
    first: SealwrightError | None = None
    for branch, name in (("checkpoints", f"{prefix}ledger"), ("decision-checkpoints", f"{prefix}decisions/")):
        try:
            report = verify_ledger(ledger, trust_root.keys_of(branch), origin)
        except VerificationFailed as error:
            first = first if first is not None and not _wrong_key(first) else error
            continue
        if not report.origin.startswith(name):
            raise VerificationFailed(
                f"The log is called {report.origin!r}, which this key does not sign for.", link="checkpoint"
            )
        return report
    assert first is not None
    raise first


def _wrong_key(error: SealwrightError) -> bool:
    return isinstance(error, VerificationFailed) and error.link.startswith("checkpoint")


def _snapshot(path: Path, trust_root: TrustRoot) -> Verified:
    from sealwright.data import check_snapshot

    snapshot = check_snapshot(f"sha256:{path.resolve().name}", snapshots=path.resolve().parent, trust_root=trust_root)
    return Verified(
        kind="snapshot",
        facts={"snapshot": snapshot.digest, "rows": snapshot.rows, "quarantined": snapshot.quarantined},
        checked=(
            "the manifest is signed by the workspace",
            "every file has the size and digest it was signed with; none is missing or added",
        ),
        not_checked=(
            "the rows themselves: they are encrypted, and no key is needed to check them",
            "the wrapped keys in keys.json: each is bound to this snapshot, and checked when it is opened",
            "whether it is the newest snapshot of its project",
        ),
    )


def _receipt(data: bytes, answer: Any, trust_root: TrustRoot, request: bytes | None, proof: bytes | None) -> Verified:
    if proof is not None:
        data = proved_anew(data, _proof_in(proof))
    report = verify_receipt(data, trust_root.keys_of("decision-checkpoints"), request=request)
    origin = f"sealwright/{trust_root.workspace}/decisions/"
    if not report.origin.startswith(origin):
        raise VerificationFailed(
            f"The receipt is of the log {report.origin!r}, not of this workspace.", link="receipt/entry"
        )
    if answer is not None and strict_json(report.answer, what="the receipt's answer") != answer:
        raise VerificationFailed("The answer beside the receipt is not the one that was recorded.", link="answer")
    return Verified(
        kind="receipt",
        facts={
            "decision": report.decision,
            "model": report.model,
            "package": report.package,
            "at": report.at,
            "answer": report.answer,
            "entry": f"{report.index} of {report.origin}"
            if report.size is None
            else f"{report.index} of {report.size} in {report.origin}",
        },
        checked=(
            *report.checked,
            *(["the answer beside the receipt is the recorded one"] if answer is not None else []),
        ),
        not_checked=report.not_checked,
    )


def _proof_in(told: bytes) -> bytes:
    """The proof's text, in what a server told or by itself."""
    if not told.startswith(b"{"):
        return told
    value = strict_json(told, what="the proof", most_bytes=_MOST_PROOF)
    found = value.get("proof") if isinstance(value, dict) else None
    if not isinstance(found, str):
        raise VerificationFailed("This holds no proof. Give what the server's address `proofs` answered.", link="proof")
    return found.encode(errors="replace")  # half a character is no proof either


def _answer(value: Mapping[str, Any], trust_root: TrustRoot, request: bytes | None, proof: bytes | None) -> Verified:
    from sealwright.kernel import canonical_json

    if not isinstance(value["receipt"], dict):
        raise InvalidInput("The receipt in this answer is not an object.")
    return _receipt(canonical_json(value["receipt"]), value["answer"], trust_root, request, proof)


def _statement(data: bytes, trust_root: TrustRoot) -> Verified:
    from sealwright.evidence import verify_any

    statement = verify_any(data, trust_root)
    return Verified(
        kind="statement",
        facts={
            "about": ", ".join(statement.subject_digests),
            "type": statement.predicate_type,
            "digest": statement.digest,
        },
        checked=("the signature is by the key that signs such statements, and the payload is canonical",),
        not_checked=("whether the statement is in the ledger", "whether what it says is true"),
    )


def _bundle(data: bytes, trust_root: TrustRoot, now: datetime) -> Verified:
    """The package, both kinds of ledger, pointers and revocations, and that they belong together."""
    try:
        bundle = read_bundle(data)
    except InvalidInput as error:
        raise VerificationFailed(str(error), link="bundle") from None
    if bundle.files.get("trust.json") != trust_root.to_bytes():
        raise VerificationFailed(
            "The bundle names other public keys than the trust root you brought. One of them is not this organisation's.",
            link="trust.json",
        )
    package = verify_files(bundle.folder("package"), trust_root, now=now)
    if package.project != bundle.project:
        raise VerificationFailed("The package is not of the project that the bundle names.", link="package")
    ledger = _ledger_report(_ledger_files(bundle, "ledger"), trust_root, f"sealwright/{trust_root.workspace}/ledger")
    checked = [*package.checked, *ledger.checked, *_in_ledger(bundle, package, trust_root, ledger.size)]
    remarks, not_checked = [*_remarks(package), *ledger.remarks], [*ledger.not_checked]
    for name, envelope in sorted(bundle.folder("pointers").items()):
        pointer = read_pointer(envelope, trust_root)
        state = "in force" if pointer.not_before <= now < pointer.expires else "not in force now"
        beside = "".join(f", and version {arm.number} as {arm.role}" for arm in pointer.arms[1:])
        checked.append(
            f"pointer {pointer.channel} number {pointer.sequence} names version {pointer.number}{beside}, signed; {state}"
        )
        if pointer.project != package.project or f"{pointer.channel}.json" != name:
            raise VerificationFailed("A pointer in the bundle is for another place.", link=f"pointers/{name}")
    for channel in sorted({name.split("/")[0] for name in bundle.folder("decisions")}):
        origin = decision_origin(trust_root.workspace, package.project, channel)
        report = _ledger_report(_ledger_files(bundle, f"decisions/{channel}"), trust_root, origin)
        checked.append(
            f"decisions of channel {channel}: {report.size:,} entries, {report.checkpoints:,} signed checkpoints"
        )
        remarks += report.remarks
    in_ledger = _revoked_in_ledger(bundle, package)
    if "revocations.json" in bundle.files:
        revoked = verify_revocations(bundle.files["revocations.json"], trust_root).packages
        checked.append(f"the revocation list is signed and names {len(revoked)} packages")
        if package.digest in revoked:
            remarks.append(f"this package was revoked: {revoked[package.digest].reason}")
        if (package.digest in revoked) != in_ledger:
            raise VerificationFailed(
                "The list of revoked packages says otherwise about this package than the ledger.", link="revocations"
            )
    elif in_ledger:
        remarks.append("this package was revoked, as the ledger says")
    not_checked += [
        "the training data and the decision records: only their digests are here",
        *package.not_checked[-1:],
    ]
    if "report.html" in bundle.files:
        not_checked.append("report.html: a picture of the evidence, not evidence; its numbers stand in the statements")
    return Verified(
        kind="bundle",
        facts={
            "project": package.project,
            "version": bundle.number,
            "package": package.digest,
            "ledger entries": ledger.size,
        },
        checked=checked,
        not_checked=not_checked,
        remarks=remarks,
    )


def _ledger_files(bundle: Bundle, folder: str) -> dict[str, bytes]:
    files = bundle.folder(folder)
    if set(files) != set(_LEDGER_FILES):
        raise VerificationFailed("The bundle lacks the files of a ledger.", link=folder)
    newest = files["checkpoint"].split(b"\n")
    signed = int(newest[1]) if len(newest) > 1 and newest[1].isdigit() else -1
    whole = files["entries.log"].split(b"\n")
    if (
        whole.pop()
        or len(whole) != signed
        or not files["checkpoints.log"].endswith(b"\n" + files["checkpoint"] + b"\n")
    ):
        raise VerificationFailed("A ledger in the bundle has an end that nobody signed.", link=folder)
    return files


def _in_ledger(bundle: Bundle, package: VerifiedPackage, trust_root: TrustRoot, size: int) -> list[str]:
    """Every statement of the package must be an entry of the verified ledger, and the version registered there.

    Only the first `size` entries count: no checkpoint covers those after them, so anybody could have added them.
    """
    filed, registered = set(), set()
    for line in bundle.files["ledger/entries.log"].split(b"\n")[:size]:
        entry = strict_json(line.split(b"\t", 1)[0], what="a ledger entry")
        if entry["action"] == _FILED:
            filed.add(entry["subject"])
        elif entry["action"] == "version.registered":
            registered.add((entry["subject"], entry["detail"].get("number")))
    wanted = {name: one.digest for name, one in package.statements.items()} | {"gate": package.gate.digest}
    wanted |= {f"approval of {one.by}, {one.purpose}": one.statement for one in package.approvals}
    wanted |= {
        name: verify_attestation(data, trust_root).statement
        for name, data in package.files.items()
        if name.startswith("statements/attestation-")
    }
    for name, digest in wanted.items():
        if digest not in filed:
            raise VerificationFailed(f"The statement {name} is not in the ledger.", link=f"ledger/{name}")
    if (package.digest, bundle.number) not in registered:
        raise VerificationFailed(
            f"The ledger knows no version {bundle.number} with this package.", link="ledger/version"
        )
    return [f"all {len(wanted)} statements of the package are entries of the ledger, and so is version {bundle.number}"]


def _revoked_in_ledger(bundle: Bundle, package: VerifiedPackage) -> bool:
    """Whether the verified ledger has the withdrawal of this package: it does, even if the list is left out or old."""
    lines = bundle.files["ledger/entries.log"].split(b"\n")[:-1]
    entries = (strict_json(line.split(b"\t", 1)[0], what="a ledger entry") for line in lines)
    return any(entry["action"] == _REVOKED and entry["subject"] == package.digest for entry in entries)


def trust_root_from(data: bytes, fingerprint: str | None, revoked_keys: bytes | None = None) -> TrustRoot:
    """A trust root from a file, compared with a fingerprint that came another way.

    Parameters
    ----------
    revoked_keys : bytes, optional
        The workspace's key-revocations.json: keys that it withdrew as compromised count for nothing.

    Raises
    ------
    VerificationFailed
        It is not a trust root, or has another fingerprint; or the list is not of this workspace.
    InvalidInput
        It is no JSON at all: another file was named.
    Refused
        The fingerprint is not one.
    """
    if not _pretends(data):
        raise InvalidInput(
            "This is no trust root. Give the organisation's trust.json, as `sealwright export` writes it."
        )
    root = TrustRoot.from_bytes(data)
    if fingerprint is not None:
        wanted = fingerprint if fingerprint.startswith("sha256:") else f"sha256:{fingerprint}"
        if len(wanted) != len("sha256:") + 64:
            raise Refused("A fingerprint is 64 hex digits; a part of it proves nothing.")
        if root.fingerprint != wanted:
            raise VerificationFailed(
                f"The trust root has fingerprint {root.fingerprint}, not {wanted}. Do not use it.", link="trust.json"
            )
    return root if revoked_keys is None else heed(root, verify_key_revocations(revoked_keys, root))
