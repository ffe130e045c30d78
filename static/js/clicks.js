// No click is lost. What a form with data-click says is first kept (kept.js), then sent, with the
// time of the click; what cannot be sent is shown (waiting.js) and tried again. A start brings its
// own call id and every click its own, so that what is sent twice is one. Every answer of ours says
// in X-Click what becomes of the click: it is "done", "refused" for good, or to be sent "later".
// An answer that says nothing of it is not ours. Without this script the forms post as forms do.
(() => {
  "use strict";

  const RETRY_MS = 3000;
  const RARELY = 16; // at least every so many rounds each click is tried
  const ENOUGH = 3; // tries after which a click no longer holds up others about its call
  const GATEWAY_ERRORS = [502, 503, 504];
  const { afterSwap, beforeSwap, found, kept, letGo, lost, notice, sentence, tell, token } = window.callManager;
  const LOCK = `callmanager.clicks.${document.getElementById("timer").dataset.user}`;
  const madeHere = new Set();
  const endedHere = new Set(); // the calls whose end this tab has sent, and tells of
  let sending = false;
  let everything = true; // also what was tried in vain, though it is not its turn
  let round = 0;

  const show = () => tell("kept");

  // In a tab of its own, which the browser closes when the phone program has opened: a page that
  // itself goes to tel: loses its live line in some browsers and its input in others meanwhile.
  // The phone in the page is told which call it is for.
  function dial(click) {
    const link = document.createElement("a");
    link.href = click.dial;
    link.dataset.dial = "";
    link.dataset.call = click.fields.call_id || "";
    link.target = "_blank";
    link.rel = "noopener";
    document.body.append(link);
    link.click();
    link.remove();
  }

  // --- Keeping -----------------------------------------------------------------------------------
  function clickOf(form, button) {
    const id = kept.uuid7();
    const fields = { ...Object.fromEntries(new FormData(form, button)), click_id: id, clicked_at: Date.now() };
    delete fields.csrfmiddlewaretoken;
    const { contact, phone, disposition } = fields;
    const path = form.getAttribute("action");
    const about = JSON.stringify([path, contact, phone, disposition]);
    if (form.dataset.start !== undefined) fields.call_id = kept.uuid7();
    const said = form.dataset.start === undefined && button?.textContent.trim();
    const label = [form.dataset.label, said].filter(Boolean).join(" · ");
    return { id, about, path, fields, label, dial: form.dataset.dial };
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("form[data-click]")) return;
    const click = clickOf(form, event.submitter);
    // The same thing again while it is on its way says nothing new.
    const isNew = !kept.open().some((other) => other.about === click.about);
    if (isNew) kept.add(click); // throws where nothing more can be kept: then the form posts as forms do
    event.preventDefault();
    if (!isNew) return;
    madeHere.add(click.id);
    show();
    setTimeout(show, kept.PATIENCE_MS + 50);
    flush();
  });

  // The second half of a double click is no further click.
  document.addEventListener(
    "click",
    (event) => {
      if (event.detail > 1 && event.target.closest("form[data-click]")) event.preventDefault();
    },
    true,
  );

  // --- Sending -----------------------------------------------------------------------------------
  function post(click) {
    return fetch(click.path, {
      method: "POST",
      body: new URLSearchParams({ ...click.fields, sent_at: Date.now() }),
      headers: { "HX-Request": "true", "X-CSRFToken": token() },
      redirect: "manual",
      signal: AbortSignal.timeout(10000),
    });
  }

  // What the server says of the click, and the answer. Where there was no server to say anything it
  // is "silent", where one must sign in first "leaving".
  async function deliver(click) {
    if (click.path.endsWith("/end/")) endedHere.add(kept.callOf(click));
    try {
      const answer = await post(click);
      const text = await answer.text();
      const said = answer.headers.get("X-Click");
      const signIn = answer.headers.get("HX-Redirect");
      if (signIn) location.assign(signIn);
      if (signIn) return { said: "leaving" };
      if (said !== null) return { said, answer, text, why: sentence(text) };
      const isAway = GATEWAY_ERRORS.includes(answer.status);
      return isAway ? { said: "silent" } : { said: "later", stranger: answer.status };
    } catch {
      return { said: "silent" };
    }
  }

  // The running calls as they now are, with the timer and a notice beside them.
  async function take({ answer, text, why }) {
    const part = document.getElementById("current_calls");
    if (part !== null) await letGo(part);
    const panel = document.getElementById("current_calls");
    if (panel !== null && answer.headers.has("X-Part")) {
      beforeSwap(panel);
      htmx.swap(panel, text, { swapStyle: "outerHTML", swapDelay: 0, settleDelay: 0 });
      afterSwap();
    } else {
      notice(why, answer.ok ? "good" : "bad");
    }
    const events = JSON.parse(answer.headers.get("HX-Trigger") || "{}");
    for (const [name, detail] of Object.entries(events)) tell(name, detail);
  }

  async function settle(click, outcome) {
    const { said, why, stranger } = outcome;
    const ended = said === "done" || said === "refused";
    // Whoever looks on hears of a refusal at once; of what had to wait, it is written down.
    const seen = madeHere.has(click.id) && !kept.waits(click);
    if (!ended) kept.note(click, { tries: click.tries + 1, why, stranger });
    else if (said === "refused" && !seen) kept.note(click, { refused: why });
    else kept.remove(click);
    if (click.tries === 0 && said !== "refused" && click.dial) dial(click);
    show();
    if (ended) await take(outcome);
  }

  // A start goes before all else about its call; so does what was clicked earlier, for some time.
  function goesBefore(other, click) {
    if (other.id === click.id || kept.callOf(other) !== kept.callOf(click) || kept.isStart(click)) return false;
    return kept.isStart(other) || (other.id < click.id && other.tries < ENOUGH);
  }

  // What was tried in vain is tried ever more rarely, so that it holds up nobody else.
  function next(tried) {
    const open = kept.open();
    const isDue = ({ tries }) => everything || round % Math.min(2 ** tries, RARELY) === 0;
    const isFree = (click) => !open.some((other) => goesBefore(other, click));
    return open.find((click) => !tried.has(click.id) && isDue(click) && isFree(click));
  }

  async function sendAll() {
    const tried = new Set();
    kept.tidy();
    for (let click = next(tried); click !== undefined; click = next(tried)) {
      tried.add(click.id);
      const outcome = await deliver(click);
      await settle(click, outcome);
      if (outcome.said === "silent") lost();
      if (outcome.said === "silent" || outcome.said === "leaving") break;
      if (outcome.answer) found();
      everything ||= outcome.said === "done"; // the way is open again
    }
    everything = false;
  }

  // One tab sends at a time, so that the order holds.
  async function flush() {
    if (sending || kept.open().length === 0) return;
    sending = true;
    try {
      if (navigator.locks) await navigator.locks.request(LOCK, sendAll);
      else await sendAll();
    } finally {
      sending = false;
      show();
    }
  }

  function sendEverything() {
    everything = true;
    flush();
  }

  for (const name of ["network-back", "line-up"]) document.body.addEventListener(name, sendEverything);
  addEventListener("online", sendEverything);
  setInterval(() => (round++, flush()), RETRY_MS);
  window.callManager.endedHere = endedHere;
  sendEverything();
})();
