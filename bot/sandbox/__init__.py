"""Embedded stand-ins that speak the vendors' protocols over HTTP on loopback."""
