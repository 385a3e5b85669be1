"""The closed lists of the law, and what each entry means in words.

Sources: Regulation (EU) 2016/679, Article 6(1)(a)-(f) for bases, Article 9(2)(a)-(j) for conditions of special data.
"""

from collections.abc import Mapping
from typing import Literal

__all__ = ["BASES", "CONDITIONS", "SECURITY_OF_THE_SYSTEM", "Condition", "LawfulBasis"]

LawfulBasis = Literal[
    "consent", "contract", "legal_obligation", "vital_interests", "public_task", "legitimate_interests"
]

BASES: Mapping[str, str] = {
    "consent": "the persons agreed, Article 6(1)(a)",
    "contract": "a contract with the persons needs it, Article 6(1)(b)",
    "legal_obligation": "a law demands it, Article 6(1)(c)",
    "vital_interests": "somebody's life depends on it, Article 6(1)(d)",
    "public_task": "a task in the public interest needs it, Article 6(1)(e)",
    "legitimate_interests": "an interest that outweighs those of the persons, Article 6(1)(f)",
}

Condition = Literal[
    "explicit_consent",
    "employment_and_social_law",
    "vital_interests",
    "non_profit_members",
    "made_public",
    "legal_claims",
    "substantial_public_interest",
    "health_care",
    "public_health",
    "research_and_statistics",
]

CONDITIONS: Mapping[str, str] = {
    "explicit_consent": "the persons agreed explicitly, Article 9(2)(a)",
    "employment_and_social_law": "employment, social security or social protection law, Article 9(2)(b)",
    "vital_interests": "somebody's life depends on it and they cannot agree, Article 9(2)(c)",
    "non_profit_members": "members of a non-profit body, Article 9(2)(d)",
    "made_public": "the persons made it public themselves, Article 9(2)(e)",
    "legal_claims": "legal claims, or courts at work, Article 9(2)(f)",
    "substantial_public_interest": "substantial public interest, by law, Article 9(2)(g)",
    "health_care": "health or social care, by law or contract, Article 9(2)(h)",
    "public_health": "public health, by law, Article 9(2)(i)",
    "research_and_statistics": "archiving, research or statistics, by law, Article 9(2)(j)",
}

SECURITY_OF_THE_SYSTEM = (
    "rows encrypted at rest with AES-256-GCM, one key per class of column",
    "every snapshot signed; changed, cut or exchanged files are refused",
    "rows read only with the keys of the workspace, which need a passphrase or a key file",
    "training in a confined process without network",
    "an append-only, signed ledger of what was done",
)
"""What holds for every snapshot, whatever the project file says (Article 30(1)(g), Article 32(1))."""
