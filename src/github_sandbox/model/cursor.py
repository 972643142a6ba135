"""The cursor of the delivery log: the position where the next page begins."""

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position between two deliveries. Deliveries that are added later do not move it."""

    delivered_at: datetime
    """The time of the delivery before it."""
    id: int
    """The id of the delivery before it."""

    def __str__(self) -> str:
        """Encode the cursor, so that clients treat it as opaque."""
        text = f"{(self.delivered_at - EPOCH) // MICROSECOND}:{self.id}"
        return "v1_" + base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Decode a cursor, or raise `ValueError`."""
        if not text.startswith("v1_"):
            raise ValueError("not a cursor")
        encoded = text.removeprefix("v1_")
        try:
            padded = encoded + "=" * (-len(encoded) % 4)
            microseconds, delivery_id = base64.urlsafe_b64decode(padded).decode().split(":")
            return cls(EPOCH + int(microseconds) * MICROSECOND, int(delivery_id))
        except (binascii.Error, OverflowError) as error:
            raise ValueError("not a cursor") from error
