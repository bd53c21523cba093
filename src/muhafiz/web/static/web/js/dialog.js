// @ts-check
/**
 * Dialogs: `<a href="#name" data-dialog>` opens `<dialog id="name">`. Without scripts the same link
 * shows the dialog within the page. A press beside a dialog does not close it: typing would be lost.
 */

/**
 * Links to "#name", and opens the dialog of that name.
 * @param {Element} opener
 * @returns {HTMLDialogElement | null}
 */
function dialogOf(opener) {
  const name = opener.getAttribute("href")?.replace(/^#/, "") || opener.getAttribute("data-dialog");
  const found = name ? document.getElementById(name) : null;
  return found instanceof HTMLDialogElement ? found : null;
}

document.addEventListener("click", (event) => {
  const target = /** @type {Element} */ (event.target);
  const opener = target.closest?.("[data-dialog]");
  const dialog = opener && dialogOf(opener);
  if (dialog) {
    event.preventDefault();
    dialog.showModal();
    return;
  }
  const closer = target.closest?.("[data-dialog-close]");
  if (closer) {
    event.preventDefault();
    closer.closest("dialog")?.close();
  }
});

// A form that came back with errors lies in a dialog that the server marked as open.
document.querySelectorAll("dialog[data-open]").forEach((dialog) => {
  if (dialog instanceof HTMLDialogElement && !dialog.open) dialog.showModal();
});
