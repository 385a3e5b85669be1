"""The same report as PDF, for a file, a signature on paper, or somebody without a browser.

Answers: how is a page's content set in print? Everything is open here; nothing folds away.
The words come as data, never as markup, so no name or note can change the layout or read a file.
"""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sealwright.kernel import MissingExtra
from sealwright.oversight.report.words import OUTCOME_WORDS, number_words, plain_check

__all__ = ["to_pdf"]

_FONT = re.compile(r'font-family="[^"]*"')


def to_pdf(
    *,
    title: str,
    kicker: str,
    lead: str,
    verdict: tuple[str, str],
    worst: Sequence[str],
    tiles: Sequence[Mapping[str, str]],
    results: Sequence[Mapping[str, Any]],
    sections: Sequence[Mapping[str, Any]],
    facts: Mapping[str, str],
    closing: str,
) -> bytes:
    """One document, A4, with page numbers; the same content gives the same bytes for the same day.

    Parameters
    ----------
    verdict : (str, str)
        good, wait or stop, and the sentence.
    results : sequence of mapping
        What came of each limit, as JSON.
    sections : sequence of mapping
        As `section_of` makes them.

    Raises
    ------
    MissingExtra
        The typesetting library is not installed.
    """
    try:
        import typst
    except ImportError:
        raise MissingExtra("Writing a PDF", "assure") from None
    content = {
        "title": title,
        "kicker": kicker,
        "lead": lead,
        "verdict": {"kind": verdict[0], "words": verdict[1]},
        "worst": list(worst),
        "tiles": [dict(tile) for tile in tiles],
        "results": [
            {
                "outcome": OUTCOME_WORDS[one["outcome"]],
                "kind": one["outcome"],
                "name": plain_check(one["check"]),
                "found": one["found"],
                "limit": one["limit"],
                "why": one["why"],
            }
            for one in results
        ],
        "sections": [_section(one) for one in sections],
        "facts": [[name, text] for name, text in facts.items()],
        "closing": closing,
    }
    template = (Path(__file__).parent / "report.typ").read_bytes()
    setter = typst.Compiler(template, ignore_system_fonts=True, sys_inputs={"content": json.dumps(content)})
    pdf = setter.compile(format="pdf")
    assert isinstance(pdf, bytes)  # lists of pages come only from picture formats
    return pdf


def _section(section: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "title": section["title"],
        "lead": section["lead"],
        "figures": [
            {"title": one["title"], "note": one["note"], "svg": _svg(one["src"])}
            for one in (*section["figures"], *section["more_figures"])
        ],
        "findings": [
            {
                "name": plain_check(one["check"]),
                "about": one["about"],
                "value": number_words(one["value"]),
                "unit": "" if one["unit"] in ("share", "auc", "count") else one["unit"],
                "spread": one["spread"],
                "definition": " ".join(filter(None, [one["definition"], one["note"]])),
            }
            for one in (*section["findings"], *section["more_findings"])
        ],
        "not_performed": [f"{plain_check(one['check'])}: {one['why']}" for one in section["not_performed"]],
    }


def _svg(source: str) -> str:
    """The picture behind a `data:` URI, with the font that comes with the library."""
    picture = base64.b64decode(source.partition(",")[2]).decode()
    return _FONT.sub('font-family="Libertinus Serif"', picture)
