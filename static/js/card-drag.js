// What every board shares: how a card is dragged by mouse and touch (SortableJS), and words with gaps.
const done = new WeakSet();

// Makes the cards of a column draggable, once.
export function draggable(body, options) {
  if (done.has(body)) return;
  done.add(body);
  globalThis.Sortable.create(body, {
    animation: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 160,
    draggable: ".deal",
    ghostClass: "is-ghost",
    dragClass: "is-drag",
    forceFallback: true, // the browser's own drag and drop can't be styled, and knows no touch
    fallbackOnBody: true,
    fallbackTolerance: 4,
    delay: 180,
    delayOnTouchOnly: true,
    emptyInsertThreshold: 40,
    ...options,
  });
}

export const filled = (words = "", values = {}) => words.replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");
