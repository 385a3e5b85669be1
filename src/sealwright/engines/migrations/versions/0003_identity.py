"""How people sign in: accounts, second factors, sessions, links, and what slows guessing down.

What a person proves themselves with is sealed, hashed or keyed; nothing here can be signed in with. Roles are in none of
these tables: they come from the signed enrolment. Times are RFC 3339 text in UTC, or milliseconds where they are reckoned with.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003_identity"
down_revision = "0002"


def upgrade() -> None:
    _accounts()
    _factors()
    _sessions()
    _short_lived()
    _limits()


def _accounts() -> None:
    """One row for a person who can sign in. `password` is the sealed hash; `locked` says why, or is empty."""
    op.create_table(
        "identity_accounts",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("password", sa.LargeBinary, nullable=False),
        sa.Column("password_at", sa.Text, nullable=False),
        sa.Column("locked", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
    )


def _factors() -> None:
    """`last_counter` is the newest time step a code was taken for: no code counts twice."""
    op.create_table(
        "identity_totp",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("last_counter", sa.BigInteger, nullable=False),
        sa.Column("added_at", sa.Text, nullable=False),
    )
    op.create_table(
        "identity_passkeys",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("sign_count", sa.BigInteger, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("added_at", sa.Text, nullable=False),
        sa.Column("used_at", sa.Text, nullable=False),
    )
    op.create_index("identity_passkeys_name", "identity_passkeys", ["name"])
    op.create_table(
        "identity_recovery_codes",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("code", sa.Text, primary_key=True),
        sa.Column("used_at", sa.Text, nullable=False),
    )


def _sessions() -> None:
    """`id` is the SHA-256 of what the browser holds; `mac` binds the row, so that nobody writes one without our key."""
    op.create_table(
        "identity_sessions",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("handle", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("factor", sa.Text, nullable=False),
        sa.Column("started_at", sa.Text, nullable=False),
        sa.Column("strong_at", sa.Text, nullable=False),
        sa.Column("seen_at", sa.Text, nullable=False),
        sa.Column("mac", sa.Text, nullable=False),
    )
    op.create_index("identity_sessions_name", "identity_sessions", ["name"])
    op.create_table(
        "identity_devices",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("expires_at", sa.Text, nullable=False),
    )
    op.create_index("identity_devices_name", "identity_devices", ["name"])


def _short_lived() -> None:
    """Links and challenges by the SHA-256 of their secret; `bound` says whose and what for."""
    op.create_table(
        "identity_links",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("first", sa.Integer, nullable=False),
        sa.Column("anywhere", sa.Integer, nullable=False),
        sa.Column("expires_at", sa.Text, nullable=False),
        sa.Column("used_at", sa.Text, nullable=False),
    )
    op.create_table(
        "identity_challenges",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("bound", sa.Text, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("expires_at", sa.Text, nullable=False),
    )
    op.create_index("identity_challenges_expiry", "identity_challenges", ["expires_at"])


def _limits() -> None:
    """Buckets under keyed names, so that no address and no name stands here; and counts of what was not recorded singly."""
    op.create_table(
        "identity_throttles",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("level", sa.Double, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "identity_floods",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("window_ms", sa.BigInteger, nullable=False),
        sa.Column("seen", sa.Integer, nullable=False),
        sa.Column("held_back", sa.Integer, nullable=False),
    )
