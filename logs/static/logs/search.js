"use strict";

// A page that ran out of its budget continues: the rows of the following pages are added to it until it is
// full, at the end, or stopped. Without this script "Keep searching" is a link to the next of these pages.

// With this cookie, the first page of a search answers within a second.
document.cookie = `logs_script=1; SameSite=Lax${location.protocol === "https:" ? "; Secure" : ""}`;

function keepSearching(onward) {
    const all = (selector, root = document) => [...root.querySelectorAll(selector)];
    const countRows = () => all("#result_list tbody th a").length;
    const isBack = "back" in onward.dataset;
    const [progress] = all("#logs-progress");
    const [button] = all("a", onward);
    let {reached} = progress.dataset;
    let run = 0;
    let pending = null;

    async function load(address) {
        const headers = {Accept: "text/html", "X-Requested-With": "XMLHttpRequest"};
        const response = await fetch(address, {headers}).catch(() => Response.error());
        return [response, new DOMParser().parseFromString(await response.text(), "text/html")];
    }

    function swap(page, ...selectors) {
        for (const selector of selectors) {
            const [other] = all(selector, page);
            all(selector).forEach((part) => other && part.replaceWith(other.cloneNode(true)));
        }
    }

    // The times of a page's first and last row. The second one omits the day if it is the same.
    function span(page) {
        const [first, last] = all(".logs-span", page)[0].textContent.split(" – ");
        return [first, /^..:/.test(last) ? `${first.split(" ")[0]} ${last}` : last];
    }

    function add(page) {
        const before = all("#result_list tbody tr");
        const rows = all("#result_list tbody tr", page);
        const [above, below] = isBack ? [rows, before] : [before, rows];
        all("#result_list tbody")[0][isBack ? "prepend" : "append"](...rows);
        // A day that goes on has one heading.
        const day = above.findLast((row) => row.dataset.day)?.dataset.day;
        if (day && day === below[0]?.dataset.day) {
            below[0].remove();
        }
        // In the reading direction, links and times are those of the last page.
        swap(page, ...(isBack ? ["first", "previous"] : ["next", "last"]).map((name) => `[data-page=${name}]`));
        if (!before.length) {
            swap(page, ".logs-span", "#logs-empty");
        } else if (rows.length) {
            const [[first], [, last]] = (isBack ? [page, document] : [document, page]).map(span);
            all(".logs-span")[0].textContent = `${first} – ${last}`;
        }
        if (rows.length) {
            all("#logs-empty").forEach((empty) => empty.remove());
            document.dispatchEvent(new Event("logs-rows"));
        }
        for (const cost of all("[data-cost]")) {
            const [other] = all(`[data-cost=${cost.dataset.cost}]`, page);
            cost.textContent = Math.round(10 * (+cost.textContent + +other.textContent)) / 10;
        }
    }

    function report(text, label) {
        const cost = (name) => +all(`[data-cost=${name}]`)[0].textContent;
        const format = (number) => Math.round(number).toLocaleString("en");
        const logs = cost("examined") + cost("searched");
        const rate = (1000 * logs) / Math.max(1, cost("milliseconds"));
        progress.textContent =
            `${text} Rows${reached && " so far"}: ${format(countRows())}. ` +
            `Searched ${format(logs)} logs, ${format(rate)} a second${reached}.`;
        button.textContent = label;
    }

    function pause(text) {
        run += 1;
        report(text, "Keep searching");
    }

    async function search() {
        const current = (run += 1);
        const end = Date.now() + 60_000;
        while (current === run) {
            report("", "Stop");
            // After "Stop" this page is kept, so that nothing is read twice.
            pending ??= load(button.href);
            const [response, page] = await pending;
            if (current !== run) {
                return;
            }
            pending = null;
            if (response.redirected) {
                // To the login, and back to the rows or, without rows, to the place of the search.
                const back = countRows() ? location : button;
                const login = new URL(response.url);
                login.searchParams.set("next", back.pathname + back.search);
                location = login;
                return;
            }
            if (!response.ok) {
                pause("The logs cannot be read. Try again in a moment.");
                return;
            }
            add(page);
            const [more] = all("#logs-onward a", page);
            reached = more ? all("#logs-progress", page)[0].dataset.reached : "";
            if (!more || countRows() >= onward.dataset.rows) {
                report("");
                button.remove();
                return;
            }
            button.href = more.href;
            if (document.hidden || Date.now() > end) {
                pause(document.hidden ? "Paused in the background." : "Paused after a minute.");
            }
        }
    }

    button.addEventListener("click", (event) => {
        event.preventDefault();
        if (button.textContent === "Stop") {
            pause("Stopped.");
        } else {
            search();
        }
    });
    search();
}

document.querySelectorAll("#logs-onward").forEach(keepSearching);
