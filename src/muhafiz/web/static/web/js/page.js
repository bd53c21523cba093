// @ts-check
/** What every page gets: the error summary is read first, and a table that fits keeps its heading in view. */

/** @type {HTMLElement | null} */
const summary = document.querySelector("[data-focus]");
summary?.focus();

/**
 * A table narrower than its frame needs no frame that scrolls; without one its heading can stick.
 * @param {HTMLElement} frame
 */
function fit(frame) {
  const table = frame.querySelector(":scope > table");
  if (!(table instanceof HTMLElement)) return;
  const fits = table.offsetWidth <= frame.clientWidth;
  frame.classList.toggle("fits", fits);
  if (fits) frame.removeAttribute("tabindex");
  else frame.tabIndex = 0;
}

const watching = new ResizeObserver((seen) => {
  const frames = seen.map((each) => each.target.closest(".table-wrap"));
  new Set(frames).forEach((frame) => frame && fit(/** @type {HTMLElement} */ (frame)));
});

/**
 * The table is watched as well as its frame: larger letters widen the one and not the other.
 * @param {ParentNode} root
 */
function watch(root) {
  root.querySelectorAll(".table-wrap, .table-wrap > table").forEach((part) => watching.observe(part));
}

watch(document);
document.addEventListener("htmx:load", (event) => watch(/** @type {HTMLElement} */ (event.target)));
