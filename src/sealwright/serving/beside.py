"""Whether another model may answer the same requests as the champion.

Answers: does it take every row that the champion takes, and answer in the same form?
Does not answer: is it any good? That is what the rollout measures.
"""

from sealwright.serving.contract import Contract, Feature

__all__ = ["why_not_beside"]


def why_not_beside(champion: Contract, other: Contract) -> str:
    """Why `other` cannot answer what `champion` answers, or "".

    A request that is good for one must be good for both: otherwise who sends it would be refused by chance.
    """
    if other.project != champion.project:
        return "it belongs to another project"
    if (other.task, other.classes) != (champion.task, champion.classes):
        return "it answers in another form"
    if other.names != champion.names:
        return "it takes other features"
    for feature in champion.features:
        if not _takes(other.feature(feature.name), feature):
            return f"it does not take every value of {feature.name!r} that the champion takes"
    return ""


def _takes(wide: Feature, narrow: Feature) -> bool:
    return (
        wide.kind == narrow.kind
        and (wide.nullable or not narrow.nullable)
        and wide.low <= narrow.low
        and wide.high >= narrow.high
        and wide.categories >= narrow.categories
    )
