"""The commands that a user can type while the simulated GitHub runs."""

from argparse import ArgumentTypeError
from collections.abc import Callable, Mapping

from github_sandbox.command import values
from github_sandbox.command.scene import Scene

COMMANDS: Mapping[str, str] = {
    "send 20": "GitHub sends 20 more events",
    "down": "the receiver goes down",
    "fail 503": "the receiver is up, but responds with status 503",
    "up": "the receiver works again",
    "later 20m": "20 minutes pass for the simulated GitHub",
    "help": "list these commands",
    "quit": "stop, like Ctrl-C",
}
"""An example of each command, and what it does."""

EXAMPLES: Mapping[str, str] = {example.partition(" ")[0]: example for example in COMMANDS}


class TypedCommands:
    """Carries out typed commands."""

    def __init__(self, scene: Scene, *, stop: Callable[[], None]) -> None:
        """Act on `scene`, and call `stop` to end the program."""

        def quit_program(_value: str) -> str:
            stop()
            return "Stopping."

        self._actions: Mapping[str, Callable[[str], str]] = {
            "send": lambda value: scene.send(values.number_of_events(value)),
            "down": lambda _: scene.take_down(),
            "fail": lambda value: scene.bring_up(status=values.failing_status(value)),
            "up": lambda _: scene.bring_up(),
            "later": lambda value: scene.let_pass(values.time_span(value)),
            "help": lambda _: list_commands(),
            "quit": quit_program,
        }

    def run(self, line: str) -> str:
        """Carry out a line, and return what to print: what happened, or what to type instead."""
        name, _, value = line.strip().lower().partition(" ")
        if name not in EXAMPLES:
            return f"There is no command {name!r}. Type one of these:\n\n{list_commands()}\n"
        example = EXAMPLES[name]
        if bool(value) != (" " in example):
            return f"Type it like this: {example}"
        try:
            return self._actions[name](value.strip())
        except ArgumentTypeError as error:
            return f"{value!r} {error}. For example: {example}"


def list_commands() -> str:
    """Return a table of the commands."""
    return "\n".join(f"    {example:<11}{meaning}" for example, meaning in COMMANDS.items())
