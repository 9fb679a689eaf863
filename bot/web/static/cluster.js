// The cluster: Deployments with their pods, and which pods each Service sends traffic to.

import { element, redraw } from "./dom.js";

const SQUARES = 20;

const deployments = document.getElementById("deployments");
const services = document.getElementById("services");

export function show(cluster) {
  const name = (item) => `${item.namespace}/${item.name}`;
  redraw(deployments, cluster.deployments, name, drawDeployment);
  redraw(services, cluster.services, name, drawService);
}

function drawDeployment(deployment) {
  const traffic = deployment.services.map((name) => `service ${name}`).join(", ");
  return element(
    "li",
    { className: "deployment" },
    head(named(deployment), quiet(`revision ${deployment.revision}`)),
    head(drawPods(deployment), drawState(deployment)),
    head(
      element("code", { className: "context" }, deployment.image),
      traffic ? quiet(`behind ${traffic}`) : "",
    ),
  );
}

function head(...children) {
  return element("div", { className: "head" }, ...children);
}

function quiet(text) {
  return element("span", { className: "context" }, text);
}

function named({ namespace, name }) {
  return element("code", { className: "name" }, quiet(`${namespace}/`), name);
}

/** A square for each pod: filled when it is ready. */
function drawPods({ ready, desired, rolling }) {
  const pods = element("span", { className: rolling ? "pods rolling" : "pods" });
  for (let index = 0; index < Math.min(Math.max(ready, desired), SQUARES); index += 1) {
    pods.append(
      element("span", { className: index < ready ? "pod ready" : "pod", "aria-hidden": "true" }),
    );
  }
  pods.append(quiet(`${ready} of ${desired} ready`));
  return pods;
}

function drawState({ problem, rolling }) {
  if (problem) return element("span", { className: "status triggered" }, problem);
  if (rolling) return element("span", { className: "status acknowledged" }, "rolling out");
  return "";
}

function drawService(service) {
  const labels = Object.entries(service.selector).map(([key, value]) =>
    element("code", { className: "label" }, `${key}=${value}`),
  );
  return element("li", { className: "service" }, named(service), " → ", ...labels);
}
