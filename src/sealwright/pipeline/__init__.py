"""The whole way of a version: resumable steps from ingest to release, and what checks them afterwards.

Answers: what has to happen, in which order, so that a model may be served?
Does not answer: how any one step is done. Each belongs to the room that does it.
Names load on first use: `sealwright verify` must not import what only training needs.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sealwright.pipeline.alternatives import Comparison, TriedWay, compare
    from sealwright.pipeline.assurance_worker import CHECKS
    from sealwright.pipeline.begin import Begun, begin_project
    from sealwright.pipeline.bundle import export_bundle
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
    from sealwright.pipeline.data_consent import consents_of, import_consents, name_in, suppressions_of
    from sealwright.pipeline.data_requests import requests_of
    from sealwright.pipeline.data_retention import Disposed, Retained, dispose_past_limit, holds_of, retention_plan
    from sealwright.pipeline.data_ropa import record_of_processing
    from sealwright.pipeline.desk import Desk
    from sealwright.pipeline.judge import Assessed, assess
    from sealwright.pipeline.let_through import Approved, Attested, Decided, Sealed, approve, attest, decide, seal
    from sealwright.pipeline.make import Trained, train
    from sealwright.pipeline.people import Enrolled, end_enrolment, enrol, overview, people_of
    from sealwright.pipeline.project import PROJECT_FILE, Project, ProjectSpec, load_project, project_schema
    from sealwright.pipeline.runs import Run
    from sealwright.pipeline.take_in import Ingested, ingest
    from sealwright.pipeline.variants import Variant
    from sealwright.pipeline.verify import Verified, trust_root_from, verify_bytes, verify_path
    from sealwright.pipeline.way import Way, run_way
    from sealwright.pipeline.workspace import (
        Workspace,
        create_workspace,
        is_workspace,
        open_workspace,
        read_trust_root,
    )
    from sealwright.pipeline.workspace_keys import (
        KeyState,
        keys_of,
        protect_keys,
        recover_keys,
        revoke_key,
        rotate_key,
        split_keys,
    )

_HOME = {
    "assurance_worker": ("CHECKS",),
    "alternatives": ("Comparison", "TriedWay", "compare"),
    "comparisons": ("COMPARISONS", "ComparisonKind", "comparison_kind"),
    "variants": ("Variant",),
    "begin": ("Begun", "begin_project"),
    "bundle": ("export_bundle",),
    "let_through": ("Approved", "Attested", "Decided", "Sealed", "approve", "attest", "decide", "seal"),
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
        "consents_of",
        "import_consents",
        "name_in",
        "suppressions_of",
    ),
    "data_requests": ("requests_of",),
    "data_retention": (
        "Disposed",
        "Retained",
        "dispose_past_limit",
        "holds_of",
        "retention_plan",
    ),
    "data_ropa": ("record_of_processing",),
    "desk": ("Desk",),
    "candidate": ("candidate_of", "statements_of"),
    "judge": ("Assessed", "assess"),
    "make": ("Trained", "train"),
    "people": ("Enrolled", "end_enrolment", "enrol", "overview", "people_of"),
    "project": ("PROJECT_FILE", "Project", "ProjectSpec", "load_project", "project_schema"),
    "runs": ("Run",),
    "take_in": ("Ingested", "ingest"),
    "verify": ("Verified", "trust_root_from", "verify_bytes", "verify_path"),
    "way": ("Way", "run_way"),
    "workspace_keys": (
        "KeyState",
        "keys_of",
        "protect_keys",
        "recover_keys",
        "revoke_key",
        "rotate_key",
        "split_keys",
    ),
    "workspace": ("Workspace", "create_workspace", "is_workspace", "open_workspace", "read_trust_root"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "KeyState",
    "keys_of",
    "protect_keys",
    "recover_keys",
    "revoke_key",
    "rotate_key",
    "split_keys",
    "CHECKS",
    "COMPARISONS",
    "PROJECT_FILE",
    "Approved",
    "Assessed",
    "Attested",
    "Begun",
    "Comparison",
    "ComparisonKind",
    "Decided",
    "Desk",
    "Enrolled",
    "Ingested",
    "Project",
    "ProjectSpec",
    "Run",
    "Sealed",
    "Trained",
    "TriedWay",
    "Variant",
    "Verified",
    "Way",
    "Workspace",
    "approve",
    "assess",
    "attest",
    "begin_project",
    "candidate_of",
    "compare",
    "comparison_kind",
    "create_workspace",
    "decide",
    "end_enrolment",
    "enrol",
    "export_bundle",
    "ingest",
    "is_workspace",
    "load_project",
    "open_workspace",
    "overview",
    "people_of",
    "project_schema",
    "read_trust_root",
    "run_way",
    "seal",
    "statements_of",
    "train",
    "trust_root_from",
    "verify_bytes",
    "verify_path",
    "WithdrawnConsent",
    "withdraw_consent",
    "BasisView",
    "Cleared",
    "basis_of_snapshot",
    "basis_view",
    "require_basis",
    "state_basis",
    "FiledCompatibility",
    "file_compatibility",
    "consents_of",
    "import_consents",
    "name_in",
    "suppressions_of",
    "requests_of",
    "Disposed",
    "Retained",
    "dispose_past_limit",
    "holds_of",
    "retention_plan",
    "record_of_processing",
]


def __getattr__(name: str) -> Any:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"sealwright.pipeline has no {name!r}")
    value = getattr(importlib.import_module(f"sealwright.pipeline.{module}"), name)  # noqa: TID251
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
