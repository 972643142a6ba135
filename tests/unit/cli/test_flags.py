"""Every input has its flag, and a wrong command line is explained."""

import re
import shlex
from pathlib import Path

import pytest

from redeliver.cli import flags
from redeliver.cli.environment import COMMAND_ONLY, parse_settings, resolve, variable_of
from redeliver.cli.flags import GROUPS
from redeliver.errors import InputError
from redeliver.settings import INPUTS, SECRETS

ROOT = Path(__file__).parents[3]
DOCS = (ROOT / "docs" / "own-server.md").read_text()
FLAGS = {name: flag for group in GROUPS.values() for name, flag in group.items()}


def test_every_input_but_the_secrets_has_a_flag() -> None:
    assert FLAGS.keys() == INPUTS.keys() - set(SECRETS) | {*COMMAND_ONLY, "json"}


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (["--token", "s3cret"], "no flag for a secret.*REDELIVER_TOKEN or GH_TOKEN"),
        (["--token=s3cret"], "no flag for a secret.*REDELIVER_TOKEN or GH_TOKEN"),
        (["--private-key", "s3cret"], "no flag for a secret.*REDELIVER_PRIVATE_KEY"),
        (["--variable-token", "s3cret"], "no flag for a secret.*REDELIVER_VARIABLE_TOKEN"),
        (["--hook", "s3cret"], "there is no flag --hook; did you mean --hook-id"),
        (["--dry"], "there is no flag --dry; did you mean --dry-run"),
        (["--event", "s3cret"], "there is no flag --event; did you mean --events"),
        (["--events-s3cret"], "unknown flag; did you mean --events"),
        (["--s3cret"], "unknown flag"),
        (["-s3cret"], "unknown flag"),
        (["s3cret"], "unexpected argument"),
        (["--org", "acme", "s3cret"], "unexpected argument"),
        (["--json=s3cret"], "'--json' does not take a value"),
        (["--org"], "'--org' requires an argument"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_command_line_is_explained_but_not_repeated(
    arguments: list[str], advice: str
) -> None:
    with pytest.raises(InputError) as caught:
        flags.parse(arguments)

    assert re.search(advice, str(caught.value))
    assert "s3cret" not in str(caught.value)


@pytest.fixture
def help_lines(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Print the help in a terminal of 80 columns, and return its lines."""
    monkeypatch.setenv("COLUMNS", "80")
    assert flags.parse(["--help"], tables={"Table": {"REDELIVER_…": "--all-flags " * 30}}) is None
    return capsys.readouterr().out.splitlines()


def test_every_example_of_the_help_is_a_valid_command(help_lines: list[str]) -> None:
    examples = [line.strip() for line in help_lines if line.startswith("  redeliver ")]
    assert examples == [*flags.EXAMPLES.values()]

    for example in examples:
        found = flags.parse(shlex.split(example)[1:])
        assert found
        parse_settings(resolve(found.values, {"REDELIVER_TOKEN": "ghp_f1ne"}))


def test_the_help_begins_with_its_examples(help_lines: list[str]) -> None:
    assert help_lines[4] == "Examples:"
    assert help_lines[6].endswith("--dry-run")


def test_the_help_says_that_a_checkpoint_flag_is_needed(help_lines: list[str]) -> None:
    assert (
        "One of --checkpoint-file, --variable-repository or --variable-name '' is needed, unless "
        "--since or --guids is given."
    ) in " ".join(" ".join(help_lines).split())


def test_the_help_fits_a_terminal_and_splits_no_flag(help_lines: list[str]) -> None:
    assert max(map(len, help_lines)) < 80
    assert [line for line in help_lines if re.search(r"-[a-z]+-$", line)] == []
    assert flags.UNBREAKABLE_HYPHEN not in "".join(help_lines)


FLAGS_OF_OTHERS = (
    "able --now|--no-block|--collector[.]textfile|--(pip-args|constraint|force|no-deps)"
)
"""Flags of systemd, Prometheus, pipx and pip in the same pages."""


def test_the_docs_name_only_existing_flags_and_variables() -> None:
    named = set(
        re.findall(
            r"(?<![\w-])--([a-z][a-z-]+)",
            re.sub(FLAGS_OF_OTHERS, "", DOCS),
        )
    )
    variables = set(re.findall(r"\bREDELIVER_[A-Z_]+\b", DOCS))

    assert named <= FLAGS.keys() | {"help"}
    assert variables <= {variable_of(name) for name in (*INPUTS, *COMMAND_ONLY)}
