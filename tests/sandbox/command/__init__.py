"""Tests of github_sandbox.command."""
