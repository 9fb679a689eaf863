"""Everything that can be set, read from the environment.

Each variable can also be given as a file: ``SLACK_BOT_TOKEN_FILE=/run/secrets/slack``
sets ``SLACK_BOT_TOKEN`` to the file's content. The text under a field is its
documentation; the README's table is made from it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bot.adapters.http_hosts import AllowedHosts
from bot.domain.errors import InvalidInput
from bot.domain.reconcile import GRACE, SETTLED


def _setting(variable: str, default: Any) -> Any:
    return Field(default=default, validation_alias=variable)


def _seconds(variable: str, default: float, at_least: float = 0.0) -> Any:
    """At most a day: whoever means more has mistaken the unit."""
    return Field(default=default, ge=at_least, le=86_400.0, validation_alias=variable)


def _safe_address(url: SecretStr) -> SecretStr:
    """The address of a heartbeat: it is a secret, so it goes in the clear on this machine only."""
    parts = urlsplit(url.get_secret_value())
    local = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")
    if not parts.hostname or not (parts.scheme == "https" or local):
        raise ValueError("it must be an https address, or an http one on this machine")
    return url


def _hosts(text: str) -> str:
    try:
        AllowedHosts.parse(text)
    except InvalidInput as error:
        raise ValueError(str(error)) from error
    return text


def contexts_of(text: str) -> Mapping[str, str]:
    """The names and contexts in ``standby=eks-ireland,…``; a context may be empty.

    Raises `ValueError` for another form.
    """
    pairs = [pair.strip().partition("=") for pair in text.split(",") if pair.strip()]
    for name, equals, _ in pairs:
        if not CLUSTER_NAME.fullmatch(name) or not equals:
            raise ValueError("write it as NAME=CONTEXT, such as standby=eks-ireland")
    return {name: context for name, _, context in pairs}


def _clusters(text: str) -> str:
    contexts_of(text)
    return text


CLUSTER_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
"""What a runbook's step may call a cluster."""

ClusterList = Annotated[str, AfterValidator(_clusters)]
HeartbeatAddress = Annotated[SecretStr, AfterValidator(_safe_address)]
HostList = Annotated[str, AfterValidator(_hosts)]


