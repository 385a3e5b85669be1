"""The record of processing activities as a CSV for a spreadsheet, and as a page for people.

The page loads nothing from anywhere and holds no script; every text on it is escaped.
"""

from collections.abc import Sequence

from sealwright.data.basis.ropa import RopaField, RopaRecord
from sealwright.kernel import csv_text, safe_html

__all__ = ["DISCLAIMER", "ropa_csv", "ropa_html"]

DISCLAIMER = (
    "Supports evidence for Article 30(1) of Regulation (EU) 2016/679. It shows what was stated and signed when the data"
    " was taken in; whether that suffices, the controller answers."
)
_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.5rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .4rem .6rem; border-bottom: 1px solid #8886; }
th { width: 14rem; font-weight: 600; } td.article { width: 6rem; opacity: .7; }
ul { margin: 0; padding-left: 1.1rem; }
.missing { font-weight: 700; color: #b00020; } .quiet { opacity: .7; }
code { overflow-wrap: anywhere; }
@media (prefers-color-scheme: dark) { .missing { color: #ff8a80; } }
@media print { h2 { break-after: avoid; } }
""".strip()


def ropa_csv(records: Sequence[RopaRecord]) -> str:
    """One line per field; a cell that a spreadsheet would take for a formula begins with an apostrophe."""
    heading = ["project", "dataset", "field", "article", "value", "missing", "stated_at", "statement"]
    lines = [
        [
            record.project,
            record.dataset,
            field.name,
            field.article,
            field.text,
            "yes" if field.missing else "no",
            record.stated_at,
            record.statement,
        ]
        for record in records
        for field in record.fields
    ]
    return csv_text([heading, *lines])


def ropa_html(records: Sequence[RopaRecord], *, organisation: str, at: str) -> str:
    """The whole record as one page.

    Parameters
    ----------
    organisation : str
        Name of the workspace.
    at : str
        RFC 3339: when it was put together.
    """
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>Record of processing: {safe_html(organisation)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>Record of processing activities: {safe_html(organisation)}</h1>",
        f"<p>{safe_html(DISCLAIMER)}</p>",
        f'<p class="quiet">Put together on {safe_html(at[:16].replace("T", " "))} UTC from signed statements.</p>',
        _overview(records),
        *(_section(record) for record in records),
        "</body></html>\n",
    ]
    return "\n".join(parts)


def _overview(records: Sequence[RopaRecord]) -> str:
    missing = [record for record in records if record.missing]
    if not records:
        return "<p>No data was taken in here yet.</p>"
    if not missing:
        return f"<p>{len(records)} processing activities; every field that is asked for was stated.</p>"
    lines = "".join(
        f"<li>{safe_html(record.project)}: {safe_html(', '.join(record.missing))}</li>" for record in missing
    )
    return f'<p class="missing">Missing:</p><ul>{lines}</ul>'


def _section(record: RopaRecord) -> str:
    name = f"{record.project}: {record.dataset}" if record.dataset else record.project
    rows = "\n".join(
        f'<tr><th scope="row">{safe_html(one.name)}</th><td class="article">{safe_html(one.article)}</td>'
        f"<td>{_values(one)}</td></tr>"
        for one in record.fields
    )
    source = (
        f'<p class="quiet">Stated {safe_html(record.stated_at[:10])} in <code>{safe_html(record.statement)}</code></p>'
        if record.statement
        else '<p class="missing">No statement of basis is on file.</p>'
    )
    return f"<h2>{safe_html(name)}</h2>{source}<table>{rows}</table>"


def _values(field: RopaField) -> str:
    if not field.values:
        return f'<span class="{"missing" if field.missing else "quiet"}">{safe_html(field.text)}</span>'
    lines = [f"<li>{safe_html(value)}</li>" for value in field.values]
    if field.unstated_for:
        lines.append(f'<li class="missing">missing for {safe_html(", ".join(field.unstated_for))}</li>')
    return safe_html(field.values[0]) if len(lines) == 1 else f"<ul>{''.join(lines)}</ul>"
