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
