"""Originals and redeliveries under way: from what is asked to the row in the log."""

import asyncio
from datetime import datetime, timedelta

import aiohttp

from github_sandbox.deliver import deliver
from github_sandbox.log import Delivery, Event
from github_sandbox.world import HookState, State


class Attempts:
    """Makes attempts and logs each once it is over; there is no row for a pending one.

    The API shows a row later still.
    """

    def __init__(
        self,
        state: State,
        session: aiohttp.ClientSession,
        *,
        receiver_timeout: float,
        attempt_delay: float,
        log_delay: float,
    ) -> None:
        self._state = state
        self._session = session
        self._receiver_timeout = receiver_timeout
        self._attempt_delay = attempt_delay
        self.show_late(log_delay)
        self._under_way: set[asyncio.Task[Delivery]] = set()

    def show_late(self, seconds: float) -> None:
        """Show the rows of attempts that are yet to be asked for so late after their end."""
        self._log_delay = timedelta(seconds=seconds)

    async def original(self, hook: HookState, event: Event, *, at: datetime) -> Delivery:
        """Deliver an event for the first time; its row says `at`."""
        late = self._log_delay
        return await self._deliver(hook, event, at=at, late=late, redelivery=False)

    def redelivery(self, hook: HookState, event: Event) -> asyncio.Task[Delivery]:
        """Start to deliver an event once more."""
        task = asyncio.create_task(self._redeliver(hook, event, late=self._log_delay))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    async def settle(self) -> None:
        """Wait until no redelivery is under way."""
        while self._under_way:
            await asyncio.gather(*self._under_way)
            # From Python 3.12 on, to wait for what is over lets nothing else run: so it never left.
            await asyncio.sleep(0)

    async def abandon(self) -> None:
        """Break off all redeliveries."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _redeliver(self, hook: HookState, event: Event, *, late: timedelta) -> Delivery:
        await asyncio.sleep(self._attempt_delay)
        return await self._deliver(hook, event, at=self._state.now(), late=late, redelivery=True)

    async def _deliver(
        self,
        hook: HookState,
        event: Event,
        *,
        at: datetime,
        late: timedelta,
        redelivery: bool,
    ) -> Delivery:
        attempt = await deliver(self._session, hook, event, patience=self._receiver_timeout)
        shown_at = self._state.now() + late
        return hook.log.add(
            event, attempt, delivered_at=at, shown_at=shown_at, redelivery=redelivery
        )
