"""The flags of the command: parsing, and the help.

No message repeats a value, because it may be a secret that was given by mistake.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import click

import redeliver
from redeliver.errors import InputError
from redeliver.settings import INPUTS, SECRETS, VARIABLE_NAME

PURPOSE = "Find the failed deliveries of a GitHub webhook and redeliver them."

LAST_GROUP = "Output"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A flag and its help."""

    takes: str = ""
    """The placeholder of its value; empty if it takes none."""
    does: str


GROUPS: Mapping[str, Mapping[str, Flag]] = {
    "Which webhook": {
        "org": Flag(takes="NAME", does="Organization that owns the webhook."),
        "repo": Flag(takes="OWNER/NAME", does="Repository that owns the webhook."),
        "hook-id": Flag(
            takes="ID",
            does="Id of the webhook, the number at the end of the address of its settings page, "
            "or all that are active. May be repeated. None for a GitHub App's own webhook.",
        ),
        "hostname": Flag(
            takes="HOST",
            does="GitHub that has the webhook, such as github.example.com, or the full address of"
            " its API.  [default: GH_HOST, or else github.com]",
        ),
    },
    "GitHub App, instead of a token": {
        "app-id": Flag(
            takes="ID",
            does="Id, or client id, of a GitHub App. With --org or --repo it acts as it is "
            "installed there; with neither it sees to its own webhook.",
        ),
        "private-key-file": Flag(
            takes="FILE", does="File of that App's private key, as GitHub gave it (.pem)."
        ),
    },
    "Where the checkpoint is kept, from which the next run goes on": {
        "checkpoint-file": Flag(
            takes="FILE",
            does="A file of its own, made when it does not exist. A second run with it ends at "
            "once.",
        ),
        "variable-repository": Flag(
            takes="OWNER/NAME",
            does="Repository that keeps it in an Actions variable, instead of a file.",
        ),
        "variable-name": Flag(
            takes="NAME",
            does="Name of that variable. '' keeps none, and every run looks back --lookback.  "
            f"[default: {VARIABLE_NAME}]",
        ),
    },
    "Which events": {
        "lookback": Flag(
            takes="TIME", does="How far back to look without a checkpoint: 90m, 24h, 3d."
        ),
        "scan": Flag(
            takes="HOW",
            does="full reads all deliveries; failures has GitHub pick those with a status code "
            "from 400 to 599, which is faster and misses other failures.",
        ),
        "give-up-after": Flag(
            takes="TIME",
            does="Leave an event alone once its first attempt is older.  [default: as long as "
            "GitHub keeps the log, 3d or on Enterprise Server 7d]",
        ),
        "max-attempts": Flag(
            takes="NUMBER", does="Leave an event alone after so many, counting the first."
        ),
        "events": Flag(
            takes="NAMES",
            does="Only these: push, pull_request.opened, check_*; '!NAME' excludes. May be "
            "repeated.",
        ),
        "skip-status-codes": Flag(
            takes="CODES",
            does="Leave failures with these alone, such as 400,410. May be repeated.",
        ),
    },
    "How much, how fast, how it ends": {
        "max-redeliveries": Flag(
            takes="NUMBER",
            does="At most so many in a run, those with the fewest attempts first.",
        ),
        "max-per-minute": Flag(
            takes="NUMBER",
            does="At most so many in any minute; 0 is as many as GitHub takes.",
        ),
        "verify": Flag(
            takes="TIME",
            does="How long to wait until the log shows what came of them: 30s, 5m; 0 is not at "
            "all.",
        ),
        "probe": Flag(
            takes="NUMBER",
            does="Redeliver so many at random first, and leave the others for the next run if all"
            " of these fail within --verify.",
        ),
        "fail-on": Flag(
            takes="error|unrecovered",
            does="With unrecovered, also fail when something is still failing, was given up, or "
            "has left or may leave GitHub's log.",
        ),
        "dry-run": Flag(does="Decide and report, but change nothing."),
    },
    LAST_GROUP: {
        "json": Flag(
            does="Print the whole report as JSON, and nothing else, on the standard output.",
        ),
    },
}
"""All flags, in the order of the help."""

LISTS = frozenset({"hook-id", "events", "skip-status-codes"})
"""The flags that may be repeated."""

INSTEAD_OF = {
    "token": "set REDELIVER_TOKEN, or GH_TOKEN, in the environment",
    "private-key": "set REDELIVER_PRIVATE_KEY, or name its file with --private-key-file",
    "variable-token": "set REDELIVER_VARIABLE_TOKEN in the environment",
}
"""How to give each secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """The parsed command line."""

    values: Mapping[str, str]
    """The flags that were given, by their names without dashes."""
    as_json: bool


def parse(
    arguments: Sequence[str], *, tables: Mapping[str, Mapping[str, str]] | None = None
) -> Flags | None:
    """Parse the arguments, or raise `InputError`.

    Return None after printing the version or the help, which ends with `tables`.
    """
    command = _Command("redeliver", params=_options(), help=PURPOSE)
    click.version_option(redeliver.__version__, message="%(prog)s %(version)s")(command)
    command.tables = tables or {}
    try:
        found = command.make_context("redeliver", [*arguments]).params
    except click.exceptions.Exit:
        return None
    except click.NoSuchOption as error:
        raise InputError(_no_flag(error)) from None
    except click.BadOptionUsage as error:
        raise InputError(error.message) from None  # it names the flag, and only that
    except click.UsageError:
        raise InputError("unexpected argument (not repeated here: it may be a secret)") from None
    given = {name.replace("_", "-"): value for name, value in found.items()}
    values = {}
    for name, value in given.items():
        match value:
            case str():
                values[name] = value
            case (_, *_):
                values[name] = ",".join(value)
    if given["dry-run"]:
        values["dry-run"] = "true"
    return Flags(values=values, as_json=given["json"])


class _Command(click.Command):
    """A command whose help has groups of flags, and tables at the end."""

    tables: Mapping[str, Mapping[str, str]]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the groups; the last one includes the flags that click adds."""
        records = {param.name: param.get_help_record(ctx) for param in self.get_params(ctx)}
        groups = {
            title: [records.pop(name.replace("-", "_")) for name in flags]
            for title, flags in GROUPS.items()
        }
        groups[LAST_GROUP] += records.values()
        for title, group in groups.items():
            with formatter.section(title):
                formatter.write_dl([record for record in group if record])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click passes it
        """Write the tables."""
        for title, rows in self.tables.items():
            with formatter.section(title):
                formatter.write_dl([*rows.items()])


def _options() -> list[click.Parameter]:
    flags = {name: flag for group in GROUPS.values() for name, flag in group.items()}
    return [_option(name, flag) for name, flag in flags.items()]


def _option(name: str, flag: Flag) -> click.Option:
    if not flag.takes:
        return click.Option([f"--{name}"], is_flag=True, help=flag.does)
    default = INPUTS[name].default if name in INPUTS else ""
    text = f"{flag.does}  [default: {default}]" if default else flag.does
    return click.Option([f"--{name}"], metavar=flag.takes, multiple=name in LISTS, help=text)


def _no_flag(error: click.NoSuchOption) -> str:
    name = error.option_name.removeprefix("--")
    if name in SECRETS:
        return (
            f"there is no flag for a secret, since a command line is there for all to see: "
            f"{INSTEAD_OF[name]}"
        )
    if error.possibilities and re.fullmatch("[a-z-]{2,20}", name):  # which is no secret
        meant = " or ".join(sorted(error.possibilities))
        return f"there is no flag --{name}; did you mean {meant}?"
    return "unknown flag (not repeated here: it may hold a secret)"
