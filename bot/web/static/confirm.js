// Asks before a button counts, when the button says so (Block Kit's confirmation dialog).

import { drawText, unescaped } from "./mrkdwn.js";

const dialog = document.getElementById("confirm");
const title = document.getElementById("confirm-title");
const text = document.getElementById("confirm-text");
const yes = document.getElementById("confirm-yes");
const no = document.getElementById("confirm-no");

/** Whether the person agrees; without anything to ask, they do. */
export function confirmed(asked) {
  if (!asked) return Promise.resolve(true);
  title.textContent = unescaped(asked.title.text);
  text.replaceChildren(...drawText(asked.text));
  yes.textContent = unescaped(asked.confirm.text);
  yes.className = asked.style ?? "primary";
  no.textContent = unescaped(asked.deny.text);
  dialog.showModal();
  return new Promise((resolve) => {
    const answer = (agreed) => {
      dialog.close();
      resolve(agreed);
    };
    yes.onclick = () => answer(true);
    no.onclick = () => answer(false);
    dialog.oncancel = () => resolve(false);
  });
}
