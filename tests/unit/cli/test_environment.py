"""Flags and environment variables become the inputs of a run."""

from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from redeliver import settings
from redeliver.cli import flags
from redeliver.cli.environment import parse_interval, parse_settings, variable_of
from redeliver.cli.wording import in_flags
from redeliver.errors import InputError
from redeliver.settings import INPUTS
from tests.support.builders import PRIVATE_KEY
from tests.unit.cli.invocations import invoke

ROOT = Path(__file__).parents[3]
VALUED = {name for group in flags.GROUPS.values() for name, flag in group.items() if flag.takes}


def inputs_of(*arguments: str, **environment: str) -> dict[str, str]:
    """Return the inputs when no checkpoint is kept."""
    return dict(invoke(*arguments, "--variable-name", "", **environment).inputs)


def test_an_unknown_variable_is_refused_without_its_value() -> None:
    with pytest.raises(InputError) as refusal:
        invoke(REDELIVER_EVENT="push", REDELIVER_DRYRUN="s3cret")

    assert str(refusal.value) == (
        "redeliver has no environment variable REDELIVER_DRYRUN or REDELIVER_EVENT. "
        "Check the spelling, and see --help"
    )


def test_the_variable_has_the_same_name_as_in_the_action() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text())

    assert action["inputs"]["variable-name"]["default"] == settings.VARIABLE_NAME
    assert invoke("--variable-repository", "acme/ops").inputs["variable-name"] == "LAST_REDELIVERY"


@pytest.mark.parametrize("name", sorted(VALUED & INPUTS.keys() - {"variable-name"}))
def test_a_flag_overrides_its_environment_variable(name: str) -> None:
    variable = {variable_of(name): "theirs"}

    assert inputs_of(f"--{name}", "mine")[name] == "mine"
    assert inputs_of(f"--{name}=mine", **variable)[name] == "mine"
    assert inputs_of(**variable)[name] == "theirs"


@pytest.mark.parametrize("name", sorted(flags.LISTS))
def test_a_flag_with_several_values_may_be_repeated(name: str) -> None:
    assert inputs_of(f"--{name}", "1", f"--{name}", "2")[name] == "1,2"


@pytest.mark.parametrize(
    ("arguments", "variable", "text"),
    [
        pytest.param([], None, "", id="nothing"),
        pytest.param(["--dry-run"], None, "true", id="the flag"),
        pytest.param(["--dry-run"], "false", "true", id="the flag and a variable"),
        pytest.param([], "false", "false", id="a variable"),
        pytest.param([], "maybe", "maybe", id="an invalid value, refused later"),
    ],
)
def test_a_dry_run_is_requested_by(arguments: list[str], variable: str | None, text: str) -> None:
    environment = {"REDELIVER_DRY_RUN": variable} if variable is not None else {}

    assert inputs_of(*arguments, **environment)["dry-run"] == text


@pytest.mark.parametrize(
    ("arguments", "environment", "token", "name"),
    [
        pytest.param([], {}, "", "REDELIVER_TOKEN or GH_TOKEN", id="nowhere"),
        pytest.param([], {"REDELIVER_TOKEN": "a"}, "a", "REDELIVER_TOKEN", id="its own variable"),
        pytest.param([], {"GH_TOKEN": "b"}, "b", "GH_TOKEN", id="gh's variable"),
        pytest.param(
            [],
            {"REDELIVER_TOKEN": "a", "GH_TOKEN": "b"},
            "a",
            "REDELIVER_TOKEN",
            id="its own variable rather than gh's",
        ),
        pytest.param(
            ["--client-id", "1"], {"GH_TOKEN": "b"}, "", "REDELIVER_TOKEN", id="nowhere, for an App"
        ),
    ],
)
def test_the_token_comes_from(
    arguments: list[str], environment: dict[str, str], token: str, name: str
) -> None:
    invocation = invoke(*arguments, "--variable-name", "", **environment)

    assert invocation.inputs["token"] == token
    assert invocation.names["token"] == name


