// Draws Block Kit: the blocks that Tocsin sends (docs.slack.dev/reference/block-kit/blocks).

import { element } from "./dom.js";
import { drawText } from "./mrkdwn.js";

/** The element that shows `block`; `press` is called with a button that was pressed. */
export function drawBlock(block, press) {
  const draw = DRAWN[block.type];
  return draw ? draw(block, press) : unknown(block);
}

const DRAWN = {
  header: (block) => element("h3", {}, ...drawText(block.text)),
  divider: () => element("hr"),
  section: drawSection,
  context: (block) =>
    element(
      "div",
      { className: "context" },
      ...block.elements.map((text) => element("span", {}, ...drawText(text))),
    ),
  actions: (block, press) =>
    element(
      "div",
      { className: "actions" },
      ...block.elements.map((one) => drawElement(one, press)),
    ),
};

function drawSection(block, press) {
  const section = element("div", { className: "section" });
  if (block.text) section.append(element("div", { className: "text" }, ...drawText(block.text)));
  if (block.fields) {
    const fields = block.fields.map((text) => element("div", {}, ...drawText(text)));
    section.append(element("div", { className: "fields" }, ...fields));
  }
  if (block.accessory) section.append(drawElement(block.accessory, press));
  return section;
}

function drawElement(one, press) {
  if (one.type !== "button") return unknown(one);
  const button = element(
    "button",
    {
      type: "button",
      className: one.style ?? "",
      data: { focus: `${one.action_id} ${one.value ?? ""}` },
    },
    ...drawText(one.text),
  );
  button.addEventListener("click", () => press(one));
  return button;
}

function unknown(one) {
  return element("span", { className: "context" }, `(not shown here: ${one.type})`);
}
