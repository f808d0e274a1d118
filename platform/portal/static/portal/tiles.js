// Small frames under pointer and focus, the takes of a sheet while they render, and its keys.
// Without this file posters stand still, pages load anew, and every button works.
(() => {
  "use strict";

  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const known = new Map(); // address of a WebVTT file → its cells

  /** The cells of a sprite: its address, the part of it, and from when. */
  const cells = (address) => {
    if (!known.has(address)) known.set(address, fetch(address).then((answer) => (answer.ok ? answer.text() : "")).then((text) => read(text, address)).catch(() => []));
    return known.get(address);
  };
  const read = (text, address) =>
    [...text.matchAll(/([\d:.]+) --> [\d:.]+\s+(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)/g)].map(([, from, name, x, y, w, h]) => ({
      from: from.split(":").reduce((sum, part) => sum * 60 + Number(part), 0),
      src: new URL(name, new URL(address, document.baseURI)).href,
      x: Number(x), y: Number(y), w: Number(w), h: Number(h),
    }));

  /** Shows one cell in `place`, which has the shape of a cell. */
  const put = (place, cell) => {
    let image = place.querySelector("img.frames");
    if (!image) {
      image = Object.assign(new Image(), { className: "frames", alt: "" });
      place.append(image);
    }
    const fit = () => {
      if (!image.naturalWidth) return;
      const cell = image.cell;
      image.style.setProperty("inline-size", `${(image.naturalWidth / cell.w) * 100}%`);
      image.style.setProperty("translate", `${(-cell.x / image.naturalWidth) * 100}% ${(-cell.y / image.naturalHeight) * 100}%`);
    };
    image.cell = cell;
    if (image.src !== cell.src) {
      image.onload = fit;
      image.src = cell.src;
    }
    fit();
  };

  const clear = (place) => {
    window.clearInterval(place.playing);
    place.playing = null;
    place.querySelector("img.frames")?.remove();
  };

  const frameOf = (target) => target.closest?.(".tile")?.querySelector("[data-frames]");
  document.addEventListener("pointermove", async (event) => {
    if (event.pointerType === "touch") return;
    const place = frameOf(event.target);
    if (!place) return;
    place.hovered = true;
    const box = place.getBoundingClientRect();
    const share = Math.min(0.999, Math.max(0, (event.clientX - box.left) / box.width));
    const found = await cells(place.dataset.frames);
    window.clearInterval(place.playing);
    if (found.length && place.hovered) put(place, found[Math.floor(share * found.length)]);
  });
  document.addEventListener("pointerout", (event) => {
    const place = frameOf(event.target);
    if (!place || event.target.closest(".tile").contains(event.relatedTarget)) return;
    place.hovered = false;
    clear(place);
  });
  document.addEventListener("focusin", async (event) => {
    const place = frameOf(event.target);
    if (!place || place.playing || still.matches || !event.target.matches(":focus-visible")) return;
    const found = await cells(place.dataset.frames);
    let at = 0;
    if (!found.length || !event.target.closest(".tile").contains(document.activeElement)) return;
    place.playing = window.setInterval(() => put(place, found[at++ % found.length]), 250);
  });
  document.addEventListener("focusout", (event) => {
    const place = frameOf(event.target);
    if (place && !event.target.closest(".tile").contains(event.relatedTarget)) clear(place);
  });

  // The player's timeline shows the frame under the pointer, below the bar and never over the picture.
  window.addEventListener("load", () => {
    const video = document.querySelector("video[data-frames]");
    const seek = document.querySelector(".stage .seek");
    if (!video || !seek) return;
    const place = document.createElement("span");
    place.className = "frame preview";
    place.hidden = true;
    seek.append(place);
    seek.addEventListener("pointermove", async (event) => {
      if (event.pointerType === "touch") return;
      const found = await cells(video.dataset.frames);
      if (!found.length) return;
      const box = seek.getBoundingClientRect();
      const share = Math.min(0.999, Math.max(0, (event.clientX - box.left) / box.width));
      const cell = found[Math.floor(share * found.length)];
      place.hidden = false;
      place.style.setProperty("aspect-ratio", `${cell.w} / ${cell.h}`);
      place.style.setProperty("inset-inline-start", `${share * 100}%`);
      put(place, cell);
    });
    seek.addEventListener("pointerleave", () => (place.hidden = true));

    // The frame that is taken is the one that is seen.
    const second = document.querySelector("[data-second]");
    const tell = () => (second.value = video.currentTime.toFixed(2));
    if (second) for (const kind of ["seeked", "pause"]) video.addEventListener(kind, tell);
  });

  // One stream for all takes of a request; each tile asks for itself when its word changes.
  const sheet = document.querySelector("[data-takes]");
  if (sheet) follow(sheet);

  function follow(sheet) {
    const voice = document.querySelector("[data-voice]");
    const phases = new Map();
    let spokenAt = 0;
    const refresh = (tile) => tile && window.htmx.trigger(tile, "refresh");
    const open = () => sheet.querySelectorAll("[data-open]");
    const speak = () => {
      if (Date.now() - spokenAt < 15000) return;
      spokenAt = Date.now();
      const left = open().length;
      voice.textContent = left ? `${left} to come.` : "All takes are done.";
    };
    const poll = () => {
      open().forEach(refresh);
      if (open().length) window.setTimeout(poll, 3000);
    };
    // What somebody has just clicked is answered first: a page that came before would not show it.
    let asked = 0;
    sheet.addEventListener("htmx:beforeRequest", () => (asked += 1));
    sheet.addEventListener("htmx:afterRequest", () => (asked -= 1));
    const whole = (waits = 50) => (asked > 0 && waits ? window.setTimeout(whole, 100, waits - 1) : window.location.reload());
    sheet.addEventListener("htmx:afterSwap", () => {
      speak();
      if (!open().length) window.setTimeout(whole, 300);
    });
    if (!window.EventSource) return void poll();
    let failures = 0;
    const source = new EventSource(sheet.dataset.takes);
    for (const kind of ["begin", "still"]) source.addEventListener(kind, () => open().forEach(refresh));
    source.addEventListener("progress", (event) => {
      failures = 0;
      const data = JSON.parse(event.data);
      const tile = sheet.querySelector(`[data-take="${CSS.escape(data.video)}"]`);
      if (!tile) return;
      const phase = `${data.state} ${data.done === 0 ? "start" : data.done < data.total ? "steps" : "end"}`;
      const bar = tile.querySelector("progress");
      if (phases.get(data.video) !== phase || !bar) refresh(tile);
      else {
        bar.max = data.total;
        bar.value = data.done;
        const words = tile.querySelector("[data-words]");
        if (words) words.textContent = words.textContent.replace(/^Step \d+ of \d+/, `Step ${data.done} of ${data.total}`);
      }
      phases.set(data.video, phase);
    });
    source.addEventListener("error", () => {
      failures += 1;
      if (failures <= 3 && source.readyState !== EventSource.CLOSED) return;
      source.close();
      poll();
    });
    window.addEventListener("pagehide", () => source.close());
  }

  // Single keys, only while a take has the focus, and only until they are turned off.
  const hint = document.querySelector(".keys");
  const off = () => localStorage.getItem("keys") === "off";
  if (hint) {
    const turn = hint.querySelector("[data-keys]");
    const tell = () => {
      turn.textContent = off() ? "Turn these keys on" : "Turn these keys off";
      turn.setAttribute("aria-pressed", String(!off()));
    };
    hint.hidden = false;
    tell();
    turn.addEventListener("click", () => {
      localStorage.setItem("keys", off() ? "on" : "off");
      tell();
    });
    document.addEventListener("keydown", (event) => {
      const take = document.activeElement?.closest?.(".take");
      if (!take || off() || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input:not([type=checkbox]), textarea, select")) return;
      const key = event.key.toLowerCase();
      const way = { arrowleft: "previousElementSibling", arrowright: "nextElementSibling" }[key];
      if (way) {
        take[way]?.querySelector("h3 a")?.focus();
        return event.preventDefault();
      }
      const button = take.querySelector(`[data-key="${CSS.escape(key)}"]`);
      if (!button) return;
      event.preventDefault();
      button.focus();
      button.click();
    });
  }
})();
