"""Tests of single modules, without network and processes."""
