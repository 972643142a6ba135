"""The report of a run, as a value and as log lines, outputs and step summary."""
