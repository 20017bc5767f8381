// A list as a board over a picklist: a card is dragged, or carried by keys, to another column; the server's answer wins.
import { draggable, filled } from "./card-drag.js";
import { askMore } from "./more.js";
import { toast } from "./toast.js";

const board = () => document.querySelector("[data-choice-board]");
const bodies = () => [...board().querySelectorAll(".col-body")];
const nameOf = (card) => card.querySelector("a").textContent;
const editable = () => "editable" in board().dataset;
const csrf = () => JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];

const text = (name, values) => filled(document.getElementById("choice-texts").dataset[name], values);
const say = (words) => document.getElementById("board-said").replaceChildren(words);

// ---- moving: cards go out one after the other, each with the version it has then
let queue = Promise.resolve();
function move(card, from, next) {
  const to = card.parentElement;
  if (from === to) return;
  card.classList.add("is-saving");
  queue = queue.then(async () => {
    try {
      const answer = await put(card, to.dataset.key);
      if (!answer) {
        from.insertBefore(card, next?.parentElement === from ? next : null);
        say(text("cancelled"));
        return;
      }
      card.dataset.version = answer.version;
      for (const { key, html } of answer.heads) {
        const head = board().querySelector(`[data-head="${CSS.escape(key)}"]`);
        if (head) head.innerHTML = html;
      }
      if (answer.text) toast({ text: answer.text, undo: answer.undo });
    } catch (error) {
      from.insertBefore(card, next?.parentElement === from ? next : null);
      toast({ kind: "error", text: text("back", { card: nameOf(card), reason: error.message }) });
    } finally {
      card.classList.remove("is-saving");
    }
  });
}

// Nothing where an answer was wanted besides, and none was given.
async function put(card, value) {
  const answer = await ask(card, { method: "PUT", body: JSON.stringify({ value, version: Number(card.dataset.version) }) });
  if (!answer.more) return answer;
  return (await askMore(answer.more, card.dataset.id)) ? ask(card, {}) : null;
}

async function ask(card, options) {
  options.headers = { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": csrf() };
  const response = await fetch(board().dataset.move.replace(board().dataset.hole, card.dataset.id), options).catch(() => {
    throw new Error(text("offline"));
  });
  if (response.redirected) location.reload(); // signed out meanwhile
  const answer = await response.json().catch(() => ({}));
  if (!response.ok && !answer.more) throw new Error([answer.detail, ...Object.values(answer.errors ?? {}).flat()].filter(Boolean).join(" "));
  return answer;
}

// A card that was changed from elsewhere, such as by the undo of a toast: the board is asked for anew.
document.addEventListener("cellChanged", ({ detail }) => {
  const card = board()?.querySelector(`.deal[data-id="${CSS.escape(detail.id)}"]`);
  if (card && !card.classList.contains("is-saving")) htmx.trigger(document.body, "recordChanged");
});

// ---- by mouse and touch
function ready() {
  if (!board() || !editable() || !globalThis.Sortable) return;
  for (const body of bodies()) {
    let next;
    draggable(body, {
      group: "cards",
      sort: false,
      onStart: (e) => (next = e.item.nextElementSibling),
      onEnd: (e) => {
        e.to.append(...e.to.querySelectorAll(".more-cards"));
        move(e.item, e.from, next);
      },
    });
  }
}
ready();
addEventListener("load", ready);
document.addEventListener("htmx:load", ready);

// ---- by keyboard: Space picks a card up, arrows carry it, Space drops it, Escape puts it back
let held = null; // {card, from, next}
function carry(card, by) {
  const to = bodies()[bodies().indexOf(card.parentElement) + by];
  if (!to) return;
  to.prepend(card);
  card.querySelector("a").focus();
  card.scrollIntoView({ block: "nearest", inline: "nearest" });
  say(text("over", { column: to.dataset.label }));
}
function letGo(back) {
  const { card, from, next } = held;
  held = null;
  delete card.dataset.grabbed;
  if (back) {
    from.insertBefore(card, next);
    say(text("cancelled"));
  } else {
    say(text("dropped", { column: card.parentElement.dataset.label }));
    move(card, from, next);
  }
  card.querySelector("a").focus();
}
document.addEventListener("keydown", (e) => {
  const card = e.target.closest?.(".deal");
  if (!card || !board()?.contains(card) || !editable() || e.ctrlKey || e.metaKey || e.altKey) return;
  if (e.key === " ") {
    e.preventDefault();
    if (held) return letGo(false);
    held = { card, from: card.parentElement, next: card.nextElementSibling };
    card.dataset.grabbed = "";
    say(text("picked", { card: nameOf(card) }));
  } else if (e.key === "Escape" && held) letGo(true);
  else if (held && (e.key === "ArrowLeft" || e.key === "ArrowRight")) {
    e.preventDefault();
    carry(card, e.key === "ArrowRight" ? 1 : -1);
  }
});

// ---- arrows without a card in hand move between cards: down a column, or to the same height of the next one with cards
const cardsOf = (body) => [...body.querySelectorAll(".deal")];
document.addEventListener("keydown", (e) => {
  const card = e.target.closest?.(".deal");
  if (!card || held || !board()?.contains(card) || !/^Arrow/.test(e.key) || e.ctrlKey || e.metaKey || e.altKey) return;
  const column = cardsOf(card.parentElement);
  const at = column.indexOf(card);
  let next;
  if (e.key === "ArrowUp" || e.key === "ArrowDown") next = column[at + (e.key === "ArrowDown" ? 1 : -1)];
  else {
    const filled = bodies().filter((body) => cardsOf(body).length);
    const beside = filled[filled.indexOf(card.parentElement) + (e.key === "ArrowRight" ? 1 : -1)];
    next = beside && (cardsOf(beside)[at] ?? cardsOf(beside).at(-1));
  }
  e.preventDefault();
  next?.querySelector("a").focus();
  next?.scrollIntoView({ block: "nearest", inline: "nearest" });
});
document.addEventListener("focusout", () => {
  setTimeout(() => {
    if (held && !held.card.contains(document.activeElement)) letGo(true);
  });
});
