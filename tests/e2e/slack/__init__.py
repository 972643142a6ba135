"""In place of the action of Slack."""
