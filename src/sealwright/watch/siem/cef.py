"""Events in ArcSight's Common Event Format (CEF:0).

Header fields escape backslash and pipe; extension values escape backslash, equals sign and line breaks. Nothing of an event
can end its line or begin another field, whatever it is called.
"""

from datetime import UTC

from sealwright.kernel import VERSION
from sealwright.watch.seen import Seen
from sealwright.watch.siem.ocsf import ocsf_of

__all__ = ["cef_of"]

_SEVERITY = {1: 1, 2: 3, 3: 5, 4: 8, 5: 10}  # OCSF's 1 to 5 on CEF's 0 to 10


def cef_of(seen: Seen) -> str:
    """The event as one line of CEF."""
    known = ocsf_of(seen)
    fields = {
        "rt": str(round(seen.at.astimezone(UTC).timestamp() * 1000)),
        "externalId": seen.uid,
        "cat": known["class_name"],
        "act": seen.action,
        "outcome": "success" if seen.outcome == "done" else "failure",
        "reason": seen.reason,
        "suser": seen.actor,
        "cs1Label": "subject" if seen.subject else "",
        "cs1": seen.subject,
        "cs2Label": "source" if seen.source else "",
        "cs2": seen.source,
        "cs3Label": "request" if seen.request else "",
        "cs3": seen.request,
        "cs4Label": "policies" if seen.policies else "",
        "cs4": ",".join(seen.policies),
    }
    head = ("CEF:0", "Sealwright", "sealwright", VERSION, seen.action, f"{seen.action} {seen.outcome}")
    head_text = "|".join((head[0], *map(_header, head[1:]), str(_SEVERITY[known["severity_id"]])))
    return f"{head_text}|" + " ".join(f"{name}={_value(text)}" for name, text in fields.items() if text)


def _header(text: str) -> str:
    return _one_line(text.replace("\\", "\\\\").replace("|", "\\|"))


def _value(text: str) -> str:
    return _one_line(text.replace("\\", "\\\\").replace("=", "\\="))


def _one_line(text: str) -> str:
    """Line breaks as the two characters CEF asks for; other control characters, which no line may hold, as a mark."""
    text = text.replace("\r\n", "\\n").replace("\n", "\\n").replace("\r", "\\r")
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
