"""The whole way of a version: resumable steps from ingest to release, and what checks them afterwards.

Answers: what has to happen, in which order, so that a model may be served?
Does not answer: how any one step is done. Each belongs to the room that does it.
Names load on first use: `sealwright verify` must not import what only training needs.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sealwright.pipeline.alternatives import Comparison, TriedWay, compare
    from sealwright.pipeline.anchor_settings import (
        AnchorSettings,
        BucketAt,
        StamperAt,
        WitnessAt,
        add_anchor,
        read_anchors,
        remove_anchor,
    )
    from sealwright.pipeline.anchoring import Anchoring, Taken, door_log, ledgers_of
    from sealwright.pipeline.assurance_worker import CHECKS
    from sealwright.pipeline.begin import Begun, begin_project
    from sealwright.pipeline.bundle import export_bundle
    from sealwright.pipeline.by_name import data_of_project, project_named, version_named
    from sealwright.pipeline.candidate import candidate_of, statements_of
    from sealwright.pipeline.comparisons import COMPARISONS, ComparisonKind, comparison_kind
    from sealwright.pipeline.consent_withdrawal import WithdrawnConsent, withdraw_consent
    from sealwright.pipeline.data_basis import (
        BasisView,
        Cleared,
        basis_of_snapshot,
        basis_view,
        require_basis,
        state_basis,
    )
    from sealwright.pipeline.data_compatibility import FiledCompatibility, file_compatibility
    from sealwright.pipeline.data_consent import (
        compare_persons,
        consent_history,
        consents_for,
        consents_of,
        import_consents,
        name_in,
        suppressions_of,
    )
    from sealwright.pipeline.data_requests import list_requests, request_named, requests_for, requests_of
    from sealwright.pipeline.data_retention import (
        Disposed,
        Retained,
        dispose_past_limit,
        holds_for,
        holds_of,
        list_holds,
        retention_plan,
    )
    from sealwright.pipeline.data_ropa import record_of_processing
    from sealwright.pipeline.decision_check import HoursChecked, check_hours
    from sealwright.pipeline.decision_proof import DecisionProof, proof_of_decision
    from sealwright.pipeline.decision_reading import (
        FoundDecision,
        SoughtDecisions,
        find_decision,
        find_decisions,
        find_newest_decisions,
    )
    from sealwright.pipeline.decision_retention import HoursEnded, end_old_decisions
    from sealwright.pipeline.decision_sealing import channels_served, seal_decisions
    from sealwright.pipeline.decision_tending import (
        Tended,
        keep_decisions,
        kept_days,
        served_projects,
        tend_decisions,
        waiting_since,
    )
    from sealwright.pipeline.desk import Desk
    from sealwright.pipeline.emergencies import list_emergencies
    from sealwright.pipeline.installation import (
        Finding,
        accept_environment,
        compare_environment,
        look_over,
        note_differences,
    )
    from sealwright.pipeline.judge import Assessed, assess
    from sealwright.pipeline.ledger_check import LedgerChecked, check_ledger
    from sealwright.pipeline.ledger_names import known_names, who_acted
    from sealwright.pipeline.ledger_reading import (
        Sought,
        Told,
        export_entries,
        find_entries,
        ledger_at,
        ledger_named,
        prove_entry,
        reading_ledger,
        reading_ledgers,
    )
    from sealwright.pipeline.let_through import Approved, Attested, Decided, Sealed, approve, attest, decide, seal
    from sealwright.pipeline.make import Trained, train
    from sealwright.pipeline.people import Enrolled, end_enrolment, enrol, overview, people_of, renew_enrolment
    from sealwright.pipeline.permission import (
        allow,
        break_glass_of,
        enrolled_members,
        permissions_of,
        proven_by_key,
        sessions_of,
    )
    from sealwright.pipeline.project import PROJECT_FILE, Project, ProjectSpec, load_project, project_schema
    from sealwright.pipeline.released import ListedVersion, list_versions, pointer_history
    from sealwright.pipeline.releases import promote, revoke, rollback
    from sealwright.pipeline.rollouts import (
        RolloutHeld,
        advance_rollout,
        go_back,
        promote_rollout,
        report_outcomes,
        start_rollout,
        stop_rollout,
    )
    from sealwright.pipeline.rollouts_judgement import Verdict
    from sealwright.pipeline.rollouts_plan import RolloutPlan
    from sealwright.pipeline.rollouts_run import RolloutMove, move_by_plan
    from sealwright.pipeline.rollouts_status import NoRollout, RolloutStatus, RolloutWatch, rollout_status
    from sealwright.pipeline.runs import Run
    from sealwright.pipeline.scoring import Scored, score
    from sealwright.pipeline.scoring_job import RowRefused, SourceChanged, VersionChanged
    from sealwright.pipeline.scoring_receipts import receipt_of_row
    from sealwright.pipeline.standing_keys import StandingKeys
    from sealwright.pipeline.take_in import Ingested, ingest
    from sealwright.pipeline.things import ask_who_can, ask_why_not, thing_named
    from sealwright.pipeline.variants import Variant
    from sealwright.pipeline.verify import Verified, trust_root_from, verify_bytes, verify_path
    from sealwright.pipeline.version_facts import candidate_facts, data_of, facts_of_version, project_facts
    from sealwright.pipeline.way import Way, run_way
    from sealwright.pipeline.workspace import (
        Workspace,
        create_workspace,
        is_workspace,
        ledger_origin,
        open_workspace,
        read_trust_root,
    )
    from sealwright.pipeline.workspace_certificates import certificates_of, peers_of, tls_folder
    from sealwright.pipeline.workspace_keys import (
        KeyElsewhereState,
        KeyState,
        NewKey,
        keys_elsewhere,
        keys_of,
        protect_keys,
        recover_keys,
        revoke_key,
        rotate_key,
        split_keys,
    )

__all__ = [
    "AnchorSettings",
    "Anchoring",
    "Approved",
    "Assessed",
    "Attested",
    "BasisView",
    "Begun",
    "BucketAt",
    "CHECKS",
    "COMPARISONS",
    "Cleared",
    "Comparison",
    "ComparisonKind",
    "Decided",
    "Desk",
    "Disposed",
    "Enrolled",
    "FiledCompatibility",
    "Finding",
    "Ingested",
    "KeyElsewhereState",
    "KeyState",
    "LedgerChecked",
    "ListedVersion",
    "NewKey",
    "NoRollout",
    "PROJECT_FILE",
    "Project",
    "ProjectSpec",
    "Retained",
    "RolloutHeld",
    "RolloutMove",
    "RolloutPlan",
    "RolloutStatus",
    "RolloutWatch",
    "RowRefused",
    "Run",
    "Scored",
    "Sealed",
    "Sought",
    "SourceChanged",
    "StamperAt",
    "StandingKeys",
    "Taken",
    "Told",
    "Trained",
    "TriedWay",
    "Variant",
    "Verdict",
    "Verified",
    "VersionChanged",
    "Way",
    "WithdrawnConsent",
    "WitnessAt",
    "Workspace",
    "accept_environment",
    "add_anchor",
    "advance_rollout",
    "allow",
    "approve",
    "ask_who_can",
    "ask_why_not",
    "assess",
    "attest",
    "basis_of_snapshot",
    "basis_view",
    "begin_project",
    "break_glass_of",
    "candidate_facts",
    "candidate_of",
    "certificates_of",
    "check_ledger",
    "compare",
    "compare_environment",
    "compare_persons",
    "comparison_kind",
    "consent_history",
    "consents_for",
    "consents_of",
    "create_workspace",
    "data_of",
    "data_of_project",
    "decide",
    "dispose_past_limit",
    "door_log",
    "end_enrolment",
    "enrol",
    "enrolled_members",
    "export_bundle",
    "export_entries",
    "file_compatibility",
    "find_entries",
    "go_back",
    "holds_for",
    "holds_of",
    "import_consents",
    "ingest",
    "is_workspace",
    "keys_elsewhere",
    "keys_of",
    "known_names",
    "ledger_at",
    "ledger_named",
    "ledger_origin",
    "ledgers_of",
    "list_emergencies",
    "list_holds",
    "list_requests",
    "list_versions",
    "load_project",
    "look_over",
    "move_by_plan",
    "name_in",
    "note_differences",
    "open_workspace",
    "overview",
    "peers_of",
    "people_of",
    "permissions_of",
    "pointer_history",
    "project_facts",
    "project_named",
    "project_schema",
    "promote",
    "promote_rollout",
    "protect_keys",
    "prove_entry",
    "proven_by_key",
    "read_anchors",
    "read_trust_root",
    "reading_ledger",
    "reading_ledgers",
    "receipt_of_row",
    "record_of_processing",
    "recover_keys",
    "remove_anchor",
    "renew_enrolment",
    "report_outcomes",
    "request_named",
    "requests_for",
    "requests_of",
    "require_basis",
    "retention_plan",
    "revoke",
    "revoke_key",
    "rollback",
    "rollout_status",
    "rotate_key",
    "run_way",
    "score",
    "seal",
    "sessions_of",
    "split_keys",
    "start_rollout",
    "state_basis",
    "statements_of",
    "stop_rollout",
    "suppressions_of",
    "thing_named",
    "tls_folder",
    "train",
    "trust_root_from",
    "verify_bytes",
    "verify_path",
    "facts_of_version",
    "version_named",
    "who_acted",
    "withdraw_consent",
    "HoursChecked",
    "check_hours",
    "DecisionProof",
    "FoundDecision",
    "proof_of_decision",
    "SoughtDecisions",
    "find_decision",
    "find_decisions",
    "find_newest_decisions",
    "HoursEnded",
    "end_old_decisions",
    "Tended",
    "keep_decisions",
    "kept_days",
    "seal_decisions",
    "tend_decisions",
    "channels_served",
    "served_projects",
    "waiting_since",
]

_HOME = {
    "alternatives": (
        "Comparison",
        "TriedWay",
        "compare",
    ),
    "anchor_settings": (
        "AnchorSettings",
        "BucketAt",
        "StamperAt",
        "WitnessAt",
        "add_anchor",
        "read_anchors",
        "remove_anchor",
    ),
    "anchoring": ("Anchoring", "Taken", "door_log", "ledgers_of"),
    "assurance_worker": ("CHECKS",),
    "begin": (
        "Begun",
        "begin_project",
    ),
    "bundle": ("export_bundle",),
    "by_name": ("data_of_project", "project_named", "version_named"),
    "candidate": (
        "candidate_of",
        "statements_of",
    ),
    "comparisons": (
        "COMPARISONS",
        "ComparisonKind",
        "comparison_kind",
    ),
    "consent_withdrawal": (
        "WithdrawnConsent",
        "withdraw_consent",
    ),
    "data_basis": (
        "BasisView",
        "Cleared",
        "basis_of_snapshot",
        "basis_view",
        "require_basis",
        "state_basis",
    ),
    "data_compatibility": (
        "FiledCompatibility",
        "file_compatibility",
    ),
    "data_consent": (
        "compare_persons",
        "consent_history",
        "consents_for",
        "consents_of",
        "import_consents",
        "name_in",
        "suppressions_of",
    ),
    "data_requests": (
        "list_requests",
        "request_named",
        "requests_for",
        "requests_of",
    ),
    "data_retention": (
        "Disposed",
        "Retained",
        "dispose_past_limit",
        "holds_for",
        "holds_of",
        "list_holds",
        "retention_plan",
    ),
    "data_ropa": ("record_of_processing",),
    "decision_check": ("HoursChecked", "check_hours"),
    "decision_proof": ("DecisionProof", "proof_of_decision"),
    "scoring": ("Scored", "score"),
    "scoring_job": ("RowRefused", "SourceChanged", "VersionChanged"),
    "scoring_receipts": ("receipt_of_row",),
    "decision_reading": (
        "FoundDecision",
        "SoughtDecisions",
        "find_decision",
        "find_decisions",
        "find_newest_decisions",
    ),
    "decision_retention": ("HoursEnded", "end_old_decisions"),
    "decision_sealing": ("channels_served", "seal_decisions"),
    "decision_tending": (
        "Tended",
        "keep_decisions",
        "kept_days",
        "served_projects",
        "tend_decisions",
        "waiting_since",
    ),
    "desk": ("Desk",),
    "emergencies": ("list_emergencies",),
    "installation": (
        "Finding",
        "accept_environment",
        "compare_environment",
        "look_over",
        "note_differences",
    ),
    "judge": (
        "Assessed",
        "assess",
    ),
    "ledger_check": (
        "LedgerChecked",
        "check_ledger",
    ),
    "ledger_names": (
        "known_names",
        "who_acted",
    ),
    "ledger_reading": (
        "Sought",
        "Told",
        "export_entries",
        "find_entries",
        "ledger_at",
        "ledger_named",
        "prove_entry",
        "reading_ledger",
        "reading_ledgers",
    ),
    "let_through": (
        "Approved",
        "Attested",
        "Decided",
        "Sealed",
        "approve",
        "attest",
        "decide",
        "seal",
    ),
    "make": (
        "Trained",
        "train",
    ),
    "people": (
        "Enrolled",
        "end_enrolment",
        "enrol",
        "overview",
        "people_of",
        "renew_enrolment",
    ),
    "permission": (
        "allow",
        "break_glass_of",
        "enrolled_members",
        "permissions_of",
        "proven_by_key",
        "sessions_of",
    ),
    "project": (
        "PROJECT_FILE",
        "Project",
        "ProjectSpec",
        "load_project",
        "project_schema",
    ),
    "released": (
        "ListedVersion",
        "list_versions",
        "pointer_history",
    ),
    "releases": (
        "promote",
        "revoke",
        "rollback",
    ),
    "rollouts": (
        "RolloutHeld",
        "advance_rollout",
        "go_back",
        "promote_rollout",
        "report_outcomes",
        "start_rollout",
        "stop_rollout",
    ),
    "rollouts_judgement": ("Verdict",),
    "rollouts_plan": ("RolloutPlan",),
    "rollouts_run": (
        "RolloutMove",
        "move_by_plan",
    ),
    "rollouts_status": (
        "NoRollout",
        "RolloutStatus",
        "RolloutWatch",
        "rollout_status",
    ),
    "runs": ("Run",),
    "standing_keys": ("StandingKeys",),
    "take_in": (
        "Ingested",
        "ingest",
    ),
    "things": ("ask_who_can", "ask_why_not", "thing_named"),
    "variants": ("Variant",),
    "verify": (
        "Verified",
        "trust_root_from",
        "verify_bytes",
        "verify_path",
    ),
    "version_facts": (
        "candidate_facts",
        "data_of",
        "facts_of_version",
        "project_facts",
    ),
    "way": (
        "Way",
        "run_way",
    ),
    "workspace": (
        "Workspace",
        "create_workspace",
        "is_workspace",
        "ledger_origin",
        "open_workspace",
        "read_trust_root",
    ),
    "workspace_certificates": ("certificates_of", "peers_of", "tls_folder"),
    "workspace_keys": (
        "KeyElsewhereState",
        "KeyState",
        "NewKey",
        "keys_elsewhere",
        "keys_of",
        "protect_keys",
        "recover_keys",
        "revoke_key",
        "rotate_key",
        "split_keys",
    ),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}


def __getattr__(name: str) -> Any:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"sealwright.pipeline has no {name!r}")
    value = getattr(importlib.import_module(f"sealwright.pipeline.{module}"), name)  # noqa: TID251
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
