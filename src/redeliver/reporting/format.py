"""Write numbers, times and time spans for people."""

from datetime import datetime, timedelta


def count(number: int, noun: str, plural: str = "") -> str:
    """Write a number with its noun: "1 event", "1,204 events"."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def is_or_are(number: int) -> str:
    """Return the verb that agrees with a number of things."""
    return "is" if number == 1 else "are"


def them(number: int) -> str:
    """Return the pronoun for a number of things, as an object."""
    return "it" if number == 1 else "them"


def percent(share: float) -> str:
    """Write a share, such as 0.065: "6.5 %", "12 %", "less than 0.1 %"."""
    number = 100 * share
    if 0 < number < 0.1:  # noqa: PLR2004 - as the text says
        return "less than 0.1 %"
    return f"{number:.0f} %" if number >= 10 else f"{number:.1f} %"  # noqa: PLR2004 - two digits


def utc(instant: datetime) -> str:
    """Write an instant to the second."""
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"


def minutes(span: timedelta) -> str:
    """Write a time span in whole minutes."""
    return f"{span // timedelta(minutes=1)} min"


def age(span: timedelta) -> str:
    """Write a time span in its two largest units: 2 d 4 h, 5 h 3 min, 12 min, 40 s."""
    whole_minutes, seconds = divmod(max(int(span.total_seconds()), 0), 60)
    whole_hours, left_minutes = divmod(whole_minutes, 60)
    days, left_hours = divmod(whole_hours, 24)
    if days:
        return f"{days} d {left_hours} h"
    if whole_hours:
        return f"{whole_hours} h {left_minutes} min"
    return f"{whole_minutes} min" if whole_minutes else f"{seconds} s"
