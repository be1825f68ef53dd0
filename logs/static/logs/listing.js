"use strict";

const filter = document.getElementById("logs-filter");

// Empty and default values are not sent, so that the address holds the filter and nothing else.
filter.addEventListener("submit", (event) => {
    // An incomplete date has no value: it would be dropped silently.
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

// The browser's back button shows the form as it was sent, with those fields disabled.
window.addEventListener("pageshow", () => {
    for (const field of filter.elements) {
        field.disabled = false;
    }
});

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

// The values seen so far are requested when one of their fields is first used. A field that takes several
// values, separated by commas, suggests the last of them.
const SUGGESTED = ["type", "sub_type", "submitter_country", "submitter_platform", "submitter_browser"];
let choices;

async function suggest(field) {
    choices ??= fetch(filter.dataset.choices).then((response) => (response.ok ? response.json() : {}));
    // "-type" excludes types.
    const values = (await choices)[field.name.replace(/^-/, "")] ?? [];
    let list = document.getElementById(`${field.id}_choices`);
    if (!list) {
        list = document.createElement("datalist");
        list.id = `${field.id}_choices`;
        field.after(list);
        field.setAttribute("list", list.id);
    }
    const isSeveral = "several" in field.dataset;
    const before = isSeveral ? field.value.match(/^(.*(?<!\\),\s*)?/)[0] : "";
    list.replaceChildren(
        ...values.map((value) => new Option("", before + (isSeveral ? value.replaceAll(",", "\\,") : value))),
    );
}

for (const name of SUGGESTED.flatMap((included) => [included, `-${included}`])) {
    const field = filter.elements[name];
    for (const event of ["focus", "input"]) {
        field.addEventListener(event, () => suggest(field));
    }
}
