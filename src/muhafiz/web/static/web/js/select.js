// @ts-check
/**
 * Choosing many rows: `<form data-bulk>` around checkboxes named "item" and one bar
 * `[data-bulk-bar]`. Without scripts the bar's buttons simply send what is ticked.
 */

/** @param {HTMLFormElement} form */
function begin(form) {
  const bar = form.querySelector("[data-bulk-bar]");
  if (!(bar instanceof HTMLElement)) return;
  const page = /** @type {HTMLInputElement | null} */ (bar.querySelector("[data-bulk-page]"));
  const count = /** @type {HTMLElement | null} */ (bar.querySelector("[data-bulk-count]"));
  /** @type {HTMLInputElement | null} */
  let last = null;

  /** @returns {HTMLInputElement[]} */
  const boxes = () => [...form.querySelectorAll('input[type="checkbox"][name="item"]')].map((box) => /** @type {HTMLInputElement} */ (box));
  const everything = () => form.querySelector('input[name="scope"][value="all"]:checked') !== null;

  function tell() {
    const all = boxes();
    const chosen = all.filter((box) => box.checked).length;
    if (page) {
      page.checked = all.length > 0 && chosen === all.length;
      page.indeterminate = chosen > 0 && chosen < all.length;
      page.closest("label")?.removeAttribute("hidden");
    }
    if (count) {
      count.hidden = everything();
      count.textContent = (bar?.dataset.told ?? "{count}").replace("{count}", String(chosen));
    }
    bar?.classList.toggle("bulk-idle", chosen === 0 && !everything());
    bar?.querySelectorAll("button").forEach((button) => { button.disabled = chosen === 0 && !everything(); });
  }

  form.addEventListener("click", (event) => {
    const box = event.target;
    if (!(box instanceof HTMLInputElement) || box.name !== "item") return;
    if (event.shiftKey && last) {
      const all = boxes();
      const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
      all.slice(from, to + 1).forEach((each) => { each.checked = box.checked; });
    }
    last = box;
  });
  form.addEventListener("change", (event) => {
    if (event.target === page && page) boxes().forEach((box) => { box.checked = page.checked; });
    tell();
  });
  form.addEventListener("htmx:afterSwap", tell);
  // Going back in the browser restores ticks after this script ran.
  addEventListener("pageshow", tell);
  tell();
}

document.querySelectorAll("form[data-bulk]").forEach((form) => begin(/** @type {HTMLFormElement} */ (form)));
