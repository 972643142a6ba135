"""Run deliveries on the event loop, and log each when it ends."""

import asyncio
from datetime import datetime, timedelta

import aiohttp

from github_sandbox.delivery.request import send_event
from github_sandbox.model.delivery import Delivery, Event
from github_sandbox.model.entities import HookState
from github_sandbox.model.state import State


class Dispatcher:
    """Delivers events to receivers.

    As on GitHub, the log has no entry for a delivery that is still running, and the API may show
    the entry only some time after the delivery has ended.
    """

    def __init__(self, state: State, *, receiver_timeout: float) -> None:
        """Create it on the event loop."""
        self._state = state
        # Like GitHub, open a new connection for every delivery.
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        self._session = aiohttp.ClientSession(connector=connector)
        self._receiver_timeout = receiver_timeout
        self._log_delay = timedelta()
        self._redeliveries: set[asyncio.Task[Delivery]] = set()

    def show_late(self, seconds: float) -> None:
        """Make the API show new deliveries only `seconds` after they end.

        This does not delay deliveries that have started already.
        """
        self._log_delay = timedelta(seconds=seconds)

    async def deliver(
        self, hook: HookState, event: Event, *, at: datetime, redelivery: bool = False
    ) -> Delivery:
        """Deliver an event, and log it with the time `at`."""
        log_delay = self._log_delay  # read now: `show_late` applies to deliveries that start later
        result = await send_event(
            self._session, hook, event, receiver_timeout=self._receiver_timeout
        )
        return hook.log.add(
            event,
            result,
            delivered_at=at,
            shown_at=self._state.now() + log_delay,
            redelivery=redelivery,
        )

    def redeliver(self, hook: HookState, event: Event) -> asyncio.Task[Delivery]:
        """Start to deliver an event again."""
        redelivery = self.deliver(hook, event, at=self._state.now(), redelivery=True)
        task = asyncio.create_task(redelivery)
        self._redeliveries.add(task)
        task.add_done_callback(self._redeliveries.discard)
        return task

    async def wait_until_idle(self) -> None:
        """Wait until no redelivery is running."""
        while self._redeliveries:
            await asyncio.gather(*self._redeliveries)
            # Since Python 3.12, gathering finished tasks does not yield to the event loop, so
            # without this the callbacks that discard them would never run.
            await asyncio.sleep(0)

    async def close(self) -> None:
        """Cancel all redeliveries, and close all connections."""
        for task in self._redeliveries:
            task.cancel()
        await asyncio.gather(*self._redeliveries, return_exceptions=True)
        await self._session.close()
