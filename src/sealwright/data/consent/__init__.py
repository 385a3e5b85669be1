"""The consent ledger: who agreed to what, when, to which words, and who took it back.

Answers: for this purpose and moment, whose rows may be held on consent?
Does not answer: whether consent is the basis; that is `basis`. Who somebody is; persons are keyed pseudonyms here.
Names load on first use.
"""

from typing import TYPE_CHECKING

from sealwright.kernel import front_door

if TYPE_CHECKING:
    from sealwright.data.consent.import_file import read_consents as read_consents
    from sealwright.data.consent.model import ConsentChange as ConsentChange
    from sealwright.data.consent.rules import CONSENT_WITHDRAWN as CONSENT_WITHDRAWN
    from sealwright.data.consent.rules import NO_CONSENT as NO_CONSENT
    from sealwright.data.consent.rules import Admitted as Admitted
    from sealwright.data.consent.rules import ConsentState as ConsentState
    from sealwright.data.consent.rules import Violations as Violations
    from sealwright.data.consent.rules import admit as admit
    from sealwright.data.consent.rules import violations as violations
    from sealwright.data.consent.service import ConsentLedger as ConsentLedger
    from sealwright.data.consent.service import Withdrawn as Withdrawn
    from sealwright.data.consent.service import admits as admits
    from sealwright.data.consent.service import consent_state as consent_state
else:
    __getattr__, __dir__, __all__ = front_door(__name__)
