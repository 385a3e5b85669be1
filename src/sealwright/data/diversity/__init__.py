"""Diversity: who is in the data, held against whom it is about, and what can be done where somebody is missing.

Answers: which groups and intersections are absent, under-represented or too few, by how many rows?
Does not answer: how rows are made up; that is `data.augment`. Whether a model treats groups alike; that is assurance.
Names load on first use: everything but the spec needs the extra `build`.
"""

from typing import TYPE_CHECKING

from sealwright.kernel import Needs, front_door

if TYPE_CHECKING:
    from sealwright.data.diversity.attributes import attributes_of as attributes_of
    from sealwright.data.diversity.chance import benjamini_hochberg as benjamini_hochberg
    from sealwright.data.diversity.contract import ColumnLike as ColumnLike
    from sealwright.data.diversity.contract import ContractLike as ContractLike
    from sealwright.data.diversity.measuring import measure_diversity as measure_diversity
    from sealwright.data.diversity.planning import FEWEST_TO_LEARN_FROM as FEWEST_TO_LEARN_FROM
    from sealwright.data.diversity.proposals import AugmentProposal as AugmentProposal
    from sealwright.data.diversity.proposals import CollectPlan as CollectPlan
    from sealwright.data.diversity.proposals import Proposals as Proposals
    from sealwright.data.diversity.proposals import ReweighProposal as ReweighProposal
    from sealwright.data.diversity.raking import Raked as Raked
    from sealwright.data.diversity.raking import rake as rake
    from sealwright.data.diversity.raking import weights as weights
    from sealwright.data.diversity.reference import Reference as Reference
    from sealwright.data.diversity.reference import read_reference as read_reference
    from sealwright.data.diversity.report import DiversityReport as DiversityReport
    from sealwright.data.diversity.report import Fit as Fit
    from sealwright.data.diversity.report import GroupLine as GroupLine
    from sealwright.data.diversity.report import Margin as Margin
    from sealwright.data.diversity.report import OutcomeGap as OutcomeGap
    from sealwright.data.diversity.report import State as State
    from sealwright.data.diversity.shortfall import rows_for_all as rows_for_all
    from sealwright.data.diversity.shortfall import rows_to_minimum as rows_to_minimum
    from sealwright.data.diversity.shortfall import rows_to_share as rows_to_share
    from sealwright.data.diversity.spec import CROSS as CROSS
    from sealwright.data.diversity.spec import DiversitySpec as DiversitySpec
    from sealwright.data.diversity.spec import ReferenceSpec as ReferenceSpec
    from sealwright.data.diversity.spec import band_labels as band_labels
else:
    __getattr__, __dir__, __all__ = front_door(
        __name__, Needs("Measuring diversity", extra="build", libraries=("numpy", "pyarrow", "scipy"))
    )
