"use strict";

// A page that ran out of its budget continues: the rows of the following pages are added to it until it is
// full, at the end, or stopped. Without this script "Keep searching" is a link to the next of these pages.
const onward = document.getElementById("logs-onward");

async function keepSearching() {
    const isBackwards = "back" in onward.dataset;
    const rows = document.querySelector("#result_list tbody");
    const progress = document.getElementById("logs-progress");
    const button = onward.querySelector("a");
    let isRunning = true;
    button.textContent = "Stop";
    button.addEventListener("click", (event) => {
        if (isRunning) {
            event.preventDefault();
            isRunning = false;
            button.textContent = "Keep searching";
        }
    });
    let next = button.href;
    while (isRunning && next) {
        const response = await fetch(next, {headers: {Accept: "text/html"}});
        if (!response.ok || response.redirected) {
            progress.textContent = "The logs cannot be read at the moment.";
            break;
        }
        const page = new DOMParser().parseFromString(await response.text(), "text/html");
        const newRows = page.querySelectorAll("#result_list tbody tr");
        if (isBackwards) {
            rows.prepend(...newRows);
        } else {
            rows.append(...newRows);
        }
        // The links in the reading direction are those of the last page; the others stay.
        for (const name of isBackwards ? ["first", "previous"] : ["next", "last"]) {
            const selector = `[data-page="${name}"]`;
            document.querySelector(selector).replaceWith(page.querySelector(selector));
        }
        const empty = document.querySelector(".logs-empty");
        const more = page.getElementById("logs-onward");
        if (newRows.length) {
            empty?.remove();
        } else if (empty && !more) {
            empty.textContent = page.querySelector(".logs-empty").textContent;
        }
        if (!more || rows.children.length >= Number(onward.dataset.rows)) {
            onward.remove();
            return;
        }
        next = more.querySelector("a").href;
        progress.textContent = page.getElementById("logs-progress").textContent;
        button.href = next;
    }
    isRunning = false;
    button.textContent = "Keep searching";
}

if (onward) {
    keepSearching();
}
