"""What the command line and the environment mean, and how it is answered."""

import re
from pathlib import Path

import pytest
import yaml

from redeliver import settings
from redeliver.cli import flags
from redeliver.cli.environment import FILES, NAMES, Invocation, parse_settings, resolve, variable_of
from redeliver.cli.flags import GROUPS
from redeliver.cli.main import EXIT_STATUSES, STATUS_OF
from redeliver.cli.wording import Wording, in_flags
from redeliver.errors import InputError, RedeliverError
from redeliver.settings import INPUTS, SECRETS
from tests.unit.test_settings import GOOD, KEY

ROOT = Path(__file__).parents[3]
DOCS = (ROOT / "docs" / "own-server.md").read_text()
ALL = {name: flag for group in GROUPS.values() for name, flag in group.items()}
VALUED = sorted(name for name, flag in ALL.items() if flag.takes)


def order(*arguments: str, **environment: str) -> Invocation:
    """Understand a command line and what is in the environment."""
    found = flags.parse(arguments)
    assert found
    return resolve(found.values, environment)


def nowhere(*arguments: str, **environment: str) -> dict[str, str]:
    """Give the inputs that come of it when no checkpoint is kept."""
    return dict(order(*arguments, "--variable-name", "", **environment).inputs)


def test_a_variable_with_a_slip_of_the_pen_is_refused_and_not_repeated_with_its_content() -> None:
    with pytest.raises(InputError) as refusal:
        order(REDELIVER_EVENT="push", REDELIVER_DRYRUN="s3cret")

    assert str(refusal.value) == (
        "there is no variable REDELIVER_DRYRUN, REDELIVER_EVENT; --help lists what there is"
    )


def test_there_is_a_flag_for_exactly_the_inputs_that_are_no_secrets_and_for_what_is_only_here() -> (
    None
):
    assert ALL.keys() == INPUTS.keys() - set(SECRETS) | {*FILES, "json"}


def test_the_variable_has_the_name_that_it_has_for_the_action() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text())

    assert action["inputs"]["variable-name"]["default"] == settings.VARIABLE_NAME
    assert order("--variable-repository", "acme/ops").inputs["variable-name"] == "LAST_REDELIVERY"


@pytest.mark.parametrize("name", sorted(set(VALUED) & INPUTS.keys() - {"variable-name"}))
def test_a_flag_becomes_the_input_of_its_name_and_goes_before_its_variable(name: str) -> None:
    variable = {variable_of(name): "theirs"}

    assert nowhere(f"--{name}", "mine")[name] == "mine"
    assert nowhere(f"--{name}=mine", **variable)[name] == "mine"
    assert nowhere(**variable)[name] == "theirs"


@pytest.mark.parametrize("name", sorted(flags.LISTS))
def test_a_flag_that_takes_several_may_be_repeated(name: str) -> None:
    assert nowhere(f"--{name}", "1", f"--{name}", "2")[name] == "1,2"


@pytest.mark.parametrize(
    ("arguments", "variable", "meant"),
    [
        pytest.param([], None, "", id="nothing"),
        pytest.param(["--dry-run"], None, "true", id="the flag"),
        pytest.param(["--dry-run"], "false", "true", id="the flag and a variable"),
        pytest.param([], "false", "false", id="a variable"),
        pytest.param([], "maybe", "maybe", id="a wrong one, which is refused later"),
    ],
)
def test_a_dry_run_is_asked_for_by(arguments: list[str], variable: str | None, meant: str) -> None:
    environment = {"REDELIVER_DRY_RUN": variable} if variable is not None else {}

    assert nowhere(*arguments, **environment)["dry-run"] == meant


@pytest.mark.parametrize(
    ("arguments", "environment", "token", "called"),
    [
        pytest.param([], {}, "", "REDELIVER_TOKEN or GH_TOKEN", id="nobody"),
        pytest.param([], {"REDELIVER_TOKEN": "a"}, "a", "REDELIVER_TOKEN", id="its own variable"),
        pytest.param([], {"GH_TOKEN": "b"}, "b", "GH_TOKEN", id="that of gh"),
        pytest.param(
            [],
            {"REDELIVER_TOKEN": "a", "GH_TOKEN": "b"},
            "a",
            "REDELIVER_TOKEN",
            id="its own before that of gh",
        ),
        pytest.param(
            ["--app-id", "1"], {"GH_TOKEN": "b"}, "", "REDELIVER_TOKEN", id="an App, not gh"
        ),
    ],
)
def test_the_token_comes_from(
    arguments: list[str], environment: dict[str, str], token: str, called: str
) -> None:
    understood = order(*arguments, "--variable-name", "", **environment)

    assert understood.inputs["token"] == token
    assert understood.names["token"] == called


