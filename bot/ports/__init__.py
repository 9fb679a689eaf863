"""What the use cases need from the outside, as Protocols; adapters implement them.

Every method raises `TemporaryError` when another try may succeed and
`PermanentError` when it will not (see `domain/errors.py`).
"""

from bot.ports.alert_source import AlertSource
from bot.ports.cluster import Cluster
from bot.ports.inbox import Inbox, InboxRow, Source
from bot.ports.machine import Clock, Counters, Gauges, SteppedClock
from bot.ports.notifier import Notifier
from bot.ports.objects import Objects
from bot.ports.paging import PagerRecords
from bot.ports.steps import RunbookLibrary, StepContext, StepKind, StepOccasion
from bot.ports.store import PostedMessage, Reader, Relation, Role, Store, Transaction
from bot.ports.tickets import Tickets
from bot.ports.vendors import Chat, Graphs, HealthAnswer, HealthProbe, Metrics, Pager

__all__ = [
    "AlertSource",
    "Chat",
    "Clock",
    "Cluster",
    "Counters",
    "Gauges",
    "Graphs",
    "HealthAnswer",
    "HealthProbe",
    "Inbox",
    "InboxRow",
    "Metrics",
    "Notifier",
    "Objects",
    "Pager",
    "PagerRecords",
    "PostedMessage",
    "Reader",
    "Relation",
    "Role",
    "RunbookLibrary",
    "Source",
    "StepContext",
    "StepKind",
    "StepOccasion",
    "SteppedClock",
    "Store",
    "Tickets",
    "Transaction",
]
