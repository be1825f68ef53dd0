"use strict";

// An empty field asks for nothing: leave it out, so that the address holds the filter and no more.
document.getElementById("logs-filter").addEventListener("submit", (event) => {
    for (const field of event.target.elements) {
        field.disabled = field.name !== "" && field.value === "";
    }
});

// Coming back with the browser's own button finds the form as it was left, with those fields disabled.
window.addEventListener("pageshow", () => {
    for (const field of document.getElementById("logs-filter").elements) {
        field.disabled = false;
    }
});
