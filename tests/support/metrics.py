"""Read the metrics that a run has written, as Prometheus does."""

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

Values = dict[str, dict[str, float]]
"""By the name of a metric without `redeliver_`, and then by its other labels than `file`."""


def metrics_in(file: Path) -> Values:
    """Return the values in a file. Check that all are gauges with the file's name.

    Labels are a text such as "owner=acme, webhook=1", in alphabetical order.
    """
    values: Values = {}
    for family in text_string_to_metric_families(file.read_text()):
        assert family.type == "gauge", family.name
        of_metric = values.setdefault(family.name.removeprefix("redeliver_"), {})
        for sample in family.samples:
            labels = dict(sample.labels)
            assert labels.pop("file") == file.name
            of_metric[", ".join(f"{name}={text}" for name, text in sorted(labels.items()))] = (
                sample.value
            )
    return values
