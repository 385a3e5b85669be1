"""What is known about documents and images without reading or seeing them: length, brightness, contrast.

Answers: along what, besides groups, can slices of such rows be looked for?
"""

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.case import Case
from sealwright.assurance.features import Features
from sealwright.assurance.images.asking import images_of
from sealwright.assurance.images.traits import brightness_and_contrast
from sealwright.assurance.modality import IMAGE, TEXT
from sealwright.assurance.text.words import counted

__all__ = ["traits_of"]


def traits_of(case: Case, features: Features) -> dict[str, Floats]:
    """Each trait of the rows by its name, arrays of shape (n,); none for rows of a table."""
    if case.interface.modality == TEXT:
        return {"words": counted(features.strings[:, 0]).astype(float)}
    if case.interface.modality == IMAGE:
        return brightness_and_contrast(images_of(case).pictures, features.strings[:, 0])
    return {}