@pytest.mark.parametrize(
    ("arguments", "environment", "host"),
    [
        pytest.param([], {}, "github.com", id="nowhere"),
        pytest.param([], {"GH_HOST": "a.example"}, "a.example", id="gh's variable"),
        pytest.param(["--hostname", "b.example"], {"GH_HOST": "a.example"}, "b.example", id="flag"),
    ],
)
def test_the_host_comes_from(arguments: list[str], environment: dict[str, str], host: str) -> None:
    assert inputs_of(*arguments, **environment)["hostname"] == host


def test_a_private_key_comes_from_a_file_or_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_text(PRIVATE_KEY)
    named = {"REDELIVER_PRIVATE_KEY_FILE": str(file)}

    assert inputs_of("--private-key-file", str(file))["private-key"] == PRIVATE_KEY
    assert inputs_of(**named)["private-key"] == PRIVATE_KEY
    assert inputs_of(REDELIVER_PRIVATE_KEY=PRIVATE_KEY)["private-key"] == PRIVATE_KEY
    with pytest.raises(
        InputError, match="REDELIVER_PRIVATE_KEY_FILE and REDELIVER_PRIVATE_KEY cannot both"
    ):
        inputs_of(**named, REDELIVER_PRIVATE_KEY=PRIVATE_KEY)


def test_a_missing_key_file_is_an_error_of_its_flag(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match="the file in --private-key-file cannot be read: No such file"
    ):
        inputs_of("--private-key-file", str(tmp_path / "none.pem"))


def test_an_invalid_key_file_is_an_error_of_its_flag(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(b"\xff\x00 no key")
    invocation = invoke(
        "--private-key-file", str(file), "--client-id", "1", "--org", "x", "--variable-name", ""
    )

    with pytest.raises(InputError) as caught:
        settings.parse(invocation.inputs)

    message = in_flags(str(caught.value), invocation.names)
    assert message.startswith("--private-key-file must be the App's private key")


@pytest.mark.parametrize(
    ("arguments", "environment", "file", "repository", "name"),
    [
        pytest.param(["--checkpoint-file", "x"], {}, "x", "", "", id="a file"),
        pytest.param([], {"REDELIVER_CHECKPOINT_FILE": "x"}, "x", "", "", id="a file's variable"),
        pytest.param(
            ["--checkpoint-file", "x", "--variable-name", ""], {}, "x", "", "", id="a file only"
        ),
        pytest.param(
            ["--variable-repository", "a/b"], {}, None, "a/b", "LAST_REDELIVERY", id="a variable"
        ),
        pytest.param(
            ["--variable-repository", "a/b", "--variable-name", "C"],
            {},
            None,
            "a/b",
            "C",
            id="a variable of another name",
        ),
        pytest.param(["--variable-name", ""], {}, None, "", "", id="nowhere"),
        pytest.param([], {"REDELIVER_VARIABLE_NAME": ""}, None, "", "", id="nowhere, by variable"),
        pytest.param(
            ["--checkpoint-file", "", "--variable-name", ""],
            {"REDELIVER_CHECKPOINT_FILE": "x"},
            None,
            "",
            "",
            id="nowhere, in spite of a variable",
        ),
    ],
)
def test_the_checkpoint_is_kept_in(
    arguments: list[str], environment: dict[str, str], file: str | None, repository: str, name: str
) -> None:
    invocation = invoke(*arguments, **environment)

    assert invocation.checkpoint_file == (Path(file) if file else None)
    assert invocation.inputs["variable-repository"] == repository
    assert invocation.inputs["variable-name"] == name


@pytest.mark.parametrize("arguments", [[], ["--variable-name", "C"]], ids=["nothing", "a name"])
def test_a_place_for_the_checkpoint_must_be_given(arguments: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        parse_settings(invoke(*arguments))

    errors = in_flags(str(caught.value)).split(". Also, ")
    assert len(errors) == 3, "the others are about the token and the organization"
    assert "say where to keep the checkpoint: --checkpoint-file FILE, " in errors[2]


@pytest.mark.parametrize(
    ("arguments", "environment", "named"),
    [
        (["--variable-repository", "a/b"], {}, "--variable-repository"),
        (["--variable-name", "C"], {}, "--variable-name"),
        ([], {"REDELIVER_VARIABLE_TOKEN": "t"}, "REDELIVER_VARIABLE_TOKEN"),
    ],
    ids=["a repository", "a name", "a token"],
)
def test_a_file_and_a_variable_cannot_both_be_given(
    arguments: list[str], environment: dict[str, str], named: str
) -> None:
    with pytest.raises(InputError, match=f"--checkpoint-file and {named} cannot both be set"):
        invoke("--checkpoint-file", "x", *arguments, **environment)


def test_two_places_for_the_checkpoint_are_named_as_given() -> None:
    with pytest.raises(InputError, match="REDELIVER_CHECKPOINT_FILE and --variable-name cannot"):
        invoke("--variable-name", "X", REDELIVER_CHECKPOINT_FILE="x.json")


def interval_of(*arguments: str, **environment: str) -> timedelta | None:
    """Return the interval of a valid command line."""
    invocation = invoke("--org=acme", "--hook-id=1", *arguments, REDELIVER_TOKEN="t", **environment)
    return parse_interval(invocation, parse_settings(invocation))


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ("1s", timedelta(seconds=1)),
        ("30s", timedelta(seconds=30)),
        (" 5m ", timedelta(minutes=5)),
        ("24h", timedelta(hours=24)),
        ("86400s", timedelta(hours=24)),
        ("", None),
    ],
)
def test_an_interval_is_in_seconds_minutes_or_hours(text: str, interval: timedelta | None) -> None:
    assert interval_of("--checkpoint-file=x", "--every", text) == interval
    assert interval_of("--checkpoint-file=x", REDELIVER_EVERY=text) == interval


