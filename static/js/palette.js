// The command palette: the server sends the lines for what is typed, this moves through them. The focus stays in the input.
import { toast } from "./toast.js";

const kept = 12; // records that are remembered
const palette = () => document.getElementById("palette");
const input = () => palette().querySelector("input[name=q]");
const options = () => [...palette().querySelectorAll('[role="option"]')];
let at = 0;
let chosen = ""; // the address of the marked line
let shown = ""; // the text that the lines answer

// Ids alone are remembered, per member, so per organisation and person: names come from the server, which looks anew
// at who may see what.
const key = () => `keel-recent-${document.body.dataset.recent}`;
function recent() {
  try {
    const found = JSON.parse(localStorage.getItem(key()) ?? "[]");
    return Array.isArray(found) ? found.filter((one) => typeof one === "string") : [];
  } catch {
    return [];
  }
}
function remember() {
  const { record, recent: member } = document.body.dataset;
  if (!record || !member) return;
  localStorage.setItem(key(), JSON.stringify([record, ...recent().filter((one) => one !== record)].slice(0, kept)));
}
remember();

function hidden(name, value) {
  const field = document.createElement("input");
  Object.assign(field, { type: "hidden", name, value });
  return field;
}

function open() {
  const dialog = palette();
  if (!dialog || document.querySelector("dialog[open]")) return;
  const { record } = document.body.dataset;
  const known = recent().map((one) => hidden("recent", one));
  dialog.querySelector("[data-known]").replaceChildren(...(record ? [hidden("record", record)] : []), ...known);
  input().value = "";
  dialog.showModal();
  input().focus();
  htmx.trigger(dialog.querySelector("form"), "palette:opened");
}

function mark(index) {
  const lines = options();
  input().setAttribute("aria-expanded", String(lines.length > 0));
  at = lines.length ? (index + lines.length) % lines.length : 0;
  chosen = lines[at]?.href ?? "";
  lines.forEach((line, n) => line.setAttribute("aria-selected", String(n === at)));
  if (lines.length) {
    input().setAttribute("aria-activedescendant", lines[at].id);
    lines[at].scrollIntoView({ block: "nearest" });
  } else input().removeAttribute("aria-activedescendant");
}

addEventListener("keydown", (e) => {
  const dialog = palette();
  if (!dialog) return;
  if ((e.ctrlKey || e.metaKey) && !e.altKey && !e.shiftKey && e.key.toLowerCase() === "k") {
    e.preventDefault();
    dialog.open ? dialog.close() : open();
    return;
  }
  if (!dialog.open || e.isComposing) return;
  if (e.key === "ArrowDown" || e.key === "ArrowUp") {
    e.preventDefault();
    mark(at + (e.key === "ArrowDown" ? 1 : -1));
  } else if (e.key === "Enter" && e.target === input()) {
    e.preventDefault();
    const line = options()[at];
    if (!line) return;
    if (e.ctrlKey || e.metaKey) window.open(line.href, "_blank", "noopener");
    else line.click();
  } else if (e.key === "Tab") {
    // One stop: the lines are reached by the arrows.
    e.preventDefault();
    input().focus();
  }
});

document.addEventListener("click", (e) => {
  if (e.target.closest("[data-palette]") && palette()) {
    if (e.ctrlKey || e.metaKey || e.shiftKey) return;
    e.preventDefault();
    open();
    return;
  }
  if (e.target === palette()) {
    palette().close();
    return;
  }
  const line = e.target.closest('#palette [role="option"]');
  if (!line || e.ctrlKey || e.metaKey || e.shiftKey) return;
  if (line.matches("[hx-put], [hx-delete], [data-copy]")) e.preventDefault();
  if (line.matches("[data-copy]")) copy(line.href);
  palette().close();
});

function copy(address) {
  const words = document.getElementById("texts").dataset;
  const done = (kind, text) => toast({ kind, text });
  navigator.clipboard?.writeText(address).then(
    () => done("ok", words.copied),
    () => done("error", words.notCopied),
  ) ?? done("error", words.notCopied);
}

document.addEventListener("mousemove", (e) => {
  const line = e.target.closest?.('#palette [role="option"]');
  if (line && (e.movementX || e.movementY)) mark(options().indexOf(line));
});
document.addEventListener("htmx:afterSwap", (e) => {
  if (e.detail.target.id !== "pal-list") return;
  // A second answer to the same text begins with the lines of the first.
  const same = options().findIndex((line) => line.href === chosen);
  mark(shown === input().value && same > 0 ? same : 0);
  shown = input().value;
  e.detail.target.scrollTop = 0;
  document.getElementById("pal-live").textContent = palette().querySelector("[data-said]")?.dataset.said ?? "";
});
