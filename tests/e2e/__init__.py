"""Claims about the action in workflows, with a Docker engine."""
