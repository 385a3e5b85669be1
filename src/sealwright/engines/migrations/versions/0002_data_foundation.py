"""The data foundation: what snapshots came from, keys of persons, consent, requests, retention.

No table names a person: `subject` is always a keyed pseudonym. Times are RFC 3339 text in UTC.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    _snapshots()
    _subject_keys()


def _snapshots() -> None:
    """How each snapshot was made, and whether its files are still there."""
    op.add_column("snapshots", sa.Column("kind", sa.Text, nullable=False, server_default="ingest"))
    op.add_column("snapshots", sa.Column("parent", sa.Text, nullable=True))
    op.add_column("snapshots", sa.Column("state", sa.Text, nullable=False, server_default="kept"))
    op.add_column("snapshots", sa.Column("successor", sa.Text, nullable=True))


def _subject_keys() -> None:
    """One wrapped key per person and project; deleting the row is the erasure."""
    op.create_table(
        "subject_keys",
        sa.Column("project", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
    )
