"""Watching from outside what is watched: security events to a SIEM, and attacks seen in them.

Answers: what happened, told in the words other tools read, without losing any of it; and does it look like an attack?
Does not answer: was it allowed. That was decided, and recorded, before it comes here. This room only reads ledgers, and
raises alerts through whoever may write.
Names load on first use.
"""

from typing import TYPE_CHECKING

from sealwright.kernel import front_door

if TYPE_CHECKING:
    from sealwright.watch.intrusion.detector import Detector as Detector
    from sealwright.watch.intrusion.detector import raise_alerts as raise_alerts
    from sealwright.watch.intrusion.model import Alert as Alert
    from sealwright.watch.intrusion.model import Rule as Rule
    from sealwright.watch.intrusion.rules import RULES as RULES
    from sealwright.watch.seen import Seen as Seen
    from sealwright.watch.seen import seen_in as seen_in
    from sealwright.watch.siem.cef import cef_of as cef_of
    from sealwright.watch.siem.cursor import Cursor as Cursor
    from sealwright.watch.siem.cursor import CursorFile as CursorFile
    from sealwright.watch.siem.export import ENCODERS as ENCODERS
    from sealwright.watch.siem.export import Exporter as Exporter
    from sealwright.watch.siem.export import Lag as Lag
    from sealwright.watch.siem.ocsf import ocsf_of as ocsf_of
    from sealwright.watch.siem.syslog import frame as frame
    from sealwright.watch.siem.syslog import syslog_of as syslog_of
    from sealwright.watch.siem.transport import Receiver as Receiver
    from sealwright.watch.siem.transport import SendFailed as SendFailed
    from sealwright.watch.siem.transport import TlsSender as TlsSender
else:
    __getattr__, __dir__, __all__ = front_door(__name__)
