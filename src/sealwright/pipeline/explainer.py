"""The explainer of a version: what its rows show, counted at training, and what its project says, put together for the package.

Answers: which file goes beside the model, so that it can give reasons?
Does not answer: how reasons are worked out; `serving` does. A model that cannot be opened up, or was trained privately, has
none; the record of its training says why.
"""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from sealwright.assurance import ChangeSpec
from sealwright.kernel import InvalidInput, strict_json
from sealwright.pipeline.desk import Desk
from sealwright.pipeline.runs import Run
from sealwright.serving import counted_rows, explainer_document

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["counted_for_reasons", "explainer_of", "refuse_unclear_reasons"]

_PRIVATE = "of a private training, counts of its rows would tell more than the privacy budget allows"


def refuse_unclear_reasons(desk: Desk) -> None:
    """Say, before anything is trained, what is unclear about the reasons the project declares.

    Raises
    ------
    InvalidInput
        They name no feature, leave some out, or there is no one outcome that is a refusal.
    """
    from sealwright.data import feature_interface  # asks for the libraries of training

    _refuse_unclear(desk, feature_interface(desk.project.spec.data, project=desk.project.name)["order"])


def counted_for_reasons(
    desk: Desk, model: bytes, interface: Mapping[str, Any], rows: "pa.Table"
) -> tuple[bytes | None, str]:
    """What the rows learned from show about a model that was let in; or None, and why."""
    if desk.project.spec.training.privacy is not None:
        return None, _PRIVATE
    from sealwright.assurance import pack, read_interface  # as above

    features = pack(rows, read_interface(interface))
    return counted_rows(model, interface, features.numbers, features.strings)


def explainer_of(desk: Desk, run: Run) -> bytes | None:
    """The file `explainer.json` of a run, as the project stands now; None where there is nothing to make it from.

    Raises
    ------
    InvalidInput
        What the project declares about reasons does not fit, or this model can give none.
    """
    trained, spec = run.product("train"), desk.project.spec
    if "explainer" not in trained:
        _refuse_promised(desk, trained)
        return None
    interface = strict_json(desk.runs.fetch(trained["interface"]), what="interface.json")
    _refuse_unclear(desk, interface["order"])
    said = spec.assurance.constraints
    return explainer_document(
        desk.runs.fetch(trained["explainer"]),
        interface,
        wanted=(spec.assurance.favourable or interface["positive"]) if interface["task"] == "binary" else "",
        reasons=spec.serving.reasons,
        protected={*desk.groups, *spec.serving.proxies},
        changes={name: said.get(name, ChangeSpec()) for name in interface["order"]} if said else {},
        still={*desk.groups, *(name for names in spec.assurance.exclusive for name in names)},
    )


def _refuse_promised(desk: Desk, trained: Mapping[str, Any]) -> None:
    """A project that declares reasons makes no version without them."""
    if desk.project.spec.serving.reasons:
        record = strict_json(desk.runs.fetch(trained["record"]), what="training record")
        why = record.get("no_reasons") or "it was trained before rows were counted for them"
        raise InvalidInput(
            f"serving.reasons declares reasons, and this model can give none: {why}.\n"
            "Train it anew with one of the recipes boosting, forest and logistic, or take serving.reasons out."
        )


def _refuse_unclear(desk: Desk, names: Collection[str]) -> None:
    spec = desk.project.spec
    reasons, proxies = spec.serving.reasons, spec.serving.proxies
    problems = [f"serving.reasons: {name} is no feature of the model" for name in reasons if name not in names]
    problems += [f"serving.proxies: {name} is no feature of the model" for name in proxies if name not in names]
    if reasons and spec.data.positive is None:
        problems.append("serving.reasons: only of two classes one is a refusal; this target has others")
    if reasons and spec.training.privacy is not None:
        problems.append(f"serving.reasons: there would be none; {_PRIVATE}")
    unnamed = [name for name in names if name not in {*reasons, *proxies, *desk.groups}]
    if reasons and unnamed:
        problems.append(f"serving.reasons: no sentence for {', '.join(unnamed[:20])}; any feature may be a reason")
    if problems:
        raise InvalidInput("The declared reasons cannot be given as they are:\n  " + "\n  ".join(problems))
