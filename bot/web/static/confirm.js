// Asks before a button counts, when the button says so (Block Kit's confirmation dialog).

import { drawText, unescaped } from "./mrkdwn.js";

const dialog = document.getElementById("confirm");
const title = document.getElementById("confirm-title");
const text = document.getElementById("confirm-text");
const yes = document.getElementById("confirm-yes");
const no = document.getElementById("confirm-no");

yes.addEventListener("click", () => dialog.close("yes"));
no.addEventListener("click", () => dialog.close("no"));

/** Whether the person agrees; without anything to ask, they do. */
export function confirmed(asked) {
  if (!asked) return Promise.resolve(true);
  title.textContent = unescaped(asked.title.text);
  text.replaceChildren(...drawText(asked.text));
  yes.textContent = unescaped(asked.confirm.text);
  yes.className = asked.style ?? "primary";
  no.textContent = unescaped(asked.deny.text);
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
