// One card a call: who, how long, how it stands, and the buttons that make sense now.
(() => {
  "use strict";

  const { calls, quality } = window.phone;
  const said = document.getElementById("phone_words").content.querySelectorAll("[data-word]");
  const words = Object.fromEntries([...said].map(({ dataset, textContent }) => [dataset.word, textContent]));
  const list = document.getElementById("calls");
  const template = document.getElementById("call_card");
  const MEASURE_MS = 2000;

  const part = (card, name) => card.querySelector(`[data-part=${name}]`);
  const fill = (text, values) => text.replaceAll("%%", "%").replace(/%\((\w+)\)s/g, (_, name) => values[name]);
  const isTalking = (call) => call.state === "talking";

  function clock(since) {
    const seconds = Math.max(0, Math.floor((Date.now() - since) / 1000));
    const two = (number) => String(number).padStart(2, "0");
    const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
    return `${hours ? `${two(hours)}:` : ""}${two(minutes)}:${two(seconds % 60)}`;
  }

  function standing(call) {
    if (call.transfers) return "transferring";
    if (!isTalking(call)) return call.state;
    if (call.held) return "held";
    return call.heldThere ? "held_there" : "talking";
  }

  function shows(call, name) {
    const other = calls.all.find((one) => one !== call && isTalking(one));
    const can = {
      answer: call.direction === "inbound" && call.state === "ringing",
      hold: isTalking(call),
      mute: isTalking(call) && !call.held,
      pass: isTalking(call) && !other,
      join: isTalking(call) && Boolean(other) && call.held,
    };
    return can[name] ?? true;
  }

  function label(button, text, pressed) {
    if (button.textContent !== text) button.textContent = text;
    if (pressed !== undefined) button.setAttribute("aria-pressed", pressed);
  }

  function update(call) {
    const card = document.getElementById(`call_${call.id}`);
    const how = standing(call);
    card.dataset.state = how;
    const number = call.shown || call.number;
    label(part(card, "name"), call.name || number || words.unknown);
    label(part(card, "number"), call.name ? number : "");
    label(part(card, "state"), words[how]);
    part(card, "clock").textContent = call.since ? clock(call.since) : "";
    for (const button of card.querySelectorAll("[data-do]")) button.hidden = !shows(call, button.dataset.do);
    label(card.querySelector("[data-do=hold]"), call.held ? words.resume : words.hold, call.held);
    label(card.querySelector("[data-do=mute]"), call.muted ? words.unmute : words.mute, call.muted);
    label(card.querySelector("[data-do=hang]"), shows(call, "answer") ? words.refuse : words.hang_up);
    const other = calls.all.find((one) => one !== call);
    if (other) label(card.querySelector("[data-do=join]"), words.transfer_to_other.replace("%s", other.name || other.number));
    if (!shows(call, "pass")) card.querySelector(".phone-pass").hidden = true;
    sign(card, call);
  }

  function sign(card, call) {
    const line = card.querySelector(".phone-quality");
    const { sign: found, loss, jitter, trip } = call.quality || {};
    line.hidden = !found || !isTalking(call);
    if (line.hidden) return;
    line.dataset.sign = found;
    label(part(card, "quality"), words[found]);
    const values = { loss: loss.toFixed(1), jitter: Math.round(jitter), trip: Math.round(trip) };
    line.title = fill(words.line_details, values);
  }

  function render() {
    for (const card of [...list.children]) {
      if (!calls.all.some((call) => card.id === `call_${call.id}`)) card.remove();
    }
    for (const call of calls.all) {
      if (!document.getElementById(`call_${call.id}`)) {
        const card = template.content.cloneNode(true).firstElementChild;
        card.id = `call_${call.id}`;
        card.dataset.call = call.id;
        list.append(card);
      }
      update(call);
    }
  }

  async function measure() {
    for (const call of calls.all.filter(isTalking)) {
      if (call.session.connection) call.quality = await quality.measure(call.session.connection, call.quality);
    }
    render();
  }

  setInterval(() => calls.all.forEach(update), 500);
  setInterval(measure, MEASURE_MS);

  window.phone.cards = { render, words };
})();
