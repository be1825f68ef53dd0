"use strict";

// The checkbox in the head of the list selects all rows.
for (const all of document.querySelectorAll("[data-select-all]")) {
    all.hidden = false;
    all.addEventListener("change", () => {
        for (const box of all.closest("form").querySelectorAll("[name=ids]")) {
            box.checked = all.checked;
        }
    });
}

// A run continues by itself until it ends or is stopped. Without this script, "Continue" takes each step.
async function continueRun() {
    let isStopped = false;
    let section = document.getElementById("dead-letters-run");
    const stop = document.createElement("button");
    stop.type = "button";
    stop.className = "button";
    stop.textContent = "Stop";
    stop.addEventListener("click", () => {
        isStopped = true;
        stop.remove();
        section.querySelector("[type=submit]").hidden = false;
    });
    section.after(stop);
    while (!isStopped && "continue" in section.dataset) {
        const form = section.querySelector("form");
        form.querySelector("[type=submit]").hidden = true;
        // Not form.action, which is the field of that name.
        const response = await fetch("", {method: "POST", body: new FormData(form)}).catch(() => null);
        const text = response?.ok && !response.redirected ? await response.text() : "";
        const next = new DOMParser().parseFromString(text, "text/html").getElementById("dead-letters-run");
        if (!next) {
            // The page of the error, or the login.
            form.submit();
            return;
        }
        // A status is announced if its text changes, not if it is replaced.
        const status = section.querySelector("[role=status]");
        status.textContent = next.querySelector("[role=status]").textContent;
        next.querySelector("[role=status]").replaceWith(status);
        section.replaceWith(next);
        section = next;
    }
    stop.remove();
    if (isStopped) {
        section.querySelector("[role=status]").append(" Stopped.");
    }
}

if (document.querySelector("[data-continue]")) {
    continueRun();
}
