"""The token that opens the API and the pages, and the ways in which a request can show it."""

from __future__ import annotations

import base64
import binascii
import hmac


def is_token(given: bytes, token: str | None) -> bool:
    """Whether that is the token, compared in constant time; None is asked of nobody."""
    return token is None or hmac.compare_digest(given, token.encode())


def shows_token(authorization: str, token: str | None) -> bool:
    """Whether a header `Authorization` shows the token: as a Bearer, or as Basic's password.

    Browsers ask for a name and a password (RFC 7617); the name can be any.
    """
    scheme, _, credentials = authorization.encode("latin-1", "replace").partition(b" ")
    if scheme.lower() == b"basic":
        return is_token(_password(credentials.strip()), token)
    given = credentials.strip() if scheme.lower() == b"bearer" else b""
    return is_token(given, token)


def _password(credentials: bytes) -> bytes:
    try:
        return base64.b64decode(credentials, validate=True).partition(b":")[2]
    except binascii.Error:
        return b""
