"""Ways to make groups fare more alike, each as the lines of `training:` that choose it."""

from collections.abc import Iterator, Mapping
from typing import Any

from sealwright.pipeline.project import Project
from sealwright.pipeline.variants import Variant
from sealwright.training import AT_ONE_HALF, BINARY_ONLY, LINEAR_ONLY, METHODS

__all__ = ["mitigation_variants"]

_FEW_VALUES = 10  # a whole-number column with more possible values than this needs cut points to form groups
_WORDS = {
    "reweighing": "rows weigh so that outcome and group are independent",
    "resampling": "rows are repeated and left out so that outcome and group are independent",
    "decorrelate": "what a line could tell about the group is projected out of the features",
    "exponentiated_gradient": "many classifiers, weighed so that groups are decided alike, their probabilities averaged",
    "adversarial": "learns while an adversary tries to guess the group from its score",
    "thresholds": "a threshold for each group; the model asks who somebody is, which is unlawful in many uses",
}


def mitigation_variants(project: Project) -> tuple[Variant, ...]:
    """Every mitigation that fits the project's task, for each attribute whose groups are compared.

    Methods that need a straight line come with the logistic recipe, and that recipe alone is among them, so that what a
    method does is not mistaken for what the recipe does. Without a usable attribute there are none.
    """
    return tuple(_variants(project))


def _variants(project: Project) -> Iterator[Variant]:
    attributes = _attributes(project)
    if not attributes or project.spec.training.own_code:
        return
    data, training = project.spec.data, project.spec.training
    straight = training.recipe == "logistic"
    methods = [one for one in METHODS if data.task == "binary" or one not in BINARY_ONLY]
    if project.spec.assurance.threshold != 0.5:
        methods = [one for one in methods if one not in AT_ONE_HALF]
    if training.mitigation is not None:
        yield Variant(name="none", words="no mitigation", training={"mitigation": None})
    if not straight:
        words = "the logistic recipe without any mitigation, to compare the methods with that need it"
        yield Variant(name="logistic", words=words, training={"recipe": "logistic", "params": {}, "mitigation": None})
    for method in methods:
        for name, entry in attributes.items():
            if method == "thresholds" and name not in data.features:
                continue
            recipe = {"recipe": "logistic", "params": {}} if method in LINEAR_ONLY and not straight else {}
            chosen = {"method": method, "attributes": [entry]}
            about = f"{method}-{name}" if len(attributes) > 1 else method
            yield Variant(
                name=about, words=f"{_WORDS[method]} ({name})", training={**recipe, "mitigation": chosen}, about=name
            )


def _attributes(project: Project) -> Mapping[str, Any]:
    """Columns that form groups, each as `training.mitigation.attributes` names it: with cut points where it has any."""
    spec = project.spec
    declared = spec.assurance.cut_points() or {}
    found: dict[str, Any] = {}
    for name in dict.fromkeys([*spec.data.sensitive, *declared]):
        cuts = declared.get(name)
        if cuts is not None:
            found[name] = {name: [int(cut) if cut.is_integer() else cut for cut in cuts]}
        elif spec.data.columns[name].type in {"category", "boolean"} or _few(spec.data.columns[name].bounds):
            found[name] = name
    return found


def _few(bounds: tuple[float | None, float | None]) -> bool:
    low, high = bounds
    return low is not None and high is not None and high - low < _FEW_VALUES
