"use strict";

// One-key shortcuts. They do nothing while you type, and can be switched off.
const help = document.getElementById("logs-keys");
const keySwitch = help.querySelector("input");

// An excerpt and an open pane belong to the row above.
function focusedRow() {
    let row = document.activeElement.closest("#result_list > tbody > tr");
    while (row && !row.id) {
        row = row.previousElementSibling;
    }
    return row;
}

function moveRow(step) {
    const links = [...document.querySelectorAll("#result_list tbody th a")];
    const row = focusedRow() ?? document.querySelector("tr[aria-current], tr:target");
    const current = links.indexOf(row?.querySelector("th a"));
    links[current < 0 ? 0 : current + step]?.focus();
}

const clickOn = (selector) => document.querySelector(selector)?.click();

function focusOn(name) {
    const field = document.getElementById(`id_${name}`);
    field.focus();
    field.select();
}

// A subtype belongs to its type.
function showSame() {
    const [type, subType] = focusedRow()?.querySelectorAll(".w > :is(a, i)") ?? [];
    if (type) {
        const address = new URL(type.href);
        if (subType) {
            address.searchParams.set("sub_type", subType.textContent.replaceAll(",", "\\,"));
        }
        location = address;
    }
}

const SHORTCUTS = {
    "/": () => focusOn("q"),
    t: () => focusOn("range"),
    f: () => {
        document.querySelector(".logs-filters").open = true;
        focusOn("account_id");
    },
    l: () => clickOn(".logs-live:not([hidden])"),
    s: showSame,
    j: () => moveRow(1),
    k: () => moveRow(-1),
    e: () => focusedRow()?.querySelector("[aria-expanded]")?.click(),
    n: () => clickOn("[data-page=next]"),
    p: () => clickOn("[data-page=previous]"),
    x: () => clickOn("[href^=export]"),
    "?": () => help.showModal(),
};

document.addEventListener("keydown", (event) => {
    const isText = event.target.closest("input, select, textarea, dialog, [popover], [contenteditable]");
    const isModified = event.ctrlKey || event.altKey || event.metaKey || event.isComposing;
    if (keySwitch.checked && !isText && !isModified && Object.hasOwn(SHORTCUTS, event.key)) {
        event.preventDefault();
        SHORTCUTS[event.key]();
    }
});

keySwitch.checked = localStorage.getItem("logs-keys") !== "off";
keySwitch.addEventListener("change", () => {
    localStorage.setItem("logs-keys", keySwitch.checked ? "on" : "off");
});

const helpButton = document.getElementById("logs-keys-open");
helpButton.hidden = false;
helpButton.addEventListener("click", () => help.showModal());
