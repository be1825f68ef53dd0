"use strict";

// The logs around this one: fetched after it, so that the log never waits. Each box of entries has the same
// id in the response.
{
    const aside = document.querySelector("[data-timelines]");
    const boxes = [...(aside?.querySelectorAll(".logs-entries") ?? [])];

    async function load() {
        const headers = {"X-Requested-With": "XMLHttpRequest"};
        const response = await fetch(aside.dataset.timelines, {headers});
        const page = new DOMParser().parseFromString(await response.text(), "text/html");
        const loaded = boxes.map((box) => page.getElementById(box.id));
        if (!response.ok || response.redirected || loaded.includes(null)) {
            throw new Error(response.status);
        }
        boxes.forEach((box, number) => {
            const hadFocus = box.contains(document.activeElement);
            box.replaceWith(loaded[number]);
            if (hadFocus) {
                loaded[number].querySelector("a")?.focus();
            }
        });
    }

    function fail() {
        for (const box of boxes) {
            box.querySelector("a").textContent = "These logs cannot be read. Try again.";
        }
    }

    if (boxes.length) {
        aside.classList.add("logs-loading");
        aside.ariaBusy = "true";
        load().catch(fail).finally(() => {
            aside.classList.remove("logs-loading");
            aside.ariaBusy = null;
        });
    }
}

// Paper does not unfold: everything is printed unfolded, and folded again afterwards.
let folded = [];

window.addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    for (const details of folded) {
        details.open = true;
    }
});

window.addEventListener("afterprint", () => {
    for (const details of folded) {
        details.open = false;
    }
});
