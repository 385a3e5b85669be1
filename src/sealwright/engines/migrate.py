"""Bring a database to the tables of this release, once, in one transaction, with Alembic.

The common case, already up to date, costs one SELECT and does not import Alembic.
"""

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from sealwright.kernel import OperationFailed

__all__ = ["NEWEST", "bring_up_to_date"]

NEWEST = "0006_permissions"
_SCRIPTS = Path(__file__).parent / "migrations"
_LOCK_KEY = 7_305_113  # any fixed number: two starting processes must agree on it


def bring_up_to_date(engine: Engine) -> None:
    """Create or upgrade the tables.

    Raises
    ------
    OperationFailed
        The database was written by a newer release than this one.
    """
    with engine.connect() as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
        found = _revision(connection)
        if found == NEWEST:
            return
        steps = [path.stem for path in (_SCRIPTS / "versions").glob("[0-9]*.py")]
        known = {*steps, *(step.split("_")[0] for step in steps)}  # the first steps were named by their number alone
        if found is not None and found not in known:
            raise OperationFailed(
                f"The database has tables of release step {found}; this program knows steps up to {NEWEST}.\n"
                "Install the newer Sealwright that wrote it: an older one must not write here."
            )
        _upgrade(connection)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
