"""Retention: how long data may stay, what must stay longer, and what has to go.

Answers: which snapshots are past their limit, and which of them are on hold?
Does not answer: how they are removed; `data.dispose_snapshot` does that. Who may decide a hold.
Names load on first use.
"""

from typing import TYPE_CHECKING

from sealwright.kernel import front_door

if TYPE_CHECKING:
    from sealwright.data.retention.holds import Hold as Hold
    from sealwright.data.retention.holds import Holds as Holds
    from sealwright.data.retention.rules import Judged as Judged
    from sealwright.data.retention.rules import Stored as Stored
    from sealwright.data.retention.rules import Verdict as Verdict
    from sealwright.data.retention.rules import judge as judge
    from sealwright.data.retention.rules import limit_of as limit_of
    from sealwright.data.retention.rules import past_limit as past_limit
else:
    __getattr__, __dir__, __all__ = front_door(__name__)
