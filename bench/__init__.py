"""Benchmarks, run by `python -m bench` or `make bench`: bounded load, on loopback only."""
