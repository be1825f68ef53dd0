"use strict";

// The numbers above the rows: fetched after them, so that the rows never wait.
{
    const place = document.getElementById("logs-numbers");

    async function load() {
        const headers = {"X-Requested-With": "XMLHttpRequest"};
        const response = await fetch(place.dataset.numbers, {headers}).catch(Response.error);
        if (response.ok && !response.redirected) {
            place.innerHTML = await response.text();
        } else {
            place.querySelector("a").textContent = "The numbers cannot be read. Try again.";
        }
    }

    if (place?.dataset.numbers) {
        place.classList.add("logs-loading");
        load().finally(() => place.classList.remove("logs-loading"));
        // As the shortcuts of keyboard.js, which has the switch.
        document.addEventListener("keydown", (event) => {
            const isText = event.target.closest("input, select, textarea, dialog, [popover], [contenteditable]");
            const isModified = event.ctrlKey || event.altKey || event.metaKey || event.isComposing;
            if (event.key === "h" && !isText && !isModified && localStorage.getItem("logs-keys") !== "off") {
                event.preventDefault();
                (place.querySelector("summary") ?? place.querySelector("a")).focus();
            }
        });
    }
}
