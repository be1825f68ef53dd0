"use strict";

// A page that ran out of its budget continues: the rows of the following pages are added to it until it is
// full, at the end, or stopped. `added_rows.js` adds them.

// With this cookie, the first page of a search answers within a second.
document.cookie = "logs_script=1; SameSite=Lax";

function keepSearching(onward) {
    const countRows = () => all("#result_list tbody th a").length;
    const cost = (name, page) => +all(`[data-cost=${name}]`, page)[0].textContent;
    const format = (number) => Math.round(number).toLocaleString("en");
    const isBack = "back" in onward.dataset;
    const [progress, button] = onward.children;
    let {reached} = progress.dataset;
    let run = 0;
    let pending = null;

    function add(page) {
        const first = isBack ? all("#result_list tbody tr[id]")[0] : null;
        const rows = addRows(page, first, isBack);
        // In the reading direction, the links are those of the last page.
        for (const part of isBack ? ["first", "previous"] : ["next", "last"]) {
            all(`[data-page=${part}]`).forEach((link) => link.replaceWith(all(`[data-page=${part}]`, page)[0]));
        }
        if (rows.length) {
            document.dispatchEvent(new Event("logs-rows"));
        }
        for (const each of all("[data-cost]")) {
            const name = each.dataset.cost;
            each.textContent = Math.round(10 * (cost(name) + cost(name, page))) / 10;
        }
    }

    function report(text, label) {
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
            pending ??= loadPage(button.href);
            const [response, page] = await pending;
            if (current !== run) {
                return;
            }
            pending = null;
            if (response.redirected) {
                // To the login, and back to the rows or, without rows, to the place of the search.
                const {pathname, search} = countRows() ? location : button;
                signIn(response, pathname + search);
                return;
            }
            if (!response.ok) {
                pause("The logs cannot be read. Try again in a moment.");
                return;
            }
            add(page);
            const [more] = all("#logs-onward a", page);
            reached = more?.previousElementSibling.dataset.reached ?? "";
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
