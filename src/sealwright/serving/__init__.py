"""The prediction server: verified packages in, recorded and receipted answers out. And how every server meets the network.

Answers: what does the released model say about this row, for whom, and what proves it was said?
Does not answer: which model is released. It reads signed pointers and cannot make one.
Names load on first use, so importing the room costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sealwright.serving.arm_counts import COUNTS, ArmCount, milliseconds_of
    from sealwright.serving.arrow.arrays import Column
    from sealwright.serving.beside import why_not_beside
    from sealwright.serving.budgets.counting import Counting
    from sealwright.serving.checking.learning import answers_learned
    from sealwright.serving.checking.making import answering_document, answers_wanted
    from sealwright.serving.child import Running, become, launch, prepare, signer_line
    from sealwright.serving.config import Limits, ServeConfig
    from sealwright.serving.contract import Contract, contract_of
    from sealwright.serving.decisions import DecisionRecord, read_decision
    from sealwright.serving.openapi import example_row, openapi_of
    from sealwright.serving.places import (
        DECISION_KEY_PURPOSE,
        access_file,
        ca_files,
        decision_ledger_folder,
        decision_origin,
        full_scope,
        label_scope,
        predict_scope,
        scored_channel,
        token_audience,
        token_issuer,
    )
    from sealwright.serving.platforms import PLATFORMS
    from sealwright.serving.problems import (
        BadRequest,
        HttpRefusal,
        InternalFault,
        MethodNotAllowed,
        Misdirected,
        problem_body,
    )
    from sealwright.serving.reasons import Explainer, Reasons, counted_rows, explainer_document
    from sealwright.serving.rollout_spec import RolloutLimits, RolloutSpec
    from sealwright.serving.scoring.deciding import RowsDecided, decide_rows
    from sealwright.serving.scoring.place import ScoringPlace
    from sealwright.serving.scoring.reading import RowsRead, read_columns
    from sealwright.serving.scoring.records import MADE_BY, BatchId, RowAnswers, leaf_of, read_decisions
    from sealwright.serving.served import Served
    from sealwright.serving.shadow_records import SHADOW, ShadowRecord, read_shadow
    from sealwright.serving.spec import ServingSpec
    from sealwright.serving.starting import StartFailed, StartRefused
    from sealwright.serving.strict_bodies import strict_body
    from sealwright.serving.told import AskedReader, Told, told_in
    from sealwright.serving.transport.admission import Head, read_head
    from sealwright.serving.transport.config import Transport, allowed_hosts, read_transport
    from sealwright.serving.transport.connection import ConnectionGuard
    from sealwright.serving.transport.events import EventLog
    from sealwright.serving.transport.http_server import HttpServer
    from sealwright.serving.transport.limits import TransportLimits
    from sealwright.serving.transport.process_hygiene import raise_open_files

__all__ = [
    "ArmCount",
    "AskedReader",
    "BadRequest",
    "BatchId",
    "COUNTS",
    "Column",
    "ConnectionGuard",
    "Contract",
    "Counting",
    "DECISION_KEY_PURPOSE",
    "DecisionRecord",
    "EventLog",
    "Explainer",
    "Head",
    "HttpRefusal",
    "HttpServer",
    "InternalFault",
    "Limits",
    "MADE_BY",
    "MethodNotAllowed",
    "Misdirected",
    "PLATFORMS",
    "Reasons",
    "RolloutLimits",
    "RolloutSpec",
    "RowAnswers",
    "RowsDecided",
    "RowsRead",
    "Running",
    "SHADOW",
    "ScoringPlace",
    "ServeConfig",
    "Served",
    "ServingSpec",
    "ShadowRecord",
    "StartFailed",
    "StartRefused",
    "Told",
    "Transport",
    "TransportLimits",
    "access_file",
    "allowed_hosts",
    "answering_document",
    "answers_learned",
    "answers_wanted",
    "become",
    "ca_files",
    "contract_of",
    "counted_rows",
    "decide_rows",
    "decision_ledger_folder",
    "decision_origin",
    "example_row",
    "full_scope",
    "explainer_document",
    "label_scope",
    "launch",
    "leaf_of",
    "milliseconds_of",
    "openapi_of",
    "predict_scope",
    "prepare",
    "problem_body",
    "raise_open_files",
    "read_columns",
    "read_decision",
    "read_decisions",
    "read_head",
    "read_shadow",
    "read_transport",
    "scored_channel",
    "signer_line",
    "strict_body",
    "token_audience",
    "token_issuer",
    "told_in",
    "why_not_beside",
]

_HOME = {
    "arrow.arrays": ("Column",),
    "budgets.counting": ("Counting",),
    "checking.learning": ("answers_learned",),
    "checking.making": ("answering_document", "answers_wanted"),
    "arm_counts": (
        "COUNTS",
        "ArmCount",
        "milliseconds_of",
    ),
    "beside": ("why_not_beside",),
    "child": (
        "Running",
        "become",
        "launch",
        "prepare",
        "signer_line",
    ),
    "config": (
        "Limits",
        "ServeConfig",
    ),
    "contract": (
        "Contract",
        "contract_of",
    ),
    "decisions": (
        "DecisionRecord",
        "read_decision",
    ),
    "openapi": (
        "example_row",
        "openapi_of",
    ),
    "places": (
        "DECISION_KEY_PURPOSE",
        "access_file",
        "ca_files",
        "decision_ledger_folder",
        "decision_origin",
        "full_scope",
        "label_scope",
        "predict_scope",
        "scored_channel",
        "token_audience",
        "token_issuer",
    ),
    "platforms": ("PLATFORMS",),
    "problems": (
        "BadRequest",
        "HttpRefusal",
        "InternalFault",
        "MethodNotAllowed",
        "Misdirected",
        "problem_body",
    ),
    "reasons": (
        "Explainer",
        "Reasons",
        "counted_rows",
        "explainer_document",
    ),
    "rollout_spec": (
        "RolloutLimits",
        "RolloutSpec",
    ),
    "served": ("Served",),
    "scoring.deciding": ("RowsDecided", "decide_rows"),
    "scoring.place": ("ScoringPlace",),
    "scoring.reading": ("RowsRead", "read_columns"),
    "scoring.records": ("MADE_BY", "BatchId", "RowAnswers", "leaf_of", "read_decisions"),
    "shadow_records": (
        "SHADOW",
        "ShadowRecord",
        "read_shadow",
    ),
    "spec": ("ServingSpec",),
    "starting": (
        "StartFailed",
        "StartRefused",
    ),
    "strict_bodies": ("strict_body",),
    "told": (
        "AskedReader",
        "Told",
        "told_in",
    ),
    "transport.admission": (
        "Head",
        "read_head",
    ),
    "transport.config": (
        "Transport",
        "allowed_hosts",
        "read_transport",
    ),
    "transport.connection": ("ConnectionGuard",),
    "transport.events": ("EventLog",),
    "transport.http_server": ("HttpServer",),
    "transport.limits": ("TransportLimits",),
    "transport.process_hygiene": ("raise_open_files",),
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
