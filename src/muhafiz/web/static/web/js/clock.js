// @ts-check
/**
 * Clocks go on while a page stands open: the time at the top, targets with their dials, ages.
 *
 * They follow the server's clock (`<body data-now>`) and the time that passed since; this machine's
 * own clock may be wrong. The server says when a clock is called near; the words are the page's.
 */

const ahead = Date.parse(document.body.dataset.now ?? "") - Date.now();
const EVERY = 5_000;

/** @param {number} number */
const two = (number) => String(number).padStart(2, "0");

/**
 * @param {Element} part
 * @param {number} now
 */
function moveHands(part, now) {
  const at = new Date(now + Number(part.getAttribute("data-hands")) * 60_000);
  part.textContent = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
}

/**
 * The sector of a dial that a part of the time takes, clockwise from the top.
 * @param {number} part
 */
function sector(part) {
  if (!(part > 0 && part < 1)) return "M6 1A5 5 0 1 1 6 11A5 5 0 1 1 6 1Z";
  const turn = 2 * Math.PI * part;
  return `M6 6V1A5 5 0 ${part > 0.5 ? 1 : 0} 1 ${(6 + 5 * Math.sin(turn)).toFixed(2)} ${(6 - 5 * Math.cos(turn)).toFixed(2)}Z`;
}

/**
 * @param {HTMLElement} target
 * @param {number} now
 */
function count(target, now) {
  const { due, from, near } = target.dataset;
  const left = Date.parse(due ?? "") - now;
  const minutes = Math.floor(Math.abs(left) / 60_000);
  const shown = `${left < 0 ? "\u2212" : ""}${Math.floor(minutes / 60)}:${two(minutes % 60)}`;
  const digits = target.querySelector("bdi");
  if (digits && digits.textContent !== shown) digits.textContent = shown;
  const look = left < 0 ? "over" : near && now >= Date.parse(near) ? "near" : "good";
  ["over", "near", "good"].forEach((each) => target.classList.toggle(`target-${each}`, each === look));
  target.querySelector(".unseen")?.toggleAttribute("hidden", look !== "over");
  if (from) target.querySelector("path")?.setAttribute("d", sector(left / (Date.parse(due ?? "") - Date.parse(from))));
}

/**
 * @param {HTMLElement} part
 * @param {number} now
 */
function grow(part, now) {
  const patterns = (document.querySelector("[data-ages]")?.getAttribute("data-ages") ?? "").split("|");
  const all = Math.max(Math.floor((now - Date.parse(part.dataset.since ?? "")) / 60_000), 0);
  const size = all < 60 ? 0 : all < 48 * 60 ? 1 : 2;
  const minutes = size ? two(all % 60) : String(all);
  const hours = size === 2 ? two(Math.floor((all % 1440) / 60)) : String(Math.floor(all / 60));
  const shown = (patterns[size] ?? "").replace("{days}", String(Math.floor(all / 1440))).replace("{hours}", hours).replace("{minutes}", minutes);
  const digits = part.querySelector("bdi");
  if (shown && digits && digits.textContent !== shown) digits.textContent = shown;
}

function tick() {
  if (document.hidden) return;
  const now = Date.now() + ahead;
  document.querySelectorAll("[data-hands]").forEach((part) => moveHands(part, now));
  document.querySelectorAll("[data-due]").forEach((part) => count(/** @type {HTMLElement} */ (part), now));
  document.querySelectorAll("time[data-since]").forEach((part) => grow(/** @type {HTMLElement} */ (part), now));
}

if (Number.isFinite(ahead)) {
  setInterval(tick, EVERY);
  document.addEventListener("visibilitychange", tick);
}
