"use strict";

// Buttons that copy: data-copy has the text itself, data-copy-from the address of the text. They are hidden
// until this script runs. A script that adds such buttons calls showCopyButtons for them.
const copied = document.createElement("div");
copied.className = "visually-hidden";
copied.setAttribute("role", "status");
document.body.append(copied);

function showCopyButtons(root) {
    for (const button of root.querySelectorAll("[data-copy], [data-copy-from]")) {
        button.hidden = false;
    }
}

async function copyText(text) {
    if (navigator.clipboard) {
        return navigator.clipboard.writeText(text);
    }
    // Without HTTPS there is no clipboard interface.
    const field = document.createElement("textarea");
    field.value = text;
    document.body.append(field);
    field.select();
    const isCopied = document.execCommand("copy");
    field.remove();
    if (!isCopied) {
        throw new Error("The browser does not copy.");
    }
}

async function textOf(button) {
    if ("copy" in button.dataset) {
        return button.dataset.copy;
    }
    const response = await fetch(button.dataset.copyFrom);
    if (!response.ok || response.redirected) {
        throw new Error("The text cannot be read.");
    }
    return response.text();
}

document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy], [data-copy-from]");
    if (!button) {
        return;
    }
    let text = "Copied";
    try {
        await copyText(await textOf(button));
    } catch {
        text = "Not copied";
    }
    copied.textContent = text;
    button.dataset.label ??= button.textContent;
    button.textContent = text;
    setTimeout(() => {
        button.textContent = button.dataset.label;
        copied.textContent = "";
    }, 2000);
});

showCopyButtons(document);
