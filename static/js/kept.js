// What was clicked and is not done with yet, in localStorage, apart for each person. Every click has
// a key of its own, which the tab where it was made writes and nobody changes: tabs that write at
// once would otherwise undo each other's. What became of it (its fate: how often it was sent, why it
// was not taken) has a second key, which only the tab that sends writes.
(() => {
  "use strict";

  const { user } = document.getElementById("timer").dataset;
  const CLICK = `callmanager.click.${user}.`;
  const FATE = `callmanager.fate.${user}.`;
  const TOGETHER = `callmanager.clicks.${user}`; // all in one, as earlier versions kept them
  const PATIENCE_MS = 1200; // a click that takes longer than this is shown as waiting
  let latest = 0;

  const read = (key) => JSON.parse(localStorage.getItem(key));
  const write = (key, value) => localStorage.setItem(key, JSON.stringify(value));
  const keys = (prefix) => Object.keys(localStorage).filter((key) => key.startsWith(prefix));

  // Begins with the time, later than all that this tab has made before.
  function uuid7() {
    latest = Math.max(latest + 1, Date.now());
    const time = latest.toString(16).padStart(12, "0");
    const bytes = crypto.getRandomValues(new Uint8Array(10));
    bytes[0] = 0x70 | (bytes[0] & 0x0f);
    bytes[2] = 0x80 | (bytes[2] & 0x3f);
    const rest = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return (time + rest).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  }

  // The oldest first. Each as it was made, with `tries` and what came of the last.
  function all() {
    const clicks = keys(CLICK).sort().map(read);
    return clicks.filter(Boolean).map((click) => ({ tries: 0, ...click, ...read(FATE + click.id) }));
  }

  const add = (click) => write(CLICK + click.id, click);
  const note = ({ id }, fate) => write(FATE + id, { ...read(FATE + id), ...fate });

  function remove({ id }) {
    localStorage.removeItem(CLICK + id);
    localStorage.removeItem(FATE + id);
  }

  // A tab may take a click back just when another notes its fate.
  function tidy() {
    for (const key of keys(FATE)) {
      const id = key.slice(FATE.length);
      if (localStorage.getItem(CLICK + id) === null) remove({ id });
    }
  }

  const waits = (click) => click.tries > 0 || Date.now() - click.fields.clicked_at > PATIENCE_MS;
  const isStart = (click) => click.fields.call_id !== undefined;
  const callOf = ({ fields, path }) => fields.call_id || path.match(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/)?.[0];

  for (const click of read(TOGETHER) || []) add(click);
  localStorage.removeItem(TOGETHER);
  window.callManager.kept = {
    PATIENCE_MS,
    add,
    all,
    callOf,
    isOurs: (key) => key === null || key.startsWith(CLICK) || key.startsWith(FATE),
    isStart,
    note,
    open: () => all().filter((click) => click.refused === undefined),
    remove,
    tidy,
    uuid7,
    waits,
  };
})();
