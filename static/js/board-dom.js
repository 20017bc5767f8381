// What the board's modules share: its elements, its words, and the sums they count on until the server answers.
import { filled } from "./card-drag.js";

export const board = () => document.querySelector("[data-board]");
export const idOf = (el) => (el?.matches?.(".deal") ? el.querySelector("a").getAttribute("href").replace("/", "") : null);
export const card = (id) => board().querySelector(`.deal > a[href="${id}/"]`)?.parentElement ?? null;
export const column = (stage) => document.getElementById(`col-${stage}`);
export const columns = () => [...board().querySelectorAll(".col-body")];
export const head = (stage) => document.getElementById(`head-${stage}`);
export const nameOf = (el) => el.querySelector("a").textContent;
export const editable = () => "editable" in board().dataset;

export const text = (name, values) => filled(document.getElementById("board-texts").dataset[name], values);
export function say(words) {
  document.getElementById("live").textContent = words;
}

// Sums are in minor units of the base currency; how many digits it has, the browser knows.
const format = (options) => {
  const currency = board().dataset.currency;
  const style = { style: "currency", currency };
  const digits = new Intl.NumberFormat("en", style).resolvedOptions().maximumFractionDigits;
  const numbers = new Intl.NumberFormat(document.documentElement.lang || "en", { ...style, ...options });
  return (minor) => numbers.format(minor / 10 ** digits);
};
const whole = (minor) => format({ maximumFractionDigits: 0 })(minor);
const short = (minor) => format({ notation: "compact", maximumFractionDigits: minor >= 1e8 ? 2 : 0 })(minor).replace("K", "k");

// Counts a card in or out of its column's head.
export function shift(body, sign, moved) {
  const top = head(body.dataset.stage);
  if (!top) return;
  const amount = sign * Number(moved.dataset.amount);
  const add = (name, by) => (top.dataset[name] = Math.round(Number(top.dataset[name]) + by));
  top.querySelector(".count").textContent = add("count", sign);
  top.querySelector("[data-sum]").textContent = whole(add("sum", amount));
  top.querySelector("[data-weighted]").textContent = short(add("weighted", (amount * Number(body.dataset.prob)) / 100));
  summary();
}

export function putHead({ id, html }) {
  const old = head(id);
  if (old) old.outerHTML = html;
}

// The totals over all columns, beside the pipeline's name and on the phone's strip.
export function summary() {
  const heads = [...board().querySelectorAll(".col-head")];
  const total = (name) => heads.reduce((sum, h) => sum + Number(h.dataset[name]), 0);
  const number = new Intl.NumberFormat(document.documentElement.lang || "en");
  for (const place of document.querySelectorAll("[data-summary]")) {
    const put = (selector, words) => place.querySelector(selector)?.replaceChildren(words);
    put("[data-sum]", whole(total("sum")));
    put("[data-weighted]", whole(total("weighted")));
    put("[data-count]", number.format(total("count")));
    put("[data-short]", short(total("sum")));
  }
  for (const h of heads) {
    const strip = document.querySelector(`[data-count-of="${h.id.replace("head-", "")}"]`);
    if (strip) strip.textContent = number.format(h.dataset.count);
  }
}

// Puts a card where its key says. Beyond the last loaded card of a column that has more it is not shown yet.
export function place(el, stage) {
  const body = column(stage);
  if (!body) {
    el.remove();
    return;
  }
  const after = (other) => el.dataset.pos < other.dataset.pos || (el.dataset.pos === other.dataset.pos && idOf(el) < idOf(other));
  const next = [...body.querySelectorAll(".deal")].find((other) => other !== el && after(other)) ?? null;
  const more = body.querySelector(".more-cards");
  if (!next && more) {
    el.remove();
    return;
  }
  if (el.parentElement === body && el.nextElementSibling === next) return;
  const focused = el.contains(document.activeElement) ? document.activeElement : null;
  body.insertBefore(el, next);
  focused?.focus({ preventScroll: true });
}
