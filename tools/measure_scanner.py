"""Measure what the scanner for personal data finds, and write the declaration that every report carries.

    python tools/measure_scanner.py [--check] [--misses KIND] [--part tuning]

Without options: measures the held-out part of the seeded set (tests/data/personal/seeded.py) and writes
src/sealwright/data/personal/declared_recall.json and docs/reference/personal-data-scanner.md. `--check` writes nothing and
fails if they are not what is measured now. `--misses` prints what was missed of the tuning part; of the held-out part
nobody should look.
"""

import argparse
import importlib.util
import json
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pyarrow as pa

from sealwright.data.personal import KINDS, ScanSettings, Span, find_in_text, scan

ROOT = Path(__file__).parents[1]
SEEDED = ROOT / "tests" / "data" / "personal" / "seeded.py"
DECLARED = ROOT / "src" / "sealwright" / "data" / "personal" / "declared_recall.json"
PAGE = ROOT / "docs" / "reference" / "personal-data-scanner.md"


def seeded() -> Any:
    spec = importlib.util.spec_from_file_location("seeded_persons", SEEDED)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["seeded_persons"] = module
    spec.loader.exec_module(module)
    return module


def measure(part: str) -> dict[str, Any]:
    """The declaration of one part."""
    return {**texts(part), "columns": columns(part)}


def texts(part: str) -> dict[str, Any]:
    """The figures for texts."""
    made = seeded()
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    whole = Counter[str]()
    for one in made.texts(part):
        spans = find_in_text(one.text)
        _judge(one, spans, kinds)
        whole["texts"] += 1
        if not one.planted:
            whole["without"] += 1
            whole["false"] += bool(spans)
        elif not all(_covered(one.text, planted, spans) for planted in one.planted):
            whole["missed"] += 1
    return {
        "set": f"seeded set, {part}",
        "seed": made.PARTS[part],
        "texts": whole["texts"],
        "texts_without": whole["without"],
        "texts_missed": whole["missed"],
        "texts_false": whole["false"],
        "kinds": {kind: _figures(kinds[kind]) for kind in sorted(kinds)},
    }


def columns(part: str) -> dict[str, Any]:
    """Whole columns under names that say nothing. A column is found if a finding of its kind counts."""
    made = seeded().columns(part)
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    for place, column in enumerate(made):
        (report,) = scan(pa.table({f"c{place}": list(column.cells)}), settings=ScanSettings()).columns
        found = {one.kind for one in report.findings if one.counts}
        if column.kind == "prose":
            kinds["in prose"]["planted"] += 1
            kinds["in prose"]["found"] += bool(found)
            kinds["in prose"]["touched"] += bool(found)
            continue
        if column.kind:
            kinds[column.kind]["planted"] += 1
            kinds[column.kind]["found"] += column.kind in found
            kinds[column.kind]["touched"] += bool(found)
        for kind in found - {column.kind}:
            kinds[kind]["false"] += not column.kind
    return {kind: _figures(kinds[kind]) for kind in sorted(kinds)}


def _judge(one: Any, spans: list[Span], kinds: dict[str, Counter[str]]) -> None:
    for planted in one.planted:
        counts = kinds[planted.kind]
        counts["planted"] += 1
        counts["found"] += _covered(one.text, planted, [span for span in spans if span.kind == planted.kind])
        counts["touched"] += any(span.start < planted.end and planted.start < span.end for span in spans)
    for span in spans:
        if not any(span.start < planted.end and planted.start < span.end for planted in one.planted):
            kinds[span.kind]["false"] += 1


def _covered(text: str, planted: Any, spans: list[Span]) -> bool:
    """Every letter and digit of the value lies in one of the spans."""
    hidden = {place for span in spans for place in range(span.start, span.end)}
    return all(place in hidden for place in range(planted.start, planted.end) if text[place].isalnum())


def _figures(counts: Counter[str]) -> dict[str, Any]:
    right = counts["touched"]
    return {
        "planted": counts["planted"],
        "found": counts["found"],
        "touched": right,
        "false_alarms": counts["false"],
        "recall": round(counts["found"] / max(1, counts["planted"]), 3),
        "precision": round(right / max(1, right + counts["false"]), 3),
    }


