"""The principal reasons of an adverse decision, by eight rules.

Answers: which reasons may be told to a person who was refused, in which order and words? And may they be told at all?
Does not answer: whether a notice is due, by when, to whom and what else it must say. Pure decisions over numbers and words.

The rules follow what Regulation B asks of a statement of specific reasons (12 CFR 1002.9 (b) (2) and its commentary) and the
Fair Credit Reporting Act of key factors (15 U.S.C. 1681g (f), 1681m):

1. only features that the deployed model uses; 2. in the order of how much they spoke against approval, compared with a stated
reference; 3. never a protected attribute or a declared proxy; 4. at most four, and enquiries besides; 5. the same input and
version have the same reasons; 6. bringing a named feature to the reference must not lower the score of approval; 7. each code
has one sentence, which is part of the version; 8. no reasons of refusal for an approved case.

Reasons that would be incomplete are not told: where a rule keeps out what belongs among the first four, a person must look.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Literal

from sealwright.serving.reasons.document import Sentence
from sealwright.serving.reasons.model import AdverseNotice, LeftOut, PrincipalReason

__all__ = ["LEAST", "MOST_REASONS", "adverse_notice", "in_order"]

MOST_REASONS = 4
LEAST = 1e-6  # a contribution below this is what rounding leaves
_Rule = Literal["not used", "protected", "would not help", "no sentence"]


def adverse_notice(
    contributions: Mapping[str, float],
    *,
    denied: bool,
    used: AbstractSet[str],
    protected: AbstractSet[str],
    sentences: Mapping[str, Sentence],
    helps: Mapping[str, bool],
) -> AdverseNotice | None:
    """The principal reasons, or None for an approved case (rule 8).

    Parameters
    ----------
    contributions : mapping
        Feature to what it adds to the score of approval, against the reference; in an order that breaks ties.
    denied : bool
        Whether the decision is adverse.
    used : set
        Features that the deployed model uses.
    protected : set
        Protected attributes and declared proxies.
    sentences : mapping
        Feature to code and sentence.
    helps : mapping
        Feature to whether bringing it to the reference keeps or raises the score of approval, asked of the model. A feature
        that is not there was not asked about, and is not named.
    """
    if not denied:
        return None
    named: list[PrincipalReason] = []
    left_out: list[LeftOut] = []
    incomplete: dict[str, None] = {}
    for feature in in_order(contributions):
        rule = _kept_out(feature, used, protected, sentences, helps)
        room = len(named) < MOST_REASONS
        if rule is not None:
            left_out.append(LeftOut(feature, rule))
            if room and rule in ("protected", "no sentence"):
                incomplete[_WHY[rule]] = None
            continue
        sentence = sentences[feature]
        if sentence.code not in {one.code for one in named} and (room or _besides(sentence, named, sentences)):
            against = -contributions[feature]
            named.append(
                PrincipalReason(code=sentence.code, text=sentence.text, feature=feature, against=round(against, 6))
            )
    if not named:
        incomplete[_NONE] = None
    return AdverseNotice(reasons=tuple(named), left_out=tuple(left_out), needs_person=" ".join(incomplete))


def in_order(contributions: Mapping[str, float]) -> list[str]:
    """Features that speak against approval, the strongest first; equal ones stay in the order given (rules 2 and 5)."""
    against = [feature for feature, value in contributions.items() if value <= -LEAST]
    return sorted(against, key=lambda feature: round(contributions[feature], 6))


def _kept_out(
    feature: str,
    used: AbstractSet[str],
    protected: AbstractSet[str],
    sentences: Mapping[str, Sentence],
    helps: Mapping[str, bool],
) -> _Rule | None:
    if feature not in used:
        return "not used"  # rule 1
    if feature in protected:
        return "protected"  # rule 3
    if feature not in sentences:
        return "no sentence"  # rule 7
    return None if helps.get(feature, False) else "would not help"  # rule 6


def _besides(sentence: Sentence, named: list[PrincipalReason], sentences: Mapping[str, Sentence]) -> bool:
    """Whether this one may come on top of four: enquiries, once (rule 4)."""
    return sentence.inquiries and not any(sentences[one.feature].inquiries for one in named)


_WHY: dict[str, str] = {
    "protected": "A protected attribute or its proxy is among what spoke most against approval.",
    "no sentence": "No sentence is declared for something that spoke most against approval.",
}
_NONE = "No specific reason was found that may be named."
