"""The demo that `make demo` runs: `python -m demo`, from the root of the repository."""
