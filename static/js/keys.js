// Shortcuts: single keys and "g x" chords, declared in the markup: data-key="c" on a link, button or input. Off while typing.
// WCAG 2.1.4: the switch in the list of keys turns them off in this browser; the profile turns them off everywhere.
import { show } from "./dialog.js";

const STORED = "keel-single-keys";
const chordTime = 900; // ms
let chord = "";
let timer;

const isOn = () => {
  const box = document.querySelector("[data-single-keys]");
  return box ? box.checked : true;
};
const typing = "input:not(.check), textarea, select, [contenteditable], dialog[open], .menu:popover-open, .pop:popover-open";

addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented || !isOn() || e.target.closest(typing)) return;
  if (e.key === "?") {
    show(document.getElementById("shortcuts"));
    return;
  }
  const sequence = chord ? `${chord} ${e.key}` : e.key;
  chord = "";
  clearTimeout(timer);
  const el = document.querySelector(`[data-key="${CSS.escape(sequence)}"]`);
  if (el) {
    e.preventDefault();
    if (el.matches("input")) el.focus();
    else el.click();
  } else if (document.querySelector(`[data-key^="${CSS.escape(sequence)} "]`)) {
    chord = sequence;
    timer = setTimeout(() => (chord = ""), chordTime);
  }
});

document.addEventListener("change", (e) => {
  if (e.target.matches("[data-single-keys]")) localStorage.setItem(STORED, e.target.checked ? "on" : "off");
});
const box = document.querySelector("[data-single-keys]");
if (box && localStorage.getItem(STORED)) box.checked = localStorage.getItem(STORED) === "on";
