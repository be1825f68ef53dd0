"use strict";

// Shortcuts of one key. They do nothing while somebody types, and can be switched off.
const shortcuts = document.getElementById("logs-keys");
const shortcutsSwitch = shortcuts.querySelector("input");

function moveRow(step) {
    const links = [...document.querySelectorAll("#result_list tbody th a")];
    const row = document.activeElement.closest("#result_list tr") ?? document.querySelector("tr[aria-current]");
    const current = links.findIndex((link) => link.closest("tr") === row);
    links[current < 0 ? 0 : current + step]?.focus();
}

const clickOn = (selector) => document.querySelector(selector)?.click();

const SHORTCUTS = {
    "/": () => document.querySelector("#logs-filter [name=q]").focus(),
    j: () => moveRow(1),
    k: () => moveRow(-1),
    e: () => document.activeElement.closest("#result_list tr")?.querySelector("[aria-expanded]")?.click(),
    n: () => clickOn("a[data-page=next]"),
    p: () => clickOn("a[data-page=previous]"),
    "?": () => shortcuts.showModal(),
};

document.addEventListener("keydown", (event) => {
    const isText = event.target.closest("input, select, textarea, dialog, [popover], [contenteditable]");
    const isModified = event.ctrlKey || event.altKey || event.metaKey || event.isComposing;
    if (shortcutsSwitch.checked && !isText && !isModified && Object.hasOwn(SHORTCUTS, event.key)) {
        event.preventDefault();
        SHORTCUTS[event.key]();
    }
});

shortcutsSwitch.checked = localStorage.getItem("logs-keys") !== "off";
shortcutsSwitch.addEventListener("change", () => {
    localStorage.setItem("logs-keys", shortcutsSwitch.checked ? "on" : "off");
});

const shortcutsButton = document.getElementById("logs-keys-open");
shortcutsButton.hidden = false;
shortcutsButton.addEventListener("click", () => shortcuts.showModal());
