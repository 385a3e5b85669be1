"""The bill of materials: bom.cdx.json, CycloneDX 1.7 with a model card, strictly validated when built.

Answers: from which data and which libraries was this model made, and which statements speak of it?
Does not answer: are those libraries safe today? A matcher over advisories answers that from this file.
The same inputs give the same bytes: the serial number follows from the model and the statements.
Reading one back (`bom_reader`) needs no validator: its bytes are under the package signature.
"""

import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sealwright.kernel import InvalidInput, MissingExtra, canonical_json, hex_of, rfc3339
from sealwright.registry.facts import Fact, ModelFacts, facts_of
from sealwright.trust import Statement

__all__ = ["build_bom"]

_NAMESPACE = uuid.UUID("6f1a44c0-7b0e-5c3b-9a5a-0d8b0f3f2a17")  # any fixed one; ours
_MODEL, _DATA = "model", "data"


def build_bom(
    model: str,
    interface: Mapping[str, Any],
    statements: Mapping[str, Statement],
    *,
    packages: Mapping[str, str],
    now: datetime,
) -> bytes:
    """Write the bill of materials of one model.

    Parameters
    ----------
    model : str
        Digest of model.onnx.
    interface : mapping
        The interface document.
    statements : mapping of str to Statement
        Verified statements by their name in the package.
    packages : mapping of str to str
        Libraries of the training environment, name to version ("python" is the interpreter).
    now : datetime
        The moment it is made.

    Returns
    -------
    bytes
        Canonical JSON.

    Raises
    ------
    MissingExtra
        The validator is not installed (extra "build").
    InvalidInput
        What it would say is not valid CycloneDX 1.7; or no charter.
    """
    facts = facts_of(model, interface, statements)
    data = canonical_json(_document(facts, packages, now))
    _validate(data)
    return data


def _document(facts: ModelFacts, packages: Mapping[str, str], now: datetime) -> dict[str, Any]:
    serial = uuid.uuid5(_NAMESPACE, facts.model + "".join(sorted(facts.statements.values())))
    libraries = [_library(name, version) for name, version in sorted(packages.items())]
    used = ([_DATA] if facts.snapshot else []) + [item["bom-ref"] for item in libraries]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.7.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.7",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {
            "timestamp": rfc3339(now),
            "tools": {"components": [{"type": "application", "name": "sealwright"}]},
            "component": _model(facts),
        },
        "components": ([_data(facts)] if facts.snapshot else []) + libraries,
        "dependencies": [{"ref": _MODEL, "dependsOn": used}, *({"ref": item} for item in used)],
    }


def _model(facts: ModelFacts) -> dict[str, Any]:
    return {
        "type": "machine-learning-model",
        "bom-ref": _MODEL,
        "name": facts.interface.project,
        "version": hex_of(facts.model)[:16],
        **_if("description", facts.purpose),
        "hashes": [{"alg": "SHA-256", "content": hex_of(facts.model)}],
        "externalReferences": [
            {
                "type": "attestation",
                "url": f"statements/{name}.json",
                "comment": "in-toto statement; the hash is of its payload",
                "hashes": [{"alg": "SHA-256", "content": hex_of(digest)}],
            }
            for name, digest in facts.statements.items()
        ],
        "modelCard": _model_card(facts),
    }


def _model_card(facts: ModelFacts) -> dict[str, Any]:
    shape = facts.interface
    inputs = ([f"numbers: float32 [N, {len(shape.numbers)}]"] if shape.numbers else []) + (
        [f"strings: string [N, {len(shape.strings)}]"] if shape.strings else []
    )
    parameters = {
        "approach": {"type": "supervised"},
        "task": "regression" if shape.task == "regression" else "classification",
        **_if("modelArchitecture", facts.build_type),
        **({"datasets": [{"ref": _DATA}]} if facts.snapshot else {}),
        "inputs": [{"format": words} for words in inputs],
        "outputs": [{"format": f"{shape.output}: float32 [N, {shape.width}]"}],
    }
    considerations = {
        **_if("useCases", list(facts.intended_use)),
        **_if("technicalLimitations", [*facts.out_of_scope, *(f"{gap.check} was not measured: {gap.why}" for gap in facts.gaps)]),
        **_if("fairnessAssessments", [{"groupAtRisk": group} for group in facts.affected]),
    }  # fmt: skip
    return {
        "modelParameters": parameters,
        **_if("quantitativeAnalysis", _if("performanceMetrics", [_metric(fact) for fact in facts.facts])),
        **_if("considerations", considerations),
    }


def _metric(fact: Fact) -> dict[str, Any]:
    return {
        "type": fact.check,
        "value": repr(fact.value),
        **_if("slice", fact.group),
        **(
            {"confidenceInterval": {"lowerBound": repr(fact.low), "upperBound": repr(fact.high)}}
            if fact.low is not None and fact.high is not None
            else {}
        ),
    }


def _data(facts: ModelFacts) -> dict[str, Any]:
    rows = f"{facts.snapshot_rows:,} rows; " if facts.snapshot_rows is not None else ""
    return {
        "type": "data",
        "bom-ref": _DATA,
        "name": f"{facts.interface.project} snapshot",
        "version": hex_of(facts.snapshot)[:16],
        "description": f"{rows}encrypted and kept by the workspace, named here by its digest",
        "hashes": [{"alg": "SHA-256", "content": hex_of(facts.snapshot)}],
        "data": [{"type": "dataset", "name": f"{facts.interface.project} snapshot"}],
    }


def _library(name: str, version: str) -> dict[str, Any]:
    if name == "python":
        return {"type": "platform", "bom-ref": "python", "name": "python", "version": version}
    url = f"pkg:pypi/{name.lower().replace('_', '-')}@{version}"
    return {"type": "library", "bom-ref": url, "name": name, "version": version, "purl": url}


def _if(key: str, value: Any) -> dict[str, Any]:
    """{key: value}, or nothing where there is nothing to say."""
    return {key: value} if value else {}


def _validate(data: bytes) -> None:
    try:
        with _without_the_grammar():
            from cyclonedx.exception import MissingOptionalDependencyException
            from cyclonedx.schema import SchemaVersion
            from cyclonedx.validation.json import JsonStrictValidator
    except ModuleNotFoundError:
        raise MissingExtra("Writing a bill of materials", "build") from None
    try:
        problem = JsonStrictValidator(SchemaVersion.V1_7).validate_str(data.decode())
    except MissingOptionalDependencyException:
        raise MissingExtra("Writing a bill of materials", "build") from None
    if problem is not None:
        words = " ".join(str(problem.data).split())[:200]
        raise InvalidInput(f"The bill of materials would not be valid CycloneDX 1.7: {words}")


@contextmanager
def _without_the_grammar() -> Iterator[None]:
    """Spare the first validation the three seconds it takes to compile the grammar of international addresses.

    jsonschema imports it where it is installed, and checks no such address where it is not. The few addresses in our bill are written
    here; the tests check them with the grammar.
    """
    name = "rfc3987_syntax"
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # the documented way to make an import fail
    try:
        yield
    finally:
        del sys.modules[name]
