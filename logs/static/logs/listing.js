"use strict";

const filter = document.getElementById("logs-filter");

// What is empty, or so by default, asks for nothing: leave it out, so that the address holds the filter and no more.
filter.addEventListener("submit", (event) => {
    // A date that is typed by half has no value: sent so, it would be dropped without a word.
    if ([...event.target.elements].some((field) => field.validity.badInput)) {
        event.preventDefault();
        event.target.reportValidity();
        return;
    }
    for (const field of event.target.elements) {
        const isDefault = field.value === "" || (field.name === "order" && field.value === "newest");
        field.disabled = field.name !== "" && isDefault;
    }
});

// Coming back with the browser's own button finds the form as it was left, with those fields disabled.
window.addEventListener("pageshow", () => {
    for (const field of filter.elements) {
        field.disabled = false;
    }
});

// A page that ran out of its budget goes on by itself: what the following pages hold is taken into this
// one until it is full, or at the end, or stopped. Without this script "Go on" is a link to the next of them.
const onward = document.getElementById("logs-onward");

async function goOn() {
    const back = "back" in onward.dataset;
    const rows = document.querySelector("#result_list tbody");
    const told = document.getElementById("logs-reached");
    const button = onward.querySelector("a");
    const address = button.href;
    let running = true;
    button.textContent = "Stop";
    button.addEventListener("click", (event) => {
        if (running) {
            event.preventDefault();
            running = false;
            button.textContent = "Go on";
        }
    });
    let next = address;
    while (running && next) {
        const answer = await fetch(next, {headers: {Accept: "text/html"}});
        if (!answer.ok || answer.redirected) {
            told.textContent = "The logs cannot be read at the moment.";
            break;
        }
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const found = page.querySelectorAll("#result_list tbody tr");
        if (back) {
            rows.prepend(...found);
        } else {
            rows.append(...found);
        }
        const more = page.getElementById("logs-onward");
        if (found.length) {
            document.querySelector(".logs-empty")?.remove();
        }
        // The way on is the last page's, the way back stays this page's own.
        const side = back ? [0, 1] : [2, 3];
        const ours = document.querySelectorAll(".logs-pager > .button");
        const theirs = page.querySelectorAll(".logs-pager > .button");
        for (const place of side) {
            ours[place].replaceWith(theirs[place]);
        }
        next = more?.querySelector("a").href;
        if (!more || rows.children.length >= Number(onward.dataset.rows)) {
            onward.remove();
            return;
        }
        told.textContent = page.getElementById("logs-reached").textContent;
        button.href = next;
    }
    running = false;
    button.textContent = "Go on";
}

if (onward) {
    goOn();
}

// The types and sub types that there are, asked for when one of their fields is first used: a page without
// that need costs nothing. A field that takes several values, with commas, suggests for the last of them.
const SEVERAL = ["type"];
let choices;

async function suggest(field) {
    choices ??= fetch(filter.dataset.choices).then((answer) => (answer.ok ? answer.json() : {}));
    const values = (await choices)[field.name] ?? [];
    let list = document.getElementById(`${field.id}_choices`);
    if (!list) {
        list = document.createElement("datalist");
        list.id = `${field.id}_choices`;
        field.after(list);
        field.setAttribute("list", list.id);
    }
    const before = SEVERAL.includes(field.name) ? field.value.match(/^(.*,\s*)?/)[0] : "";
    list.replaceChildren(
        ...values.map((value) => new Option("", before + (before || SEVERAL.includes(field.name) ? value.replaceAll(",", "\\,") : value))),
    );
}

for (const name of ["type", "sub_type"]) {
    const field = filter.elements[name];
    for (const event of ["focus", "input"]) {
        field.addEventListener(event, () => suggest(field));
    }
}
