// The page: asks for the state every second, and sends what a person does.

import * as channel from "./channel.js";
import * as cluster from "./cluster.js";
import * as composer from "./composer.js";
import { confirmed } from "./confirm.js";
import * as pager from "./pager.js";

const PERIOD = 1000;
const PATIENCE = 10_000;
const STATUS_STAYS = 6000;

const user = document.getElementById("user");
const sample = document.getElementById("sample");
const resolve = document.getElementById("resolve");
const status = document.getElementById("status");

let state = null;
let timer = 0;
let statusTimer = 0;
let away = false;

// --- what is shown

async function refresh() {
  clearTimeout(timer);
  try {
    state = await fetched();
    if (away) say("");
    away = false;
  } catch (error) {
    away = true;
    say(`Tocsin does not answer (${error.message}); trying again.`, "problem");
  }
  clearTimeout(timer); // another call may have set it meanwhile
  if (!document.hidden) timer = setTimeout(refresh, PERIOD);
  if (!away) show();
}

async function fetched() {
  const answer = await fetch("workspace/state", { signal: AbortSignal.timeout(PATIENCE) });
  if (!answer.ok) throw new Error(await sentence(answer));
  return answer.json();
}

function show() {
  showParts();
  if (state.slack) {
    showPeople();
    channel.show(state.slack, user.value);
    composer.offer(state.kubernetes);
  }
  if (state.pagerduty) pager.show(state.pagerduty);
  if (state.kubernetes) cluster.show(state.kubernetes);
  resolve.disabled = !state.alerts[sample.value];
}

const VENDORS = {
  slack: ["Slack", "slack"],
  pagerduty: ["PagerDuty", "pager"],
  kubernetes: ["Kubernetes", "cluster"],
  prometheus: ["Prometheus", null],
};

function showParts() {
  const real = [];
  for (const [part, [vendor, section]] of Object.entries(VENDORS)) {
    if (state[part] === null) {
      real.push(`${vendor} is the real one`);
      if (section) showReal(document.getElementById(section), vendor);
    }
  }
  const parts = document.getElementById("parts");
  parts.textContent = real.length
    ? `${real.join(", ")}; the rest stands in.`
    : "Stand-ins only: nothing here reaches anybody.";
  parts.classList.toggle("real", real.length > 0);
}

function showReal(section, vendor) {
  if (section.classList.contains("real")) return;
  section.classList.add("real");
  const said = document.createElement("p");
  said.className = "empty";
  said.textContent = `${vendor} is the real one. What happens there is seen there.`;
  section.append(said);
}

function showPeople() {
  if (user.options.length) return;
  for (const { id, name, is_bot } of state.slack.users) {
    if (!is_bot) user.add(new Option(`@${name}`, id));
  }
}

// --- what is done

async function post(action, body) {
  try {
    const answer = await fetch(`workspace/${action}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE),
    });
    if (!answer.ok) throw new Error(await sentence(answer));
    const result = await answer.json();
    if (result.ok === false) throw new Error(`Tocsin did not take it (${result.error}).`);
    return result;
  } catch (error) {
    say(error.message, "problem");
    return null;
  } finally {
    refresh();
  }
}

async function sentence(answer) {
  try {
    return (await answer.json()).error;
  } catch {
    return `status ${answer.status}`;
  }
}

function say(text, kind = "") {
  clearTimeout(statusTimer);
  status.textContent = text;
  status.className = kind;
  if (!away) statusTimer = setTimeout(() => (status.textContent = ""), STATUS_STAYS);
}

async function sendAlert(event) {
  event.preventDefault();
  const title = sample.selectedOptions[0].textContent;
  const sent = await post("alert", { sample: sample.value, status: "firing" });
  const repeated = "It fires already, so this is a repeat. Resolve it to see it fire anew.";
  if (sent) say(sent.new ? `Sent: ${title}` : repeated);
}

async function resolveAlert() {
  const title = sample.selectedOptions[0].textContent;
  const sent = await post("alert", { sample: sample.value, status: "resolved" });
  if (sent) say(`Resolved: ${title}`);
}

async function press(name, message, button) {
  if (!(await confirmed(button.confirm))) return;
  const { action_id, value = null } = button;
  post("click", { user: user.value, channel: name, ts: message.ts, action_id, value });
}

function act(incident_id, action) {
  const person = state.slack?.users.find(({ id }) => id === user.value);
  post("page", { incident_id, action, user: person?.real_name ?? state.pagerduty.on_call });
}

async function send(text) {
  await post("command", { user: user.value, channel: channel.channelName(), text });
  channel.scrollToEnd();
}

function view(event) {
  const chosen = event.target.closest("button");
  if (!chosen) return;
  document.body.dataset.view = chosen.dataset.view;
  for (const button of document.querySelectorAll("nav button")) {
    button.setAttribute("aria-pressed", String(button === chosen));
  }
}

channel.start(press);
pager.start(act);
composer.start(send);
document.querySelector("nav").addEventListener("click", view);
document.getElementById("alert").addEventListener("submit", sendAlert);
resolve.addEventListener("click", resolveAlert);
user.addEventListener("change", show);
sample.addEventListener("change", show);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) refresh();
});
refresh();
