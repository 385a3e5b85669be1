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
    _pseudonym_vault()
    _model_decisions()
    _consents()
    _suppressions()
    _requests()
    _holds()


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


def _pseudonym_vault() -> None:
    """The way back from a pseudonym to its value, sealed; `subject` is whose it goes with when that person is erased."""
    op.create_table(
        "pseudonym_vault",
        sa.Column("project", sa.Text, primary_key=True),
        sa.Column("pseudonym", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
    op.create_index("pseudonym_vault_subject", "pseudonym_vault", ["project", "subject"])


def _consents() -> None:
    """Who agreed to what, and who took it back. Rows are only ever added; the newest of a person and purpose counts."""
    op.create_table(
        "consents",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("project", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("change", sa.Text, nullable=False),
        sa.Column("text_version", sa.Text, nullable=False),
        sa.Column("text_digest", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("recorded_at", sa.Text, nullable=False),
    )
    op.create_index("consents_latest", "consents", ["project", "purpose", "subject", "at", "change"])
    op.create_index("consents_subject", "consents", ["project", "subject"])


def _suppressions() -> None:
    """Persons whose rows are left out: restricted, objected, opted out, erased."""
    op.create_table(
        "suppressions",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("project", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("since", sa.Text, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("lifted_at", sa.Text, nullable=True),
    )
    op.create_index("suppressions_subject", "suppressions", ["project", "subject", "kind"])


def _requests() -> None:
    """Requests of persons with their deadlines. Kept for two years after they end."""
    op.create_table(
        "subject_requests",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("due_at", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("received_at", sa.Text, nullable=False),
        sa.Column("updated_at", sa.Text, nullable=False),
    )
    op.create_index("subject_requests_state", "subject_requests", ["state", "due_at"])
    op.create_index("subject_requests_subject", "subject_requests", ["subject"])


def _holds() -> None:
    """What must not be disposed of although its time has come: a project, one snapshot, or one person."""
    op.create_table(
        "holds",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("project", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("held_by", sa.Text, nullable=False),
        sa.Column("since", sa.Text, nullable=False),
        sa.Column("until", sa.Text, nullable=True),
        sa.Column("lifted_at", sa.Text, nullable=True),
    )
    op.create_index("holds_project", "holds", ["project"])


def _model_decisions() -> None:
    """After an erasure: which versions were trained on the person, and what was decided about each."""
    op.create_table(
        "model_decisions",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("project", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("package", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("opened_at", sa.Text, nullable=False),
        sa.Column("choice", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("decided_by", sa.Text, nullable=False),
        sa.Column("decided_at", sa.Text, nullable=False),
    )