@pytest.mark.parametrize(
    ("arguments", "environment", "host"),
    [
        pytest.param([], {}, "github.com", id="nowhere"),
        pytest.param([], {"GH_HOST": "a.example"}, "a.example", id="gh's variable"),
        pytest.param(["--hostname", "b.example"], {"GH_HOST": "a.example"}, "b.example", id="flag"),
    ],
)
def test_the_host_comes_from(arguments: list[str], environment: dict[str, str], host: str) -> None:
    assert nowhere(*arguments, **environment)["hostname"] == host


def test_a_private_key_comes_from_a_file_or_from_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_text(KEY)
    named = {"REDELIVER_PRIVATE_KEY_FILE": str(file)}

    assert nowhere("--private-key-file", str(file))["private-key"] == KEY
    assert nowhere(**named)["private-key"] == KEY
    assert nowhere(REDELIVER_PRIVATE_KEY=KEY)["private-key"] == KEY
    with pytest.raises(
        InputError, match="either REDELIVER_PRIVATE_KEY_FILE or REDELIVER_PRIVATE_KEY"
    ):
        nowhere(**named, REDELIVER_PRIVATE_KEY=KEY)


def test_a_private_key_that_is_not_there_is_a_fault_of_its_flag(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--private-key-file cannot be read: No such file"):
        nowhere("--private-key-file", str(tmp_path / "none.pem"))


def test_a_private_key_that_is_none_is_a_fault_of_its_flag(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(b"\xff\x00 no key")
    understood = order(
        "--private-key-file", str(file), "--app-id", "1", "--org", "x", "--variable-name", ""
    )

    with pytest.raises(InputError) as caught:
        settings.parse(understood.inputs)

    told = in_flags(str(caught.value), understood.names)
    assert told.startswith("--private-key-file must be the App's private key")


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
    understood = order(*arguments, **environment)

    assert understood.checkpoint_file == (Path(file) if file else None)
    assert understood.inputs["variable-repository"] == repository
    assert understood.inputs["variable-name"] == name


@pytest.mark.parametrize("arguments", [[], ["--variable-name", "C"]], ids=["nothing", "a name"])
def test_where_the_checkpoint_is_kept_has_to_be_said(arguments: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        parse_settings(order(*arguments))

    told = in_flags(str(caught.value)).split("; ")
    assert len(told) == 3, "with all else that is missing: who asks, of what"
    for way in ("--checkpoint-file", "--variable-repository", "--variable-name"):
        assert way in told[2]


@pytest.mark.parametrize(
    ("arguments", "environment", "named"),
    [
        (["--variable-repository", "a/b"], {}, "--variable-repository"),
        (["--variable-name", "C"], {}, "--variable-name"),
        ([], {"REDELIVER_VARIABLE_TOKEN": "t"}, "REDELIVER_VARIABLE_TOKEN"),
    ],
    ids=["a repository", "a name", "a token"],
)
def test_a_file_is_not_to_be_had_together_with_the_variables(
    arguments: list[str], environment: dict[str, str], named: str
) -> None:
    with pytest.raises(InputError, match=f"--checkpoint-file and {named} are two places"):
        order("--checkpoint-file", "x", *arguments, **environment)


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (["--token", "s3cret"], "no flag for a secret.*REDELIVER_TOKEN, or GH_TOKEN"),
        (["--token=s3cret"], "no flag for a secret.*REDELIVER_TOKEN, or GH_TOKEN"),
        (["--private-key", "s3cret"], "no flag for a secret.*REDELIVER_PRIVATE_KEY"),
        (["--variable-token", "s3cret"], "no flag for a secret.*REDELIVER_VARIABLE_TOKEN"),
        (["--hook", "s3cret"], "there is no flag --hook; did you mean --hook-id"),
        (["--s3cret"], "unknown flag"),
        (["-s3cret"], "unknown flag"),
        (["s3cret"], "unexpected argument"),
        (["--org", "acme", "s3cret"], "unexpected argument"),
        (["--json=s3cret"], "'--json' does not take a value"),
        (["--org"], "'--org' requires an argument"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_command_line_is_advised_about_and_never_repeated(
    arguments: list[str], advice: str
) -> None:
    with pytest.raises(InputError) as caught:
        flags.parse(arguments)

    assert re.search(advice, str(caught.value))
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("name", INPUTS)
def test_a_message_calls_an_input_what_it_is_called_here(name: str) -> None:
    called = NAMES[name]

    assert called == (variable_of(name) if name in SECRETS else f"--{name}")
    assert in_flags(f"input '{name}' must be set") == f"{called} must be set"
    assert in_flags(f"the token in input '{name}'") == f"the token in {called}"
    assert in_flags(f"inputs '{name}' and '{name}'") == f"{called} and {called}"


@pytest.mark.parametrize(
    ("arguments", "environment", "told"),
    [
        pytest.param([], {"REDELIVER_SCAN": "no"}, "REDELIVER_SCAN must be", id="a variable"),
        pytest.param(["--scan=no"], {"REDELIVER_SCAN": "full"}, "--scan must be", id="the flag"),
        pytest.param([], {"GH_HOST": "a b"}, "GH_HOST must be the host name", id="gh's host"),
        pytest.param(["--org="], {"REDELIVER_ORG": "x"}, "--org must be set", id="an empty flag"),
        pytest.param([], {"REDELIVER_ORG": ""}, "--org must be set", id="an empty variable"),
    ],
)
def test_a_fault_is_told_of_what_was_given(
    arguments: list[str], environment: dict[str, str], told: str
) -> None:
    understood = order(*arguments, "--variable-name=", REDELIVER_TOKEN="a", **environment)

    with pytest.raises(InputError) as caught:
        settings.parse(understood.inputs)

    assert told in in_flags(str(caught.value), understood.names)


def test_two_places_for_one_checkpoint_are_named_as_they_were_given() -> None:
    with pytest.raises(InputError, match="REDELIVER_CHECKPOINT_FILE and --variable-name are two"):
        order("--variable-name", "X", REDELIVER_CHECKPOINT_FILE="x.json")


@pytest.mark.parametrize("name", INPUTS)
def test_no_fault_of_an_input_speaks_of_inputs_here(name: str) -> None:
    with pytest.raises(InputError) as caught:
        settings.parse({**GOOD, "token": "", name: "\x00 in no way"})

    told = in_flags(str(caught.value))
    assert NAMES[name] in told
    assert not re.search(r"\binputs?\b|secret|workflow", told)


def test_no_secret_is_shown_even_if_something_quotes_it() -> None:
    words = Wording()
    words.learn(
        order(
            "--variable-name",
            "",
            REDELIVER_TOKEN="ghp_s3cret",
            REDELIVER_PRIVATE_KEY=KEY.replace("\n", "\\n"),
        )
    )
    words.hide("ghs_1ssued")
    words.hide("a")

    assert words("a ghp_s3cret, ghs_\u200b1ssued: MIIEs3cret") == "a ***, ***: ***"
    assert words("-----BEGIN RSA PRIVATE KEY-----") == "-----BEGIN RSA PRIVATE KEY-----"


def test_an_order_does_not_show_its_secrets() -> None:
    assert "s3cret" not in repr(order("--variable-name", "", REDELIVER_TOKEN="s3cret"))


def test_an_error_has_the_status_of_its_own_kind_not_that_of_a_wider_one() -> None:
    kinds = list(STATUS_OF)

    for place, kind in enumerate(kinds):
        assert not issubclass(kind, tuple(kinds[:place])), kind


def test_every_error_that_can_end_a_run_has_a_status() -> None:
    def kinds(kind: type[RedeliverError]) -> set[type[RedeliverError]]:
        return {kind}.union(*(kinds(each) for each in kind.__subclasses__()))

    ends = {kind for kind in kinds(RedeliverError) if kind.__name__ != "RefusalError"}

    assert ends - {RedeliverError} == STATUS_OF.keys()
    assert set(STATUS_OF.values()) <= EXIT_STATUSES.keys()


def test_the_docs_tell_every_exit_status_in_the_same_words() -> None:
    told = re.findall(r"^\| ([0-9]+) \| (.*) \|$", DOCS, flags=re.MULTILINE)

    assert {int(status): meaning for status, meaning in told} == EXIT_STATUSES


def test_the_docs_name_only_flags_and_variables_that_there_are() -> None:
    named = set(re.findall(r"(?<![\w-])--([a-z][a-z-]+)", re.sub("enable --now", "", DOCS)))
    variables = set(re.findall(r"\bREDELIVER_[A-Z_]+\b", DOCS))

    assert named <= ALL.keys() | {"help"}
    assert variables <= {variable_of(name) for name in (*INPUTS, *FILES)}
