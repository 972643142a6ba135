"""Print the generated parts of documentation and workflows. `make docs` has cog insert them."""

import ast
import math
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from textwrap import dedent
from typing import Any

import grimp
import yaml

from docs.scale import Backlog, ManyWebhooks, Schedule, most_a_day, refused_hours
from docs.simulated_arrivals import arrivals
from docs.simulated_schedules import DAY, HOUR, MINUTE, after_outage, delays, of_a_refused_event
from redeliver.core.decision import Verdict
from redeliver.core.window import SETTLING_TIME
from redeliver.reporting.format import age, percent
from redeliver.settings import SECRETS

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "redeliver"
ACTION_YML = (ROOT / "action.yml").read_text()
ACTION: dict[str, Any] = yaml.safe_load(ACTION_YML)


INPUT_GROUPS: Mapping[str, tuple[str, ...]] = {
    "where": (
        "token",
        "client-id",
        "app-id",
        "private-key",
        "org",
        "repo",
        "hook-id",
        "hook-url",
        "variable-name",
    ),
    "elsewhere": ("hostname", "variable-repository", "variable-token"),
    "which events": (
        "lookback",
        "scan",
        "give-up-after",
        "max-attempts",
        "events",
        "repositories",
        "skip-status-codes",
    ),
    "once": ("since", "until", "guids", "include-delivered"),
    "how much and how fast": ("max-redeliveries", "max-per-minute", "probe"),
    "how it ends": ("verify", "fail-on", "dry-run"),
}
"""The inputs of each table in the README, in its order. A newcomer needs the first table only."""


def inputs(group: str) -> None:
    """Print the table of one group of inputs."""
    print("| Input | Default | Meaning |")
    print("| --- | --- | --- |")
    for name in INPUT_GROUPS[group]:
        declared = ACTION["inputs"][name]
        default = f"`{declared['default']}`" if declared["default"] else ""
        print(f"| `{name}` | {default} | {declared['description']} |")


def outputs() -> None:
    """Print the table of outputs."""
    print("| Output | Meaning |")
    print("| --- | --- |")
    for name, declared in ACTION["outputs"].items():
        print(f"| `{name}` | {declared['description']} |")


def example(name: str, language: str = "yaml") -> None:
    """Print a file of examples/ as a code block."""
    print(f"```{language}")
    print((ROOT / "examples" / name).read_text(), end="")
    print("```")


def verdicts() -> None:
    """Print the table of verdicts. The program checks them in this order."""
    print("| The attempts in the log | What happens |")
    print("| --- | --- |")
    for attempts, consequence in VERDICTS.values():
        print(f"| {attempts} | {consequence} |")


RECENTLY = f"less than {SETTLING_TIME // timedelta(minutes=1)} minutes ago"


VERDICTS: Mapping[Verdict, tuple[str, str]] = {
    Verdict.DELIVERED: (
        "One succeeded: its status is `OK`, or its code is from 200 to 299.",
        "Nothing: the receiver has the event.",
    ),
    Verdict.UNWANTED_EVENT: (
        "All failed, and `events` excludes the event.",
        "Filtered out and counted. Once the checkpoint has passed it, no run looks at it again.",
    ),
    Verdict.UNWANTED_REPOSITORY: (
        "All failed, and `repositories` excludes the event's repository.",
        "Filtered out and counted. Once the checkpoint has passed it, no run looks at it again.",
    ),
    Verdict.UNWANTED_STATUS: (
        "All failed, the newest with one of `skip-status-codes`.",
        "Filtered out and counted. Once the checkpoint has passed it, no run looks at it again.",
    ),
    Verdict.UNREAD: (
        "All failed, and an error kept the run from reading back to the first attempt.",
        "Deferred. The step fails, and the checkpoint does not move.",
    ),
    Verdict.LAST_UNDER_WAY: (
        f"All failed, and too old (next two rows), but a run {RECENTLY} may have redelivered it.",
        "Deferred. A later run gives it up, or finds that it has been delivered.",
    ),
    Verdict.EXPIRED: (
        "All failed, and the first attempt is no longer in the log.",
        "Given up. The run names it and warns.",
    ),
    Verdict.TOO_OLD: (
        "All failed, and the first attempt is older than `give-up-after`.",
        "Given up. The run names it and warns.",
    ),
    Verdict.EXHAUSTED: (
        "All failed, and there are `max-attempts` of them.",
        "Given up. The run names it and warns.",
    ),
    Verdict.SWITCHED_OFF: (
        "All failed, and with `hook-id: all` or `hook-url`, the webhook is switched off.",
        "Deferred, until the webhook is switched on again or the event is given up.",
    ),
    Verdict.UNSETTLED: (
        "All failed, and an earlier run may have redelivered it without seeing the outcome.",
        "Deferred, [for 16 to 21 minutes](#two-runs-close-together).",
    ),
    Verdict.HELD: (
        "All failed, and another run may still be redelivering other events.",
        "Deferred, [until the other run has ended](#two-runs-close-together).",
    ),
    Verdict.WAITING: (
        "All failed, also a redelivery, and the event [still waits](#an-event-that-keeps-failing).",
        "Deferred to the first run after the wait.",
    ),
    Verdict.SURPLUS: (
        "All failed, and there are more than `max-redeliveries` such events.",
        "The first in [this order](#the-order-of-requests) are redelivered. Others are deferred.",
    ),
    Verdict.REDELIVER: ("All failed.", "The newest delivery is redelivered."),
}
"""For each verdict, the attempts that lead to it, and what happens then."""


