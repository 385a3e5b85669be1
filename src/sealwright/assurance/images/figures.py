"""A map over the patches of images as the data of a figure."""

from sealwright.assurance.bootstrap import Floats
from sealwright.assurance.images.patches import Patches
from sealwright.assurance.model import Figure, Series

__all__ = ["map_figure"]


def map_figure(name: str, title: str, values: Floats, patches: Patches, note: str) -> Figure:
    """A mean over images, `values` of shape (patches,), as a matrix: one series a row of patches."""
    columns = tuple(f"{at + 1}" for at in range(patches.columns))
    grid = values.reshape(patches.rows, patches.columns)
    series = tuple(
        Series(name=f"{at + 1}", x=columns, y=tuple(float(one) for one in row)) for at, row in enumerate(grid)
    )
    return Figure(
        name=name, kind="matrix", title=title, x="column of patches", y="row of patches", series=series, note=note
    )
