"""An event, an attempt to deliver it, and the entries of a delivery log."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from github_sandbox.model.formats import Json, timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event. All attempts to deliver it send the same GUID and payload."""

    guid: str
    name: str
    action: str | None
    payload: Json

    def payload_id(self, key: str) -> int | None:
        """Return the id of the payload's `repository` or `installation`, if it has one."""
        match self.payload.get(key):
            case {"id": int(number)}:
                return number
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptResult:
    """How one attempt to deliver an event ended."""

    status: str
    status_code: int
    duration: float = 0.25
    """In seconds."""
    throttled_at: datetime | None = None
    """When GitHub throttled the attempt; None if it did not."""
    request_headers: Mapping[str, str] = field(default_factory=dict)
    response_headers: Mapping[str, str] = field(default_factory=dict)
    response_body: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One entry of the log."""

    id: int
    event: Event
    result: AttemptResult
    delivered_at: datetime
    shown_at: datetime
    """When the API begins to show the delivery."""
    redelivery: bool

    def is_shown(self, now: datetime | None) -> bool:
        """Return whether the API shows the delivery at `now`. None means the distant future."""
        return now is None or self.shown_at <= now

    def list_item(self) -> Json:
        """Return the delivery as an item of the API's listing."""
        # GitHub writes timestamps with and without milliseconds. This log omits only milliseconds
        # that are zero, in half of these entries: omitting others would change the order.
        omits_milliseconds = self.delivered_at.microsecond == 0 and self.id % 4 == 1
        precision = "seconds" if omits_milliseconds else "milliseconds"
        throttled_at = self.result.throttled_at
        return {
            "id": self.id,
            "guid": self.event.guid,
            "delivered_at": timestamp(self.delivered_at, precision),
            "redelivery": self.redelivery,
            "duration": self.result.duration,
            "status": self.result.status,
            "status_code": self.result.status_code,
            "event": self.event.name,
            "action": self.event.action,
            "installation_id": self.event.payload_id("installation"),
            "repository_id": self.event.payload_id("repository"),
            "throttled_at": throttled_at and timestamp(throttled_at, precision),
        }

    def details(self, url: str) -> Json:
        """Return the delivery as the API shows a single one; `url` is the hook's."""
        return {
            **self.list_item(),
            "url": url,
            "request": {
                "headers": dict(self.result.request_headers),
                "payload": self.event.payload,
            },
            "response": {
                "headers": dict(self.result.response_headers),
                "payload": self.result.response_body,
            },
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRow:
    """An entry of the log that the API shows as any JSON value, and that is not a delivery."""

    id: int
    """Its place in a log that is sorted by id, and the cursor of a page that begins with it."""
    row: object
    delivered_at: datetime
    """Its place in a log that is sorted by time."""

    def is_shown(self, _now: datetime | None) -> bool:
        """Return whether the API shows it, which is always so."""
        return True

    def list_item(self) -> object:
        """Return the value that the API's listing shows."""
        return self.row

    def status_code(self) -> int | None:
        """Return the status code, if there is one."""
        match self.row:
            case {"status_code": int(code)}:
                return code
        return None


Entry: TypeAlias = Delivery | RawRow
