"""Quality: the profile of a table and everything that is wrong with it, each finding with what to do.

Answers: is this data good enough to learn from and to judge with?
Does not answer: may it be used, and who is in it. Basis and groups have rooms of their own.
Names load on first use; examining needs the extra `build`.
"""

from typing import TYPE_CHECKING

from sealwright.kernel import Needs, front_door

if TYPE_CHECKING:
    from sealwright.data.quality.associations import banded as banded
    from sealwright.data.quality.checks.balance import rarest_class as rarest_class
    from sealwright.data.quality.checks.categories import spellings as spellings
    from sealwright.data.quality.checks.constants import is_constant as is_constant
    from sealwright.data.quality.checks.leaking import lookup as lookup
    from sealwright.data.quality.checks.outliers import beyond_fences as beyond_fences
    from sealwright.data.quality.checks.overlap import seen_in as seen_in
    from sealwright.data.quality.confident import Suspects as Suspects
    from sealwright.data.quality.confident import find_suspects as find_suspects
    from sealwright.data.quality.examination import examine as examine
    from sealwright.data.quality.folding import folded as folded
    from sealwright.data.quality.frame import Frame as Frame
    from sealwright.data.quality.frame import as_table as as_table
    from sealwright.data.quality.frame import frame_of as frame_of
    from sealwright.data.quality.keys import repeats_of as repeats_of
    from sealwright.data.quality.keys import row_digests as row_digests
    from sealwright.data.quality.keys import row_keys as row_keys
    from sealwright.data.quality.model import CheckRun as CheckRun
    from sealwright.data.quality.model import ColumnFacts as ColumnFacts
    from sealwright.data.quality.model import Fault as Fault
    from sealwright.data.quality.model import Histogram as Histogram
    from sealwright.data.quality.model import Profile as Profile
    from sealwright.data.quality.model import QualityReport as QualityReport
    from sealwright.data.quality.nearness import NearPairs as NearPairs
    from sealwright.data.quality.nearness import near_pairs as near_pairs
    from sealwright.data.quality.profile import profile_of as profile_of
    from sealwright.data.quality.reading import Readable as Readable
    from sealwright.data.quality.reading import read_for_examination as read_for_examination
    from sealwright.data.quality_spec import CHECKS as CHECKS
    from sealwright.data.quality_spec import QualitySpec as QualitySpec
else:
    __getattr__, __dir__, __all__ = front_door(
        __name__, Needs("Examining data", extra="build", libraries=("pyarrow", "sklearn", "threadpoolctl"))
    )
