"""A stand-in for Kubernetes: the part of its REST API that Tocsin uses, over HTTP.

It follows https://kubernetes.io/docs/reference/kubernetes-api/ for Deployments with their
ReplicaSets and pods, nodes, Jobs, Events, Services, budgets and autoscalers; contract
suites hold it against a real API server. No container ever runs: an image's tag says what
its pod does.
"""

from bot.sandbox.kubernetes.app import kubernetes_app
from bot.sandbox.kubernetes.cluster import SandboxCluster

__all__ = ["SandboxCluster", "kubernetes_app"]
