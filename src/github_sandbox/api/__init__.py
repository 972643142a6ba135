"""GitHub's REST API over that state: its endpoints, and what they have in common."""
