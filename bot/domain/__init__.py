"""What Tocsin decides: values in, values out; no I/O, no clock, no randomness."""
