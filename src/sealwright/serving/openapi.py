"""The OpenAPI 3.1 description of one model's named-feature address, made from its contract.

Every range, category and null a request is held to stands in it, with an example that is accepted.
"""

from datetime import date, timedelta
from typing import Any

from sealwright.serving.contract import Contract, Feature
from sealwright.serving.field_rules import described
from sealwright.serving.options import OPTIONS

__all__ = ["example_row", "openapi_of"]

_EPOCH = date(1970, 1, 1)
_ARROW = "application/vnd.apache.arrow.stream"
_TABLE = {
    "schema": {
        "type": "string",
        "contentMediaType": _ARROW,
        "description": "An Arrow IPC stream, a column per feature.",
    }
}
_PERSON = {
    "name": "Sealwright-Person",
    "in": "header",
    "required": False,
    "description": "Whom the decision is about; kept by pseudonym only.",
    "schema": {"type": "string", "maxLength": 256},
}
_BESIDE: dict[str, Any] = {
    "abstained": {
        "type": "object",
        "description": "There is no label or value, and why.",
        "properties": {"codes": {"type": "array", "items": {"type": "string"}}, "why": {"type": "string"}},
    },
    "marks": {
        "type": "array",
        "description": "Values that were outside the contract, and what was used in their place.",
        "items": {
            "type": "object",
            "properties": {"feature": {"type": "string"}, "was": {"enum": ["below", "above", "unknown"]}, "used": {}},
        },
    },
    "calibrated": {"type": "object", "description": "Corrected probabilities."},
    "ood": {"type": "number", "description": "Share of the rows learned from that are less unusual than this one."},
    "set": {
        "type": "array",
        "description": "On request: the classes that remain possible.",
        "items": {"type": "string"},
    },
    "interval": {"type": "array", "description": "On request: between which numbers.", "items": {"type": "number"}},
    "promise": {
        "type": "object",
        "description": "How often set or interval hold the truth, and on how many rows it rests.",
    },
}


def example_row(contract: Contract) -> dict[str, Any]:
    """A row the contract accepts: the middle of each range, the first category."""
    return {feature.name: _example(feature) for feature in contract.features}


def openapi_of(contract: Contract, *, number: int, package: str, most_rows: int) -> dict[str, Any]:
    """The description of POST /v1/models/{project}/predict."""
    problem = {
        "description": "Refused; see the problem document.",
        "content": {"application/problem+json": _ref("Problem")},
    }
    answered = {
        "description": "The answer and its receipt, in the form of the request unless Accept asks for another.",
        "content": {"application/json": _ref("Answered"), _ARROW: _TABLE},
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"Predictions of {contract.project}",
            "version": str(number),
            "description": f"Version {number}, package {package}. Every answer is recorded before it is given; "
            "its receipt proves that offline.",
        },
        "paths": {
            f"/v1/models/{contract.project}/predict": {
                "post": {
                    "operationId": "predict",
                    "summary": "One row, several rows, or columns of rows",
                    "security": [{"token": []}],
                    "parameters": [_PERSON],
                    "requestBody": {"required": True, "content": _request(contract)},
                    "responses": {
                        "200": answered,
                        **dict.fromkeys(("400", "401", "403", "409", "413", "415", "422", "429", "503"), problem),
                    },
                }
            }
        },
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
            "schemas": _schemas(contract, most_rows),
        },
    }


def _request(contract: Contract) -> dict[str, Any]:
    """The forms of a request, each with an example that is accepted."""
    row = example_row(contract)
    examples = {
        "row": {"row": row},
        "rows": {"rows": [row, row]},
        "columns": {"columns": {name: [value, value] for name, value in row.items()}},
    }
    body = {
        "schema": {"oneOf": [_ref(name)["schema"] for name in ("OneRow", "ManyRows", "ByColumn")]},
        "examples": {name: {"value": value} for name, value in examples.items()},
    }
    return {"application/json": body, _ARROW: _TABLE}


