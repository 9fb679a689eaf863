"""`tocsin check`: is everything there that a night depends on?"""

from bot.checks.coverage import check_on_call
from bot.checks.everything import run_checks
from bot.checks.finding import Finding

__all__ = ["Finding", "check_on_call", "run_checks"]
