"""The command: flags, environment, terminal, and the checkpoint in a file."""
