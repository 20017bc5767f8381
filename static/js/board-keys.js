// The board by keyboard: arrows go from card to card; Space picks one up, arrows carry it, Space drops it, Escape puts it back.
import { board, columns, editable, nameOf, say, text } from "./board-dom.js";
import { move, settle } from "./board.js";

let held = null; // {card, from, next}

const cards = (body) => [...body.querySelectorAll(".deal")];
const label = (body) => body.dataset.label;
const beside = (body, by) => columns()[columns().indexOf(body) + by];

function tellPlace(card) {
  const list = cards(card.parentElement);
  say(text("place", { stage: label(card.parentElement), place: list.indexOf(card) + 1, count: list.length }));
}

function pickUp(card) {
  if ("fixed" in card.dataset || !editable()) {
    say(text("fixed", { deal: nameOf(card) }));
    return;
  }
  held = { card, from: card.parentElement, next: card.nextElementSibling };
  card.dataset.grabbed = "";
  say(text("picked", { deal: nameOf(card) }));
}

function letGo(back) {
  const { card, from, next } = held;
  held = null;
  delete card.dataset.grabbed;
  if (back) {
    from.insertBefore(card, next);
    card.querySelector("a").focus();
    say(text("cancelled"));
  } else {
    say(text("dropped", { stage: label(card.parentElement) }));
    move(card, from, next);
  }
  settle();
}

function carry(card, key) {
  const list = cards(card.parentElement);
  const at = list.indexOf(card);
  if (key === "ArrowUp") list[at - 1]?.before(card);
  else if (key === "ArrowDown") list[at + 1]?.after(card);
  else {
    const body = beside(card.parentElement, key === "ArrowRight" ? 1 : -1);
    body?.prepend(card);
  }
  card.querySelector("a").focus();
  card.scrollIntoView({ block: "nearest", inline: "nearest" });
  tellPlace(card);
}

function walk(card, key) {
  const list = cards(card.parentElement);
  const at = list.indexOf(card);
  let to = key === "ArrowDown" ? list[at + 1] : key === "ArrowUp" ? list[at - 1] : null;
  if (key === "ArrowLeft" || key === "ArrowRight") {
    const by = key === "ArrowRight" ? 1 : -1;
    // An empty column is stepped over.
    for (let body = beside(card.parentElement, by); body && !to; body = beside(body, by)) to = cards(body)[Math.min(at, cards(body).length - 1)];
  }
  to?.querySelector("a").focus();
}

document.addEventListener("keydown", (e) => {
  const card = e.target.closest?.(".deal");
  if (!board()?.contains(card) || e.target.closest(".more") || e.ctrlKey || e.metaKey || e.altKey) return;
  if (e.key === " ") {
    e.preventDefault();
    if (held) letGo(false);
    else pickUp(card);
  } else if (e.key === "Escape" && held) {
    letGo(true);
  } else if (/^Arrow(Up|Down|Left|Right)$/.test(e.key)) {
    e.preventDefault();
    if (held) carry(held.card, e.key);
    else walk(card, e.key);
  }
});
// Whoever leaves with a card in the hand has dropped nothing.
document.addEventListener("focusout", () => {
  setTimeout(() => {
    if (held && !held.card.contains(document.activeElement)) letGo(true);
  });
});