SCHEDULES: Mapping[str, timedelta] = {
    "minute": MINUTE,
    "5 minutes": 5 * MINUTE,
    "hour": HOUR,
    "6 hours": 6 * HOUR,
}
OUTAGES: Mapping[str, timedelta] = {
    "10 minutes": 10 * MINUTE,
    "2 hours": 2 * HOUR,
    "12 hours": 12 * HOUR,
    "2 days": 2 * DAY,
}
BETWEEN_EVENTS = HOUR / 2


def schedules() -> None:
    """Print how often and how late events are redelivered with different schedules."""
    outages = " | ".join(f"Outage of {name}" for name in OUTAGES)
    print(f"| A run every | An event that always fails, in 3 days | {outages} |")
    print(f"| --- | ---: | {' | '.join('---:' for _ in OUTAGES)} |")
    for name, every in SCHEDULES.items():
        cells = [f"{of_a_refused_event(every, BETWEEN_EVENTS)} redeliveries"]
        for length in OUTAGES.values():
            recovery = after_outage(every, length, BETWEEN_EVENTS)
            cells.append(f"{recovery.redeliveries}; after {age(recovery.delay)}")
        print(f"| {name} | {' | '.join(cells)} |")


SIZES = (1000, 10_000, 100_000, 1_000_000)
"""Deliveries a day."""
INTERVALS: Mapping[str, timedelta] = {
    "minute": MINUTE,
    "5 minutes": 5 * MINUTE,
    "15 minutes": 15 * MINUTE,
    "hour": HOUR,
}
LIMIT = 5000
"""Requests an hour of a user, and at least of an installation of a GitHub App."""
ENTERPRISE_CLOUD_LIMIT = 15_000
"""The same of an installation in an organization of GitHub Enterprise Cloud."""


QUICK_START = (ROOT / "examples" / "organization.yml").read_text()
[QUICK_START_HOURS] = re.findall(r'cron: "\d+ \*/(\d+) \* \* \*"', QUICK_START)
CHOICES: Mapping[str, timedelta] = {
    "minute": MINUTE,
    "5 minutes": 5 * MINUTE,
    "15 minutes": 15 * MINUTE,
    "20 minutes": 20 * MINUTE,
    "hour": HOUR,
    f"{QUICK_START_HOURS} hours, the quick start": int(QUICK_START_HOURS) * HOUR,
}
"""The intervals that a user compares first."""
PLANS: Mapping[str, int] = {"Free": 2000, "Team": 3000, "Enterprise Cloud": 50_000}
"""The minutes a month that each plan of GitHub includes.

https://docs.github.com/en/billing/reference/product-usage-included
"""
PRICE = 0.006
"""US dollars for each further minute of `ubuntu-latest`.

https://docs.github.com/en/billing/reference/actions-runner-pricing
"""
USUAL_PER_DAY = 1000
"""Deliveries a day, for the requests of a month."""


def waiting_times() -> None:
    """Print how long after its failure an event is delivered, by schedule."""
    lengths = {"1 minute": MINUTE, "10 minutes": 10 * MINUTE, "an hour": HOUR}
    outages = " | ".join(f"The receiver is down for {name}" for name in lengths)
    print(f"| A run every | {outages} | After the receiver is back |")
    print(f"| --- | {' | '.join('---' for _ in lengths)} | --- |")
    for name, every in CHOICES.items():
        found = [delays(every, length) for length in lengths.values()]
        cells = [f"{_minutes(each.median)}, at most {_minutes(each.longest)}" for each in found]
        latest = f"at most {_minutes(max(each.longest_after_return for each in found))}"
        print(f"| {name} | {' | '.join(cells)} | {latest} |")


def _minutes(span: timedelta) -> str:
    """Write a time span, rounded up to minutes."""
    return age(math.ceil(span / MINUTE) * MINUTE)


