// @ts-check
/**
 * Parts of a page that ask for themselves anew (htmx) wait while nobody looks, while text in them is
 * being selected, and while the focus is within: what a person reads or points at does not jump.
 */

/** @param {Element} part */
function busy(part) {
  if (document.hidden) return true;
  const chosen = getSelection();
  if (chosen && !chosen.isCollapsed && part.contains(chosen.anchorNode)) return true;
  const focus = document.activeElement;
  return focus !== null && focus !== document.body && part.contains(focus) && focus.matches("input, select, textarea, button");
}

document.addEventListener("htmx:beforeRequest", (event) => {
  const part = /** @type {Element} */ (event.target);
  if (/\bevery\b/.test(part.getAttribute("hx-trigger") ?? "") && busy(part)) event.preventDefault();
});
