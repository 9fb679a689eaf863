"""A folder of runbooks for tests, with a good runbook to begin from."""

from __future__ import annotations

from pathlib import Path

GOOD = """\
name: {name}
version: {version}
summary: Restart it.
risk: low
parameters:
  workload:
    type: workload
    description: What to restart.
  soak:
    type: duration
    description: How long to watch.
    default: 30s
steps:
  - id: restart
    title: Restart the pods
    kind: kubernetes.rollout_restart
    with:
      workload: ${{parameters.workload}}
verification:
  - id: ready
    title: Watch the pods
    kind: kubernetes.ready_pods
    with:
      workload: ${{parameters.workload}}
      soak: ${{parameters.soak}}
      minimum: 2
"""


def good(name: str = "restart", version: str = "1.0.0") -> str:
    """A runbook without a fault."""
    return GOOD.format(name=name, version=version)


def add(folder: Path, source: str, text: str | None = None) -> Path:
    """Write ``name/version.yaml``, by default as the good runbook of that name and version."""
    path = folder / source
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text or good(path.parent.name, path.stem), encoding="utf-8")
    return path
