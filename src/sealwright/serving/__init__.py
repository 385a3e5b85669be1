"""The prediction server: verified packages in, recorded and receipted answers out.

Answers: what does the released model say about this row, for whom, and what proves it was said?
Does not answer: which model is released. It reads signed pointers and cannot make one.
Names load on first use, so importing the room costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sealwright.serving.child import Running, StartFailed, StartRefused, become, launch, prepare, signer_line
    from sealwright.serving.config import Limits, ServeConfig
    from sealwright.serving.contract import Contract, contract_of
    from sealwright.serving.decisions import DECISION, DecisionRecord, read_decision
    from sealwright.serving.openapi import example_row, openapi_of
    from sealwright.serving.places import (
        DECISION_KEY_PURPOSE,
        decision_ledger_folder,
        decision_origin,
        predict_scope,
        token_audience,
        token_issuer,
    )
    from sealwright.serving.spec import ServingSpec

__all__ = [
    "DECISION",
    "DECISION_KEY_PURPOSE",
    "Contract",
    "DecisionRecord",
    "Limits",
    "Running",
    "ServeConfig",
    "ServingSpec",
    "StartFailed",
    "StartRefused",
    "become",
    "contract_of",
    "decision_ledger_folder",
    "decision_origin",
    "example_row",
    "launch",
    "openapi_of",
    "predict_scope",
    "prepare",
    "read_decision",
    "signer_line",
    "token_audience",
    "token_issuer",
]

_HOME = {
    "config": ("Limits", "ServeConfig"),
    "contract": ("Contract", "contract_of"),
    "decisions": ("DECISION", "DecisionRecord", "read_decision"),
    "child": ("Running", "StartFailed", "StartRefused", "become", "launch", "prepare", "signer_line"),
    "openapi": ("example_row", "openapi_of"),
    "places": (
        "DECISION_KEY_PURPOSE",
        "decision_ledger_folder",
        "decision_origin",
        "predict_scope",
        "token_audience",
        "token_issuer",
    ),
    "spec": ("ServingSpec",),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}


def __getattr__(name: str) -> Any:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"sealwright.serving has no {name!r}")
    value = getattr(importlib.import_module(f"sealwright.serving.{module}"), name)  # noqa: TID251
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
