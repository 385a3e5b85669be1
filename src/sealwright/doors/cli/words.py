"""What the lifecycle verbs say when they are done: the few facts a person wants, and the next step."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from sealwright.doors.cli import show
from sealwright.oversight import OUTCOME_WORDS, interval_words, number_words, plain_check

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sealwright.evidence import GateDecision, Result
    from sealwright.pipeline import Assessed, Ingested, Trained, Way

__all__ = ["tell_assessed", "tell_decision", "tell_ingested", "tell_trained", "tell_way"]

_LEAD = (
    "performance.roc_auc",
    "performance.accuracy",
    "performance.r2",
    "performance.mae",
    "performance.calibration_error",
    "fairness.selection_gap",
    "fairness.impact_ratio",
    "fairness.equal_opportunity_gap",
    "fairness.class_rate_gap",
    "fairness.error_gap",
    "robustness.noise_shift",
    "robustness.noise_flip_share",
    "robustness.missing_shift",
    "robustness.missing_flip_share",
    "quality.missing_share",
)


def tell_ingested(done: "Ingested", folder: Path, *, next_step: bool = True) -> None:
    show.title("Ingested" + (" (the same snapshot as before)" if done.again else ""))
    reasons = ", ".join(f"{reason}: {rows:,}" for reason, rows in done.reasons.items())
    show.facts(
        {
            "rows": f"{done.snapshot.rows:,} encrypted and signed",
            "quarantine": f"{done.snapshot.quarantined:,} rows set aside" + (f" ({reasons})" if reasons else ""),
            "snapshot": done.snapshot.digest,
        }
    )
    if next_step:
        show.next_step(f"sealwright train {folder}")


def tell_trained(done: "Trained", folder: Path, *, next_step: bool = True) -> None:
    record = done.record
    show.title("Trained" + (" (kept: nothing it was made from has changed)" if done.again else ""))
    parity, missing = record["parity"], record["confinement"]["not_enforced"]
    cv = record["cv"]
    show.facts(
        {
            "recipe": record["recipe"],
            "cross-validation": f"{cv['metric']} {number_words(cv['mean'])} ± {number_words(cv['sd'])} over {len(cv['folds'])} folds",
            "search": f"{len(record['search'])} settings tried",
            "confined": "no network, no keys, limits on memory and time"
            if not missing
            else f"this kernel could not enforce: {', '.join(missing)}",
            "ONNX parity": f"largest difference {number_words(parity['largest'])} on {parity['rows']:,} rows, {parity['flips']} decisions differ",
            "model": done.model,
            **({"note": "; ".join(record["notes"])} if record["notes"] else {}),
        }
    )
    if next_step:
        show.next_step(f"sealwright assess {folder}")


def tell_assessed(done: "Assessed", folder: Path, *, next_step: bool = True) -> None:
    show.title("Assessed")
    show.rows(["measure", "about", "value", "interval"], _findings(done.suites))
    gaps = sum(len([one for one in suite["not_performed"] if one["applicable"]]) for suite in done.suites.values())
    total = sum(len(suite["findings"]) for suite in done.suites.values())
    typer.echo(
        f"{total} measurements in {len(done.suites)} signed statements"
        + (f"; {gaps} not performed" if gaps else "")
        + "."
    )
    if next_step:
        show.next_step(f"sealwright gate {folder}")


def tell_decision(decision: "GateDecision", *, every: bool, folder: Path) -> None:
    """Every reason, what was found and asked for, who acts, and the next step."""
    blocking = decision.blocking
    if decision.passed:
        show.title(f"The gate lets it through: all {len(decision.results)} requirements are met")
    elif all(result.outcome == "not_yet" for result in blocking):
        show.title("The evidence is in; people have still to act")
    else:
        show.title(f"Stopped: {len(blocking)} of {len(decision.results)} requirements stand in the way")
    show.facts(
        {
            "policy": f"{decision.policy.risk_class} risk, {decision.policy.digest}",
            "package": decision.subject.package,
        }
    )
    shown = decision.results if every else blocking
    if shown:
        show.rows(
            ["", "requirement", "found", "asked for", "who acts"],
            (
                (OUTCOME_WORDS[r.outcome], r.check, r.found, r.limit, r.who.replace("_", " ") if r in blocking else "")
                for r in shown
            ),
            status=0,
        )
    for result in blocking:
        _reason(result)
    for what, changes in (
        ("Less than the risk class asks for", decision.below_class),
        ("Less than was signed before results", decision.loosened),
    ):
        for change in changes:
            show.facts(
                {what: f"{change.what}: {change.before} -> {change.after}" + (f" ({change.why})" if change.why else "")}
            )
    if decision.passed:
        show.next_step(f"sealwright seal {folder}")


def _reason(result: "Result") -> None:
    show.facts(
        {
            result.check: result.why,
            **({"evidence": ", ".join(result.evidence)} if result.evidence else {}),
            "next": result.next_step,
        }
    )
    typer.echo("")


def tell_way(way: "Way", folder: Path) -> None:
    tell_ingested(way.ingested, folder, next_step=False)
    typer.echo("")
    tell_trained(way.trained, folder, next_step=False)
    typer.echo("")
    tell_assessed(way.assessed, folder, next_step=False)
    typer.echo("")
    tell_decision(way.decision, every=False, folder=folder)
    if way.sealed is not None:
        name = way.decision.subject.project
        show.title(f"Sealed and registered as version {way.sealed.version}")
        show.facts({"folder": way.sealed.folder})
        show.next_step(f'sealwright promote {name} {way.sealed.version} --reason "…"')
    else:
        show.next_step(f"sealwright report {folder}   (the same with plots)")


def _findings(suites: "Mapping[str, Mapping[str, Any]]") -> "Iterable[tuple[str, str, str, str]]":
    for check in _LEAD:
        for one in suites.get(check.split(".")[0], {}).get("findings", ()):
            group = one["group"] or {}
            if one["check"] == check and group.get("level") is None:
                yield (
                    plain_check(check),
                    str(group.get("attribute", "")),
                    number_words(one["value"]),
                    interval_words(one),
                )
