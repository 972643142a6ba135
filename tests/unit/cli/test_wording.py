"""Messages in a terminal name flags and variables, and mask secrets."""

import re

import pytest

from redeliver import settings
from redeliver.cli.environment import NAMES, variable_of
from redeliver.cli.wording import Wording, in_flags
from redeliver.errors import InputError
from redeliver.settings import INPUTS, SECRETS
from tests.support.builders import GOOD_INPUTS, PRIVATE_KEY
from tests.unit.cli.invocations import invoke


@pytest.mark.parametrize("name", INPUTS)
def test_a_message_names_inputs_by_their_flags(name: str) -> None:
    flag = NAMES[name]

    assert flag == (variable_of(name) if name in SECRETS else f"--{name}")
    assert in_flags(f"input '{name}' must be set") == f"{flag} must be set"
    assert in_flags(f"the token in input '{name}'") == f"the token in {flag}"
    assert in_flags(f"inputs '{name}' and '{name}'") == f"{flag} and {flag}"


@pytest.mark.parametrize(
    ("arguments", "environment", "expected"),
    [
        pytest.param([], {"REDELIVER_SCAN": "no"}, "REDELIVER_SCAN must be", id="a variable"),
        pytest.param(["--scan=no"], {"REDELIVER_SCAN": "full"}, "--scan must be", id="the flag"),
        pytest.param([], {"GH_HOST": "a b"}, "GH_HOST must be the host name", id="gh's host"),
        pytest.param(["--org="], {"REDELIVER_ORG": "x"}, "--org must be set", id="an empty flag"),
        pytest.param([], {"REDELIVER_ORG": ""}, "--org must be set", id="an empty variable"),
    ],
)
def test_an_error_names_what_was_given(
    arguments: list[str], environment: dict[str, str], expected: str
) -> None:
    invocation = invoke(*arguments, "--variable-name=", REDELIVER_TOKEN="a", **environment)

    with pytest.raises(InputError) as caught:
        settings.parse(invocation.inputs)

    assert expected in in_flags(str(caught.value), invocation.names)


@pytest.mark.parametrize("name", INPUTS)
def test_no_error_of_an_input_speaks_of_inputs_or_workflows(name: str) -> None:
    with pytest.raises(InputError) as caught:
        settings.parse({**GOOD_INPUTS, "token": "", name: "\x00 in no way"})

    message = in_flags(str(caught.value))
    assert NAMES[name] in message
    assert not re.search(r"\binputs?\b|secret|workflow", message)


def test_a_quoted_secret_is_masked() -> None:
    wording = Wording()
    wording.learn(
        invoke(
            "--variable-name",
            "",
            REDELIVER_TOKEN="ghp_s3cret",
            REDELIVER_PRIVATE_KEY=PRIVATE_KEY.replace("\n", "\\n"),
        )
    )
    wording.hide("ghs_1ssued")
    wording.hide("a")

    assert wording("a ghp_s3cret, ghs_\u200b1ssued: MIIEs3cret") == "a ***, ***: ***"
    assert wording("-----BEGIN RSA PRIVATE KEY-----") == "-----BEGIN RSA PRIVATE KEY-----"


def test_the_secrets_of_the_run_before_are_forgotten() -> None:
    """Otherwise a loop would collect every token that GitHub issues."""
    wording, invocation = Wording(), invoke("--variable-name=", REDELIVER_TOKEN="ghp_t0ken")
    wording.learn(invocation)
    wording.hide("ghs_first")
    assert wording("ghs_first ghp_t0ken") == "*** ***"

    wording.learn(invocation)

    assert wording("ghs_first ghp_t0ken") == "ghs_first ***"
