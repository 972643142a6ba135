"""Tests of github_sandbox.network."""
