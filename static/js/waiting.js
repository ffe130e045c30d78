// Shows what is kept of clicks (kept.js): what waits to be sent, what was refused and why, and on
// the buttons of the running calls what is on its way.
(() => {
  "use strict";

  const { kept, tell } = window.callManager;
  const NOBODY = "00000000-0000-0000-0000-000000000000";

  const made = (name) => document.getElementById(name).content.cloneNode(true).firstElementChild;

  function lineOf(click, template) {
    const item = made(template);
    const clicked = new Date(click.fields.clicked_at);
    item.querySelector("time").textContent = clicked.toTimeString().slice(0, 8);
    item.querySelector(".waiting-label").textContent = click.label;
    item.querySelector(".waiting-drop").addEventListener("click", () => drop(click));
    return item;
  }

  // A call that runs, as far as is known here: its clock, and how to end it.
  function addCall(item, click) {
    const clock = item.querySelector(".clock");
    clock.dataset.elapsedMs = Date.now() - click.fields.clicked_at;
    const form = item.querySelector("form");
    form.setAttribute("action", form.getAttribute("action").replace(NOBODY, kept.callOf(click)));
    form.dataset.label = click.label;
  }

  // Why it was not taken when it was last sent; "" where nobody answered.
  function reason({ why, stranger }) {
    const { dataset } = document.getElementById("waiting");
    return why || (stranger === undefined ? "" : dataset.stranger.replace("{status}", stranger));
  }

  function waitingLine(click, ended) {
    const runs = kept.isStart(click) && !ended.has(kept.callOf(click));
    const item = lineOf(click, runs ? "waiting_start" : "waiting_click");
    if (runs) addCall(item, click);
    item.querySelector(".waiting-why").textContent = reason(click);
    return item;
  }

  function refusedLine(click) {
    const item = lineOf(click, "refused_click");
    item.querySelector(".waiting-why").textContent = click.refused;
    const { notes } = click.fields;
    if (notes) item.querySelector(".waiting-note").textContent = notes;
    return item;
  }

  // Taken back by the person, together with whatever was said about the same start.
  function drop(click) {
    const goes = (other) => other.id === click.id || (kept.isStart(click) && kept.callOf(other) === kept.callOf(click));
    kept.all().filter(goes).forEach(kept.remove);
    show();
  }

  function fill(name, clicks, line) {
    const [area, list] = [document.getElementById(name), document.getElementById(`${name}_list`)];
    const key = JSON.stringify(clicks.map(({ id, why, stranger }) => [id, why, stranger]));
    area.hidden = clicks.length === 0;
    if (list.dataset.key === key) return;
    list.dataset.key = key;
    list.replaceChildren(...clicks.map(line));
  }

  function mark(paths) {
    for (const form of document.querySelectorAll("#current_calls form[data-click]")) {
      const isWaiting = paths.has(form.getAttribute("action"));
      form.classList.toggle("is-waiting", isWaiting);
      for (const button of form.querySelectorAll("button")) button.ariaDisabled = String(isWaiting);
    }
  }

  function show() {
    const [clicks, open] = [kept.all(), kept.open()];
    mark(new Set(open.map((click) => click.path)));
    if (document.getElementById("waiting") === null) return;
    const ended = new Set(open.filter(({ path }) => path.endsWith("/end/")).map(kept.callOf));
    fill("waiting", open.filter(kept.waits), (click) => waitingLine(click, ended));
    fill("refused", clicks.filter((click) => click.refused !== undefined), refusedLine);
  }

  // Another tab has clicked, or has sent: what it sent has changed the calls.
  addEventListener("storage", ({ key, newValue }) => {
    if (!kept.isOurs(key)) return;
    show();
    if (newValue === null) tell("live", { type: "resync" });
  });
  document.body.addEventListener("kept", show);
  document.body.addEventListener("htmx:load", show);
  show();
})();
