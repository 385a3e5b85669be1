"""Limits as JUnit XML, which every CI server shows: one test case a limit, a failure where it is missed."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as ET

__all__ = ["junit_xml"]

_UNPRINTABLE = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")  # XML 1.0, section 2.2


def junit_xml(name: str, results: Sequence[Mapping[str, Any]]) -> str:
    """The results of limits as one JUnit test suite.

    A missed limit is a failure, one that could not be measured an error, one that does not apply is skipped.
    """
    kinds = {
        "fail": "failure",
        "not_performed": "error",
        "missing": "error",
        "stale": "error",
        "not_applicable": "skipped",
    }
    counts = [kinds.get(str(one["outcome"]), "") for one in results]
    suite = ET.Element(
        "testsuite",
        name=_clean(name),
        tests=str(len(results)),
        failures=str(counts.count("failure")),
        errors=str(counts.count("error")),
        skipped=str(counts.count("skipped")),
    )
    for one, kind in zip(results, counts, strict=True):
        family, _, check = str(one["check"]).partition(".")
        case = ET.SubElement(suite, "testcase", classname=_clean(f"sealwright.{family}"), name=_clean(check))
        if kind:
            told = ET.SubElement(case, kind, message=_clean(f"found {one['found']}; asked for {one['limit']}"))
            told.text = _clean(str(one["why"]))
    ET.indent(suite)
    return ET.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _clean(text: str) -> str:
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)
