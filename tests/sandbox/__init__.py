"""Tests of the sandbox: it is as strict as GitHub."""
