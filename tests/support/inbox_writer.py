"""A process to be killed: adds to an inbox without end and prints what was acknowledged.

`python -m tests.support.inbox_writer DATABASE_URL`
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys

from bot.adapters.inbox import Inbox
from bot.ports import Source

SENDERS = 16


async def main(database_url: str) -> None:
    inbox = Inbox(database_url)
    numbers = itertools.count()
    await asyncio.gather(*(send(inbox, numbers) for _ in range(SENDERS)))


async def send(inbox: Inbox, numbers: itertools.count[int]) -> None:
    for number in numbers:
        body = b"%d" % number
        await inbox.add(Source.ALERTMANAGER, body)
        os.write(sys.stdout.fileno(), body + b"\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
