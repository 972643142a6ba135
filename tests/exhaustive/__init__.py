"""Claims tried at every point of a run, or at random."""
