// Other people's changes: the stream names deals and columns, the board asks for these pieces and nothing else.
import { board } from "./board-dom.js";
import { refetch, refresh } from "./board.js";

document.addEventListener("keel:events", (e) => {
  if (!board()) return;
  const topic = `pipeline:${board().dataset.pipeline}`;
  const mine = e.detail.events.filter((event) => event.topic === topic);
  if (!mine.length) return;
  if (mine.some((event) => event.data.all)) {
    refetch();
    return;
  }
  refresh([...new Set(mine.flatMap((event) => event.data.deals))], [...new Set(mine.flatMap((event) => event.data.columns))]);
});
document.addEventListener("keel:refetch", () => {
  if (board()) refetch();
});
