"""The flags of the command: parsing, and the help.

No message repeats a value, because it may be a secret that was given by mistake.
The module is long because it has the help of every flag.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import click

import redeliver
from redeliver.errors import InputError
from redeliver.settings import INPUTS, MISSPELLED, SECRETS, VARIABLE_NAME

PURPOSE = "Find the failed deliveries of a GitHub webhook and redeliver them."

LAST_GROUP = "Output"

UNBREAKABLE_HYPHEN = "\u2011"
"""A hyphen at which no line is broken; the printed help has ordinary ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A flag and its help."""

    takes: str = ""
    """The placeholder of its value; empty if it takes none."""
    does: str


NEEDS = (
    "A run needs a webhook, a token in the environment variable REDELIVER_TOKEN or GH_TOKEN (or a "
    "GitHub App), and one of the three checkpoint flags, or --since or --guids."
)

EXAMPLES: Mapping[str, str] = {
    "Show what would be redelivered, without a checkpoint": (
        "redeliver --org my-org --hook-id 123456789 --variable-name '' --dry-run"
    ),
    "Redeliver once what failed last night": ("redeliver --org my-org --hook-id all --since 12h"),
    "Redeliver, by cron for example, with the checkpoint in a file": (
        "redeliver --org my-org --hook-id 123456789 --checkpoint-file ~/redeliver.json"
    ),
    "Redeliver every 5 minutes, until somebody stops the process": (
        "redeliver --org my-org --hook-id all --checkpoint-file state.json --every 5m"
    ),
    "Redeliver, with the checkpoint in an Actions variable of a repository": (
        "redeliver --repo my-org/shop --hook-id all --variable-repository my-org/ops"
    ),
}
"""Complete commands for the help, by what they do."""

CHECKPOINT_GROUP = "Checkpoint"

REPLAY_GROUP = "Once: a time range, or certain events"

NOTES: Mapping[str, str] = {
    REPLAY_GROUP: "A run with --since or --guids uses no checkpoint, and redelivers every event "
    "at once.",
    CHECKPOINT_GROUP: "The checkpoint is the time up to which every failure has been dealt with. "
    "The next run starts from it. One of --checkpoint-file, --variable-repository or "
    "--variable-name '' is needed, unless --since or --guids is given.",
}
"""What the help says before the flags of a group."""

GROUPS: Mapping[str, Mapping[str, Flag]] = {
    "Which webhook": {
        "org": Flag(takes="NAME", does="Organization that owns the webhook."),
        "repo": Flag(takes="OWNER/NAME", does="Repository that owns the webhook."),
        "hook-id": Flag(
            takes="ID",
            does="Id of the webhook, which is the number at the end of its settings URL; or all, "
            "for all webhooks. May be repeated. Leave it out for a GitHub App's own "
            "webhook.",
        ),
        "hook-url": Flag(
            takes="PATTERN",
            does="Instead of --hook-id: a pattern for the webhook's payload URL, such as "
            "'ci.example.com/*'. It is a host, or host and path; * stands for any characters, such "
            "as a secret part. Each run looks up the webhook.",
        ),
        "hostname": Flag(
            takes="HOST",
            does="Host name of your GitHub, such as github.example.com, or the full URL of its "
            "API.  [default: GH_HOST, or else github.com]",
        ),
    },
    "GitHub App, instead of a token": {
        "client-id": Flag(
            takes="ID",
            does="Client ID or App ID of a GitHub App. With --org or --repo, redeliver uses the "
            "App's installation there. Without them, it redelivers for the App's own webhook.",
        ),
        "app-id": Flag(takes="ID", does="Another name for --client-id."),
        "private-key-file": Flag(
            takes="FILE", does="File with the App's private key, as GitHub generated it (.pem)."
        ),
    },
    CHECKPOINT_GROUP: {
        "checkpoint-file": Flag(
            takes="FILE",
            does="File that holds the checkpoint; created if it does not exist. While one run "
            "uses it, another run with the same file ends at once.",
        ),
        "variable-repository": Flag(
            takes="OWNER/NAME",
            does="Repository that holds the checkpoint in an Actions variable.",
        ),
        "variable-name": Flag(
            takes="NAME",
            does="Name of that variable. With '', no checkpoint is kept, and every run looks back "
            f"as far as --lookback.  [default: {VARIABLE_NAME}]",
        ),
    },
    "Which events": {
        "lookback": Flag(
            takes="TIME",
            does="How far back to look if there is no checkpoint, such as 90m, 24h or 3d.",
        ),
        "scan": Flag(
            takes="full|failures",
            does="With full, read all deliveries. With failures, use GitHub's filter for status "
            "codes from 400 to 599, which is faster but can miss other failures.",
        ),
        "give-up-after": Flag(
            takes="TIME",
            does="Give up an event when its first attempt is older than this.  [default: 3d, "
            "or 7d on Enterprise Server: the time for which GitHub keeps its log]",
        ),
        "max-attempts": Flag(
            takes="NUMBER",
            does="Give up an event after this many attempts, including the first.  [default: no "
            "limit]",
        ),
        "events": Flag(
            takes="NAMES",
            does="Redeliver only these events, such as push, pull_request.opened or check_*. "
            "'!NAME' excludes an event. May be repeated. Once the checkpoint has passed an "
            "excluded event, no later run with this checkpoint redelivers it.  [default: all]",
        ),
        "repositories": Flag(
            takes="NAMES",
            does="Redeliver only events of these repositories, such as shop, my-org/shop, 'team-*' "
            "or an id. '!NAME' excludes a repository. Unless every entry has a !, events without "
            "a repository are excluded, too. May be repeated. Once the checkpoint has "
            "passed an excluded event, no later run with this checkpoint redelivers it.  "
            "[default: all]",
        ),
        "skip-status-codes": Flag(
            takes="CODES",
            does="Do not redeliver failures with these status codes, such as 400,410. May be "
            "repeated. Once the checkpoint has passed such a failure, no later run with this "
            "checkpoint redelivers it.",
        ),
    },
    REPLAY_GROUP: {
        "since": Flag(
            takes="TIME",
            does="Redeliver what failed since this time, such as 2026-11-26T22:00:00Z, or in "
            "this time span, such as 90m, 6h or 2d.",
        ),
        "until": Flag(takes="TIME", does="Only what failed until this time.  [default: now]"),
        "guids": Flag(
            takes="GUID",
            does="Redeliver exactly these events, even if they were delivered or other flags "
            "exclude them. A GUID is the value of the header X-GitHub-Delivery. May be repeated.",
        ),
        "include-delivered": Flag(
            does="With --since, also redeliver events that were delivered in that time range, "
            "unless they were delivered again later. A real run needs --max-redeliveries.",
        ),
    },
    "How much, how fast, and when to fail": {
        "max-redeliveries": Flag(
            takes="NUMBER",
            does="Redeliver at most this many events per run. The others wait for the next run.  "
            "[default: no limit]",
        ),
        "max-per-minute": Flag(
            takes="NUMBER",
            does="Redeliver at most this many events in any minute; if that is 60 or fewer, "
            "evenly, one after the other. 0 means as many as GitHub allows.",
        ),
        "verify": Flag(
            takes="TIME",
            does="How long to wait for the log to show the outcomes, such as 30s or 5m. 0 means "
            "not to wait.",
        ),
        "probe": Flag(
            takes="NUMBER",
            does="If a webhook has more failed events than this, redeliver this many first. If all "
            "of them fail within --verify, defer the webhook's others to the next run.",
        ),
        "fail-on": Flag(
            takes="error|unrecovered",
            does="When to end with status 1. With error: if a delivery log could not be read, "
            "GitHub refused or did not confirm a redelivery, or the checkpoint could not be saved. "
            "With unrecovered: also if an event is still failing or was given up, or if events may "
            "leave GitHub's log before a run deals with them.",
        ),
        "dry-run": Flag(does="Show what would be redelivered, and change nothing."),
    },
    "How often": {
        "every": Flag(
            takes="TIME",
            does="Run again and again, until SIGTERM or SIGINT (Ctrl-C). TIME is from the start of "
            "a run to the start of the next, such as 30s, 5m or 1h, and at most 24h. A run prints "
            "only what the run before has not printed.  [default: run once]",
        ),
        "at-once": Flag(
            does="Try every event at once, also those that would wait because their redelivery "
            "failed. Use it when you know that the receiver works again. It does not redeliver "
            "what may still be under way. The first run of --every always does this.",
        ),
    },
    LAST_GROUP: {
        "metrics-file": Flag(
            takes="FILE",
            does="After each run, write its results to this file, as metrics for the node exporter "
            "of Prometheus. FILE must end in .prom. A dry run writes no metrics.",
        ),
        "json": Flag(
            does="Print the whole report as one line of JSON on standard output, and nothing else "
            "there. With --every, one line for each run. Standard error has the warnings and "
            "errors, and in a terminal also what the run does.",
        ),
        "quiet": Flag(
            does="Print nothing unless a run has warnings or errors. Then print them on standard "
            "error, with the time of the run and the events that need attention. For cron, which "
            "mails what a run prints. --json still prints the report.",
        ),
    },
}
"""All flags, in the order of the help."""

SWITCHES = ("dry-run", "at-once", "include-delivered", "quiet")
"""The flags without a value that can also be set as a variable."""

LISTS = frozenset({"hook-id", "events", "repositories", "skip-status-codes", "guids"})
"""The flags that may be repeated."""

FLAG_NAMES = (*(name for group in GROUPS.values() for name in group), "version", "help")

INSTEAD_OF = {
    "token": "set the environment variable REDELIVER_TOKEN or GH_TOKEN",
    "private-key": "use --private-key-file, or set the environment variable REDELIVER_PRIVATE_KEY",
    "variable-token": "set the environment variable REDELIVER_VARIABLE_TOKEN",
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
        raise InputError(
            "unexpected argument, which is not repeated here because it may be a secret. A value "
            "needs a flag before it: see --help"
        ) from None
    given = {name.replace("_", "-"): value for name, value in found.items()}
    values = {}
    for name, value in given.items():
        match value:
            case str():
                values[name] = value
            case (_, *_):
                values[name] = ",".join(value)
    values |= {name: "true" for name in SWITCHES if given[name]}
    return Flags(values=values, as_json=given["json"])


class _Formatter(click.HelpFormatter):
    """Wraps lines without splitting a flag at its hyphens."""

    def write_text(self, text: str) -> None:
        """Write a paragraph."""
        super().write_text(text.replace("-", UNBREAKABLE_HYPHEN))

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """Write a table of terms and their descriptions."""
        whole = [(term, text.replace("-", UNBREAKABLE_HYPHEN)) for term, text in rows]
        super().write_dl(whole, col_max, col_spacing)

    def getvalue(self) -> str:
        """Return all that was written."""
        return super().getvalue().replace(UNBREAKABLE_HYPHEN, "-")


class _Context(click.Context):
    """The context of the command, with its formatter of the help."""

    formatter_class = _Formatter


class _Command(click.Command):
    """A command whose help has examples, groups of flags, and tables at the end."""

    context_class = _Context
    tables: Mapping[str, Mapping[str, str]]

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the purpose and the examples, whose commands are not wrapped."""
        super().format_help_text(ctx, formatter)
        with formatter.section("Examples"):
            for title, example in EXAMPLES.items():
                for line in (f"# {title}", example):
                    formatter.write(f"{'':{formatter.current_indent}}{line}\n")
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(NEEDS)

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
                if title in NOTES:
                    formatter.write_text(NOTES[title])
                    formatter.write_paragraph()
                formatter.write_dl([record for record in group if record])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click passes `ctx`
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
            "there is no flag for a secret, because other users of the machine can see command "
            f"lines. Instead, {INSTEAD_OF[name]}"
        )
    nearest = next(iter(get_close_matches(name, FLAG_NAMES, n=1)), None)
    if nearest is None:
        return (
            "unknown flag, which is not repeated here because it may contain a secret: see --help"
        )
    if nearest.startswith(name) or get_close_matches(name, [nearest], cutoff=MISSPELLED):
        return f"there is no flag --{name}; did you mean --{nearest}?"
    return f"unknown flag; did you mean --{nearest}? See --help"
