// Drag and drop by mouse and touch (SortableJS): within a column, to another one, and onto won or lost.
import { board, columns, editable, idOf } from "./board-dom.js";
import { move, settle } from "./board.js";
import { draggable } from "./card-drag.js";

const main = () => board().closest("main");
const drops = () => [...document.querySelectorAll(".drop")];

const listen = (body, options) => draggable(body, { filter: "[data-fixed], .more", preventOnFilter: false, ...options });

function ready() {
  if (!board() || !editable() || !globalThis.Sortable) return;
  for (const body of columns()) {
    let next;
    listen(body, {
      group: "deals",
      onStart: (e) => {
        next = e.item.nextElementSibling;
        main().dataset.dragging = "";
      },
      onMove: (e) => {
        for (const zone of drops()) zone.classList.toggle("is-over", zone === e.to);
      },
      onEnd: (e) => {
        delete main().dataset.dragging;
        for (const zone of drops()) zone.classList.remove("is-over");
        if (e.to.classList.contains("drop")) {
          // The card waits where it was: closing is said in a dialog first, and a cancelled one changes nothing.
          e.from.insertBefore(e.item, next);
          close(idOf(e.item), e.to.dataset.outcome);
        } else {
          e.to.append(...e.to.querySelectorAll(".more-cards"));
          move(e.item, e.from, next);
        }
        settle();
      },
    });
  }
  for (const zone of drops()) listen(zone, { group: { name: "deals", put: true, pull: false }, sort: false });
}

export function close(id, outcome) {
  htmx.ajax("GET", `${board().dataset.url}${id}/closure/?outcome=${outcome}`, { source: document.body, target: "#dialog", swap: "innerHTML" });
}

ready();
document.addEventListener("htmx:load", ready);
