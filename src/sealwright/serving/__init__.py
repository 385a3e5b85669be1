"""The prediction server: verified packages in, recorded and receipted answers out. And how every server meets the network.

Answers: what does the released model say about this row, for whom, and what proves it was said?
Does not answer: which model is released. It reads signed pointers and cannot make one.
Names load on first use, so importing the room costs nothing.
"""

from typing import TYPE_CHECKING

from sealwright.kernel import front_door

if TYPE_CHECKING:
    from sealwright.serving.arm_counts import COUNTS as COUNTS
    from sealwright.serving.arm_counts import ArmCount as ArmCount
    from sealwright.serving.arm_counts import milliseconds_of as milliseconds_of
    from sealwright.serving.arrow.arrays import Column as Column
    from sealwright.serving.beside import Manner as Manner
    from sealwright.serving.beside import why_not_beside as why_not_beside
    from sealwright.serving.beside import why_not_in_place_of as why_not_in_place_of
    from sealwright.serving.budgets.counting import Counting as Counting
    from sealwright.serving.checking.learning import answers_learned as answers_learned
    from sealwright.serving.checking.making import answering_document as answering_document
    from sealwright.serving.checking.making import answers_wanted as answers_wanted
    from sealwright.serving.child import Running as Running
    from sealwright.serving.child import become as become
    from sealwright.serving.child import launch as launch
    from sealwright.serving.child import prepare as prepare
    from sealwright.serving.child import signer_line as signer_line
    from sealwright.serving.config import Limits as Limits
    from sealwright.serving.config import ServeConfig as ServeConfig
    from sealwright.serving.contract import Contract as Contract
    from sealwright.serving.contract import contract_of as contract_of
    from sealwright.serving.decisions import DecisionRecord as DecisionRecord
    from sealwright.serving.decisions import read_decision as read_decision
    from sealwright.serving.openapi import example_row as example_row
    from sealwright.serving.openapi import openapi_of as openapi_of
    from sealwright.serving.places import DECISION_KEY_PURPOSE as DECISION_KEY_PURPOSE
    from sealwright.serving.places import access_file as access_file
    from sealwright.serving.places import ca_files as ca_files
    from sealwright.serving.places import decision_ledger_folder as decision_ledger_folder
    from sealwright.serving.places import decision_origin as decision_origin
    from sealwright.serving.places import full_scope as full_scope
    from sealwright.serving.places import label_scope as label_scope
    from sealwright.serving.places import predict_scope as predict_scope
    from sealwright.serving.places import scored_channel as scored_channel
    from sealwright.serving.places import token_audience as token_audience
    from sealwright.serving.places import token_issuer as token_issuer
    from sealwright.serving.platforms import PLATFORMS as PLATFORMS
    from sealwright.serving.problems import BadRequest as BadRequest
    from sealwright.serving.problems import HttpRefusal as HttpRefusal
    from sealwright.serving.problems import InternalFault as InternalFault
    from sealwright.serving.problems import MethodNotAllowed as MethodNotAllowed
    from sealwright.serving.problems import Misdirected as Misdirected
    from sealwright.serving.problems import problem_body as problem_body
    from sealwright.serving.reasons import Explainer as Explainer
    from sealwright.serving.reasons import Reasons as Reasons
    from sealwright.serving.reasons import counted_rows as counted_rows
    from sealwright.serving.reasons import explainer_document as explainer_document
    from sealwright.serving.rollout_spec import RolloutLimits as RolloutLimits
    from sealwright.serving.rollout_spec import RolloutSpec as RolloutSpec
    from sealwright.serving.scoring.deciding import RowsDecided as RowsDecided
    from sealwright.serving.scoring.deciding import decide_rows as decide_rows
    from sealwright.serving.scoring.place import ScoringPlace as ScoringPlace
    from sealwright.serving.scoring.reading import RowsRead as RowsRead
    from sealwright.serving.scoring.reading import read_columns as read_columns
    from sealwright.serving.scoring.records import MADE_BY as MADE_BY
    from sealwright.serving.scoring.records import BatchId as BatchId
    from sealwright.serving.scoring.records import RowAnswers as RowAnswers
    from sealwright.serving.scoring.records import leaf_of as leaf_of
    from sealwright.serving.scoring.records import read_decisions as read_decisions
    from sealwright.serving.served import Served as Served
    from sealwright.serving.shadow_records import SHADOW as SHADOW
    from sealwright.serving.shadow_records import ShadowRecord as ShadowRecord
    from sealwright.serving.shadow_records import read_shadow as read_shadow
    from sealwright.serving.spec import ServingSpec as ServingSpec
    from sealwright.serving.starting import StartFailed as StartFailed
    from sealwright.serving.starting import StartRefused as StartRefused
    from sealwright.serving.strict_bodies import strict_body as strict_body
    from sealwright.serving.told import AskedReader as AskedReader
    from sealwright.serving.told import Told as Told
    from sealwright.serving.told import told_in as told_in
    from sealwright.serving.transport.admission import Head as Head
    from sealwright.serving.transport.admission import read_head as read_head
    from sealwright.serving.transport.config import Transport as Transport
    from sealwright.serving.transport.config import allowed_hosts as allowed_hosts
    from sealwright.serving.transport.config import read_transport as read_transport
    from sealwright.serving.transport.connection import ConnectionGuard as ConnectionGuard
    from sealwright.serving.transport.events import EventLog as EventLog
    from sealwright.serving.transport.http_server import HttpServer as HttpServer
    from sealwright.serving.transport.limits import TransportLimits as TransportLimits
    from sealwright.serving.transport.process_hygiene import raise_open_files as raise_open_files
else:
    __getattr__, __dir__, __all__ = front_door(__name__)
