"""The model card: card.md, readable as it is and with the front matter that model hubs read.

Answers: what is this model for, what was measured, what was not, and where is the evidence?
Does not answer: may it be used? That is the gate's statement, which is made after the card.
Every word that came from a person or a dataset is escaped: on the card it is text, never markup.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from sealwright.registry.facts import Fact, ModelFacts, facts_of
from sealwright.trust import Statement

__all__ = ["build_card"]

_MOST_ROWS = 60  # findings printed per suite; the statement holds all
_SPECIAL = str.maketrans({c: f"\\{c}" for c in "\\`*_{}[]()#+-.!|~^$@:="} | {"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_STABLE = re.compile(r"[a-z][a-z0-9_.-]{0,100}")
_PIPELINE = {"binary": "tabular-classification", "multiclass": "tabular-classification"}


def build_card(
    model: str, interface: Mapping[str, Any], statements: Mapping[str, Statement], *, licence: str = "other"
) -> str:
    """Write the card of one model.

    Parameters
    ----------
    model : str
        Digest of model.onnx.
    interface : mapping
        The interface document.
    statements : mapping of str to Statement
        Verified statements by their name in the package.
    licence : str
        Licence id for the front matter, e.g. "apache-2.0"; "other" where none was decided.

    Returns
    -------
    str
        Markdown with YAML front matter.

    Raises
    ------
    InvalidInput
        No charter, or a test result about another model.
    """
    facts = facts_of(model, interface, statements)
    lines = [
        "---",
        yaml.safe_dump(_front_matter(facts, licence), sort_keys=False, allow_unicode=True).rstrip(),
        "---",
        "",
        *_heading(facts),
        *_bullets("Made for", facts.intended_use),
        *_bullets("Not to be used for", facts.out_of_scope),
        *_bullets("People its decisions touch", facts.affected),
        "## What goes in and what comes out",
        "",
        *_columns(facts),
        "## What was measured",
        "",
        *_findings(facts),
        "## What was not measured",
        "",
        *([f"- {_name(gap.check)}: {_text(gap.why)}" for gap in facts.gaps] or ["Every check of the suites that ran was carried out."]),
        "",
        "## Evidence",
        "",
        "Each number above stands in a signed statement of this package. Statement digests:",
        "",
        *[f"- {_name(name)}: `{digest}`" for name, digest in facts.statements.items()],
        "",
        f"Model: `{facts.model}`",
        *([f"Data: `{facts.snapshot}`" + (f", {facts.snapshot_rows:,} rows" if facts.snapshot_rows is not None else "")] if facts.snapshot else []),
        "",
        "This card supports evidence for a decision; it is not the decision. The gate's result is in",
        "`statements/gate.json`. Check the whole package offline with `sealwright verify`.",
        "",
    ]  # fmt: skip
    return "\n".join(lines)


def _heading(facts: ModelFacts) -> list[str]:
    return [
        f"# {_text(facts.interface.project)}",
        "",
        _text(facts.purpose) or "No purpose is stated.",
        "",
        f"Answers for it: {_text(facts.owner) or 'nobody is named'}. Risk class: {_text(facts.risk_class)}.",
        f"Task: {facts.interface.task}, target {_text(facts.interface.target)}.",
        *([f"Mitigation in training: {_text(facts.mitigation)}."] if facts.mitigation else []),
        *([f"Trained with differential privacy: {_text(facts.privacy)}."] if facts.privacy else []),
        "",
    ]


def _front_matter(facts: ModelFacts, licence: str) -> dict[str, Any]:
    """https://huggingface.co/docs/hub/model-cards: what hubs index."""
    task = _PIPELINE.get(facts.interface.task, "tabular-regression")
    metrics = [
        {"type": fact.check.split(".", 1)[-1], "name": fact.check, "value": fact.value, "verified": False}
        for fact in facts.facts
        if fact.suite == "performance" and not fact.group
    ]
    front: dict[str, Any] = {
        "license": licence,
        "library_name": "onnx",
        "pipeline_tag": task,
        "tags": ["onnx", "tabular", "sealwright", f"risk-{facts.risk_class or 'unknown'}"],
    }
    if metrics and facts.snapshot:
        dataset = {"type": facts.interface.project, "name": f"hold-out rows of snapshot {facts.snapshot}"}
        result = {"task": {"type": task}, "dataset": dataset, "metrics": metrics}
        front["model-index"] = [{"name": facts.interface.project, "results": [result]}]
    return front


def _bullets(title: str, items: Iterable[str]) -> list[str]:
    listed = [f"- {_text(item)}" for item in items]
    return [f"{title}:", "", *listed, ""] if listed else []


def _columns(facts: ModelFacts) -> list[str]:
    shape = facts.interface
    lines = ["| feature | type | may be missing | allowed |", "|---|---|---|---|"]
    for column in (*shape.numbers, *shape.strings):
        known = ", ".join(_text(word) for word in column.categories[:12])
        more = f" and {len(column.categories) - 12} more" if len(column.categories) > 12 else ""
        ends = [f"{end:g}" if end is not None else "open" for end in (column.low, column.high)]
        allowed = known + more if column.type == "category" else " to ".join(ends)
        lines.append(f"| {_text(column.name)} | {column.type} | {'yes' if column.nullable else 'no'} | {allowed} |")
    classes = ", ".join(_text(name) for name in shape.classes)
    out = f"a probability for each of: {classes}" if shape.classes else "one number"
    return [*lines, "", f"It answers with {out}.", ""]


def _findings(facts: ModelFacts) -> list[str]:
    suites = list(dict.fromkeys(fact.suite for fact in facts.facts))
    if not suites:
        return ["Nothing was measured.", ""]
    lines: list[str] = []
    for suite in suites:
        found = [fact for fact in facts.facts if fact.suite == suite]
        lines += [f"### {_name(suite)}", "", "| check | about | value | interval | rows |", "|---|---|---|---|---|"]
        lines += [_row(fact) for fact in found[:_MOST_ROWS]]
        if len(found) > _MOST_ROWS:
            lines.append(f"| {len(found) - _MOST_ROWS} more in the statement | | | | |")
        lines += ["", f"Statement: `{found[0].statement}`", ""]
    return lines


def _row(fact: Fact) -> str:
    interval = "none" if fact.low is None or fact.high is None else f"{fact.low:.4g} to {fact.high:.4g}"
    about = _text(fact.group) or "all"
    return f"| {_name(fact.check)} | {about} | {fact.value:.4g} {_text(fact.unit)} | {interval} | {fact.n:,} |"


def _name(check: str) -> str:
    """A stable name as code, which markup cannot reach into; anything else as text."""
    return f"`{check}`" if _STABLE.fullmatch(check) else _text(check)


def _text(words: str) -> str:
    """Words of others as literal text on one line."""
    plain = "".join(c if c.isprintable() else " " for c in words)
    return " ".join(plain.split()).translate(_SPECIAL)
