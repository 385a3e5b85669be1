"""What leaves, and who comes in from elsewhere: webhook endpoints, logins under way at an identity provider, linked accounts.

Addresses and secrets of endpoints are sealed: the address of a webhook is often a secret itself. Of a login under way only
digests stand here in clear; of an account at a provider only a keyed tag. Times are RFC 3339 text in UTC.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005_outbound"
down_revision = "0004_machines"


def upgrade() -> None:
    op.create_table(
        "webhook_endpoints",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("changed_at", sa.Text, nullable=False),
    )
    op.create_table(
        "oidc_logins",
        sa.Column("state", sa.Text, primary_key=True),
        sa.Column("browser", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("expires_at", sa.Text, nullable=False),
    )
    op.create_index("oidc_logins_expiry", "oidc_logins", ["expires_at"])
    op.create_table(
        "oidc_accounts",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("linked_at", sa.Text, nullable=False),
    )
    op.create_index("oidc_accounts_person", "oidc_accounts", ["person"])
