"""What the branches "statements" and "models" sign: our own kinds of fact, and file lists of models.

Answers: are these bytes a signed payload of a kind that this branch signs?
Does not answer: is the fact true? Nobody can see that from its bytes; the gate, and people, judge it.
"""

from sealwright.kernel import SealwrightError
from sealwright.trust.dsse import IN_TOTO_PAYLOAD, pae
from sealwright.trust.oms import read_signed_list
from sealwright.trust.signing.errors import SignerRefused
from sealwright.trust.statements import Statement

__all__ = ["STATEMENT_TYPES", "check_model", "check_statement", "payload_in", "statement_in"]

STATEMENT_TYPES = frozenset(
    {
        "https://in-toto.io/attestation/test-result/v0.1",
        "https://slsa.dev/provenance/v1",
        "https://slsa.dev/verification_summary/v1",
        "urn:sealwright:predicate:charter:v1",
        "urn:sealwright:predicate:data-basis:v1",
        "urn:sealwright:predicate:data-examination:v1",
        "urn:sealwright:predicate:environment:v1",
        "urn:sealwright:predicate:decision-hour:v1",
        "urn:sealwright:predicate:decision-keeping:v1",
        "urn:sealwright:predicate:erasure:v1",
        "urn:sealwright:predicate:extract:v1",
        "urn:sealwright:predicate:passkey:v1",
        "urn:sealwright:predicate:person-revocation:v1",
        "urn:sealwright:predicate:person:v1",
        "urn:sealwright:predicate:private-release:v1",
        "urn:sealwright:predicate:rollout-plan:v1",
        "urn:sealwright:predicate:snapshot:v1",
    }
)
"""What the workspace states. Approvals and attestations are not among them: people sign those with their own keys."""

_HEAD = b"DSSEv1 %d %b " % (len(IN_TOTO_PAYLOAD), IN_TOTO_PAYLOAD.encode())


def check_statement(data: bytes) -> None:
    """Return if `data` is one of the workspace's statements, as DSSE signs it.

    Raises
    ------
    SignerRefused
        "statement.malformed" or "statement.type".
    """
    found = statement_in(data)
    if found.predicate_type not in STATEMENT_TYPES:
        raise SignerRefused(
            "statement.type",
            f"The branch 'statements' does not sign statements of type {found.predicate_type[:100]!r}.",
        )


def check_model(data: bytes) -> None:
    """Return if `data` is a list of a model's files (OpenSSF Model Signing v1.0), as DSSE signs it.

    Raises
    ------
    SignerRefused
        "model.malformed".
    """
    try:
        read_signed_list(payload_in(data))
    except (SealwrightError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise SignerRefused("model.malformed", f"This is not a list of a model's files: {str(error)[:200]}") from None


def statement_in(data: bytes) -> Statement:
    """The statement that a signature over `data` would sign.

    Raises
    ------
    SignerRefused
        "statement.malformed".
    """
    try:
        return Statement(payload_in(data))
    except SealwrightError as error:
        raise SignerRefused("statement.malformed", f"This is not a statement: {str(error)[:200]}") from None


def payload_in(data: bytes) -> bytes:
    """The in-toto payload in a DSSE pre-authentication encoding, which has one spelling.

    Raises
    ------
    SignerRefused
        "statement.malformed".
    """
    _, blank, payload = data[len(_HEAD) :].partition(b" ")
    if not blank or not data.startswith(_HEAD) or pae(IN_TOTO_PAYLOAD, payload) != data:
        raise SignerRefused("statement.malformed", "This is not an in-toto payload as DSSE signs it.")
    return payload
