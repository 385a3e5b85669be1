"""The strict verifier of a sealed package: offline, from a folder and a trust root, no workspace needed.

Answers: is this, byte for byte, what was sealed; was it judged, passed and approved as its own
policy demands; and is the model in it one that may be opened?
Does not answer: does it serve somewhere (a pointer), was it revoked since (the revocation list), or
is it any good (the numbers are in its statements; the policy that judged them is named by the gate).

Each file is read once; everything returned comes from those bytes. What the public `model-signing`
tool lets through by its specification is refused here: unsigned `.git` files, a signer's own list of
files to ignore, a signature without a key, empty folders, odd modes, links.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from sealwright import evidence
from sealwright.kernel import SealwrightError, VerificationFailed, canonical_json, strict_json
from sealwright.registry.admission import AdmissionReport, check_structure
from sealwright.registry.bom_reader import model_named_in
from sealwright.registry.explained import model_explained_in
from sealwright.registry.folder import ReadLimits, open_trusted_files
from sealwright.registry.gate_check import check_gate
from sealwright.registry.identity import digests_of, package_digest
from sealwright.registry.interface import read_interface
from sealwright.registry.model import VerifiedPackage
from sealwright.registry.names import ANSWERING, APPROVAL, ATTESTATION, EXPLAINER, GATE, SIGNATURE, check_layout
from sealwright.trust import Statement, TrustRoot, verify_model_folder, verify_statement

__all__ = ["verify_files", "verify_package"]

CHARTER_TYPE = "urn:sealwright:predicate:charter:v1"
SNAPSHOT_TYPE = "urn:sealwright:predicate:snapshot:v1"
PROVENANCE_TYPE = "https://slsa.dev/provenance/v1"
TEST_RESULT_TYPE = "https://in-toto.io/attestation/test-result/v0.1"
_TYPE_OF = {"charter": CHARTER_TYPE, "snapshot": SNAPSHOT_TYPE, "provenance": PROVENANCE_TYPE}


def verify_package(
    path: Path, trust_root: TrustRoot, *, now: datetime, limits: ReadLimits | None = None
) -> VerifiedPackage:
    """Verify a sealed package completely, or refuse it with the first broken link.

    Parameters
    ----------
    path : Path
        The package folder.
    trust_root : TrustRoot
        The workspace's public keys, obtained over a way you trust.
    now : datetime
        The moment to judge by: nothing in a package may come from the future.
    limits : ReadLimits, optional
        Sizes and counts that are read at most.

    Returns
    -------
    VerifiedPackage
        Contents from the verified bytes, and what was and was not checked, worded for people.

    Raises
    ------
    VerificationFailed
        `link` names the first file or fact that does not hold, e.g. "package/model.onnx".
    """
    return verify_files(open_trusted_files(path, limits), trust_root, now=now)


def verify_files(files: Mapping[str, bytes], trust_root: TrustRoot, *, now: datetime) -> VerifiedPackage:
    """As `verify_package`, for files that were read already (`open_trusted_files`).

    Parameters
    ----------
    files : mapping of str to bytes
        Every file of the package, by relative name.

    Raises
    ------
    VerificationFailed
        As above.
    """
    return verify_contents(files, trust_root, now=now, signed=True)


def verify_contents(
    files: Mapping[str, bytes], trust_root: TrustRoot, *, now: datetime, signed: bool
) -> VerifiedPackage:
    """The checks themselves. With `signed` False the package signature is not there yet: for sealing alone."""
    # (1) nothing but a package's own files, under names that are safe everywhere
    check_layout([*files, *(() if signed else (SIGNATURE,))], sealed=True)
    # (2) the signature of the package covers exactly these files
    digests, signed_by = digests_of(files), ""
    if signed:
        rest: dict[str, bytes | tuple[str, int]] = {
            name: (digests[name], len(data)) for name, data in files.items() if name != SIGNATURE
        }
        signed_by = _signed_by(rest, files[SIGNATURE], trust_root)
    # (3) every statement is signed and of the kind its name says
    digest, model = package_digest(digests), digests["model.onnx"]
    statements = _statements(files, trust_root)
    # (4) documents agree with the model and with each other
    interface, report = _documents(files, statements, model)
    project = read_interface(interface).project
    # (5) statements are about this model and this data
    _subjects(statements, model)
    # (6) the gate passed this package, on this evidence, with enough approvals
    attestations = [
        _by_person(name, lambda data: evidence.verify_attestation(data, trust_root, project=project), files[name])
        for name in sorted(files)
        if ATTESTATION.fullmatch(name)
    ]
    _need(all(one.model == model for one in attestations), "statements/attestation-1.json", "is about another model")
    approvals = [name for name in sorted(files) if APPROVAL.fullmatch(name)]
    for name in approvals:
        _by_person(name, lambda data: evidence.verify_approval(data, trust_root, project=project), files[name])
    release = check_gate(
        files[GATE],
        [files[name] for name in approvals],
        attestations,
        statements,
        trust_root,
        package=digest,
        model=model,
        project=project,
        now=now,
    )
    return VerifiedPackage(
        digest=digest,
        model=model,
        project=project,
        model_bytes=files["model.onnx"],
        interface=interface,
        statements=statements,
        gate=release.statement,
        approvals=release.approvals,
        files=files,
        signed_by=signed_by,
        checked=_checked(files, statements, release, report, signed_by),
        not_checked=(
            "whether the package was revoked after sealing: that stands in the workspace's revocation list",
            "whether it is the version in service: that stands in a pointer",
            "that the statements are in the ledger: check their proofs against a checkpoint",
            "the training data itself: only its digest is here",
            "whether these public keys belong to whom you think: compare the fingerprint of the trust root",
        ),
    )


def _signed_by(rest: Mapping[str, bytes | tuple[str, int]], bundle: bytes, trust_root: TrustRoot) -> str:
    """Key id of the package signature, which must stand in one spelling, as sealing wrote it."""
    try:
        signed = verify_model_folder(rest, bundle, trust_root.keys_of("models"))
        _need(canonical_json(strict_json(bundle, what=SIGNATURE)) == bundle, SIGNATURE, "is not canonical JSON")
    except VerificationFailed as error:
        raise VerificationFailed(str(error), link=_in_package(error.link or SIGNATURE)) from None
    return signed.key_id


def _statements(files: Mapping[str, bytes], trust_root: TrustRoot) -> dict[str, Statement]:
    found: dict[str, Statement] = {}
    for name in sorted(files):
        if (
            name.startswith("statements/")
            and name != GATE
            and not APPROVAL.fullmatch(name)
            and not ATTESTATION.fullmatch(name)
        ):
            short = name.removeprefix("statements/").removesuffix(".json")
            found[short] = _statement(name, files[name], trust_root, _TYPE_OF.get(short, TEST_RESULT_TYPE))
    return found


def _statement(name: str, data: bytes, trust_root: TrustRoot, predicate_type: str | None) -> Statement:
    try:
        return verify_statement(data, trust_root.keys_of("statements"), predicate_type=predicate_type)
    except SealwrightError as error:
        raise VerificationFailed(f"{name} does not verify: {error}", link=_in_package(name)) from None


def _by_person(name: str, verify: Any, data: bytes) -> Any:
    try:
        return verify(data)
    except SealwrightError as error:
        raise VerificationFailed(f"{name} does not verify: {error}", link=_in_package(name)) from None


def _documents(
    files: Mapping[str, bytes], statements: Mapping[str, Statement], model: str
) -> tuple[Mapping[str, Any], AdmissionReport]:
    name = "interface.json"
    try:
        interface = strict_json(files[name], what=name, most_bytes=8 << 20)
        _need(isinstance(interface, dict) and canonical_json(interface) == files[name], name, "is not canonical JSON")
        project = read_interface(interface).project
        name = "model.onnx"
        report = check_structure(files[name], interface)
        name = "bom.cdx.json"
        _need(model_named_in(files[name]) == model, name, "is about another model")
        name = "card.md"
        files[name].decode("utf-8")
        for name in (EXPLAINER, ANSWERING):
            _need(name not in files or model_explained_in(files[name], name) == model, name, "is about another model")
    except VerificationFailed:
        raise
    except (SealwrightError, UnicodeDecodeError) as error:
        raise VerificationFailed(f"{name} does not hold: {error}", link=_in_package(name)) from None
    charter = statements["charter"].predicate
    _need(charter.get("project") == project, "statements/charter.json", "is the charter of another project")
    return interface, report


def _subjects(statements: Mapping[str, Statement], model: str) -> None:
    """Each statement speaks about this model or its data; the provenance names the snapshot beside it."""
    data = set(statements["snapshot"].subject_digests)
    for name, statement in statements.items():
        about = set(statement.subject_digests)
        if statement.predicate_type == PROVENANCE_TYPE:
            _need(model in about, f"statements/{name}.json", "is about another model")
            _need(
                bool(data & _made_from(statement)),
                f"statements/{name}.json",
                "says the model was made from other data than the snapshot beside it",
            )
        elif statement.predicate_type == TEST_RESULT_TYPE:
            _need(model in about or bool(data & about), f"statements/{name}.json", "is about another model")


def _made_from(provenance: Statement) -> set[str]:
    """Digests of what the build used: SLSA provenance v1, buildDefinition.resolvedDependencies."""
    try:
        listed = provenance.predicate["buildDefinition"]["resolvedDependencies"]
        return {f"sha256:{item['digest']['sha256']}" for item in listed if "sha256" in item.get("digest", {})}
    except (KeyError, TypeError, AttributeError):
        return set()


def _need(holds: bool, name: str, problem: str) -> None:
    if not holds:
        raise VerificationFailed(f"{name} {problem}. Use the package exactly as it was sealed.", link=_in_package(name))


def _in_package(link: str) -> str:
    return link if link.startswith("package") or link == "trust.json" else f"package/{link}"


def _checked(
    files: Mapping[str, bytes],
    statements: Mapping[str, Statement],
    release: evidence.Release,
    report: AdmissionReport,
    signed_by: str,
) -> tuple[str, ...]:
    people = ", ".join(f"{one.by} as {one.role}" for one in release.approvals) or "none; the policy asks for none"
    return (
        f"{len(files)} files, {sum(map(len, files.values())):,} bytes, each read once, under safe names; no links, no extra files",
        f"the package signature (OpenSSF Model Signing) covers exactly these files, by key {signed_by[:16]}…",
        f"{len(statements)} statements are signed by the workspace and about this model: {', '.join(statements)}",
        f"the gate passed exactly this package, on these statements, by the policy {release.policy[:19]}… for {release.risk_class} risk",
        f"approvals, each signed by an enrolled person for this package and policy: {people}",
        *report.checked,
        *(f"{name} is about this model" for name in (EXPLAINER, ANSWERING) if name in files),
    )
