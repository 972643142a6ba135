"""The demo. `make demo` runs it, with `python -m demo` in the root of the repository."""
