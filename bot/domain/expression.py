"""The PromQL that fired an alert, read from the link to Prometheus that comes with it.

Prometheus writes the rule's expression into the alert's `generatorURL`, as the first query
of its graph page: ``http://prometheus:9090/graph?g0.expr=up+%3D%3D+0&g0.tab=1``
(strutil.TableLinkForExpression, util/strutil/strconv.go).
"""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import unquote_plus

LONGEST_URL = 16_384
"""Characters of a link that are looked at; the expression stands at its beginning."""

LONGEST_EXPRESSION = 4_096
"""Characters of PromQL that are kept: more would cost time and say nothing else."""

REMEMBERED = 1024
"""Links that are remembered: all alerts of one rule carry the same."""

_PARAMETER = "g0.expr="


@lru_cache(REMEMBERED)
def expression_of(generator_url: str) -> str:
    """The expression in the link, cut at `LONGEST_EXPRESSION`; empty where there is none."""
    _, _, query = generator_url[:LONGEST_URL].partition("?")
    for parameter in query.partition("#")[0].split("&"):
        if parameter.startswith(_PARAMETER):
            return unquote_plus(parameter[len(_PARAMETER) :])[:LONGEST_EXPRESSION].strip()
    return ""
