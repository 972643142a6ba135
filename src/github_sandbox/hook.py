"""A hook for tests: deliver and redeliver events, and write and read the delivery log.

Every method may be called from any thread, and returns when it has taken effect.
"""

import uuid
from datetime import datetime
from typing import Any

from github_sandbox.backend import Backend
from github_sandbox.model.delivery import AttemptResult, Delivery, Event
from github_sandbox.model.entities import AppState, HookState, OrganizationState, RepositoryState


class Hook:
    """A hook of an organization, a repository or an App."""

    def __init__(self, backend: Backend, hook: HookState) -> None:
        """Call the owner's method `hook` instead."""
        self._server = backend.server
        self._state = backend.state
        self._dispatcher = backend.dispatcher
        self._hook = hook
        self.id = hook.id
        self.owner = hook.owner.name
        """The organization's login, the repository's full name, or the App's slug."""
        self.path = hook.api_path
        """Its path in the API."""

    @property
    def org(self) -> str:
        """The login of the organization that owns the hook."""
        match self._hook.owner:
            case OrganizationState(login=login):
                return login
        raise AttributeError(f"{self.path} is not the hook of an organization")

    @property
    def log(self) -> list[Any]:
        """All rows as the API lists them, newest first, including those not shown yet."""

        def list_items() -> list[Any]:
            entries = self._hook.log.entries(retention_start=self._state.retention_start)
            return [entry.list_item() for entry in entries]

        return self._server.call(list_items)

    def ids_of(self, guid: str) -> list[int]:
        """Return the ids of all attempts to deliver an event, in the order of `log`."""

        def ids() -> list[int]:
            entries = self._hook.log.entries(retention_start=self._state.retention_start)
            deliveries = (entry for entry in entries if isinstance(entry, Delivery))
            return [delivery.id for delivery in deliveries if delivery.event.guid == guid]

        return self._server.call(ids)

    def switch_off(self) -> None:
        """Make the hook inactive, so that it delivers no new events.

        Redeliveries still work: GitHub does not document that it refuses them.
        """
        self._switch(active=False)

    def switch_on(self) -> None:
        """Make the hook active again."""
        self._switch(active=True)

    def delete(self) -> None:
        """Delete the hook of an organization or a repository.

        The API no longer shows it or its deliveries. A test can still read its log, but every
        method that would change something raises `LookupError`. Running redeliveries continue.
        """

        def delete() -> None:
            self._check_exists()
            match self._hook.owner:
                case OrganizationState(hooks=hooks) | RepositoryState(hooks=hooks):
                    del hooks[self.id]
                    self._hook.deleted = True
                case AppState():
                    raise ValueError("the webhook of an App cannot be deleted, only switched off")

        self._server.call(delete)

    def emit(
        self,
        event: str,
        action: str | None = None,
        *,
        at: datetime | None = None,
        guid: str | None = None,
        payload: dict[str, Any] | None = None,
    ) -> str:
        """Deliver a new event over HTTP, log the delivery, and return the event's GUID."""
        self._check_exists()
        if not self._hook.active:
            raise ValueError("a hook that is not active delivers nothing")
        emitted = self._event(event, action=action, guid=guid, payload=payload)
        delivered_at = at or self._state.now()
        self._server.wait_for(self._dispatcher.deliver(self._hook, emitted, at=delivered_at))
        return emitted.guid

    def redeliver(self, delivery_id: int) -> int:
        """Redeliver as a user does on GitHub's website, and return the new delivery's id."""

        async def redeliver() -> int:
            self._check_exists()
            delivery = self._hook.log.find(delivery_id, retention_start=self._state.retention_start)
            if delivery is None:
                raise LookupError(f"the log has no delivery {delivery_id}")
            return (await self._dispatcher.redeliver(self._hook, delivery.event)).id

        return self._server.wait_for(redeliver())

    def record(
        self,
        *,
        event: str = "push",
        action: str | None = None,
        at: datetime | None = None,
        guid: str | None = None,
        status: str = "OK",
        status_code: int = 200,
        duration: float = 0.25,
        throttled_at: datetime | None = None,
        redelivery: bool = False,
        shown_at: datetime | None = None,
    ) -> int:
        """Log a delivery that took `duration` seconds without sending it, and return its id.

        The API shows it at once, or from `shown_at` on.
        """
        self._check_exists()
        recorded = self._event(event, action=action, guid=guid)
        result = AttemptResult(
            status=status, status_code=status_code, duration=duration, throttled_at=throttled_at
        )
        now = self._state.now()
        delivery = self._server.call(
            lambda: self._hook.log.add(
                recorded,
                result,
                delivered_at=at or now,
                shown_at=shown_at or now,
                redelivery=redelivery,
            )
        )
        return delivery.id

    def record_raw(self, row: object, *, at: datetime | None = None) -> None:
        """Add any JSON value to the log as a row, at the place of a delivery at that time.

        The API cannot find it by its id, unless a delivery has the same one. The filter `status`
        selects it by its `status_code`; a row without one is in every listing.
        """
        self._check_exists()
        self._server.call(lambda: self._hook.log.add_raw(row, at=at or self._state.now()))

    def record_many(self, count: int, *, since: datetime, until: datetime) -> None:
        """Log `count` successful deliveries of pushes, evenly spread, without sending them.

        The first is at `since`, the last at `until`. The API shows them at once.
        """
        result = AttemptResult(status="OK", status_code=200)
        # A new UUID for each delivery would be slow. With one suffix, a million take seconds.
        suffix = str(uuid.uuid4())[8:]

        def record() -> None:
            self._check_exists()
            payload = self._hook.owner.event_payload()
            events = (
                (
                    since + (until - since) * (index / max(count - 1, 1)),
                    Event(guid=f"{index:08x}{suffix}", name="push", action=None, payload=payload),
                )
                for index in range(count)
            )
            self._hook.log.add_many(events, result, shown_at=self._state.now())

        self._server.call(record)

    def _switch(self, *, active: bool) -> None:
        def switch() -> None:
            self._check_exists()
            self._hook.active = active
            self._hook.updated_at = self._state.now()

        self._server.call(switch)

    def _check_exists(self) -> None:
        if self._hook.deleted:
            raise LookupError(f"{self.path} was deleted")

    def _event(
        self,
        name: str,
        *,
        action: str | None,
        guid: str | None,
        payload: dict[str, Any] | None = None,
    ) -> Event:
        if payload is None:
            payload = self._server.call(self._hook.owner.event_payload)
            if action is not None:
                payload["action"] = action
        return Event(guid=guid or str(uuid.uuid4()), name=name, action=action, payload=payload)
