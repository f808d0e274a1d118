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
    let failures = 0;
    let polling = false;
    const ended = () => window.location.reload();
    const poll = async () => {
      polling = true;
      const answer = await fetch(place.dataset.poll, { headers: { "HX-Request": "true" } }).catch(() => null);
      if (answer && answer.ok) {
        if (answer.headers.get("HX-Refresh")) return ended();
        place.innerHTML = await answer.text();
      }
      window.setTimeout(poll, 2000);
    };
    const refresh = async () => {
      const answer = await fetch(place.dataset.poll, { headers: { "HX-Request": "true" } }).catch(() => null);
      if (answer && answer.ok) place.innerHTML = await answer.text();
    };
    if (!window.EventSource) return void poll();
    const source = new EventSource(place.dataset.events);
    let last = "";
    source.addEventListener("progress", (event) => {
      failures = 0;
      const data = JSON.parse(event.data);
      if (["completed", "failed", "cancelled"].includes(data.state)) {
        source.close();
        return ended();
      }
      const bar = place.querySelector("progress");
      const key = data.state + (data.done > 0 && data.done < data.total ? "+" : data.done);
      if (bar && data.total && key === last) {
        bar.max = data.total;
        bar.value = data.done;
        const words = place.querySelector("[data-words]");
        if (words) words.textContent = `Step ${data.done} of ${data.total}.`;
      } else {
        last = key;
        refresh();
      }
    });
    source.addEventListener("error", () => {
      failures += 1;
      if (failures > 3 && !polling) {
        source.close();
        poll();
      }
    });
    window.addEventListener("pagehide", () => source.close());
  }

  // What this render costs, beside the button.
  const order = document.querySelector("form.prompt");
  const cost = document.querySelector("[data-left]");
  if (order && cost) {
    const tell = () => {
      const variant = order.elements.variant.selectedOptions[0];
      const uses = Number(order.elements.seconds.value) * Number(variant ? variant.dataset.cost : 1);
      cost.textContent = `Uses ${uses} s of your ${cost.dataset.left} s.`;
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

  // Copying an address says that it was copied.
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(button.dataset.copy).catch(() => null);
    button.textContent = "Copied";
  });
  document.querySelectorAll("[data-copy]").forEach((button) => (button.hidden = false));

  // A form that was refused: the first field at fault gets the focus.
  const fault = document.querySelector("[aria-invalid=true]");
  if (fault) fault.focus();
})();
