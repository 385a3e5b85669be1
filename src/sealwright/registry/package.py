"""Putting a package together, and sealing it: candidate first, then gate and approvals, then the signature.

Answers: which files make a package, what is its digest P, and how does it come to stand on disk,
complete or not at all?
Does not answer: may it be sealed? The gate's signed result says so, and sealing checks it first:
the model key signs nothing that the gate did not let through.
"""

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sealwright.kernel import (
    Conflict,
    InvalidInput,
    OperationFailed,
    VerificationFailed,
    canonical_json,
    fsync_folder,
    hex_of,
    private_folder,
)
from sealwright.registry.admission import check_structure
from sealwright.registry.explained import model_explained_in
from sealwright.registry.folder import open_trusted_files
from sealwright.registry.identity import digests_of, package_digest
from sealwright.registry.interface import read_interface
from sealwright.registry.model import Candidate, PackageParts, SealedPackage
from sealwright.registry.names import ANSWERING, EXPLAINER, GATE, SIGNATURE, check_layout
from sealwright.registry.verify import verify_contents
from sealwright.trust import Signer, TrustRoot, sign_model_files

__all__ = ["build_candidate", "seal"]

_DRAFT = ".draft-"
_LOCK = ".lock"


def build_candidate(parts: PackageParts) -> Candidate:
    """A package as far as it can be made before the gate.

    Parameters
    ----------
    parts : PackageParts
        Model, documents and signed statements.

    Raises
    ------
    UnsafeNames
        A statement name that has no place in a package, or no charter.
    ModelRefused
        The model does not pass the structural gate.
    InvalidInput
        The interface contradicts itself, or the explainer is about another model.
    """
    shape = read_interface(parts.interface)
    files = {
        "model.onnx": parts.model,
        "interface.json": canonical_json(parts.interface),
        "card.md": parts.card_md.encode("utf-8"),
        "bom.cdx.json": parts.bom,
        **{f"statements/{name}.json": envelope for name, envelope in parts.statements.items()},
        **{
            name: data
            for name, data in ((EXPLAINER, parts.explainer), (ANSWERING, parts.answering))
            if data is not None
        },
    }
    check_layout(files, sealed=False)
    report = check_structure(parts.model, parts.interface)
    if parts.explainer is not None and model_explained_in(parts.explainer) != report.model:
        raise InvalidInput("This explainer is about another model. Count its rows again.")
    if parts.answering is not None and model_explained_in(parts.answering, ANSWERING) != report.model:
        raise InvalidInput("This answering.json is about another model. Train anew.")
    files = dict(sorted(files.items()))
    return Candidate(digest=package_digest(digests_of(files)), model=report.model, project=shape.project, files=files)


def seal(
    candidate: Candidate,
    gate: bytes,
    approvals: Sequence[bytes],
    signer: Signer,
    packages: Path,
    *,
    trust_root: TrustRoot,
    now: datetime,
) -> SealedPackage:
    """Sign a candidate that its gate let through, and put it in the packages folder in one step.

    Sealing the same candidate again with the same gate and approvals gives the package that is there.

    Parameters
    ----------
    candidate : Candidate
        From `build_candidate`.
    gate : bytes
        The signed verification summary about this candidate.
    approvals : sequence of bytes
        Signed approvals that the gate counted, in the order they are to be numbered.
    signer : Signer
        Branch "models" (P-256).
    packages : Path
        The workspace's packages folder.
    trust_root : TrustRoot
        Keys the finished package must verify with.
    now : datetime
        The moment to judge by.

    Raises
    ------
    VerificationFailed
        The gate did not pass, is about another candidate, or the finished package would not verify.
    Conflict
        A package of this digest is there with another gate or other approvals.
    OperationFailed
        The disk did not take it; nothing is left behind.
    """
    if len(approvals) > 99:
        raise InvalidInput("A package carries at most 99 approvals.")
    files = dict(candidate.files) | {GATE: gate}
    files |= {f"statements/approval-{place}.json": envelope for place, envelope in enumerate(approvals, start=1)}
    if package_digest(digests_of(files)) != candidate.digest:
        raise VerificationFailed("The candidate was changed after it was judged. Build it again.", link="package")
    name = hex_of(candidate.digest)
    verify_contents(files, trust_root, now=now, signed=False)
    files[SIGNATURE] = sign_model_files(name, files, signer)
    verify_contents(files, trust_root, now=now, signed=True)
    target = packages / name
    sealed = SealedPackage(digest=candidate.digest, model=candidate.model, project=candidate.project, folder=target)
    with _only_writer(packages):
        if target.exists():
            _same(open_trusted_files(target), files, target)
            return sealed
        try:
            _place(files, target)
        except OSError as error:
            raise OperationFailed(
                f"The package could not be written: {error.strerror}. Nothing was left behind; make room and seal again."
            ) from None
    return sealed


@contextmanager
def _only_writer(packages: Path) -> Iterator[None]:
    """Hold the packages folder, and clear drafts that a killed process left."""
    private_folder(packages)
    handle = os.open(packages / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        for left in packages.glob(f"{_DRAFT}*"):
            shutil.rmtree(left, ignore_errors=True)
        yield
    finally:
        os.close(handle)


def _place(files: Mapping[str, bytes], target: Path) -> None:
    """Write all files into a draft folder, wait for the disk, then rename: there or not there, never half."""
    draft = target.with_name(f"{_DRAFT}{secrets.token_hex(8)}")
    try:
        draft.mkdir(mode=0o700)
        for folder in sorted({(draft / name).parent for name in files}):
            folder.mkdir(mode=0o755, exist_ok=True)
        for name, data in files.items():
            handle = os.open(draft / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
                os.fchmod(stream.fileno(), 0o644)
                stream.flush()
                os.fsync(stream.fileno())
        for folder in sorted({(draft / name).parent for name in files}):
            fsync_folder(folder)
        draft.chmod(0o755)
        draft.rename(target)
        fsync_folder(target.parent)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _same(found: Mapping[str, bytes], wanted: Mapping[str, bytes], target: Path) -> None:
    """The package that is there must be this one; its signature may be another one by the same key."""
    if {k: v for k, v in found.items() if k != SIGNATURE} != {k: v for k, v in wanted.items() if k != SIGNATURE}:
        raise Conflict(
            f"{target.name[:16]}… is sealed already, with another gate result or other approvals.\n"
            "A sealed package never changes: register it as it is, or build a new version."
        )
