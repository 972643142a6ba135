"""Tests of github_sandbox.model, through the API."""