def billed_minutes() -> None:
    """Print the requests, and the minutes that GitHub bills for jobs of less than a minute."""
    plans = " | ".join(f"{name}: of {minutes:,}" for name, minutes in PLANS.items())
    print(f"| A run every | Requests a month | Billed minutes a month | {plans} |")
    print(f"| --- | ---: | ---: | {' | '.join('---:' for _ in PLANS)} |")
    for name, every in CHOICES.items():
        schedule = Schedule(per_day=USUAL_PER_DAY, every=every)
        cells = [f"{schedule.quiet_month:,}"]
        if every > MINUTE:
            minutes = schedule.jobs_a_month
            cells += [f"{minutes:,}", *(_share(minutes, of) for of in PLANS.values())]
        else:  # which GitHub does not offer
            cells += ["not on GitHub Actions", *("" for _ in PLANS)]
        print(f"| {name} | {' | '.join(cells)} |")


def _share(minutes: int, included: int) -> str:
    """Write the share of the included minutes, or what the further ones cost."""
    if minutes <= included:
        return percent(minutes / included)
    return f"**{percent(minutes / included)}**: ${PRICE * (minutes - included):.2f}"


def many_webhooks() -> None:
    """Print the requests and the time of a run for many webhooks."""
    print("| Webhooks | Requests of a run | Time of these requests |")
    print("| ---: | ---: | ---: |")
    for number in (1, 10, 100, 1000):
        run = ManyWebhooks(number=number, latency=timedelta(milliseconds=300))
        print(f"| {number:,} | {run.requests:,} | {run.duration.total_seconds():.1f} s |")


