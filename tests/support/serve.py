"""Serves an ASGI application over real HTTP."""

from bot.sandbox.serving import serve

__all__ = ["serve"]
