"""Files in the stand-in: a place to send one to, its bytes, then a message that shows it.

Source: docs.slack.dev/reference/methods/files.getUploadURLExternal and
files.completeUploadExternal.
"""

from __future__ import annotations

import secrets
from base64 import b64encode
from datetime import datetime
from typing import Any

from bot.sandbox.slack.arguments import Answer, ApiError, Arguments, decoded, text_of
from bot.sandbox.slack.state import BOT_USER, Channel, Post, PostedFile, SlackState, Upload

UPLOAD_PATH = "/upload/v1/"
"""Below the stand-in's address; the id of the file follows."""


def get_upload_url(state: SlackState, arguments: Arguments, now: datetime) -> Answer:
    """Method ``files.getUploadURLExternal``; the URL is a path, for the workspace to complete."""
    name, length = text_of(arguments, "filename").strip(), text_of(arguments, "length")
    if not name or not length.isdecimal():
        raise ApiError("invalid_arguments")
    upload = Upload(id=f"F{secrets.token_hex(5).upper()}", name=name, length=int(length))
    state.add_upload(upload)
    return {"upload_url": f"{UPLOAD_PATH}{upload.id}", "file_id": upload.id}


def take_bytes(state: SlackState, file_id: str, content: bytes) -> None:
    """What is sent to an upload URL. Raises `ApiError`."""
    upload = state.uploads.get(file_id)
    if upload is None or upload.shared:
        raise ApiError("file_not_found")
    if len(content) != upload.length:
        raise ApiError("invalid_upload")
    state.add_upload(upload.model_copy(update={"content": b64encode(content).decode()}))


def complete_upload(state: SlackState, arguments: Arguments, now: datetime) -> Answer:
    """Method ``files.completeUploadExternal``: one message in the channel shows all the files."""
    asked = decoded(arguments, "files", "invalid_arguments")
    if not isinstance(asked, list) or not asked:
        raise ApiError("invalid_arguments")
    files = [_completed(state, one) for one in asked]
    channel = _destination(state, arguments)
    for file in files:
        state.add_upload(state.uploads[file.id].model_copy(update={"shared": True}))
    if channel is not None:
        post = Post(
            ts=state.timestamp(now),
            user=BOT_USER,
            text=text_of(arguments, "initial_comment"),
            thread_ts=text_of(arguments, "thread_ts") or None,
            files=files,
        )
        state.add(channel.id, post)
    return {"files": [{"id": file.id, "title": file.title} for file in files]}


def _completed(state: SlackState, asked: Any) -> PostedFile:
    upload = state.uploads.get(str(asked.get("id"))) if isinstance(asked, dict) else None
    if upload is None or upload.content is None or upload.shared:
        raise ApiError("file_not_found")
    return PostedFile(id=upload.id, name=upload.name, title=str(asked.get("title", upload.name)))


def _destination(state: SlackState, arguments: Arguments) -> Channel | None:
    """Where the files are shown; None: nowhere yet, they are the bot's own."""
    wanted = text_of(arguments, "channel_id")
    if not wanted:
        return None
    channel = state.channels.get(wanted)
    if channel is None:
        raise ApiError("channel_not_found")
    if BOT_USER not in channel.members:
        raise ApiError("not_in_channel")
    return channel
