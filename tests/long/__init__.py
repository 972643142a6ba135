"""Tests that take minutes: runs for a week, and a thousand runs."""
