"""Page tests: sends a test page at its time, and says so when it does not arrive.

Alerts are put before what they are about is written down, and are the same each time they
are put: whatever crashes in between, and however many replicas look, it is one test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bot.app.heartbeats import own
from bot.app.policies import Put
from bot.app.synthetic_page import SyntheticPage
from bot.domain.page_test import (
    FAILED_ALERT,
    PageTest,
    PageTestPlan,
    PageTestState,
    failure,
    mended,
)
from bot.domain.synthetic_page import Arrival
from bot.ports import Clock, Counters, Store
from bot.ports.schedule import NextAfter


class PageTests:
    """Makes the tests that the policy plans."""

    def __init__(
        self,
        store: Store,
        put: Put,
        plan: Callable[[], PageTestPlan | None],
        next_after: NextAfter,
        clock: Clock,
        counters: Counters,
    ) -> None:
        """`put` keeps an alert where intake finds it; `plan` gives None where none is wanted."""
        self._store = store
        self._put = put
        self._plan = plan
        self._next_after = next_after
        self._clock = clock
        self._counters = counters

    def look(self) -> None:
        """Do what is due; called every few seconds."""
        with self._store.read() as reader:
            newest = reader.page_tests(limit=1)
        test = newest[0] if newest else None
        if test is not None and test.state is PageTestState.RUNNING:
            self._follow(test)
        else:
            self._keep_time(test)

    def _keep_time(self, test: PageTest | None) -> None:
        """Plan the next test, or begin the one that waits."""
        plan, now = self._plan(), self._clock.now()
        waits = test is not None and not test.state.over
        if plan is None:
            if test is not None and waits and test.plan:
                # What comes due while tests are not wanted is not made up for.
                self._replace(test, replace(test, plan=""))
        elif test is None or not waits or test.plan != str(plan):
            due_at = self._next_after(plan.schedule, plan.timezone, now)
            self._replace(test, PageTest(test.id if test and waits else 0, str(plan), due_at))
        elif test.due_at <= now:
            self._page(test).begin()
            self._replace(test, test.begun(plan, now))

    def _follow(self, test: PageTest) -> None:
        """See whether the page has arrived."""
        page = self._page(test)
        arrival, now = page.arrival(), self._clock.now()
        if not arrival.confirmed and not test.late(now):
            return
        incident = page.incident()
        ended = replace(
            test,
            state=PageTestState.ARRIVED if arrival.confirmed else PageTestState.FAILED,
            ended_at=now,
            incident_id=incident.id if incident else None,
            result=arrival.confirmed or arrival.missing,
        )
        self._tell(ended, arrival)
        page.end()
        if self._replace(test, ended):
            self._counters.count("page_tests", result=ended.state.value)

    def _tell(self, test: PageTest, arrival: Arrival) -> None:
        """An alert about a page that did not arrive; its end when one does."""
        if arrival.missing:
            self._put(own(failure(test)))
            return
        with self._store.read() as reader:
            failed = [one for one in reader.firing_alerts() if one.alert.name == FAILED_ALERT]
        for known in failed:
            self._put(own(mended(known.alert, self._clock.now())))

    def _page(self, test: PageTest) -> SyntheticPage:
        return SyntheticPage(self._store, self._put, self._clock, test.namespace, test.due_at)

    def _replace(self, before: PageTest | None, after: PageTest) -> bool:
        """Write it down, unless another replica was faster."""
        with self._store.transaction() as tx:
            newest = tx.page_tests(limit=1)
            if (newest[0] if newest else None) != before:
                return False
            tx.save_page_test(after)
            return True
