"""The page of a dataset: what is in it, what is wrong with it, whom it is about, and on what basis it is held.

Answers: for the scientist, is it good? For the officer, whose is it, how sensitive, and until when?
Every number comes from a signed statement that the page names; nothing is computed here.
"""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sealwright.kernel import rfc3339
from sealwright.oversight.report.charts import picture
from sealwright.oversight.report.lineage_picture import lineage_svg
from sealwright.oversight.report.templates import page_template

__all__ = ["DataPageFacts", "render_data_page"]

_LEAD_COLUMNS = 12
_LEAD_FAULTS = 12
_MOST_CORRELATED = 14
_SEVERITY = {"high": "stop", "medium": "wait", "low": "soft"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPageFacts:
    """What a data page may speak of: content of verified statements, and their digests."""

    project: str
    purpose: str
    snapshot: str
    kind: str  # how it was made
    sequence: int
    at: datetime
    fingerprint: str  # of the trust root
    manifest: Mapping[str, Any]
    examination: Mapping[str, Any]
    basis: Mapping[str, Any] | None
    lineage: Mapping[str, Any]
    statements: Mapping[str, str]  # name -> digest
    notes: Sequence[str] = field(default_factory=tuple)


def render_data_page(facts: DataPageFacts) -> str:
    """The whole page as one HTML text that loads nothing from anywhere.

    Raises
    ------
    MissingExtra
        The template or drawing library is not installed.
    """
    quality = facts.examination["quality"]
    columns = [_column(one) for one in quality["profile"]["columns"]]
    template = page_template("data_page.html.j2", {"count": _count, "share": _share})
    return template.render(
        facts=facts,
        at=rfc3339(facts.at)[:16].replace("T", " ") + " UTC",
        verdict=_verdict(facts),
        tiles=list(_tiles(facts)),
        faults=quality["faults"],
        lead_faults=_LEAD_FAULTS,
        severity=_SEVERITY,
        checks=quality["checks"],
        columns=columns,
        lead_columns=_LEAD_COLUMNS,
        missingness=_missingness(quality),
        correlations=_correlations(quality),
        association=_association(quality),
        relevance=_relevance(facts.examination.get("relevance")),
        margins=list(_margins(facts.examination.get("diversity"))),
        diversity=facts.examination.get("diversity"),
        risk=facts.examination.get("risk"),
        personal=list(_personal(facts.examination.get("personal"))),
        recall=_recall(facts.examination.get("personal")),
        gaps=facts.examination["basis_missing"],
        basis=list(_basis(facts.basis)),
        lineage=_lineage(facts),
    )


def _verdict(facts: DataPageFacts) -> tuple[str, str]:
    counts, gaps = facts.examination["quality"]["findings"], facts.examination["basis_missing"]
    missing = f" No complete lawful basis is stated for {_columns(gaps)}." if gaps else ""
    if counts["high"]:
        return (
            "stop",
            f"{_findings(counts['high'])} of high severity: look at these before anything is learned.{missing}",
        )
    if counts["medium"] or gaps:
        return "wait", f"Nothing of high severity; {_findings(counts['medium'])} of medium severity.{missing}"
    return "good", f"Nothing of high or medium severity was found; {_findings(counts['low'])} of low severity."


def _findings(number: int) -> str:
    return f"{number} finding" + "s" * (number != 1)


def _columns(gaps: Sequence[Mapping[str, Any]]) -> str:
    names = [name for gap in gaps for name in gap["columns"]]
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more columns" if len(names) > 4 else "")


def _tiles(facts: DataPageFacts) -> Iterator[Mapping[str, str]]:
    manifest, quality = facts.manifest, facts.examination["quality"]
    identity = manifest["identity"]
    columns = quality["profile"]["columns"]
    cells = sum(one["rows"] for one in columns)
    synthetic = sum(entry["rows"] for entry in manifest["files"] if entry["synthetic"])
    made_up = f", {synthetic:,} made up" if synthetic else ""
    yield {"name": "Rows", "value": _count(identity["rows"]), "more": f"{len(columns)} columns{made_up}"}
    yield {"name": "Set aside", "value": _count(identity["quarantined"]), "more": "rows that break the contract"}
    out = sum(manifest["withheld"].values())
    yield {"name": "Left out", "value": _count(out), "more": "rows, at the wish of persons"}
    missing = sum(one["missing"] for one in columns) / cells if cells else 0.0
    yield {"name": "Missing cells", "value": _share(missing), "more": f"of {cells:,} cells"}
    sensitive = sum(one["data_class"] in {"personal", "special"} for one in columns)
    subject = "each person under a key of their own" if identity.get("subject") else "no column names the person"
    yield {"name": "Columns about persons", "value": str(sensitive), "more": subject}
    risk = facts.examination.get("risk")
    if risk:
        yield {
            "name": "Alone by what others may know",
            "value": _share(risk["risk"]["unique_in_sample"]),
            "more": f"of rows, k = {risk['measured']['k']}",
        }


def _column(one: Mapping[str, Any]) -> dict[str, Any]:
    """One column in words and, where it may be shown, as a picture."""
    return {**one, "picture": _distribution(one), "words": list(_facts_of(one))}


def _distribution(one: Mapping[str, Any]) -> str | None:
    histogram = one["histogram"]
    if histogram and any(histogram["counts"]):
        series = [{"name": one["name"], "x": list(histogram["edges"]), "y": list(histogram["counts"])}]
        return picture({"name": one["name"], "kind": "histogram", "title": "", "x": "", "y": "rows", "series": series})
    if one["top"]:
        top = [(str(name)[:28], count) for name, count in one["top"][:8]]
        series = [{"name": one["name"], "x": [name for name, _ in top], "y": [count for _, count in top]}]
        return picture(
            {"name": one["name"], "kind": "bars", "title": "", "x": "", "y": "rows", "series": series, "small": True}
        )
    return None


def _facts_of(one: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "distinct", _count(one["distinct"])
    if one["missing"]:
        yield "missing", f"{_count(one['missing'])} ({_share(one['missing'] / one['rows'])})"
    if one["least"] is not None and one["most"] is not None:
        yield "range", f"{_number(one['least'])} to {_number(one['most'])}"
    if one["mean"] is not None:
        spread = f", spread {_number(one['std'])}" if one["std"] is not None else ""
        yield "mean", f"{_number(one['mean'])}{spread}"
    if one["text_length"]:
        yield (
            "length",
            ", ".join(f"{name} {_number(value)}" for name, value in one["text_length"].items()) + " characters",
        )
    if one["hidden"]:
        yield "shown", "aggregates only: the column is about persons or identifies them"


def _missingness(quality: Mapping[str, Any]) -> str | None:
    lacking = [one for one in quality["profile"]["columns"] if one["missing"]]
    lacking.sort(key=lambda one: -one["missing"] / one["rows"])
    if not lacking:
        return None
    shown = lacking[:24]
    series = [
        {"name": "missing", "x": [one["name"] for one in shown], "y": [one["missing"] / one["rows"] for one in shown]}
    ]
    return picture({"name": "missing", "kind": "bars", "title": "", "x": "", "y": "share of rows", "series": series})


def _correlations(quality: Mapping[str, Any]) -> str | None:
    pairs = quality["profile"]["correlations"]
    names = list(dict.fromkeys([*pairs, *(other for row in pairs.values() for other in row)]))[:_MOST_CORRELATED]
    if len(names) < 2:
        return None

    def value(one: str, other: str) -> float:
        if one == other:
            return 1.0
        return float(pairs.get(one, {}).get(other, pairs.get(other, {}).get(one, 0.0)))

    series = [{"name": one, "x": names, "y": [value(one, other) for other in names]} for one in names]
    return picture({"name": "correlation", "kind": "heat", "title": "", "x": "", "y": "correlation", "series": series})


def _association(quality: Mapping[str, Any]) -> str | None:
    found = sorted(quality["profile"]["with_target"].items(), key=lambda item: -item[1])[:20]
    if not found:
        return None
    series = [{"name": "target", "x": [name for name, _ in found], "y": [value for _, value in found]}]
    return picture({"name": "target", "kind": "bars", "title": "", "x": "", "y": "strength, 0 to 1", "series": series})


def _relevance(found: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Age in words, rows of each period as a picture, the strongest drifts."""
    if not found:
        return None
    age, periods = found["age"], found["periods"]
    names = list(periods)[-24:]
    series = [{"name": "rows", "x": names, "y": [periods[name] for name in names]}]
    drawn = picture({"name": "periods", "kind": "bars", "title": "", "x": "", "y": "rows", "series": series})
    known = (("newest row", "newest_days"), ("half of the rows", "median_days"), ("oldest row", "oldest_days"))
    words = [(name, f"{age[key]:,} days old or younger" if key == "median_days" else f"{age[key]:,} days old")
             for name, key in known if age.get(key) is not None]  # fmt: skip
    return {
        "words": words,
        "picture": drawn if names else None,
        "compared": found["compared"],
        "drifts": found["drifts"][:8],
    }


def _margins(diversity: Mapping[str, Any] | None) -> Iterator[dict[str, Any]]:
    """Groups of one attribute with a picture, crossed ones as a table."""
    for margin in diversity["margins"] if diversity else ():
        groups = [one for one in margin["groups"] if not one["hidden"]]
        drawn = None
        if len(margin["attributes"]) == 1 and groups:
            names = [" · ".join(one["group"]) for one in groups]
            series = [{"name": "data", "x": names, "y": [one["share"] for one in groups]}]
            if all(one["reference"] is not None for one in groups):
                series.append({"name": "reference", "x": names, "y": [one["reference"] for one in groups]})
            drawn = picture(
                {"name": "groups", "kind": "bars", "title": "", "x": "", "y": "share of rows", "series": series}
            )
        short = [one for one in margin["groups"] if one["hidden"] or one["state"] not in {"enough", "empty"}]
        yield {"title": " × ".join(margin["attributes"]), "picture": drawn, "short": short, "all": margin["groups"]}


def _personal(found: Mapping[str, Any] | None) -> Iterator[dict[str, Any]]:
    """The columns in which something about persons was found."""
    for column in found["columns"] if found else ():
        if column["findings"]:
            kinds = ", ".join(one["kind"].replace("_", " ") for one in column["findings"])
            most = max(one["share"] for one in column["findings"])
            by_name = any(one["by_name"] for one in column["findings"])
            yield {
                "column": column["name"],
                "kinds": kinds,
                "share": most or None,
                "by_name": by_name,
                "data_class": column["contract_class"],
                "covered": column["covered"],
            }


def _recall(found: Mapping[str, Any] | None) -> str:
    """What the scanner finds at all, as it was measured."""
    if not found:
        return ""
    rows = f"{found['rows_sampled']:,} of {found['rows']:,} rows were looked at in full"
    return f"{rows}. What such a scan misses on a known set of invented people is in the reference; it never finds all."


def _basis(stated: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    """What is stated about why the data is held; what is not stated is left out here and listed as missing."""
    if stated is None:
        return
    controller, source = stated["controller"], stated.get("source") or {}
    lines = {
        "Dataset": stated["dataset"],
        "Controller": ", ".join(controller[key] for key in ("name", "contact") if controller.get(key)),
        "Lawful basis": str(stated.get("lawful_basis") or "").replace("_", " "),
        "Special data": str(stated.get("article_9") or "").replace("_", " "),
        "Purposes": "; ".join(f"{name}: {words}" for name, words in (stated.get("purposes") or {}).items()),
        "Source": ", ".join(str(source[key]) for key in ("from", "by") if source.get(key)),
        "Persons": ", ".join(stated.get("subjects") or ()),
        "Recipients": ", ".join(stated.get("recipients") or ()) or "none",
        "Kept for": (stated.get("retention") or {}).get("keep", ""),
    }
    yield from ((label, text) for label, text in lines.items() if text)


def _lineage(facts: DataPageFacts) -> str:
    svg = lineage_svg(facts.lineage["nodes"], facts.lineage["edges"], title=f"Lineage of {facts.project}")
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def _count(number: int | None) -> str:
    return "few" if number is None else f"{number:,}"


def _share(number: float | None) -> str:
    if number is None:
        return "not shown"
    return f"{100 * number:.1f} %" if number == 0 or number >= 0.001 else "under 0.1 %"


def _number(value: Any) -> str:
    return f"{value:,.6g}" if isinstance(value, (int, float)) else str(value)
