"""The commands that a user can type."""

from threading import Event

import pytest

from github_sandbox.command.scene import Scene
from github_sandbox.command.typed_commands import COMMANDS, TypedCommands


@pytest.fixture
def stop() -> Event:
    return Event()


@pytest.fixture
def commands(scene: Scene, stop: Event) -> TypedCommands:
    return TypedCommands(scene, stop=stop.set)


@pytest.mark.parametrize(
    ("line", "result"),
    [
        ("send 3", "Sent 3: 3 delivered, 0 failed."),
        ("  SEND   3 ", "Sent 3: 3 delivered, 0 failed."),
        ("down", "The receiver is down"),
        ("fail 500", "The receiver is up, and responds with status 500."),
        ("up", "The receiver is up, and responds with status 200."),
        ("later 2d", "For the simulated GitHub, it is now "),
        ("help", "    send 20    GitHub sends 20 more events\n"),
    ],
)
def test_a_command_says_what_it_did(
    commands: TypedCommands, stop: Event, line: str, result: str
) -> None:
    assert commands.run(line).startswith(result)
    assert not stop.is_set()


def test_quit_stops_the_program(commands: TypedCommands, stop: Event) -> None:
    commands.run("quit")

    assert stop.is_set()


@pytest.mark.parametrize("example", COMMANDS)
def test_every_listed_command_works(commands: TypedCommands, example: str) -> None:
    result = commands.run(example)

    assert not any(advice in result for advice in ("Type", "For example"))


@pytest.mark.parametrize(
    ("line", "advice"),
    [
        ("send", "Type it like this: send 20"),
        ("fail", "Type it like this: fail 503"),
        ("later", "Type it like this: later 20m"),
        ("up 3", "Type it like this: up"),
        ("send many", "'many' must be a number from 1 to 1000. For example: send 20"),
        ("send 5 push", "'5 push' must be a number from 1 to 1000. For example: send 20"),
        ("fail 200", "'200' must be a status code from 300 to 599. For example: fail 503"),
        ("later 5", "'5' must be a time span such as 30s, 20m, 3h or 2d. For example: later 20m"),
        ("start", "There is no command 'start'. Type one of these:\n\n    send 20 "),
        ("\x1b[2J", "There is no command '\\x1b[2j'. Type one of these:"),
    ],
)
def test_a_mistake_is_told_with_what_to_type(
    commands: TypedCommands, line: str, advice: str
) -> None:
    assert commands.run(line).startswith(advice)
