"""What the lifecycle verbs say when they are done: the few facts a person wants, and the next step."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sealwright.doors.cli import show
from sealwright.doors.cli.options import say
from sealwright.oversight import interval_words, number_words, plain_check, training_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sealwright.evidence import GateDecision
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
    show.title("Trained" + (" (kept: nothing it was made from has changed)" if done.again else ""))
    show.facts({**training_words(done.record), "model": done.model})
    if next_step:
        show.next_step(f"sealwright assess {folder}")


def tell_assessed(done: "Assessed", folder: Path, *, next_step: bool = True) -> None:
    show.title("Assessed")
    show.rows(["measure", "about", "value", "interval"], _findings(done.suites))
    gaps = sum(len([one for one in suite["not_performed"] if one["applicable"]]) for suite in done.suites.values())
    total = sum(len(suite["findings"]) for suite in done.suites.values())
    say(
        f"{total} measurements in {len(done.suites)} signed statements"
        + (f"; {gaps} not performed" if gaps else "")
        + "."
    )
    if next_step:
        show.next_step(f"sealwright gate {folder}")


def tell_decision(decision: "GateDecision", *, every: bool, folder: Path, next_step: bool = True) -> None:
    """Every reason, what was found and asked for, who acts, and the next step."""
    from sealwright.evidence import render_gate

    say(show.safe(render_gate(decision, everything=every)))
    if decision.passed and next_step:
        show.next_step(f"sealwright seal {folder}")


def tell_way(way: "Way", folder: Path) -> None:
    tell_ingested(way.ingested, folder, next_step=False)
    say("")
    tell_trained(way.trained, folder, next_step=False)
    say("")
    tell_assessed(way.assessed, folder, next_step=False)
    say("")
    tell_decision(way.decision, every=False, folder=folder, next_step=False)
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
