"""The one place where things are wired together.

Each process builds what it needs from the settings, once, and passes it on by hand:
there is no global, no registry and no import with a side effect.
"""

from bot.bootstrap.core import Core, core, declarations
from bot.bootstrap.running import Running, Site, running, site

__all__ = ["Core", "Running", "Site", "core", "declarations", "running", "site"]
