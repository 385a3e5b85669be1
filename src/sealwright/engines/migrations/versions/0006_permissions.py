"""Permissions: emergencies two people opened, and who is logged in on the command line.

Neither table is believed alone: an emergency counts only as the ledger has it, a session only under its seal.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006_permissions"
down_revision = "0005_outbound"


def upgrade() -> None:
    _break_glass()
    _local_sessions()


def _break_glass() -> None:
    """Roles for one person in one project, for a short time. `state`: requested, open or ended."""
    op.create_table(
        "break_glass",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("project", sa.Text, nullable=False),
        sa.Column("beneficiary", sa.Text, nullable=False),
        sa.Column("roles", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("minutes", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("requested_by", sa.Text, nullable=False),
        sa.Column("requested_at", sa.Text, nullable=False),
        sa.Column("confirmed_by", sa.Text, nullable=False),
        sa.Column("until", sa.Text, nullable=False),
        sa.Column("ended_by", sa.Text, nullable=False),
        sa.Column("ended_at", sa.Text, nullable=False),
    )
    op.create_index("break_glass_state", "break_glass", ["state", "until"])


def _local_sessions() -> None:
    """Who proved who they are on the command line. `secret` is a digest; `seal` covers the row."""
    op.create_table(
        "local_sessions",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("opened_at", sa.Text, nullable=False),
        sa.Column("used_at", sa.Text, nullable=False),
        sa.Column("ledger_size", sa.BigInteger, nullable=False),
        sa.Column("seal", sa.Text, nullable=False),
    )
