// The screen on the wall: full screen, and a sound, if asked for, when a call turns red.
(() => {
  "use strict";

  const LOOK_MS = 1000;
  const TONE_HZ = 660;
  const TONE_S = 0.25;

  const full = document.getElementById("wall_full");
  const sound = document.getElementById("wall_sound");
  const heard = new Set();
  let audio = null;

  full.hidden = !document.fullscreenEnabled;
  full.addEventListener("click", () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen();
  });

  function tone() {
    const [source, volume] = [audio.createOscillator(), audio.createGain()];
    source.frequency.value = TONE_HZ;
    volume.gain.value = 0.2;
    source.connect(volume).connect(audio.destination);
    source.start();
    source.stop(audio.currentTime + TONE_S);
    document.documentElement.dataset.sounded = String(Number(document.documentElement.dataset.sounded || 0) + 1);
  }

  // Browsers let a page sound only after a click: the switch is that click, and is off at first.
  sound.addEventListener("change", () => {
    if (!sound.checked) return;
    audio = audio || new AudioContext();
    audio.resume();
    look(false);
  });

  // Each call sounds once; those that are long already when the switch is set do not.
  function look(aloud) {
    for (const clock of document.querySelectorAll(".tile .clock-red")) {
      const call = clock.closest(".tile").dataset.call;
      if (heard.has(call)) continue;
      heard.add(call);
      if (aloud && sound.checked) tone();
    }
  }

  setInterval(() => look(true), LOOK_MS);
})();
