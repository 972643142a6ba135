"""Tests of redeliver.github_api."""
