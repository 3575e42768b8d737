"""Brings a database to this version's tables, or says why that cannot be."""

from importlib.resources import files

import sqlalchemy as sa

from pickwell.errors import StoreError, VersionError
from pickwell.store.tables import metadata

HEAD = "0005"
"""The newest migration. Known here so that opening a database of today need not load Alembic."""
TABLE = "pickwell_version"


def version(connection: sa.Connection) -> str | None:
    """The database's schema version; None when it has none of our tables."""
    if not sa.inspect(connection).has_table(TABLE):
        return None
    found = connection.execute(sa.select(sa.column("version_num")).select_from(sa.table(TABLE))).scalar()
    return None if found is None else str(found)


def refuse_newer(found: str, name: str) -> None:
    """Raises VersionError when the database was made by a newer version of this package."""
    # Versions have four digits each, so their texts compare like numbers.
    if found > HEAD:
        raise VersionError(
            f"the campaign database {name} was made by a newer Pickwell (schema {found}; this one knows up to {HEAD}); "
            "nothing was changed: upgrade with 'pip install --upgrade pickwell'"
        )


def refuse_foreign(connection: sa.Connection, name: str) -> None:
    """Raises StoreError when the database holds tables, but not ours."""
    if tables := sa.inspect(connection).get_table_names():
        raise StoreError(
            f"the database {name} belongs to something else (its tables: {', '.join(sorted(tables)[:5])}); "
            "give the campaign a database of its own"
        )


def upgrade(connection: sa.Connection, name: str) -> None:
    """Makes the tables, or runs the migrations that are missing, inside the transaction: all of them or none."""
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    # Read under the lock: another process may have migrated since this one looked.
    found = version(connection)
    script = ScriptDirectory(str(files("pickwell.store") / "migrations"))
    context = MigrationContext.configure(connection, opts={"version_table": TABLE})
    if found:
        refuse_newer(found, name)
        with Operations.context(context):
            # Alembic names the newest first.
            for revision in reversed(list(script.iterate_revisions("head", found))):
                revision.module.upgrade()
    else:
        refuse_foreign(connection, name)
        metadata.create_all(connection)
    context.stamp(script, "head")
