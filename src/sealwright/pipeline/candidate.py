"""What would be released: the files of a run under one digest, which approvals name and the gate decides on.

Answers: what is in the package as far as it can be made before the gate, and is it still what the run holds?
Does not answer: may it be released? `let_through` asks the gate.
"""

from collections.abc import Mapping
from typing import Any

from sealwright.evidence import ATTESTATION_TYPE
from sealwright.kernel import NotFound, digest_of, strict_json
from sealwright.pipeline.answers import answering_of
from sealwright.pipeline.desk import Desk, digest_of_json
from sealwright.pipeline.explainer import explainer_of
from sealwright.pipeline.runs import Run
from sealwright.registry import Candidate, PackageParts, build_candidate, build_card
from sealwright.trust import Statement, verify_statement

__all__ = ["candidate_of", "put_together", "standing_candidate", "statements_of"]


def statements_of(desk: Desk, run: Run) -> dict[str, Statement]:
    """Every statement of a run by its name in the package, verified again."""
    keys = desk.workspace.trust_root.keys_of("statements")
    return {name: verify_statement(envelope, keys) for name, envelope in _envelopes(desk, run).items()}


def candidate_of(desk: Desk, run: Run) -> Candidate:
    """The candidate of a run, from the files that were kept.

    Raises
    ------
    NotFound
        The run was not assessed yet.
    """
    product = standing_candidate(desk, run)
    return Candidate(
        digest=product["package"],
        model=run.product("train")["model"],
        project=desk.project.name,
        files={name: desk.runs.fetch(digest) for name, digest in sorted(product["files"].items())},
    )


def standing_candidate(desk: Desk, run: Run) -> Mapping[str, Any]:
    """The candidate of a run, if nothing it was put together from was done anew since.

    Raises
    ------
    NotFound
        The run was not assessed yet, or what was assessed is not what it holds now.
    """
    assessed = run.has("assess") and run.product("assess").get("model") == run.product("train")["model"]
    product = run.current("candidate", _of(desk, run)) if assessed else None
    if product is None:
        raise NotFound(
            f"{desk.project.name} was not assessed as it is now, so there is nothing to decide or to sign.\n"
            f"Do it with: sealwright assess {desk.project.folder}"
        )
    return product


def put_together(desk: Desk, run: Run) -> Run:
    """Card, bill of materials, statements and the words of people beside the model, under one digest."""
    from sealwright.registry import build_bom  # its library is none of those that approving and sealing need

    of = _of(desk, run)
    if run.current("candidate", of) is not None:
        return run
    envelopes = _envelopes(desk, run)
    statements = statements_of(desk, run)
    trained = run.product("train")
    model = desk.runs.fetch(trained["model"])
    interface = strict_json(desk.runs.fetch(trained["interface"]), what="interface.json")
    environment = strict_json(desk.runs.fetch(trained["environment"]), what="environment")
    candidate = build_candidate(
        PackageParts(
            model=model,
            interface=interface,
            card_md=build_card(trained["model"], interface, statements),
            bom=build_bom(
                trained["model"],
                interface,
                statements,
                packages={"python": environment["python"], **environment["packages"]},
                now=desk.workspace.clock(),
            ),
            explainer=explainer_of(desk, run),
            answering=answering_of(desk, run),
            statements=envelopes | dict(zip(_numbered(desk, run), _attestations(desk, run).values(), strict=True)),
        )
    )
    files = {name: desk.runs.keep(data) for name, data in candidate.files.items()}
    product = {"of": of, "package": candidate.digest, "files": files}
    return desk.runs.finish(run, "candidate", product, by=trained["by"])


def _of(desk: Desk, run: Run) -> str:
    """What a candidate is put together from: the statements of its run, what people attested about its model, the files beside it."""
    made = {"explainer": explainer_of(desk, run), "answering": answering_of(desk, run)}
    beside = {name: digest_of(data) for name, data in made.items() if data is not None}
    return digest_of_json({**_names(run), **_numbered(desk, run), **beside})


def _names(run: Run) -> dict[str, str]:
    return {
        "charter": run.product("charter")["statement"],
        "snapshot": run.product("ingest")["statement"],
        **run.product("train")["statements"],
        **run.product("assess")["statements"],
    }


def _numbered(desk: Desk, run: Run) -> dict[str, str]:
    """The attestations by their names in the package, in the order of the ledger."""
    return {f"attestation-{place}": digest for place, digest in enumerate(_attestations(desk, run), start=1)}


def _attestations(desk: Desk, run: Run) -> dict[str, bytes]:
    """What people attested about this model, whether or not today's policy makes use of it: statement -> envelope."""
    filed = desk.evidence.statements.about(run.product("train")["model"], ATTESTATION_TYPE)
    return {one.digest: one.envelope for one in filed if one.project == desk.project.name}


def _envelopes(desk: Desk, run: Run) -> dict[str, bytes]:
    store = desk.evidence.statements
    return {name: store.get(digest).envelope for name, digest in _names(run).items()}
