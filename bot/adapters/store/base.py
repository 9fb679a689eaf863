"""What all parts of the store share: the session, and how rows are written and numbered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel

_INSERT: Mapping[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
"""Both databases know ON CONFLICT; SQLAlchemy has it in each one's own insert."""

CHUNK = 500
"""Values in one statement's IN; SQLite's older versions take 999 at most."""


class Part:
    """A part of the store: some tables, read and written in one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def _insert(self, table: type[SQLModel]) -> Any:
        return _INSERT[self._session.get_bind().dialect.name](table)

    def _upsert(self, table: type[SQLModel], key: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write the rows in one statement; those whose `key` is there already are replaced."""
        if rows:
            insert = self._insert(table)
            changes = {name: insert.excluded[name] for name in table.model_fields}
            statement = insert.on_conflict_do_update(index_elements=[key], set_=changes)
            self._session.connection().execute(statement, list(rows))

    def _allot(self, row: Any) -> int:
        """Add the row; returns the id that the database gave it."""
        self._session.add(row)
        self._session.flush()
        allotted: int = row.id
        return allotted


def chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    """The values, at most `CHUNK` at a time."""
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]
