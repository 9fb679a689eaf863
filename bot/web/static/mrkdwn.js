// Draws Slack's texts. What Slack escapes stays text: only what it would format is formatted.
// Rules: docs.slack.dev/messaging/formatting-message-text.

import { element } from "./dom.js";

const CODE_BLOCK = /```\n?([\s\S]*?)\n?```/;
const SPAN =
  /`([^`\n]+)`|<([^<>]+)>|(?<![\w*])\*([^*\n]+)\*(?![\w*])|(?<![\w_])_([^_\n]+)_(?![\w_])|(?<![\w~])~([^~\n]+)~(?![\w~])/;

/** The nodes that show a text object of Block Kit. */
export function drawText(text) {
  return text.type === "mrkdwn" ? drawMrkdwn(text.text) : [unescaped(text.text)];
}

/** The nodes that show mrkdwn. */
export function drawMrkdwn(text) {
  const found = CODE_BLOCK.exec(text);
  if (!found) return drawSpans(text);
  return [
    ...drawSpans(text.slice(0, found.index).replace(/\n$/, "")),
    element("pre", {}, element("code", {}, unescaped(found[1]))),
    ...drawMrkdwn(text.slice(found.index + found[0].length).replace(/^\n/, "")),
  ];
}

function drawSpans(text) {
  const found = SPAN.exec(text);
  if (!found) return text ? [unescaped(text)] : [];
  return [
    ...drawSpans(text.slice(0, found.index)),
    drawSpan(found),
    ...drawSpans(text.slice(found.index + found[0].length)),
  ];
}

function drawSpan([, code, special, bold, italic, struck]) {
  if (code) return element("code", {}, unescaped(code));
  if (special) return drawSpecial(special);
  if (bold) return element("strong", {}, ...drawSpans(bold));
  if (italic) return element("em", {}, ...drawSpans(italic));
  return element("s", {}, ...drawSpans(struck));
}

/** What stands between < and >: a mention, or a link. */
function drawSpecial(special) {
  const [target, label] = special.split("|", 2);
  if (/^[@#!]/.test(target)) {
    const name = label ?? target.replace(/^!/, "@");
    return element("span", { className: "mention" }, unescaped(name));
  }
  if (!/^(https?:\/\/|mailto:)/.test(target)) return unescaped(`<${special}>`);
  const link = { href: unescaped(target), target: "_blank", rel: "noopener noreferrer" };
  return element("a", link, unescaped(label ?? target));
}

/** The three characters that Slack escapes, as they were. */
export function unescaped(text) {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}
