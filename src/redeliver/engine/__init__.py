"""The steps of a run: read the logs, redeliver, save the checkpoint, verify."""