def page(declared: dict[str, Any]) -> str:
    """The reference page, from the declaration."""
    whole = declared["texts"] - declared["texts_without"]
    lines = [_HEAD.format(**declared, whole=whole, missed_share=declared["texts_missed"] / whole,
                          false_share=declared["texts_false"] / max(1, declared["texts_without"]))]  # fmt: skip
    lines += [
        "## In text\n",
        "| kind | planted | found whole | recall | touched at all | false alarms | precision |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [_row(KINDS[kind].about, figures) for kind, figures in declared["kinds"].items()]  # type: ignore[index]
    lines += [
        "",
        _COLUMNS,
        "| kind | columns | found as that kind | recall | found as anything | other columns taken for it | precision |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        _row(KINDS[kind].about if kind in KINDS else "prose with any of these in it", figures)
        for kind, figures in declared["columns"].items()
    ]
    return "\n".join([*lines, "", _REST])


def _row(about: str, figures: dict[str, Any]) -> str:
    return (
        f"| {about} | {figures['planted']:,} | {figures['found']:,} | {figures['recall']:.0%} | {figures['touched']:,}"
        f" | {figures['false_alarms']:,} | {figures['precision']:.0%} |"
    )


_HEAD = """<!-- Made by tools/measure_scanner.py from what it measures. Do not edit. -->

# The scanner for personal data: what it finds and what it misses

`sealwright data scan` and the functions of `sealwright.data.personal` look for personal data in the names of columns, in
cells and in text. They use rules, not a model of language. This page says how often that is enough, on a set with
{texts:,} texts made for the purpose ({set}, seed {seed}; `tests/data/personal/seeded.py`): {whole:,} with personal data of
people in twelve countries, {texts_without:,} with order numbers, timestamps, product codes, prices, versions and numbers
that fulfil a check digit and are no cards. Sentences and seed are others than those the rules were written and mended
against; they were written when the rules stood, and no rule has changed since for their sake. The twelve countries are those
the rules were written for; expect less elsewhere. The set is made up, and your data is not. The same figures travel with
every report of a scan, and a test measures them anew.

- Of the {whole:,} texts with personal data, **{texts_missed:,} ({missed_share:.0%}) keep at least one letter or digit of it
  outside every span**. A masked text is not an anonymous text.
- Of the {texts_without:,} texts without, {texts_false:,} ({false_share:.0%}) raise a false alarm.

"Found whole" is strict: every letter and digit of the value lies in spans of its own kind. "Touched" counts values of
which some part was found, or that were found as another kind. Spans of confidence medium and high count.
"""
_COLUMNS = """## In columns, by content alone

Each column has 300 cells and a name that says nothing; a real name of a column helps on top of this.
"""
_REST = """## What it does not find

- **Names nobody points to.** A name is found by a title, by words such as "my name is", by a common given name (a list of
  about 1,500, mostly European) or by an e-mail address in the same text or row. "Quorn called about the flat" is missed, and so
  are most names from regions the list does not cover, nicknames, names in lower case and in scripts other than Latin.
- **Family names alone** in a column whose name says nothing, unless an e-mail column stands beside it.
- **Addresses without a number and a word for street** ("Rose Cottage, Little Hampton"), and those of countries not in
  `detectors/address.py`; parts of longer ones (a flat, a district, a state) stay outside the span.
- **Telephone numbers in local form** without a word such as "Tel" and without the usual grouping; plans of about 30
  countries are tried for numbers without country code.
- **National numbers** of other countries than those listed below; those whose only mark is a check digit modulo 10 or 11 need
  a word beside them, or a whole column of them.
- **Dates of birth** without a word that says so; ages in words; anything only somebody who knows the person recognises.
- Letters of other scripts put in place of Latin ones (a Cyrillic а in an address); text in pictures; anything encoded.

## National numbers known

Brazil CPF, Belgium national register, Switzerland AHV, Czechia and Slovakia rodné číslo, China resident identity, Germany
tax identification and pension insurance, Denmark CPR, Spain DNI and NIE, Finland HETU, France NIR, India Aadhaar and PAN,
Italy codice fiscale, Korea RRN, Mexico CURP, Netherlands BSN, Norway fødselsnummer, Austria social insurance, Australia TFN,
Poland PESEL, Portugal NIF, Romania CNP, Sweden personnummer, Turkey T.C. kimlik, UK national insurance and NHS, USA SSN, Canada
SIN, South Africa identity number. Cards: Visa, Mastercard (both series), American Express, Discover, Diners, JCB, UnionPay,
Maestro, Mir, RuPay, Troy, with Luhn's check digit; IBANs of all countries in the registry, with their length and remainder.
"""


def misses(part: str, kind: str) -> None:
    for one in seeded().texts(part):
        spans = find_in_text(one.text)
        for planted in one.planted:
            if kind in {planted.kind, "all"} and not _covered(
                one.text, planted, [s for s in spans if s.kind == planted.kind]
            ):
                print(f"{planted.kind}: {one.text[planted.start : planted.end]!r} in {one.text!r}: {spans}")
        if kind in {"false", "all"}:
            for span in spans:
                if not any(span.start < planted.end and planted.start < span.end for planted in one.planted):
                    print(f"FALSE {span.kind} {one.text[span.start : span.end]!r} in {one.text!r}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--misses", default="")
    parser.add_argument("--part", default="held out")
    options = parser.parse_args()
    if options.misses:
        misses("tuning", options.misses)
        return
    declared = measure(options.part)
    if options.part != "held out":
        print(page(declared))
        return
    written = {DECLARED: json.dumps(declared, indent=2, ensure_ascii=False) + "\n", PAGE: page(declared)}
    for path, text in written.items():
        if not options.check:
            path.write_text(text, encoding="utf-8")
        elif path.read_text(encoding="utf-8") != text:
            sys.exit(f"{path.name} is not what is measured now; run: python tools/measure_scanner.py")


if __name__ == "__main__":
    main()
