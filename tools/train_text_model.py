r"""Trains the text model of the severity policy, and measures rules and model on unseen alerts.

    git clone https://github.com/OWNER/NAME clones/OWNER/NAME    # for each source in README.md
    python tools/train_text_model.py clones --labelled labelled-alerts.jsonl

reads public alert rules (`alert_rules.py`; ``tools/README.md`` has the licences) and our own
judgement of them, ``tools/severity_labels.csv``: the level that one engineer gave to each and the
level that a second one gave, if one did; where they differ, each counts half. ``--labelled`` adds
alerts that were labelled elsewhere. It writes ``bot/adapters/text_model.json``: weights of words,
no sentence of a source. A token counts only where several products have it, so that no product's
own words are learnt, and no rule is learnt that is `KEPT_ASIDE`. ``--figures`` measures instead:
every alert is judged by a model that was trained without it, or without all of its product's.

The model is multinomial logistic regression; its loss has an L2 penalty and is lowered by
Adagrad over all alerts at once. Nothing is random: the same input gives the same file.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp, sqrt
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


from bot.adapters.policy import load_policy  # noqa: E402
from bot.adapters.text_model import FILE, read_text_model  # noqa: E402
from bot.domain.backtest import Agreement, RecordedAlert, Verdict, agreement, backtest  # noqa: E402
from bot.domain.classify import Policy, Severity  # noqa: E402
from bot.domain.text_model import (  # noqa: E402
    EXPRESSION,
    TITLE,
    WORD,
    TextModel,
    WordClasses,
    classes_under,
    tokens_of,
)
from bot.domain.text_vote import TextVote  # noqa: E402
from bot.domain.wording import prose, words_of  # noqa: E402
from tools.alert_rules import Clones  # noqa: E402

LEVELS = list(Severity)
PENALTY = 0.03
"""The inverse of the L2 penalty, chosen by cross-validation."""
ROUNDS = 150
"""Passes over all alerts; the figures no longer change after that."""
PRODUCTS = 3
"""Of how many products a token must be, at least."""
FOLDS = 6
KEPT_ASIDE = "kept aside"
"""How labels are marked whose rules are for measuring only: whole products, never read."""
SCALE = 100
SMALLEST = 5
"""Smaller weights, of `SCALE`, are left out of the file."""

_SMALL_WORDS = (
    "the of a an is are to in on for and or by with has have been at it this that be from as its"
)
ABOUT = (
    "Weights of words, by tools/train_text_model.py, from public alert rules, most of them of"
    " https://github.com/samber/awesome-prometheus-alerts (by samber and contributors, CC BY 4.0);"
    " tools/README.md names all, and our own judgement of them is tools/severity_labels.csv."
)

CLASS = "class"
"""The kind of word classes whatever the severity; in the file it is part of the others."""

Features = list[tuple[str, str]]
"""Kinds and tokens; the kind "" is the author's severity."""


@dataclass(frozen=True)
class Example:
    """An alert with what people said: `shares` of the levels add up to 1.

    `read` is True where whoever wrote the policy's rules had read the alert.
    """

    alert: RecordedAlert
    product: str
    shares: tuple[float, ...]
    agreed: bool
    read: str
    features: Features


