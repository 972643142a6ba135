"""Tests that the repository's files agree: code, documentation, workflows, releases."""
