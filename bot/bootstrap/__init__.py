"""The one place where things are wired together.

Each process builds what it needs from the settings, once, and passes it on by hand:
there is no global, no registry and no import with a side effect.
"""

from bot.bootstrap.core import Core, cluster, core, step_contexts

__all__ = ["Core", "cluster", "core", "step_contexts"]
