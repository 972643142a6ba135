"""The entry point of the action, if there is a bug."""

import sys

import pytest

from redeliver import action, wiring
from tests.support.builders import GOOD_INPUTS


def test_a_bug_shows_its_traceback_without_commands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """There is no known bug that a test could use, so this one is made here."""

    def fail(*_: object) -> None:
        raise LookupError("##[error]pwned\n::error::pwned")

    monkeypatch.setattr(wiring, "redeliver", fail)
    for name, text in GOOD_INPUTS.items():
        monkeypatch.setenv(f"INPUT_{name.upper()}", text)

    status = action.main()

    log = capsys.readouterr().out
    assert status == 1
    assert "Traceback (most recent call last):" in log
    assert log.splitlines()[-1].startswith("::error::this is a bug in redeliver")
    assert "##[" not in log
    assert "\n::error::pwned" not in log


def test_a_log_that_is_closed_before_the_start_is_no_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", None)
    for name, text in GOOD_INPUTS.items():
        monkeypatch.setenv(f"INPUT_{name.upper()}", text)
    monkeypatch.setenv("INPUT_TOKEN", "")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "")

    assert action.main() == 1
    sys.stdout.close()
