"""Write numbers, times, time spans, events and statuses for people."""

import re
from datetime import datetime, timedelta

from redeliver.core.delivery import Delivery
from redeliver.sanitize import quote_untrusted


def count(number: int, noun: str, plural: str = "") -> str:
    """Write a number with its noun: "1 event", "1,204 events"."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def utc(instant: datetime) -> str:
    """Write an instant to the second."""
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"


def minutes(span: timedelta) -> str:
    """Write a time span in whole minutes."""
    return f"{span // timedelta(minutes=1)} min"


def age(span: timedelta) -> str:
    """Write a time span in its two largest units: 2 d 4 h, 5 h 3 min, 12 min, 40 s."""
    minutes, seconds = divmod(max(int(span.total_seconds()), 0), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes else f"{seconds} s"


def event_name(delivery: Delivery) -> str:
    """Write the event with its action, as in `issues.opened`."""
    action = f".{quote_untrusted(delivery.action)}" if delivery.action else ""
    return f"{quote_untrusted(delivery.event)}{action}"


def status(delivery: Delivery) -> str:
    """Write the status with its code, unless GitHub's text has the code already."""
    text = quote_untrusted(delivery.status) or "none"
    code = str(delivery.status_code)
    return text if code in re.findall(r"\d+", text) else f"{text}, {code}"
