from redeliver.pace import (
    MOST_PER_MINUTE,
    PATIENCE_SECONDS,
    SAY_EVERY_SECONDS,
    Pace,
    Patience,
    Progress,
)

PER_MINUTE = 75


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def test_a_minutes_worth_goes_at_full_speed_and_the_next_waits_and_says_so() -> None:
    clock, said = Clock(), list[str]()
    pace = Pace(said.append, per_minute=PER_MINUTE, clock=clock, sleep=clock.sleep)

    for _ in range(PER_MINUTE):
        pace.wait()
    assert (clock.slept, said) == ([], [])

    clock.now += 20
    pace.wait()
    assert clock.slept == [40]
    assert said == ["Waiting 40 s: at most 75 redeliveries a minute"]


def test_no_minute_ever_sees_more() -> None:
    clock, times = Clock(), list[float]()
    pace = Pace(lambda _: None, per_minute=PER_MINUTE, clock=clock, sleep=clock.sleep)

    for _ in range(5 * PER_MINUTE):
        pace.wait()
        times.append(clock.now)
        clock.now += 0.3

    assert all(
        later - earlier >= 60 for earlier, later in zip(times, times[PER_MINUTE:], strict=False)
    )


def test_a_slow_run_is_never_held_up() -> None:
    clock = Clock()
    pace = Pace(lambda _: None, per_minute=PER_MINUTE, clock=clock, sleep=clock.sleep)

    for _ in range(3 * PER_MINUTE):
        pace.wait()
        clock.now += 1

    assert clock.slept == []


def test_a_wait_for_github_is_announced_and_then_waited() -> None:
    clock, said = Clock(), list[str]()

    assert Patience(said.append, sleep=clock.sleep).wait(2, "GitHub answered 502")

    assert clock.slept == [2]
    assert said == ["Waiting 2.0 s: GitHub answered 502"]


def test_patience_ends_for_all_waits_together() -> None:
    clock, said = Clock(), list[str]()
    patience = Patience(said.append, sleep=clock.sleep)

    assert patience.wait(PATIENCE_SECONDS - 10, "a rate limit")
    assert not patience.wait(11, "a rate limit")
    assert patience.wait(10, "a rate limit"), "what was too long did not count"
    assert len(said) == len(clock.slept) == 2


def test_without_a_limit_of_ones_own_githubs_holds() -> None:
    clock = Clock()
    pace = Pace(lambda _: None, per_minute=0, clock=clock, sleep=clock.sleep)

    for _ in range(MOST_PER_MINUTE + 1):
        pace.wait()

    assert clock.slept == [60]
    assert MOST_PER_MINUTE * 5 <= 900


def test_progress_is_said_only_so_often() -> None:
    clock, said = Clock(), list[str]()
    progress = Progress(said.append, clock=clock)

    for number in range(1, 1001):
        clock.now += SAY_EVERY_SECONDS / 512
        progress("Reading: deliveries", 10 * number, None)
    clock.now += SAY_EVERY_SECONDS
    progress("Redelivering", 1200, 3400)

    assert said == [
        "Reading: deliveries 5,120",
        "Redelivering 1,200 of 3,400",
    ]
