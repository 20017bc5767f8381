// The board's page: all its parts. They import board.js, so it must not import them: names with hashes of the contents,
// which production gives to static files, can't go round in a circle.
import "./board-drag.js";
import "./board-keys.js";
import "./board-menu.js";
import "./board-live.js";
