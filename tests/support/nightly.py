"""Whether there is time for a long look: `HYPOTHESIS_PROFILE=nightly` says so."""

from __future__ import annotations

import os

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
"""Repeated stories are told much more often then, and all of those that differ little."""
