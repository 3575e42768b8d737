// Who labels, at which tab; requests, and what became of them.
export const told = JSON.parse(document.getElementById("told").textContent);
export const $ = (id) => document.getElementById(id);
export const tab = random();
const NAME = `pickwell/${told.campaign}/name`;

export function random() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function kept() {
  try { return localStorage.getItem(NAME); } catch { return null; }
}
const name = (told.fixed ? null : kept()) ?? told.annotator;
export const who = () => ({ annotator: name, tab, made: told.made });

const button = $("annotator");
if (button) {
  button.textContent = name || "your name";
  button.disabled = told.fixed;
  button.addEventListener("click", () => {
    const asked = prompt("Your name, kept with each label", name);
    if (asked === null) return;
    const chosen = asked.replace(/[\u0000-\u001f/]/g, " ").trim().slice(0, 80);
    try { localStorage.setItem(NAME, chosen); } catch { return say("This browser keeps no name: allow it to store data for this page."); }
    // The old name gives back what it holds as the page is left; the new one begins with the page.
    location.reload();
  });
}

export class Refusal extends Error {
  constructor(code, sentence) { super(sentence); this.code = code; }
}

export const send = async (path, body, options = {}) => answer(await fetch(path, {
  method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), ...options,
}));

export const ask = async (path) => answer(await fetch(path));

async function answer(response) {
  const values = await response.json().catch(() => ({ error: response.statusText }));
  if (!response.ok) throw new Refusal(response.status, values.error);
  return values;
}

const maker = (make) => (tag, attributes = {}, ...children) => {
  const made = make(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(key, "");
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
};
export const element = maker((tag) => document.createElement(tag));
export const svg = maker((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));

// Seconds since a moment of `performance.now()`; a page left open for days says a day, the most that is taken.
export const secondsSince = (began) => Math.min(86400, Math.round(performance.now() - began) / 1000);

export const picture = (item, size = "full") => `/api/images/${item}?size=${size}&made=${told.made}`;

const toast = $("toast");
let leaves;
export function say(sentence) {
  if (!toast) return;
  toast.textContent = sentence;
  toast.hidden = false;
  clearTimeout(leaves);
  leaves = setTimeout(() => { toast.hidden = true; }, 7000);
}

export function duration(seconds) {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}
