"""Tocsin: an incident-response ChatOps bot. Start reading at ``bootstrap.py``."""

__version__ = "0.1.0"
