"""A version that went the whole way learned what its answers rest on, and carries what its project says about them."""

from typing import Any

import numpy as np

from sealwright.kernel import strict_json
from sealwright.serving import contract_of
from sealwright.serving.adapters.onnx import OnnxEngine
from sealwright.serving.answering import Answering
from sealwright.serving.checking.document import read_answering
from sealwright.serving.options import Options
from sealwright.serving.outcome import outcome_of


def test_the_released_version_promises_sets_from_rows_kept_apart(home: Any) -> None:
    model = (home.package / "model.onnx").read_bytes()
    interface = strict_json((home.package / "interface.json").read_bytes(), what="interface.json")
    data = (home.package / "answering.json").read_bytes()
    contract = contract_of(interface)
    said = read_answering(data, model=strict_json(data, what="answering.json")["model"])
    assert said.conformal is not None
    assert said.usual is not None
    assert said.usual.rows == 3 * said.conformal.rows  # a quarter of the rows was kept apart
    answering = Answering.of(data, model, interface, contract)
    row = strict_json((home.root / "row.json").read_bytes(), what="row.json")["row"]
    batch = contract.pack([[row[feature.name] for feature in contract.features]])
    outcome = outcome_of(contract, 1, np.asarray(OnnxEngine(model, contract).run(batch)))
    scopes = {f"predict:{contract.project}"}
    shown, *_ = answering.told(scopes, Options(interval=True), outcome, ())
    assert shown.beside is not None
    assert outcome.labels[0] in shown.beside[0]["set"]
    assert shown.beside[0]["promise"] == {"coverage": 0.9, "rows": said.conformal.rows}


def test_what_a_project_says_about_answers_is_judged_and_approved_with_the_rest(home: Any) -> None:
    """Who loosens what leaves makes another package; and what the model cannot keep is said, not sealed."""
    project = home.root / "credit" / "sealwright.yaml"
    text = project.read_text()
    before = home.inside("assess", "credit", "--json").json["package"]
    try:
        project.write_text(f"{text}  output: {{digits: 2}}\n  abstain_above_ood: 0.99\n")
        stopped = home.inside("gate", "credit", "--json", expect=None)
        assert "not assessed as it is now" in stopped.error["message"]
        assert home.inside("assess", "credit", "--json").json["package"] != before
        project.write_text(f"{text}  abstain_error: 0.001\n")
        refused = home.inside("assess", "credit", "--json", expect=2)
        assert "no confidence keeps the error among told labels at 0.001" in refused.error["message"]
    finally:
        project.write_text(text)
