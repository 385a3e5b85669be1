"""A version that went the whole way carries its explainer, which gives reasons for the rows it is asked about."""

import json
from typing import Any

import numpy as np

from sealwright.kernel import strict_json
from sealwright.serving import Explainer, contract_of
from sealwright.serving.adapters.onnx import OnnxEngine


def _reasons(home: Any, **options: Any) -> tuple[Any, Any]:
    """Reasons for the example row of the released package, and what the model says about it."""
    model = (home.package / "model.onnx").read_bytes()
    contract = contract_of(strict_json((home.package / "interface.json").read_bytes(), what="interface.json"))
    row = strict_json((home.root / "row.json").read_bytes(), what="row.json")["row"]
    batch = contract.pack([[row[feature.name] for feature in contract.features]])
    explainer = Explainer.of((home.package / "explainer.json").read_bytes(), model, contract)
    assert explainer is not None
    engine = OnnxEngine(model, contract)
    return explainer.explain(batch, engine=engine, **options)[0], engine.run(batch)[0]


def test_the_released_version_gives_reasons_that_add_up(home: Any) -> None:
    reasons, said = _reasons(home)
    assert reasons.reference.decided == reasons.toward == "good"
    assert reasons.reference.rows >= 30
    assert reasons.probability is not None
    assert any(abs(reasons.probability - float(one)) < 1e-5 for one in said)
    total = reasons.base + sum(one.value for one in reasons.contributions)
    assert abs(total - reasons.score) < 1e-4
    assert np.isfinite(total)


def test_what_a_project_declares_about_reasons_is_judged_and_approved_with_the_rest(home: Any) -> None:
    """Sentences are part of the version: with others, what was assessed is not what would be released."""
    before = home.inside("assess", "credit", "--json").json["package"]
    project = home.root / "credit" / "sealwright.yaml"
    text = project.read_text()
    assert text.rpartition("\n\n")[2].startswith("serving:")  # its last section
    names = strict_json((home.package / "interface.json").read_bytes(), what="interface.json")["order"]
    sentences = {
        name: {"code": f"R{at:02}", "text": f"What you told us about {name}."} for at, name in enumerate(names)
    }
    project.write_text(f"{text}  reasons: {json.dumps(sentences)}\n")
    stopped = home.inside("gate", "credit", "--json", expect=None)
    assert "not assessed as it is now" in stopped.error["message"]
    after = home.inside("assess", "credit", "--json").json["package"]
    assert after != before
    left = {name: said for name, said in sentences.items() if name != names[0]}
    project.write_text(f"{text}  reasons: {json.dumps(left)}\n")
    refused = home.inside("assess", "credit", "--json", expect=2)
    assert f"no sentence for {names[0]}" in refused.error["message"]
