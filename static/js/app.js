// Entry point: one module tag per page. Everything is event delegation, so what htmx swaps in needs no binding.
import "./theme.js";
import "./menu.js";
import "./toast.js";
import "./keys.js";
import "./table.js";
import "./tabs.js";
import "./dialog.js";
import "./confirm.js";
import "./forms.js";
import "./filters.js";
import "./cards.js";
import "./shell.js";
import "./live.js";
import "./notifications.js";
import "./palette.js";
import "./requests.js";
import "./timeline.js";
