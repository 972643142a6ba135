"""Benchmarks: the speed and cost of redeliver, compared with the script in GitHub's docs."""
