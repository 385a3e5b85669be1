"""Find personal data: in the names of columns, in their cells, in any text.

Answers: where do data about persons stand, what kind are they, how sure is that, and does the contract know?
Does not answer: may they be used. And a scanner that found nothing has not shown that nothing is there: what it
misses on a known set is declared, and every report carries that declaration.
Names load on first use; scanning tables needs the extra `build`.
"""

from typing import TYPE_CHECKING

from sealwright.kernel import Needs, front_door

if TYPE_CHECKING:
    from sealwright.data.personal.declared import DeclaredRecall as DeclaredRecall
    from sealwright.data.personal.declared import KindMeasured as KindMeasured
    from sealwright.data.personal.declared import declared_recall as declared_recall
    from sealwright.data.personal.model import KINDS as KINDS
    from sealwright.data.personal.model import ColumnReport as ColumnReport
    from sealwright.data.personal.model import Finding as Finding
    from sealwright.data.personal.model import Kind as Kind
    from sealwright.data.personal.model import PersonalDataReport as PersonalDataReport
    from sealwright.data.personal.model import ScanSettings as ScanSettings
    from sealwright.data.personal.model import Span as Span
    from sealwright.data.personal.policy import PersonalDataUnclassified as PersonalDataUnclassified
    from sealwright.data.personal.policy import Unclassified as Unclassified
    from sealwright.data.personal.policy import refuse_unclassified as refuse_unclassified
    from sealwright.data.personal.policy import unclassified as unclassified
    from sealwright.data.personal.scanning import scan as scan
    from sealwright.data.personal.text import find_in_text as find_in_text
    from sealwright.data.personal.text import mask_text as mask_text
else:
    __getattr__, __dir__, __all__ = front_door(
        __name__, Needs("Finding personal data", extra="build", libraries=("phonenumbers", "pyarrow"))
    )
