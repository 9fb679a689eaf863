"""Effects are done, and one that always fails holds up no other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.adapters import database
from bot.app.page_delivery import PageDelivery
from bot.domain.effects import UpdatePage
from bot.domain.incident import Incident
from bot.domain.page import Page
from bot.entrypoints.worker import EffectWorker, UseCases
from tests.support.core import Core, FakePager, firing
from tests.support.databases import sqlite_database


class PoisonedPager(FakePager):
    """A page that begins with what is poison breaks it, as a bug would."""

    poison: str | None = "P0"

    def trigger(self, page: Page) -> None:
        if self.poison and page.summary.startswith(self.poison):
            raise KeyError("nobody thought of this")
        super().trigger(page)


class World:
    """Two incidents that have to page, and who does it."""

    def __init__(self, core: Core) -> None:
        self.core, self.pager = core, PoisonedPager()
        self.took: list[str] = []
        pages = PageDelivery(core.store, self.pager, core.clock, lambda: 1.0)
        others: Any = [None] * (len(UseCases.__slots__) - 1)
        self._worker = EffectWorker(
            core.store,
            UseCases(pages, *others),
            lambda _kind, outcome, _s: self.took.append(outcome),
        )
        core.deliver(firing("Poison", "P0"), firing("Outage", "P1"))

    def work(self) -> None:
        """Do what is due now, once each."""
        now = self.core.clock.now()
        while self.core.queue.next_due(now) is not None:
            effect = self.core.queue.take(now)
            if isinstance(effect, UpdatePage):
                self._worker.perform(effect)

    def paged(self) -> list[Incident]:
        return [one for one in self.core.incidents() if one.dedup_key in self.pager.pages]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    engine = database.create(sqlite_database(tmp_path))
    yield World(Core(engine))
    engine.dispose()


def test_a_poison_job_holds_up_no_other_and_is_not_forgotten(world: World) -> None:
    world.work()
    assert [one.title for one in world.paged()] == ["Outage: checkout"]
    assert sorted(world.took) == ["done", "failed"]
    world.pager.poison = None
    world.core.clock.advance(60)
    world.work()
    assert len(world.paged()) == 2
    assert set(world.pager.pages.values()) == {1}
