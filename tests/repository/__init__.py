"""Tests that hold the files of the repository together: documentation, workflows, releases."""
