"""Lawful basis and purpose: why data about persons may be held, and what it may be used for.

Answers: is every column covered by a basis, and was it collected for what the model is for?
Does not answer: whether one person agreed; that is `consent`. Whether a basis is a good one; a person signs for that.
Names load on first use.
"""

from typing import TYPE_CHECKING

from sealwright.kernel import front_door

if TYPE_CHECKING:
    from sealwright.data.basis.compatibility import FACTORS as FACTORS
    from sealwright.data.basis.compatibility import OFFICER as OFFICER
    from sealwright.data.basis.compatibility import Compatibility as Compatibility
    from sealwright.data.basis.compatibility import Weighed as Weighed
    from sealwright.data.basis.compatibility import dataset_digest as dataset_digest
    from sealwright.data.basis.compatibility import make_compatibility as make_compatibility
    from sealwright.data.basis.compatibility import purpose_digest as purpose_digest
    from sealwright.data.basis.compatibility import verify_compatibility as verify_compatibility
    from sealwright.data.basis.errors import BasisMissing as BasisMissing
    from sealwright.data.basis.errors import PurposeNotCovered as PurposeNotCovered
    from sealwright.data.basis.model import BasisSpec as BasisSpec
    from sealwright.data.basis.model import Retention as Retention
    from sealwright.data.basis.ropa import RopaField as RopaField
    from sealwright.data.basis.ropa import RopaRecord as RopaRecord
    from sealwright.data.basis.ropa import ropa_record as ropa_record
    from sealwright.data.basis.ropa import unstated_record as unstated_record
    from sealwright.data.basis.ropa_formats import DISCLAIMER as DISCLAIMER
    from sealwright.data.basis.ropa_formats import ropa_csv as ropa_csv
    from sealwright.data.basis.ropa_formats import ropa_html as ropa_html
    from sealwright.data.basis.rules import ColumnGroup as ColumnGroup
    from sealwright.data.basis.rules import Ground as Ground
    from sealwright.data.basis.rules import check_basis as check_basis
    from sealwright.data.basis.rules import check_purpose as check_purpose
    from sealwright.data.basis.rules import column_groups as column_groups
    from sealwright.data.basis.rules import gaps_of as gaps_of
    from sealwright.data.basis.rules import ground_of as ground_of
    from sealwright.data.basis.rules import uncovered_by as uncovered_by
    from sealwright.data.basis.statement import DATA_BASIS_TYPE as DATA_BASIS_TYPE
    from sealwright.data.basis.statement import FiledBasis as FiledBasis
    from sealwright.data.basis.statement import basis_predicate as basis_predicate
    from sealwright.data.basis.statement import basis_subjects as basis_subjects
    from sealwright.data.basis.statement import read_basis as read_basis
    from sealwright.data.basis.words import BASES as BASES
    from sealwright.data.basis.words import CONDITIONS as CONDITIONS
    from sealwright.data.basis.words import SECURITY_OF_THE_SYSTEM as SECURITY_OF_THE_SYSTEM
else:
    __getattr__, __dir__, __all__ = front_door(__name__)