def test_without_an_interval_the_command_runs_once() -> None:
    assert interval_of("--checkpoint-file=x") is None


@pytest.mark.parametrize(
    "text", ["0s", "5", "5 m", "1d", "1.5h", "-1m", "25h", "1441m", "86401s", "099s", "soon"]
)
def test_a_wrong_interval_is_explained_but_not_repeated(text: str) -> None:
    rule = "must be a number of seconds, minutes or hours from 1s to 24h, such as 30s, 5m or 1h"

    with pytest.raises(InputError) as flag:
        interval_of("--checkpoint-file=x", f"--every={text}")
    with pytest.raises(InputError) as variable:
        interval_of("--checkpoint-file=x", REDELIVER_EVERY=text)

    assert str(flag.value) == f"--every {rule}"
    assert str(variable.value) == f"REDELIVER_EVERY {rule}"


def test_a_loop_needs_a_checkpoint_unless_it_is_a_dry_run() -> None:
    minute = timedelta(minutes=1)

    with pytest.raises(InputError, match="REDELIVER_EVERY needs a checkpoint, because without"):
        interval_of("--variable-name=", REDELIVER_EVERY="1m")

    assert interval_of("--variable-name=", "--every=1m", "--dry-run") == minute
    assert interval_of("--variable-repository=a/b", "--every=1m") == minute


@pytest.mark.parametrize(
    ("flags", "name"),
    [
        (["--since=6h"], "--since"),
        (["--guids=72d3162e-cc78-11e3-81ab-4c9367dc0958", "--dry-run"], "--guids"),
    ],
)
def test_a_loop_cannot_redeliver_the_same_events_again_and_again(
    flags: list[str], name: str
) -> None:
    with pytest.raises(InputError, match=f"^--every and {name} cannot both be set: each run"):
        interval_of("--every=1m", *flags)


def test_an_invocation_does_not_show_its_secrets() -> None:
    assert "s3cret" not in repr(invoke("--variable-name", "", REDELIVER_TOKEN="s3cret"))


