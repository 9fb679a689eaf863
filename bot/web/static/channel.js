// The channel: its messages, newest at the bottom, and the tabs to choose another one.

import { drawBlock } from "./blocks.js";
import { element, moment, redraw } from "./dom.js";
import { drawMrkdwn } from "./mrkdwn.js";

const NEAR_THE_END = 120;

const tabs = document.getElementById("channels");
const messages = document.getElementById("messages");
const log = document.getElementById("log");
const welcome = document.getElementById("welcome");
const newest = document.getElementById("newest");

const seen = new Map();
let slack = null;
let chosen = null;
let viewer = "";
let press = () => {};

/** `onPress` is called with channel, message and button. */
export function start(onPress) {
  press = onPress;
  newest.addEventListener("click", scrollToEnd);
  messages.addEventListener("scroll", () => {
    if (isAtEnd()) newest.hidden = true;
  });
  tabs.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const all = [...tabs.children];
    const next = all[(all.indexOf(document.activeElement) + step + all.length) % all.length];
    choose(next.dataset.key);
    tabs.querySelector("[aria-selected=true]").focus();
  });
}

/** The name of the channel that is shown. */
export function channelName() {
  return slack?.channels.find((channel) => channel.id === chosen)?.name ?? "";
}

/** Shows what `user` sees of the workspace. */
export function show(state, user) {
  slack = state;
  const changedViewer = viewer !== user;
  viewer = user;
  if (chosen === null) choose(slack.channels[0].id);
  else draw(changedViewer);
}

export function scrollToEnd() {
  messages.scrollTop = messages.scrollHeight;
  newest.hidden = true;
}

function choose(id) {
  chosen = id;
  draw(true);
}

function draw(toEnd) {
  const stay = !toEnd && !isAtEnd();
  const channel = slack.channels.find((one) => one.id === chosen);
  const visible = visibleIn(channel);
  const last = visible.at(-1)?.ts ?? "";
  const more = last > (seen.get(chosen) ?? "");
  // What is only shown anew is not to be read out.
  log.setAttribute("aria-live", toEnd ? "off" : "polite");
  if (toEnd) log.replaceChildren();
  const people = new Map(slack.users.map((user) => [user.id, user]));
  const items = visible.map((message) => ({ message, author: people.get(message.user) }));
  redraw(log, items, ({ message }) => message.ts, drawMessage);
  welcome.hidden = visible.length > 0;
  messages.setAttribute("aria-label", `Messages in #${channel.name}`);
  seen.set(chosen, last);
  drawTabs();
  if (!stay) scrollToEnd();
  else if (more) newest.hidden = false;
}

function isAtEnd() {
  return messages.scrollHeight - messages.scrollTop - messages.clientHeight < NEAR_THE_END;
}

function visibleIn(channel) {
  return channel.messages.filter((one) => !one.ephemeral_for || one.ephemeral_for === viewer);
}

function drawTabs() {
  const items = slack.channels.map((channel) => ({
    id: channel.id,
    name: channel.name,
    selected: channel.id === chosen,
    unread: isUnread(channel),
  }));
  redraw(tabs, items, (item) => item.id, drawTab);
}

function isUnread(channel) {
  const last = visibleIn(channel).at(-1)?.ts ?? "";
  if (!seen.has(channel.id)) seen.set(channel.id, last);
  return last > seen.get(channel.id);
}

function drawTab({ id, name, selected, unread }) {
  const tab = element(
    "button",
    {
      type: "button",
      role: "tab",
      className: unread ? "unread" : "",
      tabIndex: selected ? 0 : -1,
      "aria-selected": String(selected),
      "aria-controls": "messages",
    },
    `#${name}`,
  );
  if (unread) tab.append(element("span", { className: "hidden" }, "unread"));
  tab.addEventListener("click", () => choose(id));
  return tab;
}

function drawMessage({ message, author }) {
  const blocks = message.blocks.map((block) =>
    drawBlock(block, (button) => press(channelName(), message, button)),
  );
  const body = element("div", { className: "body" }, drawHead(message, author));
  if (message.thread_ts) {
    body.append(element("p", { className: "context" }, "Reply in a thread"));
  }
  if (message.ephemeral_for) {
    body.append(element("p", { className: "context" }, "Only visible to you"));
  }
  if (blocks.length) body.append(...blocks);
  else body.append(element("div", { className: "text" }, ...drawMrkdwn(message.text)));
  body.append(...message.files.map(drawFile));
  return element(
    "article",
    { className: classOf(message), tabIndex: -1 },
    avatar(author),
    body,
  );
}

function classOf(message) {
  if (message.ephemeral_for) return "message ephemeral";
  return message.thread_ts ? "message reply" : "message";
}

function drawFile(file) {
  return element(
    "figure",
    { className: "file" },
    element("img", { src: file.path, alt: file.title }),
    element("figcaption", {}, file.title),
  );
}

function drawHead(message, author) {
  const head = element("div", { className: "head" });
  head.append(element("strong", {}, author?.real_name ?? message.user));
  if (author?.is_bot) head.append(element("span", { className: "tag" }, "APP"));
  head.append(moment(new Date(Number(message.ts) * 1000)));
  if (message.edited_ts) head.append(element("span", { className: "context" }, "(edited)"));
  return head;
}

function avatar(author) {
  if (author?.name === "tocsin") {
    return element("img", { className: "avatar", src: "static/tocsin.svg", alt: "" });
  }
  const initial = (author?.real_name ?? "?").slice(0, 1);
  return element(
    "span",
    { className: "avatar", "aria-hidden": "true", data: { who: author?.name ?? "" } },
    initial,
  );
}
