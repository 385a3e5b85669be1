"""Card and bill of materials say what the statements say, as text, and are valid in their formats."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml

from sealwright.kernel import InvalidInput, MissingExtra, digest_of
from sealwright.registry import build_bom, build_card
from sealwright.registry.bom_reader import model_named_in
from sealwright.trust import make_statement

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MODEL, DATA = digest_of(b"model"), digest_of(b"data")
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"

HOSTILE = [
    "<script>alert(1)</script>",
    "{{7*7}} ${7*7} {% raw %}",
    "[click](javascript:alert(1)) ![x](http://evil.example/x.png)",
    "| a | b |\n|---|---|",
    "# Approved by everybody",
    "---\nlicense: mit\n---",
    "`code` *bold* _it_ ~~no~~ http://evil.example www.evil.example",
    "\u202egnp.exe\x1b[31m\x00",
    "&lt;b&gt;",
]


def statements(
    purpose: str = "Rank applications.", check: str = "performance.roc_auc", **finding: Any
) -> dict[str, Any]:
    charter = {"project": "credit", "charter": {"purpose": purpose, "owner": purpose, "risk_class": "high",
               "intended_use": [purpose], "out_of_scope": [purpose], "affected": ["applicants"]}}  # fmt: skip
    found = {"check": check, "value": 0.81, "low": 0.78, "high": 0.84, "n": 250, "unit": "auc", "group": None} | finding
    groups = {**found, "check": "fairness.selection_gap", "group": {"attribute": "sex", "level": "female"}}
    gap = {"check": "robustness.noise", "why": purpose, "group": None, "applicable": True}
    beside = {"check": "fairness.calibration", "why": "no such thing here", "group": None, "applicable": False}
    block = {"findings": [found, groups], "not_performed": [gap, beside]}
    build = {"buildDefinition": {"buildType": "urn:sealwright:recipe:boosting"}}
    return {
        "charter": make_statement([("c", digest_of(b"c"))], "urn:sealwright:predicate:charter:v1", charter),
        "snapshot": make_statement([("s", DATA)], "urn:sealwright:predicate:snapshot:v1", {"rows": 1000}),
        "provenance": make_statement([("m", MODEL)], "https://slsa.dev/provenance/v1", build),
        "performance": make_statement([("m", MODEL)], TEST_RESULT, {"sealwright": block}),
    }


def front_matter(card: str) -> dict[str, Any]:
    _, front, _ = card.split("---\n", 2)
    return dict(yaml.safe_load(front))


def test_the_card_names_purpose_findings_gaps_and_the_statements_they_come_from(interface: Any) -> None:
    told = statements()
    card = build_card(MODEL, interface, told)
    assert "Rank applications" in card
    assert "| `performance.roc_auc` | all | 0.81 auc | 0.78 to 0.84 | 250 |" in card
    assert "sex \\= female" in card
    assert "- `robustness.noise`: Rank applications" in card
    assert "fairness.calibration" not in card  # does not apply to this task, so it is no gap
    assert all(statement.digest in card for statement in told.values())
    assert "compliant" not in card.lower()


def test_the_front_matter_is_what_model_hubs_read(interface: Any) -> None:
    front = front_matter(build_card(MODEL, interface, statements(), licence="apache-2.0"))
    assert front["license"] == "apache-2.0"
    assert front["pipeline_tag"] == "tabular-classification"
    (result,) = front["model-index"][0]["results"]
    assert result["metrics"][0] == {"type": "roc_auc", "name": "performance.roc_auc", "value": 0.81, "verified": False}


@pytest.mark.parametrize("words", HOSTILE)
def test_words_of_others_stay_words_on_the_card_t30_t32(words: str, interface: Any) -> None:
    card = build_card(MODEL, {**interface, "target": "outcome"}, statements(purpose=words, unit=words))
    body = card.split("---\n", 2)[2]
    assert "<" not in body
    assert "](" not in body.replace("\\](", "")
    assert not any(line.startswith("# Approved") for line in body.splitlines())
    assert body.count("\n---") == 0
    assert all(character.isprintable() for character in body.replace("\n", ""))
    assert front_matter(card)["license"] == "other"
    rows = [line for line in body.splitlines() if line.startswith("| `performance")]
    assert rows
    assert all(line.replace("\\|", "").count("|") == 6 for line in rows)


def test_the_card_says_what_a_private_training_promises_and_what_was_spent_with_it(interface: Any) -> None:
    told = statements()
    said = {"epsilon": 2.0, "delta": 1e-5, "unit": "one row replaced by another"}
    budget = {"spent": "2.25", "epsilon": "2.5", "trainings": 1, "releases": 3}

    def card(privacy: Any) -> str:
        build = {"buildDefinition": {"buildType": "x", "internalParameters": {"privacy": privacy}}}
        provenance = make_statement([("m", MODEL)], "https://slsa.dev/provenance/v1", build)
        return build_card(MODEL, interface, {**told, "provenance": provenance}).replace("\\", "")

    assert "Trained with differential privacy: epsilon 2, delta 1e-05, for one row replaced by another. With" in card(
        {**said, "budget": budget}
    )
    assert "2.25 of 2.5 of the dataset's privacy budget were spent, by 1 training and 3 releases" in card(
        {**said, "budget": budget}
    )
    assert "it was not entered in a privacy budget" in card(said)
    assert "differential privacy" not in card(None)


def test_a_result_of_another_model_or_a_missing_charter_makes_no_document(interface: Any) -> None:
    with pytest.raises(InvalidInput, match="about another model"):
        build_card(digest_of(b"other"), interface, {k: v for k, v in statements().items() if k != "snapshot"})
    with pytest.raises(InvalidInput, match="charter"):
        build_card(MODEL, interface, {"performance": statements()["performance"]})


def test_the_bill_of_materials_is_valid_names_its_model_and_is_the_same_each_time(interface: Any) -> None:
    packages = {"python": "3.11.7", "scikit-learn": "1.9.1", "onnx": "1.23.2"}
    told = statements()
    first = build_bom(MODEL, interface, told, packages=packages, now=NOW)
    assert first == build_bom(MODEL, interface, told, packages=dict(reversed(packages.items())), now=NOW)
    assert model_named_in(first) == MODEL
    bom = json.loads(first)
    assert bom["specVersion"] == "1.7"
    card = bom["metadata"]["component"]["modelCard"]
    assert card["quantitativeAnalysis"]["performanceMetrics"][0] == {
        "type": "performance.roc_auc", "value": "0.81", "confidenceInterval": {"lowerBound": "0.78", "upperBound": "0.84"},
    }  # fmt: skip
    assert {item.get("purl") for item in bom["components"]} >= {"pkg:pypi/scikit-learn@1.9.1", "pkg:pypi/onnx@1.23.2"}
    attested = {item["hashes"][0]["content"] for item in bom["metadata"]["component"]["externalReferences"]}
    assert attested == {statement.digest[7:] for statement in told.values()}


_WITH_THE_GRAMMAR = """
import json, sys
import rfc3987_syntax
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
bill = sys.stdin.read()
check = JsonStrictValidator(SchemaVersion.V1_7).validate_str
broken = check(bill.replace('"url":"', '"url":"not an address: ', 1))
print(json.dumps({"as it is": check(bill) and str(check(bill)), "with a broken address": broken and "not an address: " in str(broken)}))
"""


def test_the_addresses_in_it_are_valid_by_the_grammar_left_out_when_it_is_written(interface: Any) -> None:
    bill = build_bom(MODEL, interface, statements(), packages={"python": "3.11.7", "onnx": "1.23.2"}, now=NOW)
    asked = subprocess.run([sys.executable, "-c", _WITH_THE_GRAMMAR], input=bill, check=False, capture_output=True)
    assert json.loads(asked.stdout) == {"as it is": None, "with a broken address": True}, asked.stderr


@pytest.mark.parametrize("words", HOSTILE)
def test_words_of_others_stay_words_in_the_bill_of_materials(words: str, interface: Any) -> None:
    bom = json.loads(build_bom(MODEL, interface, statements(purpose=words), packages={}, now=NOW))
    assert bom["metadata"]["component"]["description"] == words


def test_what_would_not_be_valid_is_not_written(interface: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from sealwright.registry import bom

    real = bom._document
    monkeypatch.setattr(bom, "_document", lambda *given: {**real(*given), "surprise": 1})
    with pytest.raises(InvalidInput, match="not be valid CycloneDX"):
        build_bom(MODEL, interface, statements(), packages={}, now=NOW)


def test_without_the_validator_the_extra_is_named(interface: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cyclonedx.schema", None)
    with pytest.raises(MissingExtra, match=r"sealwright\[build\]"):
        build_bom(MODEL, interface, statements(), packages={}, now=NOW)


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b'{"bomFormat":"CycloneDX"}', b'{"metadata":{"component":[]}}'])
def test_a_bill_of_materials_that_names_no_model_is_refused(text: bytes) -> None:
    with pytest.raises(InvalidInput):
        model_named_in(text)