@pytest.mark.parametrize(
    ("arguments", "variable", "expected"),
    [
        pytest.param([], None, False, id="neither"),
        pytest.param(["--at-once"], None, True, id="the flag"),
        pytest.param(["--at-once"], "false", True, id="the flag and a variable"),
        pytest.param([], "true", True, id="the variable"),
        pytest.param([], "false", False, id="the variable is false"),
        pytest.param([], "", False, id="the variable is empty"),
    ],
)
def test_no_event_waits_with_at_once(
    arguments: list[str], variable: str | None, *, expected: bool
) -> None:
    environment = {"REDELIVER_AT_ONCE": variable} if variable is not None else {}
    where = ["--org=acme", "--hook-id=7", "--variable-name="]

    invocation = invoke(*where, *arguments, REDELIVER_TOKEN="ghp_s3cret", **environment)

    assert parse_settings(invocation).options.policy.at_once is expected
    assert parse_settings(invocation, at_once=True).options.policy.at_once


@pytest.mark.parametrize("name", ["REDELIVER_AT_ONCE", "REDELIVER_QUIET"])
def test_a_wrong_switch_is_explained(name: str) -> None:
    with pytest.raises(InputError, match=f"{name} must be true or false"):
        invoke(**{name: "yes"})


@pytest.mark.parametrize(
    ("arguments", "variable", "expected"),
    [
        pytest.param([], "", False, id="neither"),
        pytest.param(["--quiet"], "false", True, id="the flag and a variable"),
        pytest.param([], "true", True, id="the variable"),
    ],
)
def test_a_run_is_quiet_with(arguments: list[str], variable: str, *, expected: bool) -> None:
    where = ["--org=acme", "--hook-id=7", "--variable-name="]

    assert invoke(*where, *arguments, REDELIVER_QUIET=variable).is_quiet is expected


@pytest.mark.parametrize(
    ("arguments", "environment", "message"),
    [
        pytest.param(["--client-id", "x"], {}, "--client-id must be the App's", id="a flag"),
        pytest.param(["--app-id", "x"], {}, "--app-id must be the App's", id="its other name"),
        pytest.param(
            [],
            {"REDELIVER_CLIENT_ID": "1", "REDELIVER_APP_ID": "2"},
            "REDELIVER_CLIENT_ID and REDELIVER_APP_ID have different values",
            id="both, with different values",
        ),
    ],
)
def test_an_error_about_an_app_names_what_gave_its_id(
    arguments: list[str], environment: dict[str, str], message: str, tmp_path: Path
) -> None:
    key = tmp_path / "key.pem"
    key.write_text(PRIVATE_KEY)
    where = ["--org", "acme", "--hook-id", "7", "--variable-name", ""]
    invocation = invoke("--private-key-file", str(key), *arguments, *where, **environment)

    with pytest.raises(InputError) as caught:
        settings.parse(invocation.inputs, names=invocation.names)

    assert in_flags(str(caught.value), invocation.names).startswith(message)


def test_messages_about_the_app_name_the_flag_that_was_given() -> None:
    invocation = invoke("--app-id", "1", "--variable-name", "")

    assert in_flags("no App with the id in 'client-id'", invocation.names).endswith("in --app-id")


@pytest.mark.parametrize(
    ("flag", "variable"),
    [("--client-id", "REDELIVER_APP_ID"), ("--app-id", "REDELIVER_CLIENT_ID")],
)
def test_a_flag_overrides_the_variable_of_its_other_name(flag: str, variable: str) -> None:
    """As the help says: a flag overrides the variable."""
    key = {"REDELIVER_PRIVATE_KEY": PRIVATE_KEY}
    arguments = (flag, "123", "--org", "acme", "--hook-id", "1", "--variable-name", "")

    parsed = parse_settings(invoke(*arguments, **{variable: "456"}, **key))

    assert parsed.app_id == "123"
