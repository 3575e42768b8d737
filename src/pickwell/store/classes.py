"""Statements about a campaign's class list."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from pickwell.store.tables import campaign, label


def change(connection: Connection, now: int, settings: Mapping[str, Any], renamed: tuple[str, str] | None) -> None:
    """Keeps the settings that the campaign has from now on; labels of the first class `renamed` become the second's."""
    connection.execute(campaign.update().values(settings=settings))
    if renamed:
        old, new = renamed
        connection.execute(label.update().where(label.c.value == old).values(value=new))  # answers alone have a value
