"""A queue of effects in Tocsin's own database, worked off by hand and by a test's clock."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from sqlalchemy import Column, Connection, Engine, Float, Integer, MetaData, Table, Text, text

from bot.adapters import codec
from bot.domain.effects import Effect, Lane, lane, order_key, priority
from bot.ports import Clock

LANES = list(Lane)

QUEUE = Table(
    "effect_queue",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("due", Float(53), nullable=False),
    Column("lane", Integer, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("order_key", Text, nullable=False),
    Column("effect", Text, nullable=False),
)


class EffectQueue:
    """What `DurableQueue` and its workers are, without threads: paging first, then chat, then runs.

    Within a lane the worse goes first, then the older; of one order key, always the older
    of what is due at the same time.
    """

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        QUEUE.create(engine)

    def enqueue(self, connection: Connection, effect: Effect, delay: float) -> None:
        """Part of the connection's transaction: committed and rolled back with it."""
        due = self._clock.now() + timedelta(seconds=delay)
        connection.execute(
            text(
                "INSERT INTO effect_queue (due, lane, priority, order_key, effect)"
                " VALUES (:due, :lane, :priority, :order_key, :effect)"
            ),
            {
                "due": due.timestamp(),
                "lane": LANES.index(lane(effect)),
                "priority": priority(effect),
                "order_key": order_key(effect),
                "effect": json.dumps(codec.dump_effect(effect)),
            },
        )

    def put_back(self, effect: Effect) -> None:
        """Have it done again, after whatever else is due."""
        with self._engine.begin() as connection:
            self.enqueue(connection, effect, 0.0)

    def bring_forward(self, by: timedelta) -> None:
        """Have all that waits done so much sooner."""
        with self._engine.begin() as connection:
            connection.execute(
                text("UPDATE effect_queue SET due = due - :by"), {"by": by.total_seconds()}
            )

    def next_due(self, until: datetime) -> datetime | None:
        """When the next effect is due, if that is not after `until`."""
        with self._engine.connect() as connection:
            due = connection.execute(text("SELECT min(due) FROM effect_queue")).scalar()
        if due is None or due > until.timestamp():
            return None
        return datetime.fromtimestamp(due, until.tzinfo)

    def take(self, now: datetime) -> Effect:
        """The first of those that are due now; it is in the queue no longer."""
        with self._engine.begin() as connection:
            found = connection.execute(
                text(
                    "DELETE FROM effect_queue WHERE id = (SELECT id FROM effect_queue"
                    " WHERE due <= :now ORDER BY lane, priority, id LIMIT 1) RETURNING effect"
                ),
                {"now": now.timestamp()},
            ).scalar_one()
        return codec.load_effect(json.loads(found))

    def waiting(self) -> list[Effect]:
        """All that is still to be done, now or later."""
        with self._engine.connect() as connection:
            found = connection.execute(text("SELECT effect FROM effect_queue ORDER BY id"))
            return [codec.load_effect(json.loads(one)) for one in found.scalars()]
