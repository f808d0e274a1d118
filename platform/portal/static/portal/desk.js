// The desk: the lease clock, and the one button that says what it will do. Every page works without this file.
"use strict";
(() => {
  const SECOND = 1000;
  const KEEP_AT_MOST_EVERY = 60 * SECOND;
  const SPOKEN = [300, 120, 0];

  const clock = (left) => {
    const shown = Math.max(0, Math.ceil(left));
    return `${String(Math.floor(shown / 60)).padStart(2, "0")}:${String(shown % 60).padStart(2, "0")}`;
  };

  /** Counts down from what the server said was left: only differences of the reader's own clock are used. */
  class Lease {
    constructor(root) {
      this.root = root;
      this.time = root.querySelector("[data-time]");
      this.until = root.querySelector("[data-until]");
      this.bar = root.querySelector("progress");
      this.voice = root.querySelector("[data-voice]");
      this.endsAt = 0;
      this.keptAt = Date.now();
      this.unspoken = [];
      this.set(Number(root.dataset.left), this.until.textContent, root.dataset.last === "true");
      this.timer = setInterval(() => this.show(), SECOND);
    }

    set(left, until, last) {
      this.endsAt = Date.now() + left * SECOND;
      this.untilText = until;
      this.voice.textContent = "";
      this.last = last;
      this.unspoken = SPOKEN.filter((mark) => mark < left);
      this.show();
    }

    get left() {
      return (this.endsAt - Date.now()) / SECOND;
    }

    show() {
      const left = this.left;
      this.time.textContent = clock(left);
      this.bar.value = Math.max(0, left);
      const soon = left <= 120;
      this.until.classList.toggle("mute", !soon);
      this.until.classList.toggle("strong", soon);
      this.until.textContent = this.words(left);
      this.speak(left);
      if (left <= 0) clearInterval(this.timer);
    }

    words(left) {
      if (left <= 0) return "Your time is up. The case went back to the queue; what you typed is still here.";
      if (left > 120) return this.untilText;
      return this.last ? "This is the end of your 45 min." : `${Math.ceil(left / 60)} min left; any key keeps it.`;
    }

    speak(left) {
      const passed = this.unspoken.filter((mark) => left <= mark);
      if (!passed.length) return;
      const mark = passed.at(-1); // a sleeping computer may wake behind several
      this.unspoken = this.unspoken.filter((other) => left > other);
      this.voice.textContent = mark ? `${mark / 60} minutes left on this case.` : "Your time on this case is up.";
    }

    async keep() {
      const now = Date.now();
      if (now - this.keptAt < KEEP_AT_MOST_EVERY || this.left <= 0 || this.last) return;
      this.keptAt = now;
      try {
        const answer = await fetch(this.root.dataset.keep, {
          method: "POST",
          headers: { "X-CSRFToken": this.root.dataset.csrf, Accept: "application/json" },
        });
        if (answer.status === 409 || answer.status === 404) this.set(0, "", true);
        if (!answer.ok) return;
        const lease = await answer.json();
        this.set(lease.left, lease.until, lease.last);
      } catch {
        this.keptAt = now - KEEP_AT_MOST_EVERY / 2; // the network was away: try again in half a minute
      }
    }
  }

  const watch = (root) => {
    const lease = new Lease(root);
    for (const kind of ["keydown", "input", "pointerdown", "play"]) {
      document.addEventListener(kind, () => lease.keep(), { capture: true, passive: true });
    }
  };

  const name = (form) => {
    const button = form.querySelector("[data-decide]");
    const outcome = form.querySelector("[name=outcome]:checked");
    if (!button || !outcome) return;
    const count = form.querySelectorAll("[name=reasons]:checked").length;
    const reasons = outcome.value === "approve" || !count ? "" : `, ${count} ${count === 1 ? "reason" : "reasons"}`;
    button.textContent = outcome.dataset.verb + reasons;
  };

  for (const root of document.querySelectorAll("[data-keep]")) watch(root);
  for (const form of document.querySelectorAll("form[data-verdict]")) {
    form.addEventListener("change", () => name(form));
    name(form);
  }
})();
