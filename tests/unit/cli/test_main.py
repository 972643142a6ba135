"""Every error has an exit status that says what to do."""

import re
from pathlib import Path

from redeliver.cli.main import EXIT_STATUSES, STATUS_OF
from redeliver.errors import RedeliverError, RefusalError

DOCS = (Path(__file__).parents[3] / "docs" / "own-server.md").read_text()


def test_an_error_has_the_exit_status_of_its_own_kind() -> None:
    kinds = list(STATUS_OF)

    for index, kind in enumerate(kinds):
        assert not issubclass(kind, tuple(kinds[:index])), kind


def test_every_error_has_an_exit_status() -> None:
    def kinds(kind: type[RedeliverError]) -> set[type[RedeliverError]]:
        return {kind}.union(*(kinds(each) for each in kind.__subclasses__()))

    without = {kind for kind in kinds(RedeliverError) if not issubclass(kind, tuple(STATUS_OF))}

    # A run does not end because GitHub refuses one redelivery.
    assert without == {RedeliverError, RefusalError}
    assert set(STATUS_OF.values()) <= EXIT_STATUSES.keys()


def test_the_docs_list_every_exit_status() -> None:
    rows = re.findall(r"^\| ([0-9]+) \| (.*) \|$", DOCS, flags=re.MULTILINE)

    assert {int(status): meaning for status, meaning in rows} == EXIT_STATUSES
