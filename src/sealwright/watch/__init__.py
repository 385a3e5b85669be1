"""Watching from outside what is watched: security events to a SIEM, and attacks seen in them.

Answers: what happened, told in the words other tools read, without losing any of it; and does it look like an attack?
Does not answer: was it allowed. That was decided, and recorded, before it comes here. This room only reads ledgers, and
raises alerts through whoever may write.
Names load on first use.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sealwright.watch.intrusion.detector import Detector, raise_alerts
    from sealwright.watch.intrusion.model import Alert, Rule
    from sealwright.watch.intrusion.rules import RULES
    from sealwright.watch.seen import Seen, seen_in
    from sealwright.watch.siem.cef import cef_of
    from sealwright.watch.siem.cursor import Cursor, CursorFile
    from sealwright.watch.siem.export import ENCODERS, Exporter, Lag
    from sealwright.watch.siem.ocsf import ocsf_of
    from sealwright.watch.siem.syslog import frame, syslog_of
    from sealwright.watch.siem.transport import Receiver, SendFailed, TlsSender

_HOME = {
    "intrusion.detector": ("Detector", "raise_alerts"),
    "intrusion.model": ("Alert", "Rule"),
    "intrusion.rules": ("RULES",),
    "seen": ("Seen", "seen_in"),
    "siem.cef": ("cef_of",),
    "siem.cursor": ("Cursor", "CursorFile"),
    "siem.export": ("ENCODERS", "Exporter", "Lag"),
    "siem.ocsf": ("ocsf_of",),
    "siem.syslog": ("frame", "syslog_of"),
    "siem.transport": ("Receiver", "SendFailed", "TlsSender"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "ENCODERS",
    "RULES",
    "Alert",
    "Cursor",
    "CursorFile",
    "Detector",
    "Exporter",
    "Lag",
    "Receiver",
    "Rule",
    "Seen",
    "SendFailed",
    "TlsSender",
    "cef_of",
    "frame",
    "ocsf_of",
    "raise_alerts",
    "seen_in",
    "syslog_of",
]


def __getattr__(name: str) -> Any:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"sealwright.watch has no {name!r}")
    value = getattr(importlib.import_module(f"sealwright.watch.{module}"), name)  # noqa: TID251
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
