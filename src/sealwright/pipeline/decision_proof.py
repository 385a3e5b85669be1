"""What a decision that was read rests on: its entry, the proof of it, and where its content lies now.

Answers: is this record what the ledger has, under which checkpoint, and what would a receiver keep to show it elsewhere?
Does not answer: may somebody read it. Whoever found it asked.
"""

from dataclasses import dataclass
from typing import Any

from sealwright.kernel import canonical_json, digest_of
from sealwright.pipeline.decision_reading import FoundDecision
from sealwright.pipeline.decision_sealing import open_channel
from sealwright.pipeline.scoring_receipts import row_receipt
from sealwright.pipeline.workspace import Workspace
from sealwright.trust import RECEIPT_TYPE, ReceiptReport, batch_of, verify_receipt

__all__ = ["DecisionProof", "proof_of_decision"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionProof:
    """The receipt of a decision, as it verifies today."""

    receipt: bytes  # canonical JSON, as `sealwright verify` takes it
    report: ReceiptReport
    leaf: str  # digest of the entry
    hour: str  # the sealed hour its content lies in, or "" where it is in the ledger still

    def to_json(self) -> dict[str, Any]:
        return {
            "ledger": self.report.origin,
            "entry": self.report.index,
            "entry_digest": self.leaf,
            "entries_under_checkpoint": self.report.size,
            "sealed_hour": self.hour or None,
            "checked": list(self.report.checked),
            "not_checked": list(self.report.not_checked),
        }


def proof_of_decision(workspace: Workspace, project: str, found: FoundDecision) -> DecisionProof:
    """The receipt with its proof, verified against request and answer as they are on record.

    Raises
    ------
    VerificationFailed
        The record is not what the ledger has.
    """
    with open_channel(workspace, project, found.channel) as ledger:
        entry, proof = ledger.entry(found.index), ledger.proof(found.index)
    record = found.record
    if batch_of(record.decision):
        receipt, _ = row_receipt(workspace, project, record.decision)
    else:
        receipt = canonical_json(
            {
                "type": RECEIPT_TYPE,
                "decision": record.decision,
                "entry": entry.leaf.decode(),
                "salt": record.salt.hex(),
                "answer": record.answer.decode(),
                "proof": proof.decode(),
            }
        )
    keys = workspace.trust_root.keys_of("decision-checkpoints")
    report = verify_receipt(receipt, keys, request=record.request)
    return DecisionProof(receipt=receipt, report=report, leaf=digest_of(entry.leaf), hour=entry.moved_to)
