"""Reviews: who asks the stand-in, and whether they may do something, as everybody may."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.sandbox.kubernetes.refusals import Refusal, read_json

USER = "sandbox"
"""Whoever asks: the stand-in takes no credentials."""

STATUS = {
    "apis/authentication.k8s.io/v1/selfsubjectreviews": {"userInfo": {"username": USER}},
    "apis/authorization.k8s.io/v1/selfsubjectaccessreviews": {"allowed": True},
}
"""What a review comes back with, by the path that it is posted to."""


def answer_review(request: Request, body: bytes) -> Response | None:
    """Answer a review; None when it is another request. Raises `Refusal`."""
    status = STATUS.get(request.path_params["path"])
    if status is None or request.method != "POST":
        return None
    review = read_json(body)
    if not isinstance(review, dict):
        raise Refusal(400, "the body is not an object")
    return JSONResponse({**review, "status": status}, 201)
