"""How a run goes: read the logs, redeliver, save the checkpoint, verify."""
