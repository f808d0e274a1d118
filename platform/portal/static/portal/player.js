// The player's bar: words instead of icons, single frames, and nothing laid over the picture or its mark.
// Without this file the browser's own controls stay.
(() => {
  "use strict";

  const make = (tag, properties = {}, attributes = {}) => {
    const made = Object.assign(document.createElement(tag), properties);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  };
  const button = (words, act, attributes = {}) => {
    const made = make("button", { type: "button", textContent: words }, attributes);
    made.addEventListener("click", act);
    return made;
  };
  const clock = (seconds) =>
    `${Math.floor(seconds / 60)}:${(Math.floor((seconds % 60) * 10) / 10).toFixed(1).padStart(4, "0")}`;

  class Player {
    constructor(video) {
      this.video = video;
      this.fps = Number(video.dataset.fps);
      this.play = button("", () => this.toggle(), { class: "play", "aria-pressed": "false" });
      this.play.append(make("span", { className: "sr", textContent: "Play" }));
      this.seek = make("input", { type: "range", id: "position", min: 0, max: 1, value: 0 });
      this.time = make("span", { className: "tick" });
      this.loop = button("Loop", () => this.repeat(!video.loop));
      video.controls = false;
      video.closest(".frame").after(this.bar());
      this.seek.addEventListener("input", () => this.goTo(Number(this.seek.value)));
      video.addEventListener("click", () => this.toggle());
      for (const kind of ["loadedmetadata", "durationchange", "seeked", "play", "pause", "ended"]) {
        video.addEventListener(kind, () => this.show());
      }
      video.addEventListener("play", () => this.follow());
      // A full screen has no bar of ours: the browser's own controls come back for as long.
      document.addEventListener("fullscreenchange", () => (video.controls = document.fullscreenElement === video));
      this.repeat(video.loop);
      this.show();
    }

    bar() {
      const bar = make("div", { className: "bar" });
      const place = make("div", { className: "seek" });
      place.append(make("label", { className: "sr", htmlFor: "position", textContent: "Position" }), this.seek);
      bar.append(this.play, place, this.time);
      bar.append(button("−1 frame", () => this.step(-1)), button("+1 frame", () => this.step(1)), this.loop);
      if (document.fullscreenEnabled) bar.append(button("Full screen", () => this.video.requestFullscreen()));
      return bar;
    }

    get length() {
      return Number.isFinite(this.video.duration) ? this.video.duration : 0;
    }

    get frame() {
      return Math.floor(this.video.currentTime * this.fps + 0.01);
    }

    toggle() {
      if (this.video.paused) this.video.play().catch(() => this.show());
      else this.video.pause();
    }

    repeat(yes) {
      this.video.loop = yes;
      this.loop.setAttribute("aria-pressed", String(yes));
    }

    step(by) {
      this.video.pause();
      this.goTo(this.frame + by);
    }

    /** The middle of a frame: its edges belong to either neighbour, depending on the browser. */
    goTo(frame) {
      const last = Math.max(0, Math.round(this.length * this.fps) - 1);
      this.video.currentTime = (Math.min(Math.max(frame, 0), last) + 0.5) / this.fps;
    }

    follow() {
      this.show();
      if (!this.video.paused) requestAnimationFrame(() => this.follow());
    }

    show() {
      const { currentTime, paused } = this.video;
      this.play.setAttribute("aria-pressed", String(!paused));
      this.seek.max = Math.max(1, Math.round(this.length * this.fps) - 1);
      this.seek.value = this.frame;
      this.seek.setAttribute("aria-valuetext", `${currentTime.toFixed(1)} of ${this.length.toFixed(0)} seconds`);
      this.time.textContent = `${clock(currentTime)} / ${clock(this.length)}`;
    }
  }

  /** Two clips side by side under one bar: the second does what the first does. */
  class Pair extends Player {
    constructor(videos, place) {
      super(videos[0]);
      this.place = place;
      const [first, second] = videos;
      second.controls = false;
      second.loop = first.loop;
      place.append(document.querySelector(".bar"));
      const meet = () => (second.currentTime = Math.min(first.currentTime, second.duration || first.currentTime));
      second.addEventListener("click", () => this.toggle());
      first.addEventListener("play", () => (meet(), second.play().catch(() => {})));
      first.addEventListener("pause", () => (second.pause(), meet()));
      first.addEventListener("seeked", meet);
    }
  }

  const pair = document.querySelector("[data-pair]");
  if (pair) new Pair([...pair.querySelectorAll("video")], pair);
  else for (const video of document.querySelectorAll("video[data-fps]")) new Player(video);
  // A copy that was still being made when the page came.
  document.addEventListener("htmx:afterSwap", () => {
    for (const video of document.querySelectorAll(".frame > video[data-fps][controls]")) new Player(video);
  });
})();
