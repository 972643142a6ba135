"""What a run tells: its report as log lines, outputs and step summary."""
