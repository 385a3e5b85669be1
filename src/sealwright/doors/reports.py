"""From a run to its report: collects verified statements and hands them to the page."""

from pathlib import Path
from typing import Any

from sealwright.kernel import private_folder, write_atomically
from sealwright.oversight import ReportFacts, print_report, render_report, training_words
from sealwright.pipeline import Desk, Project, Run, Workspace, decide, statements_of
from sealwright.trust import Principal

__all__ = ["report_facts", "write_report"]


def write_report(workspace: Workspace, project: Project, to: Path | None = None, *, by: Principal) -> Path:
    """Write the report of the project's last run as one file, HTML or (by its name) PDF; returns its path.

    Raises
    ------
    PermissionDenied
        They may not see the project.
    NotFound
        The run was not assessed yet.
    """
    facts = report_facts(workspace, project, by=by)
    path = to
    if path is None:
        state = f"v{facts.version}" if facts.version is not None else "unreleased"
        path = private_folder(workspace.folder("reports")) / f"{project.name}-{state}.html"
    page = print_report(facts) if path.suffix.lower() == ".pdf" else render_report(facts).encode()
    write_atomically(path, page, mode=0o600 if to is None else 0o644)
    return path


def report_facts(workspace: Workspace, project: Project, *, by: Principal) -> ReportFacts:
    """What the page may speak of, all of it from verified statements. PermissionDenied as `decide`, which asks."""
    decided = decide(workspace, project, by=by)
    run, decision = decided.run, decided.decision
    desk = Desk(workspace, project, look=True)
    statements = statements_of(desk, run)
    sealed = run.current("seal", decision.subject.package)
    record = _training_record(desk, run)
    return ReportFacts(
        project=project.name,
        version=int(sealed["version"]) if sealed is not None and decision.passed else None,
        package=decision.subject.package,
        workspace=workspace.id,
        fingerprint=workspace.trust_root.fingerprint,
        at=workspace.clock(),
        charter=statements["charter"].predicate,
        snapshot=_snapshot(statements["snapshot"].predicate),
        provenance={"model": decision.subject.model},
        suites={
            name: statement.predicate["sealwright"]
            for name, statement in statements.items()
            if name in run.product("assess")["statements"]
        },
        decision={
            **decision.to_json(),
            "results": [{**one.to_json(), "evidence": list(one.evidence)} for one in decision.results],
        },
        policy=decision.policy.to_json(),
        interface=record["interface"],
        statements={name: statement.digest for name, statement in statements.items()},
        approvals=[
            {"approver": one.by, "role": one.role, "at": one.at.isoformat(), "reason": one.reason}
            for one in decision.approvals
        ],
        training=record["words"],
    )


def _snapshot(manifest: Any) -> dict[str, int]:
    identity = manifest["identity"]
    return {"rows": int(identity["rows"]), "quarantined": int(identity["quarantined"])}


def _training_record(desk: Desk, run: Run) -> dict[str, Any]:
    """The training in words for the page."""
    from sealwright.kernel import strict_json

    product = run.product("train")
    record = strict_json(desk.runs.fetch(product["record"]), what="training record")
    interface = strict_json(desk.runs.fetch(product["interface"]), what="interface.json")
    words = {name.capitalize() if name.islower() else name: text for name, text in training_words(record).items()}
    chosen = ", ".join(f"{name} {value}" for name, value in record["parameters"].items()) or "defaults"
    return {"interface": interface, "words": {**words, "Parameters": chosen}}
