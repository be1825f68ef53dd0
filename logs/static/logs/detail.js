"use strict";

// The logs around this one: fetched after it, so that the log never waits. Each box of entries has the same
// id in the response.
{
    const aside = document.querySelector("[data-timelines]");

    async function load(boxes) {
        const headers = {"X-Requested-With": "XMLHttpRequest"};
        const response = await fetch(aside.dataset.timelines, {headers}).catch(Response.error);
        if (response.ok && !response.redirected) {
            const timelines = new DOMParser().parseFromString(await response.text(), "text/html");
            for (const box of boxes) {
                box.replaceWith(timelines.getElementById(box.id));
            }
        } else {
            aside.classList.add("logs-failed");
            for (const box of boxes) {
                box.querySelector("a").textContent = "These logs cannot be read. Try again.";
            }
        }
    }

    aside.classList.add("logs-loading");
    load(aside.querySelectorAll(".logs-entries")).finally(() => aside.classList.remove("logs-loading"));
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
