"""How the API writes JSON objects and timestamps."""

from datetime import UTC, datetime
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]


def timestamp(instant: datetime, precision: str = "seconds") -> str:
    """Write an instant as GitHub does."""
    return instant.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")
