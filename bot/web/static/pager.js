// The pager: who was paged for what, with the buttons of the one who is on call.

import { element, moment, redraw } from "./dom.js";

const pages = document.getElementById("pages");
const none = document.getElementById("no-pages");
const onCall = document.getElementById("on-call");
const openPages = document.getElementById("open-pages");

let act = () => {};

/** `onAct` is called with an incident's id and an action. */
export function start(onAct) {
  act = onAct;
}

export function show({ on_call, incidents }) {
  const open = incidents.filter((incident) => incident.status !== "resolved");
  const over = incidents.filter((incident) => incident.status === "resolved");
  redraw(pages, [...open, ...over], (incident) => incident.id, drawIncident);
  none.hidden = incidents.length > 0;
  onCall.textContent = `on call: ${on_call}`;
  openPages.textContent = open.length ? String(open.length) : "";
}

function drawIncident(incident) {
  return element(
    "li",
    { className: `page ${incident.status}`, tabIndex: -1 },
    element(
      "div",
      { className: "head" },
      element("span", { className: `status ${incident.status}` }, statusOf(incident)),
      element("span", { className: "context" }, incident.severity),
      element("span", { className: "context" }, `#${incident.number}`),
      moment(new Date(incident.triggered_at)),
    ),
    element("p", { className: "text" }, incident.title),
    ...buttons(incident),
    drawLog(incident),
  );
}

function statusOf(incident) {
  const by = incident.acknowledged_by.at(-1);
  return by ? `acknowledged by ${by}` : incident.status;
}

function buttons(incident) {
  if (incident.status === "resolved") return [];
  const offered = incident.status === "triggered" ? ["acknowledge", "resolve"] : ["resolve"];
  return [
    element("div", { className: "actions" }, ...offered.map((one) => drawButton(incident, one))),
  ];
}

function drawButton(incident, action) {
  const label = action[0].toUpperCase() + action.slice(1);
  const button = element(
    "button",
    {
      type: "button",
      className: action === "acknowledge" ? "primary" : "",
      data: { focus: action },
      "aria-label": `${label} page ${incident.number}`,
    },
    label,
  );
  button.addEventListener("click", () => act(incident.id, action));
  return button;
}

function drawLog(incident) {
  const lines = incident.log.map(({ at, text }) =>
    element("li", {}, moment(new Date(at)), ` ${text}`),
  );
  return element(
    "details",
    {},
    element("summary", { data: { focus: "log" } }, "Log"),
    element("ol", {}, ...lines),
  );
}
