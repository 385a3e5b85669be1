"""Services that log in: clients, API keys, certificates, used assertions, and what was taken back.

Secrets are never kept, only their SHA-256. Times are RFC 3339 text in UTC; `until` and `before` are seconds since 1970,
as they stand in tokens.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004_machines"
down_revision = "0003_identity"


def upgrade() -> None:
    op.create_table(
        "machine_clients",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("proof", sa.Text, nullable=False),
        sa.Column("secret", sa.Text, nullable=True),
        sa.Column("public_key", sa.Text, nullable=True),
        sa.Column("audiences", sa.Text, nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("last_used", sa.Text, nullable=True),
    )
    op.create_table(
        "machine_api_keys",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("project", sa.Text, nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("expires_at", sa.Text, nullable=False),
        sa.Column("last_used", sa.Text, nullable=True),
        sa.Column("revoked_at", sa.Text, nullable=True),
    )
    op.create_index("machine_api_keys_project", "machine_api_keys", ["project", "created_at"])
    op.create_table(
        "machine_certificates",
        sa.Column("serial", sa.Text, primary_key=True),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("uri", sa.Text, nullable=False),
        sa.Column("use", sa.Text, nullable=False),
        sa.Column("issued_at", sa.Text, nullable=False),
        sa.Column("expires_at", sa.Text, nullable=False),
        sa.Column("revoked_at", sa.Text, nullable=True),
    )
    _taken_back()


def _taken_back() -> None:
    """What no longer counts although it has not expired, and the numbers of the lists that say so."""
    op.create_table(
        "machine_assertions",
        sa.Column("client", sa.Text, primary_key=True),
        sa.Column("jti", sa.Text, primary_key=True),
        sa.Column("until", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "machine_revocations",
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("before", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "machine_sequences",
        sa.Column("list", sa.Text, primary_key=True),
        sa.Column("sequence", sa.BigInteger, nullable=False),
    )
    op.execute("INSERT INTO machine_sequences (list, sequence) VALUES ('access', 0), ('crl', 0)")
