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
  const number = new Intl.NumberFormat("en");
  /** @type {HTMLInputElement | null} */
  let last = null;

  /** @returns {HTMLInputElement[]} */
  const boxes = () => [...form.querySelectorAll('input[type="checkbox"][name="item"]')].map((box) => /** @type {HTMLInputElement} */ (box));
  const all = /** @type {HTMLInputElement | null} */ (bar.querySelector('input[name="scope"][value="all"]'));
  const everything = () => all !== null && all.checked;

  function tell() {
    const here = boxes();
    const ticked = here.filter((box) => box.checked).length;
    const chosen = everything() ? Number(bar?.dataset.total) : ticked;
    if (page) {
      page.checked = here.length > 0 && ticked === here.length;
      page.indeterminate = ticked > 0 && ticked < here.length;
      page.closest("label")?.removeAttribute("hidden");
    }
    if (count) count.textContent = chosen ? (bar?.dataset.told ?? "{count}").replace("{count}", number.format(chosen)) : "";
    form.classList.toggle("bulk-everything", everything());
    bar?.classList.toggle("bulk-idle", chosen === 0);
    bar?.querySelectorAll("button").forEach((button) => { button.disabled = chosen === 0; });
  }

  form.addEventListener("click", (event) => {
    const box = event.target;
    if (!(box instanceof HTMLInputElement) || box.name !== "item") return;
    if (event.shiftKey && last) {
      const here = boxes();
      const [from, to] = [here.indexOf(last), here.indexOf(box)].sort((a, b) => a - b);
      here.slice(from, to + 1).forEach((each) => { each.checked = box.checked; });
    }
    last = box;
  });
  form.addEventListener("change", (event) => {
    const turned = event.target;
    if (!(turned instanceof HTMLInputElement) || ![page, all].includes(turned) && turned.name !== "item") return;
    // All that match include these rows; whoever then leaves one out means the others of this page.
    if (turned === page || turned === all) boxes().forEach((box) => { box.checked = turned.checked; });
    if (all && turned !== all && !turned.checked) all.checked = false;
    tell();
  });
  form.addEventListener("htmx:afterSwap", tell);
  // Going back in the browser restores ticks after this script ran.
  addEventListener("pageshow", tell);
  tell();
}

document.querySelectorAll("form[data-bulk]").forEach((form) => begin(/** @type {HTMLFormElement} */ (form)));
