"""The whole way of a version: resumable steps from ingest to release, and what checks them afterwards.

Answers: what has to happen, in which order, so that a model may be served?
Does not answer: how any one step is done. Each belongs to the room that does it.
Names load on first use: `sealwright verify` must not import what only training needs.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sealwright.pipeline.begin import Begun, begin_project
    from sealwright.pipeline.bundle import export_bundle
    from sealwright.pipeline.candidate import candidate_of, statements_of
    from sealwright.pipeline.desk import Desk
    from sealwright.pipeline.judge import Assessed, assess
    from sealwright.pipeline.let_through import Approved, Attested, Decided, Sealed, approve, attest, decide, seal
    from sealwright.pipeline.make import Trained, train
    from sealwright.pipeline.people import Enrolled, end_enrolment, enrol, overview, people_of
    from sealwright.pipeline.project import PROJECT_FILE, Project, ProjectSpec, load_project, project_schema
    from sealwright.pipeline.runs import Run
    from sealwright.pipeline.take_in import Ingested, ingest
    from sealwright.pipeline.verify import Verified, trust_root_from, verify_bytes, verify_path
    from sealwright.pipeline.way import Way, run_way
    from sealwright.pipeline.workspace import (
        Workspace,
        create_workspace,
        is_workspace,
        open_workspace,
        read_trust_root,
    )

_HOME = {
    "begin": ("Begun", "begin_project"),
    "bundle": ("export_bundle",),
    "let_through": ("Approved", "Attested", "Decided", "Sealed", "approve", "attest", "decide", "seal"),
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
    "workspace": ("Workspace", "create_workspace", "is_workspace", "open_workspace", "read_trust_root"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "PROJECT_FILE",
    "Approved",
    "Assessed",
    "Attested",
    "Begun",
    "Decided",
    "Desk",
    "Enrolled",
    "Ingested",
    "Project",
    "ProjectSpec",
    "Run",
    "Sealed",
    "Trained",
    "Verified",
    "Way",
    "Workspace",
    "approve",
    "assess",
    "attest",
    "begin_project",
    "candidate_of",
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