class Settings(BaseSettings):
    """Tocsin's settings. Read them with `load`, which says all that is wrong at once."""

    model_config = SettingsConfigDict(
        use_attribute_docstrings=True, extra="ignore", frozen=True, env_ignore_empty=True
    )

    database_url: str = _setting("TOCSIN_DATABASE_URL", "sqlite:///var/tocsin.db")
    """The database: sqlite:///PATH (one process group on one machine) or postgresql://…
    (several replicas). Default: a SQLite file under ./var, so that it runs with nothing else."""

    host: str = _setting("TOCSIN_HOST", "127.0.0.1")
    """The address to listen on. Default: this machine only; put a TLS proxy in front of it."""

    port: int = Field(default=9655, ge=0, le=65535, validation_alias="TOCSIN_PORT")
    """The port of webhooks, Slack, API and pages. Default 9655, the application port of the
    operations guide that Tocsin follows; 0 takes a free one."""

    metrics_port: int = Field(default=9656, ge=0, le=65535, validation_alias="TOCSIN_METRICS_PORT")
    """The port of /metrics. Default 9656; a port of its own, so that it need not be public."""

    api_token: SecretStr | None = _setting("TOCSIN_API_TOKEN", None)
    """The bearer token of /api/v1. No default: outside the sandbox it must be set."""

    public_url: str | None = Field(
        default=None, pattern=r"^https?://[^\s/?#@]+/?$", validation_alias="TOCSIN_URL"
    )
    """Tocsin's address as people reach it, such as https://tocsin.example.com, without a path:
    pages link to their incident there. Without it they don't."""

    webhook_token: SecretStr | None = _setting("TOCSIN_WEBHOOK_TOKEN", None)
    """The bearer token that Alertmanager sends. No default: outside the sandbox it must be
    set, because Alertmanager signs nothing."""

    runbooks: Path = _setting("TOCSIN_RUNBOOKS", Path("runbooks"))
    """The folder of the runbooks. Default: ./runbooks, those that are shipped."""

    runbooks_git: SecretStr | None = _setting("TOCSIN_RUNBOOKS_GIT", None)
    """Runbooks from a git repository instead: https://HOST/REPOSITORY.git@COMMIT, or with
    :FOLDER behind it when they are not at the top. COMMIT is the 40 digits of a commit's id: no
    branch and no tag, because those can be moved. A user name and a token may stand before HOST.
    What was fetched stays beside the database. Optional."""

    policy: Path = _setting("TOCSIN_POLICY", Path("policy"))
    """The folder of the policies (severity.yaml). Default: ./policy, those that are shipped."""

    sandbox: bool = _setting("TOCSIN_SANDBOX", False)
    """1: a vendor without settings is served by the embedded sandbox. Default 0: Tocsin then
    refuses to start, because a page into a sandbox is a lost page."""

    slack_bot_token: SecretStr | None = _setting("SLACK_BOT_TOKEN", None)
    """Slack's bot token (xoxb-…). Without it, Slack is not configured."""

    slack_signing_secret: SecretStr | None = _setting("SLACK_SIGNING_SECRET", None)
    """The app's signing secret, to check that a request came from Slack. Not needed in
    Socket Mode."""

    slack_app_token: SecretStr | None = _setting("SLACK_APP_TOKEN", None)
    """The app-level token (xapp-…). When set, Tocsin uses Socket Mode and needs no public
    address."""

    slack_api_url: str | None = _setting("SLACK_API_URL", None)
    """Slack's Web API. Default: Slack's own; set it to a local server that stands in, plain
    http included."""

    slack_channel: str = _setting("TOCSIN_SLACK_CHANNEL", "#incidents")
    """The channel where incidents are announced, by name or id. Default #incidents."""

    pagerduty_routing_key: SecretStr | None = _setting("PAGERDUTY_ROUTING_KEY", None)
    """The integration key of an Events API v2 integration. Without it, PagerDuty is not
    configured."""

    pagerduty_fallback_routing_key: SecretStr | None = _setting(
        "PAGERDUTY_FALLBACK_ROUTING_KEY", None
    )
    """A second integration key, best of another PagerDuty account or service region. What the
    policy calls `pagerduty: secondary` goes there. Optional: without it that is passed over."""

    pagerduty_ticket_routing_key: SecretStr | None = _setting("PAGERDUTY_TICKET_ROUTING_KEY", None)
    """The integration key of a PagerDuty service of low urgency, whose incidents are the tickets
    of P2 and P3 where neither TOCSIN_GITHUB_REPOSITORY nor TOCSIN_JIRA_URL is set. Another key
    than those of pages, whose events are limited to about 120 a minute. Optional."""

    pagerduty_api_token: SecretStr | None = _setting("PAGERDUTY_API_TOKEN", None)
    """A REST API token. With it pages are confirmed that no webhook confirmed, what people do in
    PagerDuty is noticed without webhooks too, and /oncall says who is on call. It also says which
    page a webhook is about that leaves that out, as on services that create alerts besides
    incidents, and notes and urgencies are written with it. Optional."""

    pagerduty_service_id: str | None = _setting("PAGERDUTY_SERVICE_ID", None)
    """The id of the PagerDuty service that PAGERDUTY_ROUTING_KEY leads to, such as PABC123, as
    its page's address ends. Needed only where the REST API token may not see integration keys:
    then /oncall and the mentions of who is on call go by it."""

    pagerduty_from_email: str | None = _setting("PAGERDUTY_FROM_EMAIL", None)
    """The e-mail address of the PagerDuty user in whose name notes and urgencies are written.
    A token of the whole account needs it; without it a user's own token writes in that user's."""

    pagerduty_webhook_secret: SecretStr | None = _setting("PAGERDUTY_WEBHOOK_SECRET", None)
    """The secret of the webhook subscription. Without it /webhooks/pagerduty refuses all, and
    what people do in PagerDuty is not seen here."""

    pagerduty_events_url: str | None = _setting("PAGERDUTY_EVENTS_URL", None)
    """PagerDuty's Events API. Default: PagerDuty's own; plain http is allowed for a stand-in."""

    pagerduty_api_url: str | None = _setting("PAGERDUTY_API_URL", None)
    """PagerDuty's REST API. Default: PagerDuty's own; plain http is allowed for a stand-in."""

    notifiers: SecretStr | None = _setting("TOCSIN_NOTIFIERS", None)
    """Ways to reach people when PagerDuty is dark: entries of the form name=address, such as
    sms=twilio://… or mail=mailtos://…, on lines of their own or with commas between. The names
    are those that the routing policy uses, the addresses Apprise's
    (https://appriseit.com/services/). Optional."""

    heartbeat_url: HeartbeatAddress | None = _setting("TOCSIN_HEARTBEAT_URL", None)
    """The address of a dead man's switch outside (such as healthchecks.io's), https or, on this
    machine, http: a GET tells it each minute that Tocsin watches, unless an open P0 or P1 may
    have reached nobody. Let it raise an alarm, by another way than Tocsin's, after five minutes
    of silence. Optional: without it nobody notices when Tocsin itself is down."""

    kubeconfig: str | None = _setting("KUBECONFIG", None)
    """The kubeconfig of the cluster on which runbooks run. Default: the service account of the
    pod that Tocsin runs in, if it runs in one."""

    kubernetes_service_host: str | None = _setting("KUBERNETES_SERVICE_HOST", None)
    """Set by Kubernetes itself inside a pod; not for people."""

    prometheus_url: str | None = _setting("PROMETHEUS_URL", None)
    """Prometheus' address, for runbook steps that check a query. Optional: without it such
    steps are refused when a run is planned."""

    http_check_hosts: HostList = _setting("TOCSIN_HTTP_CHECK_HOSTS", "*.svc,*.svc.cluster.local")
    """The hosts that `http.check` may ask, with commas between them: names, *.suffix, or networks
    such as 10.0.0.0/8 for addresses written as numbers. Default: the Services of the cluster.
    Where the sandbox stands in for Kubernetes this machine is allowed, too. Link-local addresses
    and the clouds' metadata services are never asked."""

    alertmanager_url: str | None = _setting("ALERTMANAGER_URL", None)
    """The addresses of all Alertmanagers that deliver here, with commas between them. Tocsin asks
    them now and then for what their webhooks failed to tell, and silences there what is silenced
    here. Optional: without it a resolution that was lost keeps its incident open."""

    reconcile_every: float = _seconds("TOCSIN_RECONCILE_EVERY", 60.0, at_least=0.1)
    """Seconds between two comparisons with the Alertmanagers of ALERTMANAGER_URL. Default 60:
    as much longer than the grace a lost resolution can keep somebody awake."""

    reconcile_grace: float = _seconds("TOCSIN_RECONCILE_GRACE", GRACE.total_seconds())
    """Seconds that Alertmanager must hold something else than Tocsin knows, before its webhook
    counts as lost. Default 360: Alertmanager tells a change after its group_interval, 5 minutes
    by default, and a minute is for repeated requests. Keep it above your group_interval."""

    reconcile_settled: float = _seconds("TOCSIN_RECONCILE_SETTLED", SETTLED.total_seconds())
    """Seconds that an Alertmanager must have run before what it does not hold counts as
    resolved. Default 600: a restart makes it forget its alerts, and Prometheus sends them again
    every minute, if it is not away itself for some."""

    github_repository: str | None = Field(
        default=None, pattern=r"^[\w.-]+/[\w.-]+$", validation_alias="TOCSIN_GITHUB_REPOSITORY"
    )
    """The repository, as owner/name, whose issues are the tickets of P2 and P3. Optional: without
    it, TOCSIN_JIRA_URL and PAGERDUTY_TICKET_ROUTING_KEY a ticket is on Tocsin's own list only, as
    its incident."""

    github_token: SecretStr | None = _setting("TOCSIN_GITHUB_TOKEN", None)
    """A token that may read and write the issues of TOCSIN_GITHUB_REPOSITORY and set their labels.
    Needed with it."""

    github_url: str | None = Field(
        default=None, pattern=r"^https?://[^\s?#@]+$", validation_alias="TOCSIN_GITHUB_URL"
    )
    """GitHub's REST API. Default: GitHub's own; https://HOST/api/v3 for a GitHub Enterprise
    Server."""

    jira_url: str | None = Field(
        default=None, pattern=r"^https?://[^\s?#@]+$", validation_alias="TOCSIN_JIRA_URL"
    )
    """Jira's address, such as https://example.atlassian.net, when tickets are Jira's issues.
    Optional, and not together with TOCSIN_GITHUB_REPOSITORY: a ticket has one place."""

    jira_project: str | None = Field(
        default=None, pattern=r"^[A-Z][A-Z0-9_]*$", validation_alias="TOCSIN_JIRA_PROJECT"
    )
    """The key of the project in which tickets are entered, such as OPS. Needed with
    TOCSIN_JIRA_URL."""

    jira_issue_type: str = _setting("TOCSIN_JIRA_ISSUE_TYPE", "Task")
    """The type of the issues that are entered. Default Task, which most projects have."""

    jira_token: SecretStr | None = _setting("TOCSIN_JIRA_TOKEN", None)
    """An API token of TOCSIN_JIRA_EMAIL (Jira Cloud), or a personal access token (Data Center).
    Needed with TOCSIN_JIRA_URL."""

    jira_email: str | None = _setting("TOCSIN_JIRA_EMAIL", None)
    """The e-mail address of the user in whose name tickets are written on Jira Cloud. Unset for
    Data Center, whose tokens say it themselves."""

    clusters: ClusterList = _setting("TOCSIN_CLUSTERS", "")
    """Other clusters that steps of runbooks work on, as NAME=CONTEXT with commas between them:
    the name that the step says, and the kubeconfig's context, such as standby=eks-ireland; without
    a context (standby=) the usual cluster is meant, for the Tocsin that runs there. Default: none,
    so only the usual cluster is worked on."""

    own_workload: str | None = _setting("TOCSIN_OWN_WORKLOAD", None)
    """The Deployment in which Tocsin itself runs, as namespace/name: no run may change it.
    Default: none, because Tocsin can't tell by itself; `deploy/` sets it."""

    replica: str = _setting("TOCSIN_REPLICA", "tocsin")
    """A name for this replica that no other one has, such as its pod's name. One that stays the
    same over restarts takes up its own unfinished work at once; another replica does so when it
    is gone. Default: tocsin, right for a single one."""

    replica_gone_after: float = _seconds("TOCSIN_REPLICA_GONE_AFTER", 30.0, at_least=3.0)
    """Seconds without a sign of life after which another replica takes over the unfinished work
    of one. Default 30: an ordinary restart takes less, and a run still ends within a minute.
    Have the same on all replicas; a sign of life is given six times as often."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Explicit values first, then the environment, then the ``*_FILE`` variables."""
        return init_settings, env_settings, _FileSource(settings_cls)

    @property
    def contexts(self) -> Mapping[str, str]:
        """The kubeconfig's context of each other cluster, by the name that steps use."""
        return contexts_of(self.clusters)

    @property
    def slack_configured(self) -> bool:
        """Whether the real Slack is meant."""
        return self.slack_bot_token is not None

    @property
    def pagerduty_configured(self) -> bool:
        """Whether the real PagerDuty is meant."""
        return self.pagerduty_routing_key is not None

    @property
    def kubernetes_configured(self) -> bool:
        """Whether a real cluster is meant."""
        return bool(self.kubeconfig or self.kubernetes_service_host)

    @property
    def stood_in_for(self) -> tuple[str, ...]:
        """The vendors that the sandbox stands in for: with `sandbox`, those without settings."""
        real = {
            "Slack": self.slack_configured,
            "PagerDuty": self.pagerduty_configured,
            "Kubernetes": self.kubernetes_configured,
            "Prometheus": self.prometheus_url is not None,
        }
        return tuple(name for name, there in real.items() if self.sandbox and not there)

    def address(self, port: int | None = None) -> str:
        """Tocsin's own address, as this machine reaches it; `port` where 0 became another."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104
        host = f"[{host}]" if ":" in host else host
        return f"http://{host}:{self.port if port is None else port}"


class _FileSource(PydanticBaseSettingsSource):
    """Reads ``VARIABLE_FILE``'s content as the value of ``VARIABLE``."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        variable = str(field.validation_alias)
        file = os.environ.get(f"{variable}_FILE")
        if not file:
            return None, variable, False
        try:
            return Path(file).read_text().strip(), variable, False
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidInput(f"{variable}_FILE: {file} can’t be read ({error}).") from error

    def __call__(self) -> dict[str, Any]:
        fields = self.settings_cls.model_fields
        read = (self.get_field_value(field, name) for name, field in fields.items())
        return {variable: value for value, variable, _ in read if value is not None}


def table() -> str:
    """Every setting with its documentation, as a Markdown table for the README."""
    rows = [
        f"| `{field.validation_alias}` | {' '.join((field.description or '').split())} |"
        for field in Settings.model_fields.values()
    ]
    return "\n".join(["| variable | what it sets |", "|---|---|", *rows])


def load() -> Settings:
    """The settings of this environment. Raises `InvalidInput` with all errors, a line each."""
    try:
        return Settings()
    except ValidationError as error:
        lines = (f"{problem['loc'][0]}: {problem['msg']}" for problem in error.errors())
        raise InvalidInput("\n".join(lines)) from error
