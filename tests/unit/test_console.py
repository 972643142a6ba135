"""Progress takes few lines of the log."""

from redeliver.console import ProgressLines
from tests.support.fakes import FakeTime


def test_progress_is_logged_every_15_seconds() -> None:
    time, said = FakeTime(), list[str]()
    progress = ProgressLines(said.append, clock=time)

    for number in range(1, 1001):
        time.now += 15 / 512
        progress("Deliveries read:", 10 * number, None)
    time.now += 15
    progress("Redeliveries requested:", 1200, 3400)

    assert said == [
        "Deliveries read: 5,120",
        "Redeliveries requested: 1,200 of 3,400",
    ]
