"""A run without a checkpoint has a store that keeps nothing."""

from redeliver.core.checkpoint import Checkpoint
from redeliver.engine.ports import NullStore
from tests.support.builders import NOW


def test_a_null_store_saves_nothing() -> None:
    store = NullStore()

    assert store.write(Checkpoint(NOW))
    store.read()
    assert store.name == ""