def main() -> None:
    """Train, or measure with ``--figures``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("clones", type=Path, help="the folder of the sources, OWNER/NAME")
    parser.add_argument("--labelled", type=Path, help="more labelled alerts, one a line")
    parser.add_argument("--figures", action="store_true", help="measure, and write nothing")
    parser.add_argument("--out", type=Path, default=FILE)
    arguments = parser.parse_args()
    classes = json.loads((ROOT / "tools/word_classes.json").read_text())
    examples = read_examples(arguments.clones, arguments.labelled, WordClasses(classes))
    if arguments.figures:
        figures(examples, classes)
        return
    learnt = for_learning(examples)
    write(train(learnt), classes, arguments.out)
    print(f"{arguments.out}: {arguments.out.stat().st_size} bytes, from {len(learnt)} alerts")


def read_examples(clones: Path, labelled: Path | None, classes: WordClasses) -> list[Example]:
    """Our labels joined with the sources' rules, and the alerts labelled elsewhere."""
    alerts = Clones(clones).rules()
    examples = []
    with (ROOT / "tools/severity_labels.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            alert = alerts.get((row["source"], row["product"], row["rule"]))
            if alert:
                levels = Severity(row["level"]), Severity(row["second_level"] or row["level"])
                examples.append(example(alert, levels, row["read"], classes))
    for line in labelled.read_text().splitlines() if labelled else ():
        data = json.loads(line)
        alert = RecordedAlert(data["labels"], data["annotations"], expression=data["expr"])
        levels = (Severity(data["expected"]),) * 2
        examples.append(example(alert, levels, "labelled elsewhere", classes))
    return examples


def for_learning(examples: Sequence[Example]) -> list[Example]:
    """Those that are not kept aside for measuring."""
    return [one for one in examples if one.read != KEPT_ASIDE]


def example(
    alert: RecordedAlert, levels: tuple[Severity, Severity], read: str, classes: WordClasses
) -> Example:
    """The alert with the two opinions on it; `expected` is set where they are the same."""
    shares = tuple(levels.count(level) / 2 for level in LEVELS)
    agreed = levels[0] is levels[1]
    alert = replace(alert, expected=levels[0] if agreed else None)
    return Example(alert, alert.labels["job"], shares, agreed, read, features_of(alert, classes))


def features_of(alert: RecordedAlert, classes: WordClasses) -> Features:
    """What the model looks at, without words that say nothing."""
    words = words_of(prose(alert.labels, alert.annotations))
    tokens = tokens_of(words, alert.labels["severity"], alert.expression, classes)
    if tokens is None:
        return []
    found = [(kind, token) for kind, those in tokens.kinds.items() for token in sorted(those)]
    of_any = [(CLASS, token) for kind, token in found if kind == classes_under(tokens.severity)]
    said = [(kind, token) for kind, token in found if kind != WORD or _says(token)]
    return [("", tokens.severity), *of_any, *said]


def _says(word: str) -> bool:
    return len(word) > 1 and word.isalpha() and word not in _SMALL_WORDS.split()


Matrix = dict[tuple[str, str], list[float]]
"""The weights of each token for the levels."""


def train(examples: Sequence[Example]) -> Matrix:
    """The weights that explain the examples best, the penalty included."""
    products = defaultdict(set)
    for one in examples:
        for feature in one.features:
            products[feature].add(one.product)
    names = sorted(name for name, found in products.items() if len(found) >= PRODUCTS)
    number = {name: index for index, name in enumerate(names)}
    rows = [
        ([number[feature] for feature in features if feature in number], one.shares)
        for one in examples
        for features in (one.features, without_expression(one.features))
    ]
    weights = [[0.0] * 4 for _ in names]
    squares = [[1e-8] * 4 for _ in names]
    for turn in range(ROUNDS):
        gradient = [[one / PENALTY for one in weight] for weight in weights]
        for found, shares in rows:
            add_gradient(gradient, weights, found, shares)
        step = 0.3 / (1 + turn / 50)
        for weight, square, slope in zip(weights, squares, gradient, strict=True):
            for level in range(4):
                square[level] += slope[level] ** 2
                weight[level] -= step * slope[level] / sqrt(square[level])
    return dict(zip(names, weights, strict=True))


def without_expression(features: Features) -> Features:
    """The alert as it comes in where its PromQL is not known; the model has to cope with both."""
    return [(kind, token) for kind, token in features if kind != EXPRESSION]


def add_gradient(
    gradient: list[list[float]],
    weights: list[list[float]],
    found: list[int],
    shares: Sequence[float],
) -> None:
    """Add what one example asks of the weights of its tokens."""
    sums = [sum(column) for column in zip(*(weights[index] for index in found), strict=True)]
    parts = [exp(one - max(sums)) for one in sums]
    total = sum(parts)
    e0, e1, e2, e3 = (part / total - share for part, share in zip(parts, shares, strict=True))
    for index in found:
        slope = gradient[index]
        slope[0] += e0
        slope[1] += e1
        slope[2] += e2
        slope[3] += e3


def write(matrix: Matrix, classes: dict[str, str], path: Path) -> None:
    """The file of the model, a line for each token."""
    severities = {token: _whole(weight) for (kind, token), weight in matrix.items() if not kind}
    kinds: dict[str, dict[str, list[int]]] = {kind: {} for kind in (TITLE, WORD, EXPRESSION)}
    for (kind, token), weight in matrix.items():
        if kind in kinds and max(map(abs, _whole(weight))) >= SMALLEST:
            kinds[kind][token] = _whole(weight)
    for severity in severities:
        kinds[classes_under(severity)] = {
            token: _whole([a + b for a, b in zip(weight, special, strict=True)])
            for (kind, token), weight in matrix.items()
            if kind == CLASS
            for special in [matrix.get((classes_under(severity), token), [0.0] * 4)]
        }
    data = {
        "about": ABOUT,
        "scale": SCALE,
        "classes": classes,
        "severities": severities,
        "weights": kinds,
    }
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    path.write_text(text.replace("],", "],\n").replace("},", "},\n") + "\n")


def _whole(weight: list[float]) -> list[int]:
    return [round(one * SCALE) for one in weight]


def figures(examples: Sequence[Example], classes: dict[str, str]) -> None:
    """Rules alone, model alone and both, over the alerts on which both opinions agree."""
    policy = load_policy(ROOT / "policy/severity.yaml")
    vote = policy.text_vote or sys.exit("the policy gives no weight to the text model.")
    for how, fold_of in (("by alert", by_alert), ("by product", by_product)):
        both: list[tuple[str, Verdict]] = []
        rules: list[tuple[str, Verdict]] = []
        for fold in range(FOLDS):
            inside = [one for one in examples if fold_of(one) == fold]
            model = trained(
                [one for one in for_learning(examples) if fold_of(one) != fold], classes
            )
            both += judged(replace(policy, text_vote=TextVote(model, vote.weight)), inside)
            rules += judged(replace(policy, text_vote=None), inside)
        for name, found in (("rules", rules), ("rules and model", both)):
            for read in sorted({read for read, _ in found}):
                chosen = [verdict for one, verdict in found if one == read]
                print(f"{how}, {name}, read: {read}: {said(agreement(chosen))}", flush=True)


def trained(examples: Sequence[Example], classes: dict[str, str]) -> TextModel:
    """The model of these examples, by way of a file like the one that is shipped."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / FILE.name
        write(train(examples), classes, path)
        return read_text_model(path)


def judged(policy: Policy, examples: Sequence[Example]) -> list[tuple[str, Verdict]]:
    """The verdicts on those on which both opinions agree."""
    agreed = [one for one in examples if one.agreed]
    verdicts = backtest(policy, [one.alert for one in agreed])
    return [(one.read, verdict) for one, verdict in zip(agreed, verdicts, strict=True)]


def by_alert(one: Example) -> int:
    """The fold of this alert alone."""
    return fold(one.product + one.alert.annotations.get("summary", one.alert.name))


def by_product(one: Example) -> int:
    """The fold of all alerts of this product."""
    return fold(one.product)


def fold(text: str) -> int:
    """One of `FOLDS`, always the same for the same text."""
    return int(hashlib.sha256(text.encode()).hexdigest(), 16) % FOLDS


def said(found: Agreement) -> str:
    """The figures in a line."""
    return (
        f"{found.total} alerts, same level {found.strict / found.total:.1%},"
        f" same page or ticket {found.page_or_ticket / found.total:.1%},"
        f" P0 not paged {found.missed_outages}"
    )


if __name__ == "__main__":
    main()
