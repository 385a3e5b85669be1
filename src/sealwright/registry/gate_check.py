"""Does the gate's signed result open exactly this package?

Answers: did the gate pass this package (`evidence.verify_release` says so, with the approvals it
counted), and did it look at just those statements that lie beside it?
Does not answer: was the policy a good one? It is named by digest; the charter shows it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sealwright import evidence
from sealwright.kernel import SealwrightError, VerificationFailed
from sealwright.trust import Statement, TrustRoot

__all__ = ["check_gate"]

_LINK = "package/statements/gate.json"
_SKEW = timedelta(minutes=5)  # clocks of two machines may differ this much
# how the model was made: a gate need not have looked, unless it rests on findings inside
_NOT_JUDGED = frozenset({"urn:sealwright:predicate:snapshot:v1", "https://slsa.dev/provenance/v1"})


def check_gate(
    gate: bytes,
    approvals: Sequence[bytes],
    attestations: Sequence[evidence.Attestation],
    statements: Mapping[str, Statement],
    trust_root: TrustRoot,
    *,
    package: str,
    model: str,
    project: str,
    now: datetime,
) -> evidence.Release:
    """The gate's decision, if it lets this package through.

    Parameters
    ----------
    gate, approvals : bytes
        Signed envelopes as they lie in the package.
    attestations, statements
        Those in the package, verified.
    package, model, project : str
        What the decision must be about.
    now : datetime
        The gate may not have decided later than this.

    Raises
    ------
    VerificationFailed
        With `link` "package/statements/gate.json", or an approval's.
    """
    try:
        release = evidence.verify_release(gate, approvals, trust_root, package=package)
        decided = release.statement.predicate["sealwright"]
        _need((release.model, decided["project"]) == (model, project), "is about another model or project")
        _need(release.decided_at <= now + _SKEW, "is dated in the future")
        _statements_used(release, attestations, statements)
    except VerificationFailed as error:
        link = error.link if error.link.startswith("package") else f"package/{error.link or 'statements/gate.json'}"
        raise VerificationFailed(str(error), link=link) from None
    except (SealwrightError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise VerificationFailed(
            f"The gate's result cannot be read: {type(error).__name__}: {str(error)[:120]}", link=_LINK
        ) from None
    return release


def _statements_used(
    release: evidence.Release, attestations: Sequence[evidence.Attestation], statements: Mapping[str, Statement]
) -> None:
    """What lies beside the gate must be what it looked at, and the other way round."""
    said = release.statement.predicate
    seen = {f"sha256:{item['digest']['sha256']}" for item in said["inputAttestations"]}
    here = {name: one.digest for name, one in statements.items()}
    here |= {f"attestation of {one.check} by {one.by}, {one.statement}": one.statement for one in attestations}
    judged = {name for name in here if name not in statements or statements[name].predicate_type not in _NOT_JUDGED}
    unseen = sorted(name for name in judged if here[name] not in seen)
    _need(not unseen, f"did not look at what lies beside it: {', '.join(unseen)[:200]}")
    used = {one["statement"] for result in said["sealwright"]["results"] for one in result["instances"]} - {""}
    missing = sorted(used - set(here.values()))
    _need(
        not missing,
        f"rests on {len(missing)} statement(s) that are not here, the first {missing[0][:19] if missing else ''}…",
    )


def _need(holds: bool, problem: str) -> None:
    if not holds:
        raise VerificationFailed(
            f"The gate's result {problem}.\nRun the gate on this package again: sealwright gate", link=_LINK
        )
