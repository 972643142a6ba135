from redeliver.pace import PER_MINUTE, Pace


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
    pace = Pace(said.append, clock=clock, sleep=clock.sleep)

    for _ in range(PER_MINUTE):
        pace.wait()
    assert (clock.slept, said) == ([], [])

    clock.now += 20
    pace.wait()
    assert clock.slept == [40]
    assert said == ["Waiting 40 s: at most 75 redeliveries a minute"]


def test_no_minute_ever_sees_more() -> None:
    clock, times = Clock(), list[float]()
    pace = Pace(lambda _: None, clock=clock, sleep=clock.sleep)

    for _ in range(5 * PER_MINUTE):
        pace.wait()
        times.append(clock.now)
        clock.now += 0.3

    assert all(
        later - earlier >= 60 for earlier, later in zip(times, times[PER_MINUTE:], strict=False)
    )


def test_a_slow_run_is_never_held_up() -> None:
    clock = Clock()
    pace = Pace(lambda _: None, clock=clock, sleep=clock.sleep)

    for _ in range(3 * PER_MINUTE):
        pace.wait()
        clock.now += 1

    assert clock.slept == []
