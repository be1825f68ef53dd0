// The page of an export shows its progress until the export ends.
"use strict";

const SECONDS = 2;

function job(parent) {
  return parent.querySelector("#logs-job");
}

async function refresh() {
  // A hidden tab asks for nothing. A form that is being submitted stays.
  if (document.hidden) return;
  const response = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "error" });
  if (!response.ok) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const current = job(document);
  const next = job(page);
  if (!next) return;
  if (!("running" in next.dataset)) {
    const hadFocus = current.contains(document.activeElement);
    current.replaceWith(next);
    if (hadFocus) next.querySelector("a, button")?.focus();
    return;
  }
  // The buttons stay where they are, with their focus.
  for (const selector of ["[role=status]", "progress"]) {
    const old = current.querySelector(selector);
    const fresh = next.querySelector(selector);
    if (old && fresh) {
      (selector === "progress" ? old.parentElement : old).innerHTML =
        (selector === "progress" ? fresh.parentElement : fresh).innerHTML;
    }
  }
}

async function follow() {
  while ("running" in job(document).dataset) {
    await new Promise((resolve) => setTimeout(resolve, SECONDS * 1000));
    // Without a connection, the next attempt may succeed.
    await refresh().catch(() => {});
  }
}

follow();
