"""Tests of github_sandbox.api."""
