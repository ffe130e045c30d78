// Sounds that the phone makes itself: the ring, the tone while the other phone rings, keys. All are
// made here, of sines. A browser may want a click before a page sounds.
(() => {
  "use strict";

  const ROWS = [697, 770, 852, 941];
  const COLUMNS = [1209, 1336, 1477];
  const KEYS = ["123", "456", "789", "*0#"];
  const PATTERNS = {
    ring: { tones: [440, 554], on: 0.9, every: 2.4, volume: 0.25 },
    waits: { tones: [440], on: 0.2, every: 4, volume: 0.08 },
    away: { tones: [425], on: 1, every: 4, volume: 0.06 },
  };
  let context = null;
  let playing = "";
  let timer = 0;

  function ready() {
    context ??= new AudioContext();
    if (context.state === "suspended") context.resume();
    return context;
  }

  function beep(tones, seconds, volume) {
    const { currentTime, destination } = ready();
    const gain = context.createGain();
    gain.gain.setValueAtTime(0, currentTime);
    gain.gain.linearRampToValueAtTime(volume, currentTime + 0.02);
    gain.gain.setValueAtTime(volume, currentTime + seconds - 0.02);
    gain.gain.linearRampToValueAtTime(0, currentTime + seconds);
    gain.connect(destination);
    for (const frequency of tones) {
      const tone = context.createOscillator();
      tone.frequency.value = frequency;
      tone.connect(gain);
      tone.start(currentTime);
      tone.stop(currentTime + seconds);
    }
  }

  // One pattern at a time; "" for silence.
  function play(name) {
    if (name === playing) return;
    playing = name;
    clearInterval(timer);
    if (!name) return;
    const { tones, on, every, volume } = PATTERNS[name];
    const sound = () => beep(tones, on, volume);
    sound();
    timer = setInterval(sound, every * 1000);
  }

  function key(tone) {
    const row = KEYS.findIndex((keys) => keys.includes(tone));
    beep([ROWS[row], COLUMNS[KEYS[row].indexOf(tone)]], 0.12, 0.08);
  }

  window.phone.sound = {
    play,
    key,
    wake: ready,
    isAsleep: () => ready().state !== "running",
    whenAwake: (then) => ready().addEventListener("statechange", then),
    setSpeaker: (id) => context?.setSinkId?.(id).catch(() => {}),
  };
})();
