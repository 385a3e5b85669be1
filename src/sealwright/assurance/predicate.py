"""A suite result as an in-toto test-result predicate (v0.1), and back.

The three lists of test names say what was *carried out*: passedTests gave findings, warnedTests
were not (fully) performed. failedTests stays empty, because limits belong to the gate.
Reading back is strict: unknown or missing fields, digests that do not match their content, and
lists that disagree with the findings are refused.
"""

from collections.abc import Mapping
from typing import Any

from sealwright.assurance.model import Figure, Finding, Group, NotPerformed, Series, SuiteResult, names_of
from sealwright.kernel import InvalidInput, canonical_json, from_rfc3339, hex_of

__all__ = ["PREDICATE_TYPE", "from_predicate", "read_figure", "read_finding", "read_not_performed", "to_predicate"]

PREDICATE_TYPE = "https://in-toto.io/attestation/test-result/v0.1"


def to_predicate(result: SuiteResult) -> dict[str, Any]:
    """The predicate of the statement about `result.model`.

    Raises
    ------
    InvalidInput
        The judged model was a function without a digest, so no statement can name it.
    """
    if result.model is None:
        raise InvalidInput(
            f"The {result.suite} suite judged a function, which has no digest to sign for.\n"
            "Pass the model as ONNX bytes, or its digest as model_digest."
        )
    warned = sorted({item.check for item in result.not_performed if item.applicable})
    passed = sorted(set(names_of(result.findings)) - set(warned))
    return {
        "result": "WARNED" if warned else "PASSED",
        "configuration": [
            _descriptor("settings", result.settings_digest),
            _descriptor("data", result.data),
            _descriptor("environment", result.environment),
        ],
        "passedTests": passed,
        "warnedTests": warned,
        "failedTests": [],
        "sealwright": result.to_json(),
    }


def from_predicate(predicate: Mapping[str, Any]) -> SuiteResult:
    """The suite result inside a predicate written by `to_predicate`.

    Raises
    ------
    InvalidInput
        Not a predicate of ours in every detail; the message names the first difference.
    """
    try:
        result = _result(_exact(predicate.get("sealwright"), _RESULT_FIELDS, "sealwright"))
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise InvalidInput(f"This is not a suite result: {type(error).__name__}: {str(error)[:120]}") from None
    expected = to_predicate(result)
    if canonical_json(expected) != canonical_json(predicate):
        first = next((key for key in expected if predicate.get(key) != expected[key]), "an unknown field")
        raise InvalidInput(
            f"This suite result contradicts itself at {first!r}: its digests or lists do not follow from its findings.\n"
            "Run the suite again with: sealwright assess"
        )
    return result


_RESULT_FIELDS = (
    *("format", "suite", "task", "model", "data", "seed", "settings", "settings_digest", "packages", "environment"),
    *("rows", "performed_at", "meaning", "findings", "figures", "not_performed"),
)
_FINDING_FIELDS = ("check", "value", "low", "high", "n", "unit", "definition", "group", "note")
_FIGURE_FIELDS = ("name", "kind", "title", "x", "y", "series", "note")
_SERIES_FIELDS = ("name", "x", "y", "low", "high", "n")
_NOT_PERFORMED_FIELDS = ("check", "why", "group", "applicable")


def _result(fields: Mapping[str, Any]) -> SuiteResult:
    if fields["format"] != 1:
        raise InvalidInput(f"Suite results of format 1 are read here; got {fields['format']!r}.")
    return SuiteResult(
        suite=str(fields["suite"]),
        task=str(fields["task"]),
        model=fields["model"],
        data=fields["data"],
        seed=int(fields["seed"]),
        settings=dict(fields["settings"]),
        packages=dict(fields["packages"]),
        rows=dict(fields["rows"]),
        performed_at=from_rfc3339(fields["performed_at"]),
        findings=tuple(read_finding(item) for item in fields["findings"]),
        figures=tuple(read_figure(item) for item in fields["figures"]),
        not_performed=tuple(read_not_performed(item) for item in fields["not_performed"]),
    )


def read_finding(item: Any) -> Finding:
    fields = dict(_exact(item, _FINDING_FIELDS, "a finding"))
    return Finding(**{**fields, "group": _group(fields["group"])})


def read_not_performed(item: Any) -> NotPerformed:
    fields = dict(_exact(item, _NOT_PERFORMED_FIELDS, "an item of not_performed"))
    return NotPerformed(**{**fields, "group": _group(fields["group"])})


def _group(item: Any) -> Group | None:
    return None if item is None else Group(**_exact(item, ("attribute", "level"), "a group"))


def read_figure(item: Any) -> Figure:
    fields = dict(_exact(item, _FIGURE_FIELDS, "a figure"))
    return Figure(**{**fields, "series": tuple(_series(one) for one in fields["series"])})


def _series(item: Any) -> Series:
    fields = _exact(item, _SERIES_FIELDS, "a series")
    columns: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()}
    return Series(**columns)


def _exact(item: Any, names: tuple[str, ...], what: str) -> Mapping[str, Any]:
    """`item`, if it is an object with exactly these fields."""
    if not isinstance(item, Mapping) or set(item) != set(names):
        found = sorted(item) if isinstance(item, Mapping) else type(item).__name__
        raise InvalidInput(f"{what} must have exactly the fields {', '.join(names)}; got {str(found)[:200]}.")
    return item


def _descriptor(name: str, digest: str) -> dict[str, Any]:
    return {"name": name, "digest": {"sha256": hex_of(digest)}}
