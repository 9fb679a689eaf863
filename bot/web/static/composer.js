// The box to type commands in, with suggestions (the ARIA "combobox" pattern).

import { element } from "./dom.js";

const SHOWN = 10;

const form = document.getElementById("composer");
const input = document.getElementById("text");
const list = document.getElementById("suggestions");

let known = [];
let active = -1;

/** `onSend` is called with what was typed. */
export function start(onSend) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = input.value.trim();
    input.value = "";
    close();
    if (text) onSend(text);
  });
  input.addEventListener("input", suggest);
  input.addEventListener("blur", close);
  input.addEventListener("keydown", onKey);
}

/** Offers the commands, with the workloads and services that they can be used on. */
export function offer(cluster) {
  const named = (item) => `${item.namespace}/${item.name}`;
  const workloads = cluster ? cluster.deployments.map(named) : ["NAMESPACE/DEPLOYMENT"];
  const services = cluster ? cluster.services.map(named) : ["NAMESPACE/SERVICE"];
  const restart = workloads.map((name) => [`/restart ${name}`, "Restart its pods, a few at a time"]);
  const failover = services.map((name) => [`/failover ${name}`, "Send its traffic to the standby"]);
  const rollback = workloads.map((name) => [`/rollback ${name}`, "Return to the earlier revision"]);
  known = [
    ["/incident list", "The open incidents"],
    ["/incident help", "All that /incident can do"],
    ["/maintenance list", "The maintenance windows"],
    ["/maintenance help", "All that /maintenance can do"],
    ["/oncall", "Who is on call"],
    ["/oncall help", "All that /oncall can do"],
    ["/runbook list", "The runbooks"],
    ...restart.splice(0, 1),
    ...failover.splice(0, 1),
    ...rollback.splice(0, 1),
    ["/runbook help", "All that /runbook can do"],
    ...restart,
    ...failover,
    ...rollback,
  ];
}

function suggest() {
  const typed = input.value.trimStart();
  const fitting = typed.startsWith("/")
    ? known.filter(([command]) => command.startsWith(typed) && command !== typed)
    : [];
  active = -1;
  list.replaceChildren(...fitting.slice(0, SHOWN).map(drawSuggestion));
  list.hidden = fitting.length === 0;
  input.setAttribute("aria-expanded", String(!list.hidden));
  input.removeAttribute("aria-activedescendant");
}

function drawSuggestion([command, meaning], index) {
  const suggestion = element(
    "li",
    { role: "option", id: `suggestion-${index}`, "aria-selected": "false", data: { command } },
    element("code", {}, command),
    element("span", { className: "context" }, meaning),
  );
  suggestion.addEventListener("mousedown", (event) => {
    event.preventDefault(); // keeps the focus in the box
    take(suggestion);
  });
  return suggestion;
}

function onKey(event) {
  if (list.hidden) return;
  const options = [...list.children];
  if (event.key === "ArrowDown") activate((active + 1) % options.length);
  else if (event.key === "ArrowUp") activate((active - 1 + options.length) % options.length);
  else if (event.key === "Escape") close();
  else if (event.key === "Tab" && !event.shiftKey) take(options[Math.max(active, 0)]);
  else if (event.key === "Enter" && active >= 0) take(options[active]);
  else return;
  event.preventDefault();
}

function activate(index) {
  active = index;
  [...list.children].forEach((option, at) =>
    option.setAttribute("aria-selected", String(at === active)),
  );
  input.setAttribute("aria-activedescendant", `suggestion-${active}`);
  list.children[active].scrollIntoView({ block: "nearest" });
}

function take(option) {
  input.value = option.dataset.command;
  input.focus();
  close();
}

function close() {
  list.hidden = true;
  active = -1;
  input.setAttribute("aria-expanded", "false");
  input.removeAttribute("aria-activedescendant");
}
