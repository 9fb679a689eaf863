"""What all parts of the store share: the session, and how rows are written and numbered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import CursorResult, Executable
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel

_INSERT: Mapping[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
"""Both databases know ON CONFLICT; SQLAlchemy has it in each one's own insert."""

CHUNK = 500
"""Values in one statement's IN; SQLite's older versions take 999 at most."""


class Part:
    """A part of the store: some tables, read and written in one session.

    What intake does for every delivery is written as statements that are made once and run
    beside the ORM: it takes a tenth of the time, most of which went into making them.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def _dialect(self) -> str:
        return self._session.get_bind().dialect.name

    def _run(self, statement: Executable, **values: object) -> CursorResult[Any]:
        """Run a statement that was made before; `values` are those of its parameters."""
        return self._session.connection().execute(statement, values)

    def _upsert(self, table: type[SQLModel], key: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write the rows in one statement; those whose `key` is there already are replaced."""
        if rows:
            statement = _upserting(self._dialect, table, key)
            self._session.connection().execute(statement, list(rows))

    def _allot(self, row: Any) -> int:
        """Add the row; returns the id that the database gave it."""
        self._session.add(row)
        self._session.flush()
        allotted: int = row.id
        return allotted


def insert_into(table: type[SQLModel], dialect: str) -> Any:
    """An INSERT of that dialect, which knows ON CONFLICT."""
    return _INSERT[dialect](table)


@cache
def _upserting(dialect: str, table: type[SQLModel], key: str) -> Executable:
    insert = insert_into(table, dialect)
    changes = {name: insert.excluded[name] for name in table.model_fields}
    statement: Executable = insert.on_conflict_do_update(index_elements=[key], set_=changes)
    return statement


def chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    """The values, at most `CHUNK` at a time."""
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]