def _schemas(contract: Contract, most_rows: int) -> dict[str, Any]:
    names = [feature.name for feature in contract.features]
    columns = {
        feature.name: {"type": "array", "items": _schema(feature), "minItems": 1, "maxItems": most_rows}
        for feature in contract.features
    }
    row = _ref("Row")["schema"]
    return {
        "OneRow": _form("row", row),
        "ManyRows": _form("rows", {"type": "array", "items": row, "minItems": 1, "maxItems": most_rows}),
        "ByColumn": _form("columns", _closed(columns, names)),
        "Row": _closed({feature.name: _schema(feature) for feature in contract.features}, names),
        "Answered": {
            "type": "object",
            "required": ["answer", "receipt"],
            "properties": {"answer": _answer(contract), "receipt": {"type": "object"}},
        },
        "Problem": {
            "type": "object",
            "description": "RFC 9457",
            "required": ["type", "title", "status"],
            "properties": {
                "type": {"type": "string"},
                "title": {"type": "string"},
                "status": {"type": "integer"},
                "detail": {"type": "string"},
                "instance": {"type": "string"},
                "errors": {"type": "array", "items": {"type": "object"}},
            },
        },
    }


def _form(name: str, value: dict[str, Any]) -> dict[str, Any]:
    """A body of one form, with the options there are."""
    return _closed({name: value} | {option: {"type": "boolean"} for option in OPTIONS}, [name])


def _closed(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "required": required, "properties": properties}


def _ref(name: str) -> dict[str, Any]:
    return {"schema": {"$ref": f"#/components/schemas/{name}"}}


def _answer(contract: Contract) -> dict[str, Any]:
    """The shape of one answer; a request of several rows gets the same lines under "rows", one of columns the same by column."""
    if contract.output == "value":
        line: dict[str, Any] = {"value": {"type": "number"}}
    else:
        shares = {name: {"type": "number", "minimum": 0, "maximum": 1} for name in contract.classes}
        line = {
            "label": {"type": "string", "enum": list(contract.classes)},
            "probabilities": {"type": "object", "properties": shares},
        }
    line |= _BESIDE
    reasons: dict[str, Any] = {"reasons": {"type": "object", "description": "Where explain was asked for."}}
    rows = {"type": "array", "items": {"type": "object", "properties": line | reasons}}
    head = {"decision": {"type": "string"}, "model": {"type": "object"}}
    return {
        "type": "object",
        "required": ["decision", "model"],
        "properties": head | line | {"rows": rows, "columns": _by_column(contract), "reasons": {}},
    }


def _by_column(contract: Contract) -> dict[str, Any]:
    """The answer to columns: the same by column."""
    numbers = {"type": "array", "items": {"type": "number"}}
    if contract.output == "value":
        return {"type": "object", "properties": {"value": numbers}}
    shares = {"type": "object", "properties": dict.fromkeys(contract.classes, numbers)}
    labels = {"type": "array", "items": {"enum": list(contract.classes)}}
    return {"type": "object", "properties": {"label": labels, "probabilities": shares}}


def _schema(feature: Feature) -> dict[str, Any]:
    schema: dict[str, Any]
    if feature.kind == "category":
        schema = {"enum": [*sorted(feature.categories), *([None] if feature.nullable else [])]}
    elif feature.kind == "boolean":
        schema = {"type": ["boolean", "null"] if feature.nullable else "boolean"}
    elif feature.kind == "date":
        schema = {"type": ["string", "null"] if feature.nullable else "string", "format": "date"}
    else:
        schema = {
            "type": [feature.kind, "null"] if feature.nullable else feature.kind,
            "minimum": feature.low,
            "maximum": feature.high,
        }
    return schema | {"description": f"{described(feature)[:500]}."}


def _example(feature: Feature) -> Any:
    match feature.kind:
        case "category":
            return min(feature.categories, default=None)
        case "boolean":
            return False
        case "date":
            return (_EPOCH + timedelta(days=int(feature.low / 2 + feature.high / 2))).isoformat()
        case "integer":
            return round(feature.low / 2 + feature.high / 2)
        case _:
            return feature.low / 2 + feature.high / 2
