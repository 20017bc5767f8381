// The menu of a card, the menu of stages, and the quick form at the foot of a column.
import { board, card, column, idOf } from "./board-dom.js";
import { move } from "./board.js";
import { close } from "./board-drag.js";

let chosen = null; // the id of the deal whose menu is open
const menu = () => document.getElementById("deal-menu");
const stages = () => document.getElementById("stage-menu");
const url = (path) => `${board().dataset.url}${chosen}/${path}`;
const load = (path) => htmx.ajax("GET", url(path), { source: document.body, target: "#dialog", swap: "innerHTML" });

const acts = {
  owner: () => load("owner/"),
  won: () => close(chosen, "won"),
  lost: () => close(chosen, "lost"),
  delete: () => htmx.ajax("POST", url("deletion/"), { source: document.body, swap: "none" }),
  move: () => {
    const button = card(chosen).querySelector(".more");
    stages().showPopover({ source: button });
    if (CSS.supports("position-area", "block-end")) return;
    const at = button.getBoundingClientRect();
    stages().style.left = `${Math.max(8, Math.min(at.left, innerWidth - stages().offsetWidth - 8))}px`;
    stages().style.top = `${Math.max(8, Math.min(at.bottom, innerHeight - stages().offsetHeight - 8))}px`;
  },
};

document.addEventListener("click", (e) => {
  const more = e.target.closest(".deal > .more");
  if (more) {
    chosen = idOf(more.parentElement);
    const fixed = "fixed" in more.parentElement.dataset;
    menu().querySelector("[data-act=open]").href = more.parentElement.querySelector("a").href;
    for (const item of menu().querySelectorAll("[data-act]:not([data-act=open])")) item.hidden = fixed;
    return;
  }
  const act = e.target.closest("#deal-menu [data-act]")?.dataset.act;
  if (act && acts[act]) setTimeout(acts[act]); // after the menu has closed and given the focus back
  const to = e.target.closest("#stage-menu [data-to]")?.dataset.to;
  const body = to && column(to);
  const moved = body && card(chosen);
  if (moved && moved.parentElement !== body) {
    const [from, next] = [moved.parentElement, moved.nextElementSibling];
    body.prepend(moved);
    move(moved, from, next);
    moved.querySelector("a").focus();
  }
});

// Quick add: a name is enough. The form stays open for the next one.
document.addEventListener("click", (e) => {
  const add = e.target.closest("[data-quick-add]");
  if (add) {
    const form = document.getElementById("quick-add").content.firstElementChild.cloneNode(true);
    form.elements.stage.value = add.parentElement.querySelector(".col-body").dataset.stage;
    add.before(form);
    add.hidden = true;
    htmx.process(form);
    form.elements.name.focus();
  }
  if (e.target.closest("[data-quick-cancel]")) leave(e.target.closest("form"));
});
function leave(form) {
  const add = form.nextElementSibling;
  form.remove();
  add.hidden = false;
  add.focus();
}
document.addEventListener("keydown", (e) => {
  if (e.key === "Escape" && e.target.closest?.(".quick-add")) leave(e.target.closest("form"));
});
document.addEventListener("htmx:afterRequest", (e) => {
  if (!e.target.matches?.(".quick-add") || e.detail.xhr.status !== 204) return;
  e.target.elements.name.value = "";
  e.target.elements.name.focus();
});
