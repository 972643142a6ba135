"""What a run decides, and why. Pure: no I/O, no clock, no GitHub, no runner."""
