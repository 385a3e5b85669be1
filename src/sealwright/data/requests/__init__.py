"""Requests of persons: what they asked for, who must act by when, and whose rows are left out since.

Answers: which requests are open, when is each due, and which persons are suppressed?
Does not answer: where a person's rows are, or how they are erased. Who somebody is; persons are keyed pseudonyms here.
Names load on first use.
"""

from typing import TYPE_CHECKING

from sealwright.kernel import front_door

if TYPE_CHECKING:
    from sealwright.data.requests.clocks import Clocks as Clocks
    from sealwright.data.requests.clocks import add_business_days as add_business_days
    from sealwright.data.requests.clocks import ccpa_clocks as ccpa_clocks
    from sealwright.data.requests.clocks import clocks_for as clocks_for
    from sealwright.data.requests.clocks import gdpr_clocks as gdpr_clocks
    from sealwright.data.requests.clocks import may_be_asked_again as may_be_asked_again
    from sealwright.data.requests.model import KINDS as KINDS
    from sealwright.data.requests.model import RequestKind as RequestKind
    from sealwright.data.requests.model import SubjectRequest as SubjectRequest
    from sealwright.data.requests.service import RequestRegister as RequestRegister
    from sealwright.data.requests.suppressions import SUPPRESSED as SUPPRESSED
    from sealwright.data.requests.suppressions import SuppressedInExport as SuppressedInExport
    from sealwright.data.requests.suppressions import Suppression as Suppression
    from sealwright.data.requests.suppressions import Suppressions as Suppressions
    from sealwright.data.requests.suppressions import check_export as check_export
    from sealwright.data.requests.suppressions import keep_mask as keep_mask
else:
    __getattr__, __dir__, __all__ = front_door(__name__)