def burst() -> None:
    """Print how many redeliveries GitHub makes in the first seconds after an outage."""
    latency = timedelta(milliseconds=300)
    settings = {"75, the default": 75, "60": 60, "30": 30, "10": 10}
    print("| `max-per-minute` | First second | First 10 seconds | First minute | All 200 |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, per_minute in settings.items():
        times = arrivals(200, per_minute=per_minute, latency=latency)
        spans = (timedelta(seconds=1), timedelta(seconds=10), MINUTE)
        counts = [sum(time < span for time in times) for span in spans]
        cells = " | ".join(str(count) for count in counts)
        print(f"| {name} | {cells} | {_minutes_and_seconds(times[-1])} |")


def _minutes_and_seconds(span: timedelta) -> str:
    minutes, seconds = divmod(math.ceil(span.total_seconds()), 60)
    return f"{minutes} min {seconds} s"


def requests_while_nothing_fails() -> None:
    """Print the requests an hour of schedules, and the most deliveries that can be read."""
    _print_requests(lambda schedule: schedule.quiet_hour, (*SIZES, 10_000_000))
    for limit in (LIMIT, ENTERPRISE_CLOUD_LIMIT):
        most = [f"{most_a_day(every, limit):,}" for every in INTERVALS.values()]
        print(f"| **The most with {limit:,} an hour** | {' | '.join(most)} |")


def requests_with_a_refused_event() -> None:
    """Print the most requests in an hour while an event is always refused."""
    _print_requests(lambda schedule: max(refused_hours(schedule)), SIZES)


def _print_requests(count: Callable[[Schedule], int], sizes: Iterable[int]) -> None:
    print(f"| Deliveries a day | {' | '.join(f'A run every {name}' for name in INTERVALS)} |")
    print(f"| ---: | {' | '.join('---:' for _ in INTERVALS)} |")
    for per_day in sizes:
        schedules = (Schedule(per_day=per_day, every=every) for every in INTERVALS.values())
        print(f"| {per_day:,} | {' | '.join(f'{count(schedule):,}' for schedule in schedules)} |")


def backlogs() -> None:
    """Print how long it takes to redeliver all events of an outage."""
    outages = {"1 hour": HOUR, "12 hours": 12 * HOUR}
    print(f"| Deliveries a day | {' | '.join(f'Outage of {name}' for name in outages)} |")
    print(f"| ---: | {' | '.join('---' for _ in outages)} |")
    for per_day in SIZES:
        cells = []
        for outage in outages.values():
            backlog = Backlog(per_day=per_day, outage=outage)
            hours = backlog.hours(LIMIT)
            enough = f"the last in hour {hours}" if hours else "not all before they leave the log"
            cells.append(f"{backlog.failures:,} events: {enough}")
        print(f"| {per_day:,} | {' | '.join(cells)} |")


IMPORT_LINTER = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
CONTRACTS: Mapping[str, list[str]] = {
    contract["id"]: contract["layers"]
    for contract in IMPORT_LINTER["contracts"]
    if contract["type"] == "layers"
}
"""The layers of redeliver and of each of its folders, by contract id, highest layer first."""

LAYERS = [layer.split(" | ") for layer in CONTRACTS["layers"]]
PARTS = [name for layer in LAYERS[:-2] for name in layer]
SHARED_PARTS = [name for layer in LAYERS[-2:] for name in layer]
"""Every module may import these, so the diagram has no arrows to them."""


def architecture() -> None:
    """Print the layers of the contract as a diagram, with the imports between them as arrows.

    It omits an arrow that follows from others.
    """
    print("```mermaid")
    print("flowchart TB")
    for name in PARTS:
        print(f'    {name}["{_label(name)}"]')
    shared = "<br>".join(_label(name) for name in SHARED_PARTS)
    print(f'    shared["{shared}"]')
    imports = _imports()
    for source, targets in imports.items():
        for target in sorted(targets):
            if not any(target in imports[other] for other in targets - {target}):
                print(f"    {source} --> {target}")
    print("    core ~~~ shared")
    print("```")


def _label(name: str) -> str:
    modules = [path.stem for path in _modules(name)]
    return f"<b>{name}</b><br>{'<br>'.join(modules)}" if modules else f"<b>{name}</b>"


def _imports() -> dict[str, set[str]]:
    """Return the parts that each part imports, directly or indirectly, without the shared ones."""
    graph = grimp.build_graph("redeliver", cache_dir=None)
    return {
        name: {
            other
            for other in PARTS
            if other != name
            and graph.chain_exists(f"redeliver.{name}", f"redeliver.{other}", as_packages=True)
        }
        for name in PARTS
    }


def modules() -> None:
    """Print what each folder and module is for: the first line of its docstring."""
    print("| Module | What it is for |")
    print("| --- | --- |")
    for name in PARTS + SHARED_PARTS:
        modules_inside = _modules(name)
        if modules_inside:
            print(f"| **`{name}/`** | **{_first_line(PACKAGE / name / '__init__.py')}** |")
        for path in modules_inside or [PACKAGE / f"{name}.py"]:
            print(f"| `{path.relative_to(PACKAGE)}` | {_first_line(path)} |")


def _first_line(path: Path) -> str:
    documentation = ast.get_docstring(ast.parse(path.read_text())) or ""
    return documentation.splitlines()[0]


def _modules(folder: str) -> list[Path]:
    """Return the modules of a folder, highest layer first.

    Raise `SystemExit` if the folder's contract lacks one of them.
    """
    found = {path.stem: path for path in (PACKAGE / folder).glob("*.py")}
    found.pop("__init__", None)
    order = [name for layer in CONTRACTS.get(folder, []) for name in layer.split(" | ")]
    missing = found.keys() - set(order)
    if missing:
        names = ", ".join(sorted(missing))
        raise SystemExit(f"pyproject.toml: give {names} a layer in the contract {folder!r}")
    return [found[name] for name in order if name in found]


def declared_inputs() -> None:
    """Print the declarations of all inputs, copied from action.yml."""
    for name in ACTION["inputs"]:
        print(_declaration(name))


def declared_outputs() -> None:
    """Print the declarations of all outputs, copied from action.yml."""
    for name in ACTION["outputs"]:
        print(_declaration(name))


def composite_outputs() -> None:
    """Print the outputs of the composite action: those of its last step."""
    for name in ACTION["outputs"]:
        print(_declaration(name))
        print(f"  value: ${{{{ steps.redeliver.outputs.{name} }}}}")


def composite_environment() -> None:
    """Print the inputs of the composite action as the environment of its last step."""
    for name in ACTION["inputs"]:
        print(f"INPUT_{name.upper().replace('-', '_')}: ${{{{ inputs.{name} }}}}")


def called_inputs() -> None:
    """Print the inputs of the reusable workflow, which declares secrets separately."""
    for name in ACTION["inputs"]:
        if name not in SECRETS:
            print(_declaration(name))
            print("  type: string")


def called_secrets() -> None:
    """Print the secrets of the reusable workflow."""
    for name in SECRETS:
        print(f"{name}:")
        print(f"  description: {ACTION['inputs'][name]['description']}")


def called_outputs() -> None:
    """Print the outputs of the reusable workflow: those of its job."""
    for name in ACTION["outputs"]:
        print(_declaration(name))
        print(f"  value: ${{{{ jobs.redeliver.outputs.{name} }}}}")


def job_outputs() -> None:
    """Print the outputs of the reusable workflow's job: those of its step."""
    for name in ACTION["outputs"]:
        print(f"{name}: ${{{{ steps.redeliver.outputs.{name} }}}}")


def job_inputs() -> None:
    """Print the inputs that the reusable workflow passes to the action."""
    for name in ACTION["inputs"]:
        kind = "secrets" if name in SECRETS else "inputs"
        print(f"{name}: ${{{{ {kind}.{name} }}}}")


def _declaration(name: str) -> str:
    """Return the declaration of an input or output, copied from action.yml."""
    [declaration] = re.findall(rf"^  {name}:\n(?:    .*\n)+", ACTION_YML, flags=re.MULTILINE)
    return dedent(declaration).rstrip()
