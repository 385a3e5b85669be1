"""Whether another model may answer the same requests as the champion.

Answers: does it take every row that the champion takes, and answer in the same form?
Does not answer: is it any good? That is what the rollout measures.
"""

from dataclasses import dataclass, replace

from sealwright.kernel import canonical_json, digest_of
from sealwright.registry import VerifiedPackage
from sealwright.serving.checking.bounds import widened
from sealwright.serving.checking.document import read_answering
from sealwright.serving.contract import Contract, Feature, contract_of

__all__ = ["Manner", "why_not_beside", "why_not_in_place_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """What may be asked of one version without being refused."""

    asked: Contract  # with which requests are read
    mode: str  # what becomes of a row outside its contract: "refuse", "clip" or "abstain"
    rules: frozenset[bytes]  # between fields, by which rows are refused
    explains: bool
    promises: bool  # sets or intervals
    labels_only: bool

    @staticmethod
    def of(package: VerifiedPackage) -> "Manner":
        """Of a verified package. Raises `VerificationFailed` where it cannot be read."""
        contract, document = contract_of(package.interface), package.files.get("answering.json")
        said = None if document is None else read_answering(document, model=digest_of(package.model_bytes))
        mode = "refuse" if said is None else said.mode
        learned = None if said is None else said.conformal
        rules = [] if mode == "abstain" else package.interface.get("rules") or []
        return Manner(
            asked=contract if mode == "refuse" else widened(contract),
            mode=mode,
            rules=frozenset(canonical_json([rule["then"], rule.get("when", [])]) for rule in rules),
            explains="explainer.json" in package.files,
            promises=said is not None and learned is not None and learned.limits.get(f"{said.coverage:g}") is not None,
            labels_only=said is not None and said.output.labels_only,
        )

    @property
    def order(self) -> list[list[str]]:
        """In which order values without names are read: of tables, and of the model's own inputs."""
        asked = self.asked
        return [[one.name for one in some] for some in (asked.features, asked.numbers, asked.strings)]

    def takes_any(self, feature: Feature) -> bool:
        """Whether no text is refused here, known or not; what is missing is another matter."""
        return feature.open and feature.kind == "category" and (self.mode == "abstain" or feature.nullable)

    def seen_from(self, other: Contract) -> Contract:
        """What is read here, where a feature that takes any text has the categories of `other`, too."""
        order = [
            replace(one, categories=one.categories | other.feature(one.name).categories)
            if self.takes_any(one) and one.name in other.names
            else one
            for one in self.asked.features
        ]
        return Contract(
            project=self.asked.project,
            task=self.asked.task,
            classes=self.asked.classes,
            order=order,
            numbers=[one.name for one in self.asked.numbers],
            strings=[one.name for one in self.asked.strings],
        )


def why_not_in_place_of(champion: Manner, other: Manner) -> str:
    """Why somebody whom `champion` answers could be refused by `other`, so that chance would decide about them; or ""."""
    why = why_not_beside(champion.asked, other.seen_from(champion.asked))
    if why:
        return why
    for feature in champion.asked.features:
        if champion.takes_any(feature) and not other.takes_any(other.asked.feature(feature.name)):
            return f"it refuses a category of {feature.name!r} that it does not know, and the champion does not"
    reasons = {
        "it takes its features in another order, and some requests do not name them": other.order != champion.order,
        "it refuses rows by a rule between fields, and the champion answers them": bool(other.rules - champion.rules),
        "it gives no reasons, and the champion does": champion.explains and not other.explains,
        "it promises no sets or intervals, and the champion does": champion.promises and not other.promises,
        "it tells labels only, and the champion tells more": other.labels_only and not champion.labels_only,
    }
    return next((said for said, so in reasons.items() if so), "")


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
