"""What cleaning changed, kept encrypted beside the cleaned rows: every cell, old and new, so that it can be undone.

`row` counts from 1 in the snapshot that was cleaned. `old` and `new` are JSON; `column` is empty where the whole row
was taken out, and `old` is then the row. `subject` is the person the row is about, so that erasing them erases this, too.
"""

import pyarrow as pa

__all__ = ["CHANGES_SCHEMA"]

CHANGES_SCHEMA = pa.schema(
    [
        ("row", pa.int64()),
        ("subject", pa.binary()),
        ("column", pa.string()),
        ("step", pa.string()),
        ("old", pa.string()),
        ("new", pa.string()),
    ]
)
