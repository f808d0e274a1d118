// No page lives by this: without it, forms still send and pages still load anew.
(() => {
  "use strict";

  // A fragment request carries the token of the page's own form.
  document.addEventListener("htmx:configRequest", (event) => {
    const field = document.querySelector("input[name=csrfmiddlewaretoken]");
    if (field) event.detail.headers["X-CSRFToken"] = field.value;
  });

  // Progress of a render: events where the browser can hold a stream, else the page asks every two seconds.
  const live = document.querySelector("[data-events]");
  if (live) watch(live);

  function watch(place) {
    const voice = document.querySelector("[data-voice]");
    let spokenAt = Date.now();
    let failures = 0;
    let polling = false;
    let shown = "";
    let pace = null; // the first step seen, and when

    const ended = () => window.location.reload();
    const speak = () => {
      if (!voice || Date.now() - spokenAt < 15000) return;
      spokenAt = Date.now();
      voice.textContent = place.textContent.replace(/\s+/g, " ").trim();
    };
    const refresh = async () => {
      const answer = await fetch(place.dataset.poll, { headers: { "HX-Request": "true" } }).catch(() => null);
      if (!answer || !answer.ok) return;
      if (answer.headers.get("HX-Refresh")) return ended();
      place.innerHTML = await answer.text();
      speak();
    };
    const poll = async () => {
      polling = true;
      await refresh();
      window.setTimeout(poll, 2000);
    };
    const left = (done, total) => {
      if (!pace || done < pace.done) pace = { done, at: Date.now() };
      if (done === pace.done) return "";
      const seconds = ((Date.now() - pace.at) / 1000 / (done - pace.done)) * (total - done);
      if (seconds < 10) return ", a few seconds left";
      return seconds < 90 ? `, about ${Math.round(seconds / 10) * 10} s left` : `, about ${Math.round(seconds / 60)} min left`;
    };
    const step = ({ done, total }) => {
      const bar = place.querySelector("progress");
      const words = place.querySelector("[data-words]");
      bar.max = total;
      bar.value = done;
      const more = left(done, total);
      if (words && more) words.textContent = `Step ${done} of ${total}${more}.`;
      speak();
    };

    if (!window.EventSource) return void poll();
    const source = new EventSource(place.dataset.events);
    source.addEventListener("progress", (event) => {
      failures = 0;
      const data = JSON.parse(event.data);
      if (["completed", "failed", "cancelled"].includes(data.state)) {
        source.close();
        return ended();
      }
      // Queued, starting, rendering and encoding are the server's to word; in between only numbers move.
      const phase = `${data.state} ${data.position ?? 0} ${data.done === 0 ? "start" : data.done < data.total ? "steps" : "end"}`;
      if (phase === shown && data.total && place.querySelector("progress")) return step(data);
      shown = phase;
      refresh();
    });
    source.addEventListener("error", () => {
      failures += 1;
      if ((failures > 3 || source.readyState === EventSource.CLOSED) && !polling) {
        source.close();
        poll();
      }
    });
    window.addEventListener("pagehide", () => source.close());
  }

  // What this order costs, beside the button; what the variant cannot make is not offered.
  const order = document.querySelector("form[data-order]");
  if (order) {
    const field = order.elements;
    const usable = (select, given) => {
      const able = given.split(" ");
      for (const option of select.options) option.disabled = !able.includes(option.value);
      if (select.selectedOptions[0]?.disabled) select.value = able[0];
    };
    const tell = () => {
      const variant = field.variant.selectedOptions[0];
      if (!variant) return;
      usable(field.seconds, variant.dataset.lengths);
      usable(field.size, variant.dataset.sizes);
      if (field.fps) usable(field.fps, variant.dataset.rates);
      for (const style of order.querySelectorAll("[data-fits]")) {
        style.disabled = !style.dataset.fits.split(" ").includes(variant.value);
        if (style.disabled && style.checked) order.querySelector("[name=style][value='']").checked = true;
      }
      for (const part of order.querySelectorAll("[data-start]")) part.hidden = !("images" in variant.dataset);
      const takes = Number(field.takes.value);
      const cost = order.querySelector("[data-left]");
      const words = `Uses ${takes * Number(field.seconds.value) * Number(variant.dataset.cost)} s of your ${cost.dataset.left} s.`;
      if (cost.textContent !== words) cost.textContent = words;
      order.querySelector("[data-render]").textContent = `Render ${takes} take${takes === 1 ? "" : "s"}`;
      const told = [`${field.seconds.value} s`, field.size.value.replace("x", " × "), ...(field.fps ? [`${field.fps.value} frames a second`] : []), field.seed.value ? `seed ${field.seed.value}` : "a new seed"];
      order.querySelector("[data-told]").textContent = `: ${told.join(", ")}`;
    };
    order.addEventListener("change", tell);
    tell();
  }

  // A borrowed beginning goes into the form instead of loading the page.
  document.addEventListener("click", (event) => {
    const start = event.target.closest("[data-prompt]");
    const field = document.getElementById("prompt");
    if (!start || !field) return;
    event.preventDefault();
    field.value = start.dataset.prompt;
    field.focus();
  });

  // Copying says that it was copied, and stays silent where the browser does not let us.
  for (const button of navigator.clipboard ? document.querySelectorAll("[data-copy]") : []) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = "Copied";
    });
  }

  // A picture that is still being made is asked for again, ten times in all.
  document.addEventListener(
    "error",
    ({ target }) => {
      const tries = Number(target.dataset?.later || 0);
      if (!("later" in (target.dataset || {})) || tries >= 10) return;
      target.dataset.later = tries + 1;
      setTimeout(() => (target.src = target.src), 1000);
    },
    true,
  );

  // A form is sent once, however often its button is pressed.
  document.addEventListener("submit", (event) => {
    if (event.target.dataset.sent) return event.preventDefault();
    event.target.dataset.sent = "yes";
    if (event.submitter) event.submitter.classList.add("htmx-request");
  });
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
    for (const button of document.querySelectorAll(".btn.htmx-request")) button.classList.remove("htmx-request");
  });

  // A form that was refused: the first field at fault gets the focus, else the sentence.
  const fault = document.querySelector("[aria-invalid=true]") || document.querySelector(".err[tabindex]");
  if (fault) fault.focus();
})();
