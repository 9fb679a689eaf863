"""Files in Slack: uploaded, then shared as a reply in a message's thread.

Source: "Working with files" (docs.slack.dev/messaging/working-with-files): a URL for each
file, its bytes to that URL, then all of them shared at once.
"""

from __future__ import annotations

from collections.abc import Sequence

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackRequestError

from bot.adapters.blocks import escape
from bot.domain.errors import TemporaryError
from bot.domain.excerpt import one_line
from bot.domain.message import MessageRef, SharedFile

COMMENT_LIMIT = 300
TITLE_LIMIT = 200
"""Characters; a title is one line below a picture."""

_PAGE = 200


def share_files(
    client: WebClient, ref: MessageRef, comment: str, files: Sequence[SharedFile]
) -> None:
    """Share the files; the bot joins the channel if it has to, and may. Raises the SDK's errors."""
    try:
        _share(client, ref, comment, files)
    except SlackApiError as error:
        if error.response.get("error") != "not_in_channel":
            raise
        client.conversations_join(channel=ref.channel)
        _share(client, ref, comment, files)


def shared_names(client: WebClient, ref: MessageRef, bot: str) -> frozenset[str]:
    """The names of the files that user `bot` has shared in the message's thread."""
    pages = client.conversations_replies(channel=ref.channel, ts=ref.timestamp, limit=_PAGE)
    return frozenset(
        file["name"]
        for page in pages
        for message in page["messages"]
        if message.get("user") == bot
        for file in message.get("files", ())
        if "name" in file  # one that was deleted has none
    )


def _share(client: WebClient, ref: MessageRef, comment: str, files: Sequence[SharedFile]) -> None:
    uploads = [
        {
            "filename": file.name,
            "content": file.content,
            "title": one_line(file.title, TITLE_LIMIT),
            "alt_txt": one_line(file.title, TITLE_LIMIT),
        }
        for file in files
    ]
    try:
        client.files_upload_v2(
            channel=ref.channel,
            thread_ts=ref.timestamp,
            initial_comment=escape(comment, COMMENT_LIMIT),
            file_uploads=uploads,
        )
    except SlackRequestError as error:
        raise TemporaryError("Slack did not take the file.") from error
