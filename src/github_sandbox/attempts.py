"""Originals and redeliveries under way: from what is asked to the row in the log."""

import asyncio
from datetime import datetime

import aiohttp

from github_sandbox.deliver import deliver
from github_sandbox.log import Event, Row
from github_sandbox.world import OrganizationHook, World


class Attempts:
    """Makes attempts and logs each once it is over; there is no row for a pending one."""

    def __init__(
        self,
        world: World,
        session: aiohttp.ClientSession,
        *,
        receiver_timeout: float,
        attempt_delay: float,
        log_delay: float,
    ) -> None:
        self._world = world
        self._session = session
        self._receiver_timeout = receiver_timeout
        self._attempt_delay = attempt_delay
        self._log_delay = log_delay
        self._under_way: set[asyncio.Task[Row]] = set()

    async def original(self, hook: OrganizationHook, event: Event, *, at: datetime) -> Row:
        """Deliver an event for the first time; its row says `at`."""
        return await self._deliver(hook, event, at=at, redelivery=False)

    def redelivery(self, hook: OrganizationHook, event: Event) -> asyncio.Task[Row]:
        """Start to deliver an event once more."""
        task = asyncio.create_task(self._redeliver(hook, event))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    async def settle(self) -> None:
        """Wait until no redelivery is under way."""
        while self._under_way:
            await asyncio.gather(*self._under_way)

    async def abandon(self) -> None:
        """Break off all redeliveries."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _redeliver(self, hook: OrganizationHook, event: Event) -> Row:
        await asyncio.sleep(self._attempt_delay)
        return await self._deliver(hook, event, at=self._world.now(), redelivery=True)

    async def _deliver(
        self, hook: OrganizationHook, event: Event, *, at: datetime, redelivery: bool
    ) -> Row:
        attempt = await deliver(self._session, hook, event, patience=self._receiver_timeout)
        await asyncio.sleep(self._log_delay)
        return hook.log.add(event, attempt, at=at, redelivery=redelivery)
