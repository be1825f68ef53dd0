"use strict";

const filter = document.getElementById("logs-filter");
const details = document.querySelector(".logs-filters");

// Empty and default values are not sent, so that the address holds the filter and nothing else.
filter.addEventListener("submit", () => {
    for (const field of filter.elements) {
        field.disabled = field.name !== "" && field.type !== "submit" && field.value.trim() === "";
    }
});

// Typed values are kept beside the address: the browser does not keep those of a page that it may not store.
let saving;
function save() {
    clearTimeout(saving);
    const values = {};
    for (const field of filter.elements) {
        if (field.id && /^(text|search|checkbox)$/.test(field.type)) {
            values[field.id] = field.type === "checkbox" ? field.checked : field.value;
        }
    }
    history.replaceState({...history.state, filter: values}, "");
}

function restore() {
    for (const field of filter.elements) {
        field.disabled = false;
    }
    for (const [id, value] of Object.entries(history.state?.filter ?? {})) {
        const field = document.getElementById(id);
        if (field?.form === filter) {
            field[field.type === "checkbox" ? "checked" : "value"] = value;
        }
    }
}

// Fields beside the list belong to the form, but are outside it.
for (const place of [filter, details]) {
    place.addEventListener("change", save);
    // A browser limits the changes of its history.
    place.addEventListener("input", () => {
        clearTimeout(saving);
        saving = setTimeout(save, 300);
    });
}
window.addEventListener("pageshow", restore);

// Beside the list the filters are open, on a narrow screen they are folded.
const isWide = matchMedia("(min-width: 1025px)");
const unfold = () => {
    details.open = isWide.matches || details.querySelector("[aria-invalid]") !== null;
};
isWide.addEventListener("change", unfold);
unfold();

// The link of an error opens what is folded around its field.
for (const link of document.querySelectorAll(".logs-errors a")) {
    link.addEventListener("click", (event) => {
        const field = document.getElementById(decodeURIComponent(link.hash.slice(1)));
        for (let folded = field?.closest("details"); folded; folded = folded.parentElement.closest("details")) {
            folded.open = true;
        }
        field?.focus();
        event.preventDefault();
    });
}

// The browser's own time zone is one click away.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const zoneButton = document.getElementById("logs-browser-zone");
if (zone && ![...filter.querySelectorAll("[name=set_tz]")].some((button) => button.value.startsWith(zone))) {
    const minutes = -new Date().getTimezoneOffset();
    const hours = Math.trunc(Math.abs(minutes) / 60);
    const rest = Math.abs(minutes) % 60;
    zoneButton.value = zone + zoneButton.value;
    zoneButton.textContent = `${zone.split("/").pop().replaceAll("_", " ")} (${minutes < 0 ? "-" : "+"}${hours}${
        rest ? `:${rest}` : ""
    })`;
    zoneButton.hidden = false;
}

function offer(field, values) {
    let list = document.getElementById(`${field.id}_choices`);
    if (!list) {
        list = document.createElement("datalist");
        list.id = `${field.id}_choices`;
        field.after(list);
        field.setAttribute("list", list.id);
    }
    list.replaceChildren(...values.map((value) => new Option("", value)));
}

const zoneField = document.getElementById("id_tz");
zoneField.addEventListener("focus", () => offer(zoneField, Intl.supportedValuesOf?.("timeZone") ?? []), {once: true});

// The values seen so far are requested when one of their fields is first used. A field that takes several
// values, separated by commas, suggests the last of them.
const SUGGESTED = ["type", "sub_type", "submitter_country", "submitter_platform", "submitter_browser"];
let choices;

async function suggest(field) {
    choices ??= fetch(filter.dataset.choices).then((response) => (response.ok ? response.json() : {}));
    // "-type" excludes types.
    const values = (await choices)[field.name.replace(/^-/, "")] ?? [];
    const before = field.value.match(/^(.*(?<!\\),\s*)?/)[0];
    offer(field, values.map((value) => before + value.replaceAll(",", "\\,")));
}

for (const name of SUGGESTED.flatMap((included) => [included, `-${included}`])) {
    const field = filter.elements[name];
    for (const event of ["focus", "input"]) {
        field.addEventListener(event, () => suggest(field));
    }
}
