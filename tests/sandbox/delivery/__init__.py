"""Tests of github_sandbox.delivery."""
