// Serves emulate's Slack on a free loopback port and prints its URL.
//   node serve.mjs <path of emulate's module> <seed as JSON>
import { pathToFileURL } from "node:url";

const [module, seed] = process.argv.slice(2);
const { createEmulator } = await import(pathToFileURL(module));
const emulator = await createEmulator({
  service: "slack",
  port: 0,
  seed: { slack: JSON.parse(seed) },
});
console.log(`http://127.0.0.1:${new URL(emulator.url).port}`);
