"""Models that may come in, packages that are sealed, and pointers that say which one serves.

Answers: is this file a model and nothing else, is this package what was sealed and let through,
and what serves where, since when, until when?
Does not answer: how good a model is (`assurance`), or whether a policy lets it through (`evidence`).
Names load on first use, so importing the room costs nothing.
"""

from typing import TYPE_CHECKING

from sealwright.kernel import front_door

if TYPE_CHECKING:
    from sealwright.registry.admission import AdmissionLimits as AdmissionLimits
    from sealwright.registry.admission import AdmissionReport as AdmissionReport
    from sealwright.registry.admission import ModelRefused as ModelRefused
    from sealwright.registry.admission import admit_onnx as admit_onnx
    from sealwright.registry.admission import check_structure as check_structure
    from sealwright.registry.bom import build_bom as build_bom
    from sealwright.registry.card import build_card as build_card
    from sealwright.registry.change import PackageRevoked as PackageRevoked
    from sealwright.registry.folder import ReadLimits as ReadLimits
    from sealwright.registry.folder import open_trusted_files as open_trusted_files
    from sealwright.registry.model import Candidate as Candidate
    from sealwright.registry.model import PackageParts as PackageParts
    from sealwright.registry.model import PointerFacts as PointerFacts
    from sealwright.registry.model import Revocation as Revocation
    from sealwright.registry.model import RevocationList as RevocationList
    from sealwright.registry.model import SealedPackage as SealedPackage
    from sealwright.registry.model import VerifiedPackage as VerifiedPackage
    from sealwright.registry.model import Version as Version
    from sealwright.registry.opened.ensemble import ensemble_of as ensemble_of
    from sealwright.registry.opened.opening import Opened as Opened
    from sealwright.registry.opened.opening import open_model as open_model
    from sealwright.registry.opened.set_apart import SetApart as SetApart
    from sealwright.registry.opened.set_apart import set_apart as set_apart
    from sealwright.registry.opened.source import Linear as Linear
    from sealwright.registry.opened.source import Link as Link
    from sealwright.registry.opened.source import Rows as Rows
    from sealwright.registry.opened.source import Source as Source
    from sealwright.registry.opened.source import Trees as Trees
    from sealwright.registry.opened.source import Unreadable as Unreadable
    from sealwright.registry.opened.source import column_values as column_values
    from sealwright.registry.opened.source import matrix_of as matrix_of
    from sealwright.registry.package import build_candidate as build_candidate
    from sealwright.registry.package import seal as seal
    from sealwright.registry.pointer import POINTER_TYPE as POINTER_TYPE
    from sealwright.registry.pointer import REVOCATION_TYPE as REVOCATION_TYPE
    from sealwright.registry.pointer import PointerExpired as PointerExpired
    from sealwright.registry.pointer import PointerOlder as PointerOlder
    from sealwright.registry.pointer import read_pointer as read_pointer
    from sealwright.registry.pointer import verify_pointer as verify_pointer
    from sealwright.registry.pointer import verify_revocations as verify_revocations
    from sealwright.registry.reasons import Reason as Reason
    from sealwright.registry.recovery import DatabaseOlder as DatabaseOlder
    from sealwright.registry.service import Registry as Registry
    from sealwright.registry.verify import verify_files as verify_files
    from sealwright.registry.verify import verify_package as verify_package
else:
    __getattr__, __dir__, __all__ = front_door(__name__)
